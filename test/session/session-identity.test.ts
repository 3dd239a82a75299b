import test from 'ava'
import { harness } from '../support/harness.js'
import type { Harness } from '../support/harness.js'

const begun = async (options?: Parameters<typeof harness>[0]): Promise<Harness> => {
  const made = harness(options)
  await made.visit(async (object) => (await object.load()).set('user', 'ann').save())
  return made
}

test('regenerateId() gives a new id, keeps the data and current changes, and the old id is dead', async (t) => {
  const { visit, browser } = await begun()
  const old = browser.copy()
  const [before, after] = await visit(async (object) => {
    const session = await object.load()
    const before = session.id
    await session.set('role', 'admin').regenerateId()
    return [before, session.id]
  })
  t.not(after, before)
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { user: 'ann', role: 'admin' })
  t.is(await visit(async (object) => (await object.load()).size, old), 0)
})

test('a writer in flight when the id is renewed gets SessionGoneError, sets no cookie and brings nothing back', async (t) => {
  const { visit, browser, open } = await begun()
  const old = browser.copy()
  const exchange = browser.begin()
  const late = await open(exchange).load()
  await visit(async (object) => object.regenerateId())
  await t.throwsAsync(late.set('user', 'eve').save(), { code: 'PHIAL_GONE' })
  t.is(exchange.sent.size, 0)
  t.is(await visit(async (object) => (await object.load()).size, old), 0)
  t.is(await visit((object) => object.get('user')), 'ann')
})

test('a writer who saved before the id was renewed is in the renewed session', async (t) => {
  const { visit, browser, open } = await begun()
  const renewing = await open(browser.begin()).load()
  await visit(async (object) => (await object.load()).set('seen', 1).save())
  const exchange = browser.begin()
  renewing.set('role', 'admin')
  await renewing.regenerateId()
  t.deepEqual(renewing.toJSON(), { user: 'ann', seen: 1, role: 'admin' } as any)
  browser.keep(exchange)
})

test('of two parallel renewals one wins', async (t) => {
  const { browser, open, manager } = await begun()
  const sessions = await Promise.all([open(browser.begin()).load(), open(browser.begin()).load()])
  const results = await Promise.allSettled(sessions.map((session) => session.regenerateId()))
  t.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  const winner = sessions[results.findIndex(({ status }) => status === 'fulfilled')]!
  t.is((await manager.getById(winner.id))?.get('user'), 'ann')
})

test('destroy() kills the record and expires the cookie; a later save() throws', async (t) => {
  const { visit, browser } = await begun()
  const stolen = browser.copy()
  await visit(async (object) => {
    const session = await object.load()
    await session.destroy()
    await session.destroy()
    t.is(session.size, 0)
    await t.throwsAsync(session.save(), { code: 'PHIAL_GONE' })
  })
  t.is(browser.cookies.size, 0)
  t.true(await visit(async (object) => (await object.load()).isNew, stolen))
})

for (const [what, end] of [['destroy', 'destroy'], ['invalidate', 'invalidate']] as const) {
  test(`a request in flight at ${what}() brings the session back neither by save, update, touch nor renewal`, async (t) => {
    const { browser, open, visit, clock } = await begun()
    const old = browser.copy()
    const late = await Promise.all(['save', 'update', 'touch', 'renew'].map(async (how) => {
      const exchange = browser.begin()
      return { how, exchange, session: await open(exchange).load() }
    }))
    await visit(async (object) => object[end]())
    clock.advance(120_000)
    for (const { how, exchange, session } of late) {
      const act = {
        save: () => session.set('user', 'eve').save(),
        update: () => session.update('user', () => 'eve'),
        touch: () => session.save(),
        renew: () => session.regenerateId(),
      }[how]!
      await t.throwsAsync(act(), { code: 'PHIAL_GONE' }, how)
      t.is(exchange.sent.size, 0, how)
    }
    t.is(await visit(async (object) => (await object.load()).size, old), 0)
  })
}

test('invalidate() leaves an empty session that gets a new id when it is saved', async (t) => {
  const { visit, browser } = await begun()
  const old = browser.copy()
  await visit(async (object) => {
    const session = await object.load()
    const before = session.id
    await session.invalidate()
    t.true(session.isNew)
    t.is(session.size, 0)
    await session.set('next', 1).save()
    t.not(session.id, before)
  })
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { next: 1 })
  t.true(await visit(async (object) => (await object.load()).isNew, old))
})

test('calls that are not awaited keep their order: invalidate, set, save', async (t) => {
  const { visit } = await begun()
  await visit(async (object) => {
    const session = await object.load()
    session.owner = 'ann'
    void session.invalidate()
    session.set('next', 1)
    void session.save()
  })
  await visit(async (object) => {
    const session = await object.load()
    t.deepEqual(session.toJSON(), { next: 1 } as any)
    t.is(session.owner, undefined)
  })
})

test('an unknown id is never adopted', async (t) => {
  const { visit, browser, store, manager } = await begun()
  const unknown = browser.copy()
  await visit(async (object) => object.destroy())
  const id = await visit(async (object) => {
    const session = await object.load()
    await session.set('a', 1).save()
    return session.id
  }, unknown)
  t.not(`${[...browser.cookies.values()]}`, `${[...unknown.cookies.values()]}`)
  t.is((await manager.getById(id))?.get('a'), 1)
  t.truthy(store)
})

test('with a grace the old id reads for a moment, is read-only, and is never handed the new id', async (t) => {
  const { visit, browser, clock } = await begun({ policy: { regenerateGrace: 10 } })
  const old = browser.copy()
  await visit(async (object) => object.regenerateId())
  await visit(async (object, exchange) => {
    const session = await object.load()
    t.is(session.get('user'), 'ann')
    t.true(session.isReadOnly)
    await t.throwsAsync(session.set('user', 'eve').save(), { code: 'PHIAL_GONE' })
    await t.throwsAsync(session.regenerateId(), { code: 'PHIAL_GONE' })
    t.is(exchange.sent.size, 0)
  }, old)
  clock.advance(10_000)
  t.is(await visit(async (object) => (await object.load()).size, old), 0)
  t.is(await visit((object) => object.get('user')), 'ann')
})

test('re-authentication begins the absolute lifetime anew; touch, save and plain renewal do not', async (t) => {
  const { visit, clock } = await begun({ time: { lifetime: 7200, timeout: 3600 } })
  const use = () => visit(async (object) => {
    const session = await object.load()
    await session.update('n', (n = 0) => n + 1)
    await session.regenerateId()
  })
  for (let half = 0; half < 3; half++) {
    clock.advance(1_800_000)
    await use()
  }
  await visit(async (object) => object.regenerateId({ authenticated: true }))
  clock.advance(1_800_000)
  t.is(await visit((object) => object.get('user')), 'ann')
  for (let half = 0; half < 2; half++) {
    clock.advance(1_800_000)
    await use()
  }
  clock.advance(1_800_000 - 1)
  t.is(await visit((object) => object.get('user')), 'ann')
  clock.advance(1)
  t.is(await visit(async (object) => (await object.load()).size), 0)
})

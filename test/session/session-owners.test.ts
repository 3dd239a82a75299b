import test from 'ava'
import { StoreUnavailableError } from '../../src/errors.js'
import { FaultyStore } from '../support/faulty-store.js'
import { Browser, Clock, harness, memoryStore } from '../support/harness.js'
import type { Harness } from '../support/harness.js'

const logIn = async ({ visit }: Harness, owner: string, browser = new Browser()): Promise<Browser> => {
  await visit(async (object) => {
    const session = await object.load()
    session.owner = owner
    await session.regenerateId({ authenticated: true })
  }, browser)
  return browser
}

const ownerOf = ({ visit }: Harness, browser: Browser) => visit(async (object) => (await object.load()).owner, browser)

test('an owner\'s sessions are listed, with times and without ids', async (t) => {
  const made = harness()
  const browsers = [await logIn(made, 'ann'), await logIn(made, 'ann')]
  await logIn(made, 'bob')
  const list = await made.manager.list({ owner: 'ann' })
  t.is(list.length, 2)
  for (const summary of list) {
    t.is(summary.createdAt, made.clock.now())
    t.is(summary.authenticatedAt, made.clock.now())
    t.is(summary.expiresAt, made.clock.now() + 3_600_000)
  }
  const printed = JSON.stringify(list)
  for (const browser of browsers) t.false(printed.includes([...browser.cookies.values()][0]!.slice(0, 43)))
})

test('revoking an owner ends all of their sessions and nobody else\'s', async (t) => {
  const made = harness()
  const ann = await Promise.all(Array.from({ length: 5 }, () => logIn(made, 'ann')))
  const bob = await logIn(made, 'bob')
  t.is(await made.manager.revoke({ owner: 'ann' }), 5)
  for (const browser of ann) t.is(await ownerOf(made, browser), undefined)
  t.is(await ownerOf(made, bob), 'bob')
  t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
  t.is(await made.manager.revoke({ owner: 'ann' }), 0)
})

test('a session that cannot be ended fails the revocation, and keeps none of the others alive', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const made = harness({ clock, store: faulty.manager })
  const ann = [await logIn(made, 'ann'), await logIn(made, 'ann'), await logIn(made, 'ann')]
  const down = new StoreUnavailableError('down', { backend: 'memory', operation: 'delete' })
  faulty.next('delete', down)
  t.is(await t.throwsAsync(made.manager.revoke({ owner: 'ann' })), down)
  t.deepEqual(await Promise.all(ann.map((browser) => ownerOf(made, browser))), [undefined, undefined, undefined])
  t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
})

test('all but one of an owner\'s sessions can be ended, also after its id was renewed', async (t) => {
  const made = harness()
  const kept = await logIn(made, 'ann')
  const other = await logIn(made, 'ann')
  await made.visit(async (object) => object.regenerateId(), kept)
  const ended = await made.visit(async (object) => made.manager.revoke({ owner: 'ann', except: await object.load() }), kept)
  t.is(ended, 1)
  t.is(await ownerOf(made, kept), 'ann')
  t.is(await ownerOf(made, other), undefined)
})

test('one session can be ended by its id or by the ref of its summary', async (t) => {
  const made = harness()
  const [one, two, three] = [await logIn(made, 'ann'), await logIn(made, 'ann'), await logIn(made, 'ann')]
  const id = await made.visit(async (object) => (await object.load()).id, one)
  t.is(await made.manager.revoke({ id }), 1)
  t.is(await made.manager.revoke({ id }), 0)
  t.is(await made.manager.revoke({ id: 'nonsense' }), 0)
  const [first] = await made.manager.list({ owner: 'ann' })
  t.is(await made.manager.revoke({ owner: 'bob', ref: first!.ref }), 0)
  t.is(await made.manager.revoke({ owner: 'ann', ref: first!.ref }), 1)
  const left = await made.manager.list({ owner: 'ann' })
  const refs = await Promise.all([two, three].map((browser) => made.visit(async (object) => (await object.load()).ref, browser)))
  t.true(refs.includes(left[0]!.ref))
  t.is([await ownerOf(made, one), await ownerOf(made, two), await ownerOf(made, three)].filter((owner) => owner === 'ann').length, 1)
})

test('a request in flight when its session is revoked brings nothing back', async (t) => {
  const made = harness()
  const browser = await logIn(made, 'ann')
  const [saving, renewing] = await Promise.all([made.open(browser.begin()).load(), made.open(browser.begin()).load()])
  await made.manager.revoke({ owner: 'ann' })
  await t.throwsAsync(saving.set('a', 1).save(), { code: 'PHIAL_GONE' })
  await t.throwsAsync(renewing.regenerateId(), { code: 'PHIAL_GONE' })
  t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
})

test('renewals that run while their owner is revoked end dead', async (t) => {
  const made = harness()
  for (let round = 0; round < 20; round++) {
    const browser = await logIn(made, 'ann')
    const exchange = browser.begin()
    const session = await made.open(exchange).load()
    const renewals = (async () => {
      for (let n = 0; n < 5; n++) await session.regenerateId()
    })()
    const [outcome] = await Promise.allSettled([renewals, (async () => {
      for (let ticks = 0; ticks < round * 3; ticks++) await Promise.resolve()
      await made.manager.revoke({ owner: 'ann' })
    })()])
    const left = await made.manager.list({ owner: 'ann' })
    t.is(left.length, outcome!.status === 'fulfilled' ? left.length : 0)
    await made.manager.revoke({ owner: 'ann' })
    t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
  }
})

test('clear() takes the owner away, and the session is theirs no more', async (t) => {
  const made = harness()
  const browser = await logIn(made, 'ann')
  await made.visit(async (object) => (await object.load()).clear().save(), browser)
  t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
  t.is(await made.manager.revoke({ owner: 'ann' }), 0)
  t.false(await made.visit(async (object) => (await object.load()).isNew, browser))
})

test('an owner is a string that is not empty, or undefined', async (t) => {
  const made = harness()
  await made.visit(async (object) => {
    const session = await object.load()
    for (const owner of ['', 7, null]) t.throws(() => { session.owner = owner as never }, { instanceOf: TypeError })
  })
})

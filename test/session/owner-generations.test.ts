import test from 'ava'
import { SessionGoneError, StoreUnavailableError } from '../../src/errors.js'
import type { NamespaceManager, OwnerIndex } from '../../src/namespace-manager.js'
import { generationKeyOf, keyOf, ownerKeyOf } from '../../src/record/id.js'
import { FaultyStore } from '../support/faulty-store.js'
import { Browser, Clock, harness, memoryStore } from '../support/harness.js'
import type { Harness } from '../support/harness.js'

/** A store that cannot list an owner's sessions, as memcached. */
const withoutIndex = (store: NamespaceManager): NamespaceManager =>
  Object.assign(new FaultyStore(store).manager, { supports: { ...store.supports, ownerIndex: false } })

const unlisted = (): Harness => {
  const clock = new Clock()
  return harness({ clock, store: withoutIndex(memoryStore(clock.now)) })
}

const logIn = async ({ visit }: Harness, owner = 'ann', browser = new Browser()): Promise<Browser> => {
  await visit(async (object) => {
    const session = await object.load()
    session.owner = owner
    await session.regenerateId({ authenticated: true })
  }, browser)
  return browser
}

const ownerOf = ({ visit }: Harness, browser: Browser) => visit(async (object) => (await object.load()).owner, browser)
const idOf = ({ visit }: Harness, browser: Browser) => visit(async (object) => (await object.load()).id, browser)

test('where nothing can be listed, revoking ends all of an owner\'s sessions and nobody else\'s', async (t) => {
  const made = unlisted()
  const ann = [await logIn(made), await logIn(made), await logIn(made)]
  const bob = await logIn(made, 'bob')
  t.is(await made.manager.revoke({ owner: 'ann' }), undefined)
  for (const browser of ann) t.is(await ownerOf(made, browser), undefined)
  t.is(await ownerOf(made, bob), 'bob')
  t.is(await ownerOf(made, await logIn(made)), 'ann')
})

test('where nothing can be listed, listing says why not', async (t) => {
  const made = unlisted()
  await logIn(made)
  await t.throwsAsync(made.manager.list({ owner: 'ann' }), { instanceOf: TypeError, message: 'the memory backend cannot list an owner\'s sessions' })
})

test('where nothing can be listed, the excepted session lives on throughout, and after another revocation', async (t) => {
  const made = unlisted()
  const [kept, other] = [await logIn(made), await logIn(made)]
  const inFlight = await made.open(kept.begin()).load()
  await made.manager.revoke({ owner: 'ann', except: await idOf(made, kept) })
  t.is(await ownerOf(made, other), undefined)
  await inFlight.set('late', 1).save()
  await made.visit(async (object) => object.regenerateId(), kept)
  t.is(await ownerOf(made, kept), 'ann')
  await made.manager.revoke({ owner: 'ann', except: await idOf(made, kept) })
  t.is(await made.visit(async (object) => object.get('late'), kept), 1)
  await made.manager.revoke({ owner: 'ann' })
  t.is(await ownerOf(made, kept), undefined)
})

test('where nothing can be listed, what was in flight when its owner was revoked stays ended', async (t) => {
  const works = {
    save: (session: any) => session.set('a', 1).save(),
    update: (session: any) => session.update('a', () => 1),
    renew: (session: any) => session.regenerateId(),
    'leave and save': (session: any) => { session.owner = undefined; return session.save() },
    'leave and renew': (session: any) => { session.owner = undefined; return session.regenerateId() },
    'clear and save': (session: any) => session.clear().save(),
    'become another\'s': (session: any) => { session.owner = 'bob'; return session.save() },
  }
  for (const [name, work] of Object.entries(works)) {
    const made = unlisted()
    const browser = await logIn(made)
    const exchange = browser.begin()
    const session = await made.open(exchange).load()
    await made.manager.revoke({ owner: 'ann' })
    await t.throwsAsync(async () => work(session), { instanceOf: SessionGoneError }, name)
    t.is(exchange.sent.size, 0, name)
    t.is(await ownerOf(made, browser), undefined, name)
    t.true(await made.visit(async (object) => (await object.load()).isNew, browser), name)
  }
})

test('where nothing can be listed, a log-in on its way when its owner is revoked does not outlast it', async (t) => {
  const made = unlisted()
  const { store } = made
  const create = store.create.bind(store)
  store.create = async (key, value, at) => {
    if (key !== generationKeyOf('ann')) await made.manager.revoke({ owner: 'ann' })
    return create(key, value, at)
  }
  const browser = await logIn(made)
  store.create = create
  t.is(await ownerOf(made, browser), undefined)
})

test('where nothing can be listed, a generation that was evicted logs out, never in', async (t) => {
  const made = unlisted()
  const before = await logIn(made)
  await made.store.delete(generationKeyOf('ann'))
  t.is(await ownerOf(made, before), undefined)
  const after = await logIn(made)
  t.is(await ownerOf(made, after), 'ann')
  t.is(await ownerOf(made, before), undefined)
})

test('a generation outlasts every session that is of it', async (t) => {
  const made = unlisted()
  for (let days = 0; days < 4; days++) {
    const browser = await logIn(made)
    for (let hours = 0; hours < 23; hours++) {
      made.clock.advance(3_500_000)
      t.is(await ownerOf(made, browser), 'ann')
    }
  }
})

const loseEntry = ({ store }: Harness, id: string): Promise<void> =>
  (store as NamespaceManager & OwnerIndex).removeOwned(ownerKeyOf('ann'), keyOf(id))

test('an index entry that was lost is put back by a save, and by a read that moves the session\'s end', async (t) => {
  const made = harness()
  const [saving, reading] = [await logIn(made), await logIn(made)]
  for (const browser of [saving, reading]) await loseEntry(made, await idOf(made, browser))
  t.is((await made.manager.list({ owner: 'ann' })).length, 0)
  await made.visit(async (object) => object.set('a', 1).then(() => object.save()), saving)
  t.is((await made.manager.list({ owner: 'ann' })).length, 1)
  made.clock.advance(61_000)
  t.is(await ownerOf(made, reading), 'ann')
  t.is((await made.manager.list({ owner: 'ann' })).length, 2)
})

test('a session whose index entry was lost is ended by a revocation all the same, however it is looked at', async (t) => {
  for (const time of [{}, { timeout: undefined, saveAccessedTime: false }]) {
    const made = harness({ time })
    const browser = await logIn(made)
    const id = await idOf(made, browser)
    const inFlight = await made.open(browser.begin()).load()
    await loseEntry(made, id)
    await made.manager.revoke({ owner: 'ann' })
    for (let seconds = 0; seconds < 200; seconds += 20) {
      t.is(await ownerOf(made, browser), undefined)
      t.is(await made.manager.getById(id), undefined)
      made.clock.advance(20_000)
    }
    await t.throwsAsync(inFlight.reload(), { instanceOf: SessionGoneError })
    inFlight.owner = undefined
    await t.throwsAsync(inFlight.save(), { instanceOf: SessionGoneError })
    t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
  }
})

test('an id that was renewed reads no longer once its owner is revoked', async (t) => {
  const clock = new Clock()
  for (const store of [memoryStore(clock.now), withoutIndex(memoryStore(clock.now))]) {
    const made = harness({ clock, store, policy: { regenerateGrace: 30 } })
    const browser = await logIn(made)
    const late = browser.copy()
    await made.visit(async (object) => object.regenerateId(), browser)
    t.is(await ownerOf(made, late), 'ann')
    await made.manager.revoke({ owner: 'ann' })
    t.is(await ownerOf(made, late), undefined)
  }
})

test('of two revocations, the one that spares a session does not undo the other', async (t) => {
  for (const made of [harness(), unlisted()]) {
    const browser = await logIn(made)
    const id = await idOf(made, browser)
    const { store } = made
    const replace = store.replace.bind(store)
    store.replace = async (key, value, version, at) => {
      if (key === generationKeyOf('ann')) {
        store.replace = replace
        await made.manager.revoke({ owner: 'ann' })
      }
      return replace(key, value, version, at)
    }
    await made.manager.revoke({ owner: 'ann', except: id })
    t.is(await ownerOf(made, browser), undefined)
  }
})

test('the spared session lives on when its id is renewed meanwhile', async (t) => {
  for (const made of [harness(), unlisted()]) {
    const browser = await logIn(made)
    const before = await idOf(made, browser)
    await made.visit(async (object) => object.regenerateId(), browser)
    await made.manager.revoke({ owner: 'ann', except: before })
    t.is(await ownerOf(made, browser), 'ann')
  }
})

test('a session that leaves its owner during a revocation is ended, also when the time of its request is spent by then', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const made = harness({ clock, store: faulty.manager, manager: { requestBudget: 1 } })
  const browser = await logIn(made)
  faulty.next('replace', async (run) => {
    const written = await run()
    await made.manager.revoke({ owner: 'ann' })
    faulty.next('get', (read) => read(), (read) => {
      const until = performance.now() + 1_100
      while (performance.now() < until); // the process is busy: the answer that came meanwhile counts
      return read()
    })
    return written
  })
  await made.visit(async (object) => {
    const session = await object.load()
    session.owner = undefined
    await t.throwsAsync(session.set('a', 1).save(), { instanceOf: SessionGoneError })
  }, browser)
  t.true(await made.visit(async (object) => (await object.load()).isNew, browser))
})

test('an index that takes no entries for now keeps nobody from reading', async (t) => {
  const made = harness()
  const browser = await logIn(made)
  const index = made.store as NamespaceManager & OwnerIndex
  index.addOwned = () => Promise.reject(new StoreUnavailableError('no replicas', { backend: 'memory', operation: 'addOwned' }))
  made.clock.advance(61_000)
  t.is(await ownerOf(made, browser), 'ann')
})

test('an owner of many sessions is revoked, several at a time', async (t) => {
  const made = harness()
  const browsers = await Promise.all(Array.from({ length: 100 }, () => logIn(made)))
  let most = 0
  let underWay = 0
  const { delete: remove } = made.store
  made.store.delete = (async (key: string, version: string) => {
    most = Math.max(most, ++underWay)
    await new Promise(setImmediate)
    underWay--
    return remove.call(made.store, key, version)
  }) as never
  t.is(await made.manager.revoke({ owner: 'ann' }), 100)
  t.is(most, 32)
  t.is(await ownerOf(made, browsers[99]!), undefined)
})

test('a session that was revoked while its index entry was lost is listed no more when that comes back', async (t) => {
  const made = harness()
  const browser = await logIn(made)
  const id = await idOf(made, browser)
  await loseEntry(made, id)
  await made.manager.revoke({ owner: 'ann' })
  const store = made.store as NamespaceManager & OwnerIndex
  await store.addOwned(ownerKeyOf('ann'), keyOf(id), made.clock.now() + 3_600_000)
  t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
})

test('a generation that was lost logs out, also where an index could tell', async (t) => {
  const made = harness()
  const browser = await logIn(made)
  await made.store.delete(generationKeyOf('ann'))
  t.is(await ownerOf(made, browser), undefined)
  t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
  t.is(await ownerOf(made, await logIn(made)), 'ann')
})

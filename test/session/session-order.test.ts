import test from 'ava'
import { StoreOutcomeUnknownError, StoreTimeoutError } from '../../src/errors.js'
import type { Session } from '../../src/index.js'
import { FaultyStore } from '../support/faulty-store.js'
import { Clock, harness, memoryStore } from '../support/harness.js'
import type { Harness } from '../support/harness.js'

/** A stored session, loaded, and what the store holds of it. */
const loaded = async (data: object = {}, made: Harness = harness()) => {
  const { manager } = made
  const first = await manager.create()
  await first.assign(data).save()
  const get = async (): Promise<Session> => (await manager.getById(first.id))!
  return { ...made, get, session: await get(), stored: async () => ({ ...(await get()).data }) }
}

const count = (n = 0): number => n + 1

test('an update, then a save that did not wait for it: both are stored and shown', async (t) => {
  const { session, stored } = await loaded({ a: 1 })
  const updating = session.update('n', count)
  session.set('b', 'saved')
  await Promise.all([updating, session.save()])
  t.deepEqual(session.toJSON(), { a: 1, n: 1, b: 'saved' } as any)
  await session.set('c', 1).save()
  t.deepEqual(await stored(), { a: 1, n: 1, b: 'saved', c: 1 })
})

test('an update, then clear(): what was cleared stays cleared', async (t) => {
  const { session, stored } = await loaded({ user: 'ann' })
  void session.update('n', count)
  await session.clear().save()
  t.deepEqual(session.toJSON(), {} as any)
  await session.set('c', 1).save()
  t.deepEqual(await stored(), { c: 1 })
})

test('an update, then invalidate(): nothing of the old session is in the new one', async (t) => {
  const { session, get, manager } = await loaded({ user: 'ann' })
  session.owner = 'ann'
  await session.save()
  const old = session.id
  void session.update('n', count)
  await session.invalidate()
  await session.set('bye', 1).save()
  const fresh = (await manager.getById(session.id))!
  t.deepEqual(fresh.toJSON(), { bye: 1 } as any)
  t.is(fresh.owner, undefined)
  t.is(await get(), undefined as never)
  t.not(session.id, old)
})

test('an update or a save, then regenerateId(): the renewed session holds it, and what others wrote', async (t) => {
  const { session, get, manager } = await loaded({ a: 1 })
  await (await get()).set('other', 1).save()
  await Promise.all([session.update('n', count), session.set('b', 1).save(), session.regenerateId()])
  t.deepEqual((await manager.getById(session.id))!.toJSON(), { a: 1, other: 1, n: 1, b: 1 } as any)
  t.deepEqual(session.toJSON(), { a: 1, other: 1, n: 1, b: 1 } as any)
})

test('a set that is not saved, then 100 parallel updates: counted from it, each answering its own value', async (t) => {
  const { manager } = harness()
  for (const fill of [(session: Session) => void session.set('n', 0), (session: Session) => void session.setDefault('n', 0)]) {
    const session = await manager.create()
    fill(session)
    const answers = await Promise.all(Array.from({ length: 100 }, () => session.update('n', count)))
    t.deepEqual(answers, Array.from({ length: 100 }, (_, n) => n + 1))
    t.is((await manager.getById(session.id))!.get('n'), 100)
    t.false(session.dirty)
  }
})

test('the same with an object, and with drafts of all data', async (t) => {
  const { manager } = harness()
  const session = await manager.create()
  session.set('cart', { items: [] }).set('n', 0).set('aside', 1)
  await Promise.all(Array.from({ length: 20 }, () => [
    session.update('cart', ({ items }) => ({ items: [...items, 'x'] })),
    session.update((draft) => void draft.n++),
  ]).flat())
  const { cart, n, ...others } = (await manager.getById(session.id))!.data
  t.is(cart.items.length, 20)
  t.is(n, 20)
  t.deepEqual(others, {})
  t.deepEqual(session.keys().sort(), ['aside', 'cart', 'n'])
  t.is(session.unsavedKeys, 1)
})

test('an update, then a set of the same key: the set is later', async (t) => {
  const { session, stored } = await loaded({ n: 1 })
  const updating = session.update('n', count)
  session.set('n', 99)
  t.is(await updating, 2)
  t.is(session.get('n'), 99)
  t.true(session.dirty)
  await session.save()
  t.deepEqual(await stored(), { n: 99 })
})

test('two saves in flight while another writes: all three are stored and shown', async (t) => {
  const { session, get, stored } = await loaded({ a: 0 })
  await (await get()).set('other', 1).save()
  const first = session.set('x', 1).save()
  await session.set('y', 2).save()
  await first
  await session.set('z', 3).save()
  t.deepEqual(await stored(), { a: 0, other: 1, x: 1, y: 2, z: 3 })
  t.deepEqual(session.toJSON(), { a: 0, other: 1, x: 1, y: 2, z: 3 } as any)
})

test('revert() drops what is not saved, not what is on its way', async (t) => {
  const { session, stored } = await loaded({ a: 0 })
  const saving = session.set('b', 'saved').save()
  session.set('tmp', 1).revert()
  t.deepEqual(session.toJSON(), { a: 0, b: 'saved' } as any)
  await saving
  await session.set('c', 1).save()
  t.deepEqual(await stored(), { a: 0, b: 'saved', c: 1 })
})

test('a save that failed is made up for by the next, in its order', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const { session, get, stored } = await loaded({ a: 0 }, harness({ clock, store: faulty.manager }))
  faulty.next('replace', new RangeError('down'))
  const failing = t.throwsAsync(session.clear().save(), { code: 'PHIAL_STORE' })
  const next = session.set('b', 1).save()
  await Promise.all([failing, next])
  t.deepEqual(await stored(), { b: 1 })
  await (await get()).set('other', 1).save()
  await session.set('c', 1).save()
  t.deepEqual(await stored(), { b: 1, other: 1, c: 1 })
})

test('what could not be invalidated is not written to, by what was asked meanwhile either', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const { session, stored } = await loaded({ cart: 1 }, harness({ clock, store: faulty.manager }))
  faulty.next('delete', new RangeError('down'))
  const ending = t.throwsAsync(session.invalidate(), { code: 'PHIAL_STORE' })
  session.set('user', 'bob')
  await Promise.all([ending, t.throwsAsync(session.save(), { code: 'PHIAL_STORE' }), t.throwsAsync(session.update('n', count), { code: 'PHIAL_STORE' })])
  t.deepEqual(await stored(), { cart: 1 })
  await session.invalidate()
  await session.set('user', 'bob').save()
})

test('an object that a merge changed is the object that the handler holds', async (t) => {
  const { session, get, stored } = await loaded({ cart: { items: [] }, list: [1] })
  const { cart, list } = session.data
  await (await get()).assign({ cart: { items: ['other'] }, list: [1, 2] }).save()
  await session.set('x', 1).save()
  cart.items.push('mine')
  list.push(3)
  await session.save()
  t.deepEqual(await stored(), { cart: { items: ['other', 'mine'] }, list: [1, 2, 3], x: 1 })
})

test('a lost answer that another has built on: the next save undoes nothing', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const one = harness({ clock, store: faulty.manager })
  const other = harness({ clock, store: faulty.manager })
  const { session, stored } = await loaded({ a: 0 }, one)
  faulty.next('replace', async (run) => {
    await run()
    await (await other.manager.getById(session.id))!.set('other', 1).save()
    throw new StoreTimeoutError('lost', { backend: 'test', operation: 'replace' })
  })
  await session.set('x', 1).save()
  t.deepEqual(session.toJSON(), { a: 0, x: 1, other: 1 } as any)
  await session.set('y', 1).save()
  t.deepEqual(await stored(), { a: 0, x: 1, other: 1, y: 1 })
})

test('after a create whose outcome is unknown the next save has another id, and what may have landed is removed', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const { manager, store } = harness({ clock, store: faulty.manager, manager: { operationTimeout: 0.05 } })
  const session = await manager.create()
  const before = session.id
  faulty.next('create', 'late')
  await t.throwsAsync(session.set('a', 1).save(), { instanceOf: StoreOutcomeUnknownError })
  await session.save()
  t.not(session.id, before)
  await faulty.release()
  t.deepEqual((await manager.getById(session.id))!.toJSON(), { a: 1 } as any)
  await session.destroy()
  t.is(await manager.getById(session.id), undefined)
  t.truthy(store)
})

test('destroying follows a renewed id also when an answer is lost, and again after it failed', async (t) => {
  for (const fault of ['lost', new RangeError('down')] as const) {
    const clock = new Clock()
    const faulty = new FaultyStore(memoryStore(clock.now))
    const { get, session, manager } = await loaded({ user: 'bob' }, harness({ clock, store: faulty.manager, manager: { operationTimeout: 0.05 } }))
    const renewing = await get()
    await renewing.regenerateId()
    faulty.next('delete', async (run) => run(), fault)
    await session.destroy().catch(() => session.destroy())
    t.is(await manager.getById(renewing.id), undefined)
  }
})

test('a renewal whose claim was slow knows its own sign', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const { session, manager } = await loaded({ user: 'bob' }, harness({ clock, store: faulty.manager, manager: { operationTimeout: 0.05, requestBudget: 5 } }))
  faulty.next('replace', 'late', async () => {
    await faulty.release()
    return undefined
  })
  await session.regenerateId()
  t.is((await manager.getById(session.id))!.get('user'), 'bob')
})

test('calls on the lazy session and on the loaded one take effect in the order made', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    void object.set('a', 1)
    void object.save()
    const session = await object.load()
    t.is(session.get('a'), 1)
    t.false(session.dirty)
    await session.set('a', 2).save()
  })
  t.is(await visit((object) => object.get('a')), 2)
})

test('invalidate(), then save() that did not wait for it: a new session is created', async (t) => {
  const { session, manager } = await loaded({ a: 1 })
  void session.invalidate()
  await session.save()
  t.deepEqual((await manager.getById(session.id))!.toJSON(), {} as any)
})

test('a session begins when it is first stored', async (t) => {
  const { manager, clock } = harness({ time: { lifetime: 100, timeout: 50 } })
  const session = await manager.create()
  clock.advance(101_000)
  await session.set('a', 1).save()
  t.is(session.createdAt, clock.now())
  t.is((await manager.getById(session.id))!.get('a'), 1)
})

test('data that throws when it is looked at is dropped like any other', async (t) => {
  const { open, browser, visit } = harness()
  await visit(async (object) => object.set('x', { a: 1 }).then((session) => session.save()))
  const object = open(browser.begin())
  const session = await object.load()
  session.data.x = { get a() { throw new RangeError('getter') } }
  t.notThrows(() => object.over('finish'))
})

test('an object of the application is never changed by the library, frozen or not', async (t) => {
  const { manager } = harness()
  const defaults = { theme: 'light' }
  const frozen = Object.freeze(['a'])
  const session = await manager.create()
  session.setDefault('prefs', defaults)
  session.set('list', frozen)
  await session.save()
  await session.update('prefs', (prefs) => ({ ...prefs, name: 'ann' }))
  await (await manager.getById(session.id))!.set('list', ['b']).save()
  await session.set('x', 1).save()
  t.deepEqual(defaults, { theme: 'light' })
  t.deepEqual(session.toJSON(), { prefs: { theme: 'light', name: 'ann' }, list: ['b'], x: 1 } as any)
  t.deepEqual((await manager.getById(session.id))!.toJSON(), session.toJSON())
})

test('one object under two keys is not one value: what another writes to one of them stays', async (t) => {
  const { session, get, stored } = await loaded({ a: { n: 1 } })
  session.set('b', session.get('a'))
  await session.save()
  await (await get()).set('a', { n: 9 }).save()
  await session.set('z', 1).save()
  await session.save()
  t.deepEqual(await stored(), { a: { n: 9 }, b: { n: 1 }, z: 1 })
})

test('an update of a draft goes on from what was set and not saved, and is shown', async (t) => {
  const { session, stored } = await loaded({ cart: { n: 1 }, c: 1 })
  session.set('cart', { n: 5 })
  await session.update((draft) => void draft.cart.n++)
  t.is(session.get('cart').n, 6)
  session.get('cart').n = 10
  await session.update((draft) => void draft.cart.n++)
  t.is(session.data.cart.n, 11)
  await session.save()
  t.deepEqual(await stored(), { cart: { n: 11 }, c: 1 })
})

test('clear(), then an update: the update counts, and what was cleared stays so', async (t) => {
  const { session, stored } = await loaded({ a: 1, n: 3 })
  session.clear().set('n', 5)
  t.is(await session.update('n', count), 6)
  await session.save()
  t.deepEqual(await stored(), { n: 6 })
})

test('updates of a key that is set again meanwhile: each counts, and the set is last', async (t) => {
  const { session, stored } = await loaded({})
  session.set('b', 2)
  const answers = [session.update((draft) => void (draft.b += 1000)), session.update('b', (b) => b + 100)]
  session.set('b', 7)
  t.deepEqual(await Promise.all(answers), [undefined, 1102])
  t.deepEqual(await stored(), { b: 1102 })
  await session.save()
  t.deepEqual(await stored(), { b: 7 })
})

test('an update that throws leaves what was unsaved as it was; after revert() it is gone', async (t) => {
  const { session, get, stored } = await loaded({ a: 0 })
  const throwing = () => t.throwsAsync(session.update('a', () => { throw new RangeError('mine') }), { instanceOf: RangeError })
  session.set('a', 8)
  const [failing, next] = [throwing(), session.update('b', count)]
  await Promise.all([failing, next])
  t.is(session.get('a'), 8)
  const failed = throwing()
  session.revert()
  await failed
  await (await get()).set('a', 9).save()
  await session.set('x', 1).save()
  t.deepEqual(await stored(), { a: 9, b: 1, x: 1 })
})

test('a save that failed and an update that waited behind it: counted from what was to be saved', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const { session, stored } = await loaded({ n: 10 }, harness({ clock, store: faulty.manager }))
  faulty.next('replace', new RangeError('down'))
  const failing = t.throwsAsync(session.set('n', 20).save(), { code: 'PHIAL_STORE' })
  const [, answer] = await Promise.all([failing, session.update('n', count)])
  t.is(answer, 21)
  t.is(session.get('n'), 21)
  await session.save()
  t.deepEqual(await stored(), { n: 21 })
})

test('reload() that was not awaited: what is set after it stays', async (t) => {
  const { session, stored } = await loaded({ a: 1 })
  session.set('dropped', 1)
  const reloading = session.reload()
  session.set('b', 5)
  await reloading
  await session.save()
  t.deepEqual(await stored(), { a: 1, b: 5 })
})

test('an id that was invalidated is never used again, whatever was asked meanwhile', async (t) => {
  const { session, get } = await loaded({ a: 1 })
  void session.invalidate()
  session.set('k', 1)
  const saving = session.save()
  await Promise.all([saving, session.destroy()])
  t.is(await get(), undefined as never)
})

test('an update, clear() and another update, none awaited: the last counts from nothing', async (t) => {
  const { session, stored } = await loaded({ a: 1 })
  session.toJSON()
  const answers = [session.update('b', (b = 0) => b + 100)]
  session.clear()
  answers.push(session.update('b', (b = 0) => b + 1))
  t.deepEqual(await Promise.all(answers), [100, 1])
  t.deepEqual(session.toJSON(), { b: 1 } as any)
  await session.save()
  t.deepEqual(await stored(), { b: 1 })
})

test('an owner that goes along with clear() and an update is indexed', async (t) => {
  const { session, manager } = await loaded({ a: 1 })
  session.clear()
  session.owner = 'ann'
  await session.update('b', count)
  t.is((await manager.list({ owner: 'ann' })).length, 1)
  t.is(await manager.revoke({ owner: 'ann' }), 1)
})

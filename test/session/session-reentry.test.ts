import test from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { FaultyStore } from '../support/faulty-store.js'
import { harness } from '../support/harness.js'
import type { Harness } from '../support/harness.js'

/** Over a store that answers at once, and over one that does not. */
const harnesses: readonly [string, () => Harness][] = [
  ['a store that need not wait', () => harness()],
  ['a store that waits', () => harness({ store: new FaultyStore().manager, time: { now: Date.now } })],
]

/** While `work` runs, `listener` hears of the event. Tests with it are serial: events are of the whole process. */
const hearing = async (event: string, listener: () => void, work: () => Promise<void>): Promise<void> => {
  subscribe(event, listener)
  try {
    await work()
  } finally {
    unsubscribe(event, listener)
  }
}

for (const [where, made] of harnesses) {
  test(`${where}: an update within an update of a session that is not stored yet comes after it, in the same record`, async (t) => {
    const { manager } = made()
    const session = await manager.create()
    const { id } = session
    let inner: Promise<unknown> | undefined
    await session.update('n', (n = 0) => {
      inner ??= session.update('m', () => 5)
      return n + 1
    })
    t.is(await inner, 5)
    t.deepEqual(session.toJSON(), { n: 1, m: 5 } as any)
    t.is(session.id, id)
    t.deepEqual((await manager.getById(id))!.toJSON(), { n: 1, m: 5 } as any)
  })

  test.serial(`${where}: who hears that a session was created may save it again, and nothing is lost`, async (t) => {
    const { manager } = made()
    const session = await manager.create()
    let again: Promise<void> | undefined
    await hearing('phial:created', () => (again ??= session.set('seen', true).save()), async () => {
      await session.set('a', 1).save()
      await again
    })
    session.revert()
    t.deepEqual(session.toJSON(), { a: 1, seen: true } as any)
    await session.set('z', 1).save()
    t.deepEqual((await manager.getById(session.id))!.toJSON(), { a: 1, seen: true, z: 1 } as any)
  })

  test.serial(`${where}: who hears of a conflict may save the session that met it, once`, async (t) => {
    const { manager } = made()
    const session = await manager.create()
    await session.set('a', 1).save()
    const other = (await manager.getById(session.id))!
    await other.set('b', 1).save()
    let conflicts = 0
    const saves: Promise<void>[] = []
    await hearing('phial:conflict', () => void saves.push(session.set('conflicts', ++conflicts).save()), async () => {
      await session.set('c', 1).save()
      await Promise.all(saves)
    })
    t.is(conflicts, 1)
    t.deepEqual((await manager.getById(session.id))!.toJSON(), { a: 1, b: 1, c: 1, conflicts: 1 } as any)
  })

  test.serial(`${where}: who hears that an id is unknown, and asks for the session, is given the load that is under way`, async (t) => {
    const { visit, manager, browser } = made()
    let id = ''
    await visit(async (object) => {
      const session = await object.load()
      await session.set('a', 1).save()
      id = session.id
    })
    await (await manager.getById(id))!.destroy()
    let heard = 0
    await visit(async (object) => {
      let flashing: Promise<unknown> | undefined
      await hearing('phial:unknown-id', () => {
        heard++
        flashing = object.flash('Your session has ended')
      }, async () => void (await object.load()))
      await flashing
      t.deepEqual((await object.peekFlashes()).map(({ value }) => value), ['Your session has ended'])
    }, browser)
    t.is(heard, 1)
  })

  test(`${where}: what was set by a call and then removed by hand is removed from a newer record, too`, async (t) => {
    const { manager } = made()
    const first = await manager.create()
    await first.set('b', 'old').save()
    const [one, two] = [(await manager.getById(first.id))!, (await manager.getById(first.id))!]
    await two.set('x', 1).save()
    one.set('b', 'new')
    delete one.data['b']
    await one.save()
    t.deepEqual((await manager.getById(first.id))!.toJSON(), { x: 1 } as any)
  })
}

test('a save that failed puts nothing back that an update had stored meanwhile: a later change in depth is kept', async (t) => {
  const store = new FaultyStore()
  const { manager } = harness({ store: store.manager, time: { now: Date.now } })
  const first = await manager.create()
  await first.set('n', 0).save()
  const [session, other] = [(await manager.getById(first.id))!, (await manager.getById(first.id))!]
  session.set('x', [1])
  const updating = session.update('x', (x: number[]) => x)
  const saving = session.save()
  store.next('replace', (call) => call(), new Error('down'))
  await updating
  await t.throwsAsync(saving)
  session.get('x').push(2)
  await other.set('o', 1).save()
  await session.save()
  t.deepEqual((await manager.getById(first.id))!.toJSON(), { n: 0, x: [1, 2], o: 1 } as any)
})

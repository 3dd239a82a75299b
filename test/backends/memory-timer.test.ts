import { setImmediate as nextTurn } from 'node:timers/promises'
import anyTest, { type TestFn } from 'ava'
import { openMemory } from '../support/memory-fixture.js'

/** The purge timers that were set, for the test to fire. */
class Timers {
  readonly set: { run: () => void; ms: number; isUnreferenced: boolean; isOver: boolean }[] = []
  readonly #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }

  constructor() {
    const fakeSet = (run: () => void, ms: number): unknown => {
      const timer = { run, ms, isUnreferenced: false, isOver: false }
      this.set.push(timer)
      return Object.assign(timer, {
        unref: () => {
          timer.isUnreferenced = true
          return timer
        },
      })
    }
    const fakeClear = (timer: { isOver: boolean } | undefined): void => {
      if (timer !== undefined) timer.isOver = true
    }
    Object.assign(globalThis, { setTimeout: fakeSet, clearTimeout: fakeClear })
  }

  get waiting(): number {
    return this.set.filter(({ isOver }) => !isOver).length
  }

  /** Fires the one timer that is set, and lets what it began end. */
  async fire(): Promise<void> {
    const timer = this.set.find(({ isOver }) => !isOver)
    if (timer === undefined) throw new Error('no timer is set')
    timer.isOver = true
    timer.run()
    for (let turn = 0; turn < 10; turn += 1) await nextTurn()
  }

  restore(): void {
    Object.assign(globalThis, this.#real)
  }
}

const test = anyTest as TestFn<Timers>

test.serial.beforeEach((t) => {
  t.context = new Timers()
})

test.serial.afterEach.always((t) => t.context.restore())

const [one, other] = ['a'.repeat(64), 'b'.repeat(64)]

test.serial('S052: the purge timer starts at the first write, alone and unreferenced, about every purge_interval', async (t) => {
  const manager = openMemory({ purgeInterval: 60 })
  t.is(await manager.get(one), undefined)
  t.is(await manager.touch(one, 2_000), false)
  t.is(t.context.set.length, 0)
  await manager.create(one, 'value', Date.now() + 600_000)
  await manager.create(other, 'value', Date.now() + 600_000)
  await manager.addOwned(one, one, Date.now() + 600_000)
  t.is(t.context.set.length, 1)
  t.true(t.context.set.every(({ ms, isUnreferenced }) => isUnreferenced && ms >= 54_000 && ms <= 66_000))
})

test.serial('S052: timers of managers that start together do not fire together', async (t) => {
  for (let count = 0; count < 20; count += 1) await openMemory().create(one, 'value', Date.now() + 600_000)
  t.true(new Set(t.context.set.map(({ ms }) => ms)).size > 10)
})

test.serial('S151: when it fires, what has expired is freed without being asked for', async (t) => {
  let clock = 1_000
  const manager = openMemory({}, () => clock)
  await manager.create(one, 'value', 2_000)
  await manager.create(other, 'value', 9_000)
  await manager.addOwned(one, one, 2_000)
  clock = 2_000
  await t.context.fire()
  t.deepEqual(await manager.listOwned(one), [])
  t.is(await manager.purgeExpired(), 0)
  t.is((await manager.get(other))?.value, 'value')
})

test.serial('S052: the purge timer goes on while something is kept, stops when nothing is, and starts again', async (t) => {
  let clock = 1_000
  const manager = openMemory({}, () => clock)
  await manager.create(one, 'value', 2_000)
  await manager.addOwned(one, one, 3_000)
  await t.context.fire()
  t.is(t.context.waiting, 1, 'a record')
  clock = 2_000
  await t.context.fire()
  t.is(t.context.waiting, 1, 'an owner')
  clock = 3_000
  await t.context.fire()
  t.is(t.context.waiting, 0)
  await manager.create(one, 'value', 9_000)
  t.is(t.context.waiting, 1)
})

test.serial('S052: close stops the purge timer, also while a purge is under way', async (t) => {
  const manager = openMemory()
  await manager.create(one, 'value', Date.now() + 600_000)
  await manager.close()
  t.is(t.context.waiting, 0)

  const busy = openMemory()
  for (let index = 0; index < 3_000; index += 1) await busy.create(`${index}`.padStart(64, '0'), 'value', Date.now() + 600_000)
  await busy.addOwned(one, one, Date.now() + 600_000)
  const firing = t.context.fire()
  await busy.close()
  await firing
  t.is(t.context.waiting, 0)
})

test.serial('a lock leaves no timer behind: not its lease\'s, nor that of one who waited', async (t) => {
  const manager = openMemory()
  const first = await manager.lock(one, 60_000, Date.now())
  t.true(t.context.set[0]?.isUnreferenced)
  const second = manager.lock(one, 60_000, Date.now() + 60_000)
  t.is(t.context.waiting, 2)
  t.false(t.context.set[1]?.isUnreferenced, 'an operation in flight keeps the process alive')
  await first?.release()
  t.is(t.context.waiting, 1)
  await (await second)?.release()
  t.is(t.context.waiting, 0)

  t.truthy(await manager.lock(one, 60_000, Date.now()))
  const third = manager.lock(one, 60_000, Date.now() + 60_000)
  await manager.close()
  await t.throwsAsync(third, { code: 'PHIAL_CLOSED' })
  t.is(t.context.waiting, 0)
})

test.serial('a purge_interval of more than 24.8 days does not fire at once', async (t) => {
  const manager = openMemory({ purgeInterval: 100 * 86_400 })
  await manager.create(one, 'value', Date.now() + 600_000)
  t.is(t.context.set[0]?.ms, 2 ** 31 - 1)
})

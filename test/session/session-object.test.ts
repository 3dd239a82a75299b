import test from 'ava'
import { inspect } from 'node:util'
import { FaultyStore } from '../support/faulty-store.js'
import { harness } from '../support/harness.js'

test('making the object reads nothing; accessed and dirty load nothing', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => object.save())
  const exchange = browser.begin()
  const object = open(exchange)
  t.false(object.accessed)
  t.false(object.dirty)
  t.is(exchange.usedTimes, 0)
  await object.set('a', 1)
  t.true(object.accessed)
  t.true(object.dirty)
  t.is(exchange.usedTimes, 1)
})

test('it is no thenable, and hides what it holds', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    t.is((object as { then?: unknown }).then, undefined)
    t.is(inspect(object), 'SessionObject { not accessed }')
    const session = await object.load()
    session.set('password', 'hunter2')
    t.is(inspect(session), 'Session { password }')
    t.is(inspect(object), 'SessionObject { accessed }')
    t.false(inspect({ session, object }, { depth: 9, showHidden: true }).includes('hunter2'))
    t.false(inspect({ session, object }, { depth: 9, showHidden: true }).includes(session.id))
  })
})

test('a value that is set as a property is a TypeError, and not lost; reading one is undefined', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    const session = await object.load()
    for (const one of [object, session] as unknown as Record<string, unknown>[]) {
      t.throws(() => { one['user'] = 'ann' }, { instanceOf: TypeError, message: /object is not extensible/ })
      t.throws(() => Object.assign(one, { visits: 1 }), { instanceOf: TypeError })
      t.is(one['user'], undefined)
    }
    t.deepEqual(session.keys(), [])
  })
})

test('reload() of a session that was never stored says that, and not that it ended', async (t) => {
  const { visit } = harness()
  const ended = { code: 'PHIAL_GONE', message: /^the session ended/ }
  await visit(async (object) => {
    const session = await object.load()
    await t.throwsAsync(session.reload(), { code: 'PHIAL_GONE', message: /not stored yet/ })
    await session.set('a', 1).save()
    await session.reload()
    await session.invalidate()
    await t.throwsAsync(session.reload(), ended)
  })
})

for (const method of ['save', 'destroy', 'invalidate', 'reload', 'regenerateId'] as const) {
  test(`${method} takes no callback: a function is a TypeError at once, and nothing is done`, async (t) => {
    const { visit } = harness()
    await visit(async (object) => object.set('user', 'ann').then((session) => session.save()))
    await visit(async (object) => {
      const session = await object.load()
      for (const one of [object, session] as unknown as Record<string, (callback: () => void) => unknown>[]) {
        t.throws(() => one[method]!(() => {}), { instanceOf: TypeError, message: new RegExp(`^session\\.${method}\\(\\) answers a promise`) })
      }
      t.deepEqual([session.isNew, session.get('user')], [false, 'ann'])
    })
    await visit(async (object) => t.is(await object.get('user'), 'ann'))
  })
}

test('parallel first calls share one load, and a failed load is not remembered', async (t) => {
  const store = new FaultyStore()
  const loads = (): number => store.calls.filter((call) => call === 'get').length
  const { visit } = harness({ store: store.manager, time: { now: Date.now } })
  await visit(async (object) => (await object.load()).assign({ a: 1, b: 2 }).save())
  store.next('get', new RangeError('boom'))
  await visit(async (object) => {
    const failed = await Promise.allSettled([object.get('a'), object.get('b'), object.load()])
    t.deepEqual(failed.map(({ status }) => status), ['rejected', 'rejected', 'rejected'])
    t.is(loads(), 1)
    t.deepEqual(await Promise.all([object.get('a'), object.get('b'), object.has('c')]), [1, 2, false])
    t.is(loads(), 2)
  })
})

test('it has the methods of the real session, each answering a promise, in the order made', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    const results = await Promise.all([
      object.set('a', 1).then(() => 'set'),
      object.setDefault('a', 2),
      object.setDefault('b', [2]),
      object.assign({ c: 3, d: 4 }).then(() => 'assigned'),
      object.keys(),
      object.values(),
      object.entries(),
      object.delete('d', 'x'),
      object.delete('x'),
      object.pop('c'),
      object.pop('c', 'none'),
      object.get('c', 'fallback'),
      object.has('a'),
      object.flash('hi').then(() => 'flashed'),
      object.peekFlashes(),
      object.flashes(),
      object.keepFlashes().then(() => 'kept'),
      object.save(),
      object.update('a', (a) => a + 1),
      object.update((draft) => void draft.b.push(3)),
      object.get('b'),
      object.set('gone', 1).then(() => 'set'),
      object.revert(),
      object.has('gone'),
      object.reload(),
      object.get('a'),
      object.clear().then((session) => session.size),
      object.persist(),
    ])
    t.deepEqual(results, [
      'set', 1, [2], 'assigned', ['a', 'b', 'c', 'd'], [1, [2], 3, 4], [['a', 1], ['b', [2]], ['c', 3], ['d', 4]],
      true, false, 3, 'none', 'fallback', true, 'flashed', [{ value: 'hi', level: null }], [{ value: 'hi', level: null }], 'kept',
      undefined, 2, undefined, [2, 3], 'set', undefined, false, undefined, 2, 0, undefined,
    ])
  })
  t.deepEqual(await visit((object) => object.entries()), [['a', 2], ['b', [2, 3]]])
})

test('iteration, size and data are the real session\'s', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    const session = (await object.load()).assign({ a: 1, b: 2 })
    t.deepEqual([...session], [['a', 1], ['b', 2]])
    t.is(session.size, 2)
    t.is(JSON.stringify(session), '{"a":1,"b":2}')
    t.deepEqual(session.values(), [1, 2])
  })
})

test('a lock keeps a second one waiting, is released by await using, and times out', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => object.save())
  const [one, two] = await Promise.all([open(browser.begin()).load(), open(browser.begin()).load()])
  const lock = await one.lock()
  await t.throwsAsync(two.lock({ wait: 0 }), { code: 'PHIAL_LOCK_TIMEOUT' })
  await lock.release()
  await lock.release()
  const again = await two.lock({ lease: 5 })
  await again[Symbol.asyncDispose]()
  await (await open(browser.begin()).lock()).release()
})

test('a lock is asked for for seconds, of which there may be many', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => object.save())
  const [one, two] = await Promise.all([open(browser.begin()).load(), open(browser.begin()).load()])
  for (const seconds of [Infinity, -1, NaN, '2' as never]) {
    await t.throwsAsync(one.lock({ wait: seconds }), { instanceOf: TypeError }, `wait ${seconds}`)
    await t.throwsAsync(one.lock({ lease: seconds }), { instanceOf: TypeError }, `lease ${seconds}`)
  }
  const lock = await one.lock()
  const waiting = two.lock({ wait: 10_000_000 })
  await new Promise((resolve) => setTimeout(resolve, 20)) // by then a timer that overflowed has fired
  await lock.release()
  await (await waiting).release()
})

test('used as if it were the value, what a read answers warns once a process', async (t) => {
  const { visit } = harness()
  const warning = new Promise<Error>((resolve) => {
    const look = (each: Error): void => {
      if ((each as { code?: string }).code !== 'PHIAL_NOT_AWAITED') return
      process.off('warning', look)
      resolve(each)
    }
    process.on('warning', look)
  })
  await visit(async (object) => {
    t.is(`${object.get('user')}`, '[object Promise]')
    t.is(JSON.stringify({ user: object.get('user') }), '{"user":{}}')
  })
  t.regex((await warning).message, /session\.get\(\)/)
})

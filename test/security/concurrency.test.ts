import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import { StoreUnavailableError } from '../../src/index.js'
import { FaultyStore } from '../support/faulty-store.js'
import { Browser, Clock, harness } from '../support/harness.js'
import type { Harness } from '../support/harness.js'
import { acts, ask, COOKIES, countOf, openStore, random, serveIn, STORED, Visitor, withMethods } from './support.js'
import type { Mode, Store } from './support.js'
import { Turnstile } from './turnstile.js'

const ROUNDS = countOf('PHIAL_ROUNDS', 1)
const OPERATIONS = countOf('PHIAL_OPERATIONS', 400)
const INTERLEAVINGS = countOf('PHIAL_INTERLEAVINGS', 200)

const PATIENT = { operationTimeout: 30, requestBudget: 60 }

for (const mode of STORED) {
  test(`S170: of 100 parallel requests that each set their own key, 100 keys survive: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    for (let round = 0; round < ROUNDS; round++) {
      const visitor = new Visitor(port)
      await visitor.ask('/set?first=1')
      const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => visitor.copy().ask(`/set?k${n}=${n}`)))
      t.true(replies.every(({ status }) => status === 200))
      for (const [n, { body }] of replies.entries()) t.is(JSON.parse(body)[`k${n}`], String(n))
      t.is(Object.keys(JSON.parse(await visitor.body())).length, 101)
    }
  })

  test(`S171: 100 parallel updates count exactly 100: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    for (let round = 0; round < ROUNDS; round++) {
      const visitor = new Visitor(port)
      await visitor.ask('/set?first=1')
      const replies = await Promise.all(Array.from({ length: 100 }, () => visitor.copy().ask('/add')))
      t.true(replies.every(({ status }) => status === 200))
      t.is(JSON.parse(await visitor.body()).n, 100)
    }
  })
}

/** One request with the browser's cookie; its calls may wait at a turnstile. */
const request = <R>(on: Harness, browser: Browser, work: Parameters<Harness['visit']>[0]): Promise<R> =>
  on.visit(work, browser.copy()) as Promise<R>

const actors = (clock: Clock, turnstile: Turnstile, count: number): Harness[] =>
  Array.from({ length: count }, (_, n) => harness({ clock, store: turnstile.for(String(n)), manager: PATIENT }))

const interleave = async (t: ExecutionContext, inner: Store, seed: number): Promise<void> => {
  const chance = random(seed)
  const clock = new Clock()
  const browser = new Browser()
  const fresh = harness({ clock, store: inner, manager: PATIENT })
  await fresh.visit(async (session) => (await session.load()).assign({ a: 0, b: 0, same: 'first' }).save(), browser)
  clock.advance(100_000) // so that reading touches
  const turnstile = new Turnstile(inner)
  const [one, two, three, four] = actors(clock, turnstile, 4)
  const truths: unknown[] = []
  const saving = (key: string, value: unknown) => async (object: any) => {
    const session = await object.load()
    await session.set(key, value).set('same', key).save()
    truths.push(session.get(key) === value && session.get('same') === key)
  }
  await turnstile.until(Promise.all([
    request(one!, browser, saving('a', 1)),
    request(two!, browser, saving('b', 2)),
    request(three!, browser, async (object) => (await object.load()).toJSON()),
    request(four!, browser, (object) => object.save()),
  ]), (choices) => Math.floor(chance() * choices))
  const { a, b, same } = await fresh.visit(async (object) => (await object.load()).toJSON(), browser) as Record<string, unknown>
  t.deepEqual([a, b, truths], [1, 2, [true, true]], `seed ${seed}`)
  const replaced = turnstile.passed.filter(({ method, answer }) => method === 'replace' && answer !== undefined)
  t.is(same, replaced.at(-1)!.actor === '0' ? 'a' : 'b', `seed ${seed}`)
  for (const key of new Set(turnstile.passed.map(({ key }) => key))) await inner.delete(key)
}

for (const mode of STORED) {
  test(`S173, S174: in random interleavings no reader undoes a writer, and of one key the last save wins, whole: ${mode.name}`, async (t) => {
    const inner = openStore(t, mode, new Clock().now)
    const first = countOf('PHIAL_SEED', Math.floor(Math.random() * 2 ** 31))
    const count = mode.name === 'file' ? INTERLEAVINGS / 10 : INTERLEAVINGS
    for (let round = 0; round < count; round++) await interleave(t, inner, first + round)
  })

  test(`S175: nobody waits for a session much longer than the budget, whatever the store does: ${mode.name}`, async (t) => {
    const inner = openStore(t, mode)
    let isHung = false
    const hanging = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => (...args: A): Promise<R> => (
      isHung ? new Promise<R>(() => {}) : method.apply(inner, args)
    )
    const { port } = await serveIn(t, mode, acts, {
      operationTimeout: 2, requestBudget: 4,
      type: withMethods(
        inner,
        {
          get: hanging(inner.get), create: hanging(inner.create), replace: hanging(inner.replace),
          delete: hanging(inner.delete as (...args: any[]) => Promise<any>),
        }
      ),
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const cookie = await visitor.cookies()
    isHung = true
    const paths = ['/', '/set?a=1', '/add', '/renew', '/logout', '/invalidate']
    // The client of these tests itself gives up after 20 seconds.
    const replies = await Promise.all(paths.flatMap((path) => [ask(port, path), ask(port, path, { cookie })]))
    for (const [n, { status }] of replies.entries()) {
      const readsNothing = n % 2 === 0 && ['/', '/logout', '/invalidate'].includes(paths[Math.floor(n / 2)]!)
      t.is(status, readsNothing ? 200 : 503, paths[Math.floor(n / 2)])
    }
    isHung = false
    const until = performance.now() + 5_000
    let back = await ask(port, '/', { cookie })
    while (back.status === 503 && performance.now() < until) back = await ask(port, '/', { cookie })
    t.is(back.body, '{"user":"ann"}')
  })

  test(`S175: a handler that takes its time with a session keeps no other request of it waiting: ${mode.name}`, async (t) => {
    let goOn = (): void => {}
    const held = new Promise<void>((resolve) => { goOn = resolve })
    const { port } = await serveIn(t, mode, async (req, res) => {
      if (req.url === '/slow') {
        await req.session.set('slow', 1)
        await held
        await req.session.save()
      }
      await acts(req, res)
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?a=1')
    const slow = visitor.copy().ask('/slow')
    for (let n = 0; n < 20; n++) t.is((await visitor.ask(`/set?k${n}=1`)).status, 200)
    goOn()
    t.is((await slow).status, 200)
    t.is(Object.keys(JSON.parse(await visitor.body())).length, 22)
  })

  test(`S176: reading takes no lock and writes nothing: ${mode.name}`, async (t) => {
    const inner = openStore(t, mode)
    const store = new FaultyStore(inner)
    let locks = 0
    Object.assign(store.manager, { lock: () => { locks++ } })
    const { port } = await serveIn(t, mode, acts, { type: store.manager, auto: true })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    store.calls.splice(0)
    for (let n = 0; n < 20; n++) t.is(await visitor.body(), '{"user":"ann"}')
    t.deepEqual(store.calls, Array(20).fill('get'))
    t.is(locks, 0)
  })

  test(`S177: after an answer the next request sees what it claims, however slow the store is: ${mode.name}`, async (t) => {
    const inner = openStore(t, mode)
    const slow = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return method.apply(inner, args)
    }
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      const [, act, user] = req.url!.split('/')
      if (act === 'login') {
        const storing = session.set('user', user).regenerateId()
        if (user!.endsWith('1')) await storing
        res.writeHead(303, { Location: '/home' }).end()
      } else res.end(session.get('user', 'nobody'))
    }, { type: withMethods(inner, { create: slow(inner.create), replace: slow(inner.replace) }) })
    const visitor = new Visitor(port)
    for (let n = 0; n < ROUNDS * 10; n++) {
      const { status, headers } = await visitor.ask(`/login/user${n % 2}`)
      t.is(status, 303)
      t.is(await visitor.body(headers.location!), `user${n % 2}`)
    }
  })
}

/** One operation on the counter: when it began and ended, and what was answered; unknown when it failed. */
interface Operation {
  readonly kind: 'read' | 'add'
  readonly began: number
  ended: number
  value: number | undefined
}

/**
 * Whether a history of reads and increments has an order that agrees with real time. A counter that only grows makes that easy to
 * see: the values tell the order, so every acknowledged increment must have a value of its own, a read's value must have been reached by
 * increments that began before it ended, and what ended before another began must not be of a higher value.
 */
const faultsOf = (history: readonly Operation[]): string[] => {
  const faults: string[] = []
  const known = history.filter(({ value }) => value !== undefined)
  const adds = known.filter(({ kind }) => kind === 'add').map(({ value }) => value)
  if (new Set(adds).size !== adds.length) faults.push('two increments have the same value')
  for (const later of known) {
    const begun = history.filter(({ kind, began }) => kind === 'add' && began < later.ended).length
    if (later.value! > begun) faults.push(`${later.kind} of ${later.value} when ${begun} had begun`)
    for (const earlier of known) {
      if (earlier.ended >= later.began) continue
      if (earlier.value! > later.value! || (later.kind === 'add' && earlier.value === later.value)) {
        faults.push(`${later.kind} of ${later.value} after ${earlier.kind} of ${earlier.value}`)
      }
    }
  }
  return faults
}

test('S178: the checker of histories finds what is wrong with them', (t) => {
  const history = (...operations: [kind: 'read' | 'add', began: number, ended: number, value: number | undefined][]) =>
    faultsOf(operations.map(([kind, began, ended, value]) => ({ kind, began, ended, value }))).length
  t.is(history(['add', 0, 1, 1], ['read', 2, 3, 1], ['add', 4, 5, undefined], ['add', 6, 7, 3], ['read', 8, 9, 3]), 0)
  t.is(history(['add', 0, 5, 2], ['add', 1, 4, 1], ['read', 2, 3, 1]), 0)
  for (const wrong of [
    history(['add', 0, 1, 1], ['add', 2, 3, 1]), history(['add', 0, 1, 1], ['read', 2, 3, 0]),
    history(['read', 0, 1, 1], ['add', 2, 3, 1]),
    history(['add', 0, 1, 1], ['add', 2, 3, 2], ['read', 4, 5, 1]), history(['add', 0, 9, 1], ['add', 0, 9, 1]),
  ]) t.true(wrong > 0)
})

const managersOf = async (t: ExecutionContext, mode: Mode, store: NamespaceManager) =>
  Promise.all([1, 2].map(async () => (await serveIn(t, mode, acts, { type: store })).manager))

for (const mode of STORED) {
  for (const isFailing of [false, true]) {
    test(`S178: histories of one session through two managers are linearizable${isFailing ? ', with a failing store' : ''}: ${mode.name}`, async (t) => {
      const chance = random(countOf('PHIAL_SEED', Math.floor(Math.random() * 2 ** 31)))
      const inner = openStore(t, mode)
      let isOn = false
      const failing = (method: (...args: any[]) => Promise<any>) => async (...args: any[]): Promise<any> => {
        const fate = isOn ? chance() : 0.5
        if (fate < 0.05) throw new StoreUnavailableError('down', { backend: mode.name, operation: 'any' })
        if (chance() < 0.3) await new Promise(setImmediate)
        const answer = await method.apply(inner, args)
        if (fate > 0.95) throw new StoreUnavailableError('the answer was lost', { backend: mode.name, operation: 'any' })
        return answer
      }
      const managers = await managersOf(t, mode, withMethods(inner, { get: failing(inner.get), replace: failing(inner.replace) }))
      const session = await managers[0]!.create()
      await session.set('n', 0).save()
      isOn = isFailing
      const history: Operation[] = []
      let at = 0
      const client = async (n: number): Promise<void> => {
        for (let count = 0; count < OPERATIONS / 8; count++) {
          const operation: Operation = { kind: chance() < 0.6 ? 'add' : 'read', began: at++, ended: Infinity, value: undefined }
          history.push(operation)
          try {
            const own = await managers[n % 2]!.getById(session.id)
            let value = own!.get('n')
            if (operation.kind === 'add') await own!.update('n', (n = 0) => (value = n + 1))
            operation.value = value
            operation.ended = at++
          } catch (error) {
            if (!isFailing || !(error instanceof StoreUnavailableError)) throw error
          }
        }
      }
      await Promise.all(Array.from({ length: 8 }, (_, n) => client(n)))
      isOn = false
      const last = (await managers[0]!.getById(session.id))!.get('n')
      history.push({ kind: 'read', began: at++, ended: at++, value: last })
      t.deepEqual(faultsOf(history), [])
      t.is(history.some(({ value }) => value === undefined), isFailing)
      if (!isFailing) t.is(last, history.filter(({ kind }) => kind === 'add').length)
    })
  }
}

for (const mode of STORED) {
  // Updates that wait together are written together, and each is told what the last of them made of the key.
  test(`S174: updates at once are each told the value that they wrote: ${mode.name}`, async (t) => {
    const { manager } = await serveIn(t, mode, acts)
    const session = await manager.create()
    await session.set('n', 0).save()
    const others = await Promise.all(Array.from({ length: 10 }, () => manager.getById(session.id)))
    const told = await Promise.all(others.map((other) => other!.update('n', (n = 0) => n + 1)))
    t.deepEqual(told.sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
}

for (const mode of COOKIES) {
  test(`S180: of two requests at once the one answered last wins, whole, and a reader undoes nothing: ${mode.name}`, async (t) => {
    let goOn = (): void => {}
    const clock = new Clock()
    const { port } = await serveIn(t, mode, async (req, res) => {
      await req.session.load()
      if (req.url!.endsWith('late=1') || req.url === '/read') await new Promise<void>((resolve) => { goOn = resolve })
      await acts(req, res)
    }, { now: clock.now })
    const visitor = new Visitor(port)
    await visitor.ask('/set?a=1')
    for (const [late, expected] of [['/set?late=1', { a: '1', late: '1' }], ['/read', { a: '1', late: '1', early: '1' }]] as const) {
      const slow = visitor.ask(late)
      await visitor.ask('/set?early=1')
      t.true((await visitor.body()).includes('"early":"1"'))
      clock.advance(120_000) // so that reading touches
      goOn()
      await slow
      t.deepEqual(JSON.parse(await visitor.body()), expected)
    }
  })
}

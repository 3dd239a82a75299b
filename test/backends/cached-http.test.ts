import test from 'ava'
import type { ExecutionContext } from 'ava'
import { StoreUnavailableError } from '../../src/errors.js'
import { createManager } from '../../src/index.js'
import type { SessionRequest, SettingsInput } from '../../src/index.js'
import { serve } from '../support/app.js'
import type { App, Client } from '../support/app.js'
import { FaultyStore } from '../support/faulty-store.js'
import { SECRET } from '../support/harness.js'
import { Connection, openMemory } from '../support/memory-fixture.js'
import type { EveryAbility } from '../support/memory-fixture.js'

interface Data { user?: string; n?: number; [key: `key${number}`]: number }

interface Server extends App {
  readonly store: FaultyStore
  readonly cache: FaultyStore
  /** What a browser is answered here. */
  ask(browser: Client, path: string): Promise<string>
  status(browser: Client, path: string): Promise<number>
}

/** Servers, each with a connection of its own to one store and to one cache. */
const servers = async (t: ExecutionContext, count = 2): Promise<{ readonly all: Server[]; readonly store: EveryAbility; readonly cache: EveryAbility }> => {
  const [store, cache] = [openMemory(), openMemory()]
  const all = await Promise.all(Array.from({ length: count }, () => start(t, store, cache)))
  return { all, store, cache }
}

const start = async (t: ExecutionContext, store: EveryAbility, cache: EveryAbility): Promise<Server> => {
  const [toStore, toCache] = [new FaultyStore(new Connection(store)), new FaultyStore(new Connection(cache))]
  const app = await serve(t, async (req: SessionRequest<Data>, res) => {
    const session = await req.session.load()
    const [, what, value = ''] = req.url!.split('/')
    if (what === 'login') {
      session.owner = value
      session.set('user', value)
      await session.regenerateId()
    }
    if (what === 'set') await session.set(`key${Number(value)}`, 1).save()
    if (what === 'count') await session.update('n', (n = 0) => n + 1)
    if (what === 'logout') await session.destroy()
    const keys = [...session.keys()].filter((key) => key.startsWith('key')).length
    const answers: Record<string, string> = { keys: `${keys}`, n: `${session.get('n')}`, logout: 'bye' }
    res.end(answers[what!] ?? session.get('user', 'nobody'))
  }, { type: toStore.manager, backends: { near: { type: toCache.manager } }, cache: 'near', operationTimeout: 10, requestBudget: 20 })
  const go = (browser: Client, path: string): Promise<Response> => app.client(browser.jar).get(path)
  return {
    ...app, store: toStore, cache: toCache,
    ask: async (browser, path) => (await go(browser, path)).text(),
    status: async (browser, path) => (await go(browser, path)).status,
  }
}

const failing = ({ cache }: Server, times = 1_000): void => {
  const down = (): Error => new StoreUnavailableError('down', { backend: 'memory', operation: 'any' })
  for (const method of ['get', 'create', 'replace', 'delete'] as const) cache.next(method, ...Array.from({ length: times }, down))
}

const loggedIn = async ({ all: [one, other] }: { readonly all: readonly Server[] }): Promise<readonly [Server, Server, Client]> => {
  const browser = one!.client()
  await one!.ask(browser, '/set/0')
  await one!.ask(browser, '/login/ann')
  for (const server of [one!, other!, one!]) await server.ask(browser, '/')
  return [one!, other!, browser]
}

test('a page that only reads asks the cache alone, on every server', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  one.store.calls.length = other.store.calls.length = 0
  for (let visit = 0; visit < 10; visit++) for (const server of [one, other]) t.is(await server.ask(browser, '/'), 'ann')
  t.deepEqual([one.store.calls, other.store.calls], [[], []])
})

test('what one server saves the other reads, at once', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  for (let visit = 1; visit <= 20; visit++) {
    const [here, there] = visit % 2 ? [one, other] : [other, one]
    await here.ask(browser, '/count')
    t.is(await there.ask(browser, '/n'), `${visit}`)
  }
})

test('100 parallel requests on two servers lose nothing: each its own key, and a count of 100', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  await Promise.all(Array.from({ length: 100 }, (_, index) => (index % 2 ? one : other).ask(browser, `/set/${index}`)))
  await Promise.all(Array.from({ length: 100 }, (_, index) => (index % 2 ? one : other).ask(browser, '/count')))
  t.is(await one.ask(browser, '/keys'), '100')
  t.is(await other.ask(browser, '/n'), '100')
})

test('who logs out at one server is logged out at the other, though that had a copy', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  const copied = one.client(browser.jar.cloneSync())
  t.is(await other.ask(copied, '/'), 'ann')
  t.is(await one.ask(browser, '/logout'), 'bye')
  for (const server of [other, one]) t.is(await server.ask(copied, '/'), 'nobody')
})

test('an id that was renewed at one server is dead at the other, though that had a copy', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  const copied = one.client(browser.jar.cloneSync())
  t.is(await other.ask(copied, '/'), 'ann')
  t.is(await one.ask(browser, '/login/bob'), 'bob')
  for (const server of [other, one]) {
    t.is(await server.ask(copied, '/'), 'nobody')
    t.is(await server.ask(browser, '/'), 'bob')
  }
})

test('who is revoked at one server is logged out at the other, though that had a copy', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  t.is(await one.manager.revoke({ owner: 'ann' }), 1)
  for (const server of [other, one]) t.is(await server.ask(browser, '/'), 'nobody')
})

// Without the cache

test('L01: while the cache is down, pages are answered and saved', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  for (const server of [one, other]) failing(server)
  for (let visit = 1; visit <= 5; visit++) {
    t.is(await one.status(browser, '/count'), 200)
    t.is(await other.ask(browser, '/n'), `${visit}`)
  }
  const visitor = one.client()
  t.is(await one.status(visitor, '/set/1'), 200)
  t.is(await other.ask(visitor, '/keys'), '1')
})

test('L02: a log-out that the cache cannot be told is a 503 that expires the cookie; in the store the session has ended', async (t) => {
  const all = await servers(t)
  const [one, , browser] = await loggedIn(all)
  failing(one)
  const before = await keysIn(all.store)
  const response = await one.client(browser.jar).get('/logout')
  t.is(response.status, 503)
  t.regex(response.headers.getSetCookie()[0]!, /^phial=;.*Expires=Thu, 01 Jan 1970/)
  t.is((await keysIn(all.store)).length, before.length - 1)
  t.is(await one.ask(browser, '/'), 'nobody')
})

test('L03: a log-in that the cache cannot be told is a 503, and the session is as it was before it', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  failing(one, 4)
  t.is(await one.status(browser, '/login/bob'), 503)
  for (const server of [other, one]) t.is(await server.ask(browser, '/'), 'ann')
  t.is(await other.ask(browser, '/login/bob'), 'bob')
  t.is(await other.ask(browser, '/keys'), '1')
})

test('L04: a revocation that the cache cannot be told fails, and has ended every session in the store', async (t) => {
  const [one, other, browser] = await loggedIn(await servers(t))
  const second = other.client()
  await other.ask(second, '/login/ann')
  failing(one)
  await t.throwsAsync(one.manager.revoke({ owner: 'ann' }), { code: 'PHIAL_STORE_UNAVAILABLE' })
  for (const of of [browser, second]) t.is(await one.ask(of, '/'), 'nobody')
  t.deepEqual(await one.manager.list({ owner: 'ann' }), [])
})

test('L05: while the cache hangs, a few pages wait for it for a fifth of a second, and the others not at all', async (t) => {
  const [one, , browser] = await loggedIn(await servers(t))
  for (const method of ['get', 'create', 'replace', 'delete'] as const) one.cache.next(method, ...Array.from({ length: 100 }, () => 'hung' as const))
  const [began, before] = [performance.now(), one.cache.calls.length]
  for (let visit = 0; visit < 20; visit++) t.is(await one.status(browser, visit % 2 ? '/' : '/count'), 200)
  const [took, calls] = [performance.now() - began, one.cache.calls.length - before]
  t.true(took >= 990, `${took} ms`)
  t.true(calls <= 5 + took / 500 + 5, `${calls} calls in ${took} ms`)
})

test('L05: what waiting for a cache that hangs leaves of an operation\'s time is enough for the store', async (t) => {
  const [store, cache] = [openMemory(), new FaultyStore(new Connection(openMemory()))]
  const settings: SettingsInput = { type: new Connection(store), backends: { near: { type: cache.manager } }, cache: 'near', secret: SECRET, operationTimeout: 0.2 }
  const manager = createManager(settings)
  const session = await manager.create()
  await session.save()
  cache.next('get', ...Array.from({ length: 5 }, () => 'hung' as const))
  const found = await Promise.allSettled(Array.from({ length: 5 }, () => manager.getById(session.id)))
  t.true(found.some(({ status }) => status === 'fulfilled'))
})

const keysIn = async (store: EveryAbility): Promise<string[]> => {
  const keys: string[] = []
  for await (const key of store.keys()) keys.push(key)
  return keys
}

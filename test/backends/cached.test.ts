import test from 'ava'
import type { ExecutionContext } from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { stat } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { cachedManager } from '../../backends/cached.js'
import { formatEntry, LEASE, parseEntry } from '../../backends/cached/entry.js'
import { UntoldKeys } from '../../backends/cached/untold-keys.js'
import { StoreUnavailableError } from '../../src/errors.js'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import { cachedServers, filled } from '../support/cached-processes.js'
import type { CachedProcess, CachedServers } from '../support/cached-processes.js'
import { FaultyStore } from '../support/faulty-store.js'
import type { Fault } from '../support/faulty-store.js'
import { openMemory } from '../support/memory-fixture.js'
import { runProgram } from '../support/run-program.js'
import { withSupports } from '../support/with-supports.js'
import { withMethods } from '../security/support.js'

const KEY = 'a'.repeat(64)
const TTL = 60_000
const HOUR = 3_600_000
const down = (): Error => new StoreUnavailableError('down', { backend: 'memory', operation: 'any' })

/** A record that every process can read, and of which the cache has a copy. */
const withCopy = async ({ clock, process }: CachedServers, life = HOUR): Promise<string> => {
  const { manager } = process()
  const version = await manager.create(KEY, 'one', clock.now() + life)
  await manager.get(KEY)
  await filled()
  return version!
}

const valueIn = async (manager: NamespaceManager): Promise<string | undefined> => (await manager.get(KEY))?.value

/** The calls that were made meanwhile. */
const callsOf = async (process: CachedProcess, work: () => Promise<unknown>): Promise<{ store: string[]; cache: string[] }> => {
  const [store, cache] = [process.store.calls.length, process.cache.calls.length]
  await work()
  await filled()
  return { store: process.store.calls.slice(store), cache: process.cache.calls.slice(cache) }
}

const failing = (cache: FaultyStore, fault: Fault = down(), times = 100): void => {
  for (const method of ['get', 'create', 'replace', 'delete'] as const) cache.next(method, ...Array.from({ length: times }, () => fault))
}

const eventsOf = (t: ExecutionContext, event: string): unknown[] => {
  const told: unknown[] = []
  const listen = (fields: unknown): void => void told.push(fields)
  subscribe(`phial:${event}`, listen)
  t.teardown(() => unsubscribe(`phial:${event}`, listen))
  return told
}

// Reading

test('the first read asks the store and leaves a copy, the next ones ask the cache alone', async (t) => {
  const servers = cachedServers()
  const one = servers.process()
  const version = await one.manager.create(KEY, 'one', servers.clock.now() + HOUR)
  t.deepEqual(await callsOf(one, () => one.manager.get(KEY)), { store: ['get'], cache: ['get', 'create', 'replace'] })
  for (const process of [one, servers.process()]) {
    t.deepEqual(await callsOf(process, () => process.manager.get(KEY)), { store: [], cache: ['get'] })
  }
  t.deepEqual(await one.manager.get(KEY), { value: 'one', version: version!, expiresAt: servers.clock.now() + HOUR, touched: false })
})

test('what is not there leaves nothing in the cache', async (t) => {
  const servers = cachedServers()
  const one = servers.process()
  t.is(await one.manager.get(KEY), undefined)
  await filled()
  t.is(await servers.cache.get(KEY), undefined)
})

test('while another is about to put a copy, the store is read and nothing is put', async (t) => {
  const servers = cachedServers()
  const [one, other] = [servers.process(), servers.process()]
  await one.manager.create(KEY, 'one', servers.clock.now() + HOUR)
  one.cache.next('replace', 'late')
  await one.manager.get(KEY)
  t.deepEqual(await callsOf(other, async () => t.is(await valueIn(other.manager), 'one')), { store: ['get'], cache: ['get'] })
  await one.cache.release()
  t.deepEqual(await callsOf(other, () => other.manager.get(KEY)), { store: [], cache: ['get'] })
})

test('a touch that is due goes to the store, and the copy is then the touched record\'s', async (t) => {
  const servers = cachedServers()
  const { clock, store } = servers
  await withCopy(servers, 10_000)
  const one = servers.process()
  const touch = { expiresAt: clock.now() + HOUR, ifBefore: clock.now() + HOUR - 1_000 }
  t.deepEqual(await callsOf(one, async () => t.true((await one.manager.get(KEY, touch))?.touched)), { store: ['get'], cache: ['get', 'replace'] })
  t.is((await store.get(KEY))?.expiresAt, touch.expiresAt)
  t.deepEqual(await callsOf(one, async () => t.false((await one.manager.get(KEY, touch))?.touched)), { store: [], cache: ['get'] })
  clock.advance(10_000)
  t.is(await valueIn(one.manager), 'one')
})

test('a session that is used stays, however often the cache answers, and ends when it was not used for so long', async (t) => {
  const servers = cachedServers()
  const { clock } = servers
  const [timeout, interval] = [600_000, 60_000]
  const one = servers.process()
  await one.manager.create(KEY, 'one', clock.now() + timeout)
  const read = async (): Promise<boolean> => {
    const expiresAt = clock.now() + timeout
    const record = await one.manager.get(KEY, { expiresAt, ifBefore: expiresAt - interval })
    await filled()
    return record !== undefined
  }
  for (let used = 0; used < 200; used++) {
    t.true(await read(), `after ${used} times`)
    clock.advance(25_000)
  }
  t.true(one.store.calls.length < 120, `${one.store.calls.length} of 200 reads asked the store`)
  clock.advance(timeout - 25_000)
  t.false(await read())
})

test('a copy is read for as long as the record lives, and no longer', async (t) => {
  const servers = cachedServers()
  await withCopy(servers, 10_000)
  const one = servers.process()
  servers.clock.advance(9_999)
  t.is(await valueIn(one.manager), 'one')
  t.deepEqual(one.store.calls, [])
  servers.clock.advance(1)
  t.is(await valueIn(one.manager), undefined)
})

test('a copy is read for its time to live, reckoned from before the store was read, however late it came', async (t) => {
  const servers = cachedServers()
  const { clock } = servers
  const [one, other] = [servers.process(), servers.process()]
  await one.manager.create(KEY, 'one', clock.now() + HOUR)
  one.store.next('get', async (call) => {
    const record = await call()
    clock.advance(4_000)
    return record
  })
  await one.manager.get(KEY)
  await filled()
  clock.advance(TTL - 4_001)
  t.deepEqual(await callsOf(other, () => other.manager.get(KEY)), { store: [], cache: ['get'] })
  clock.advance(1)
  t.deepEqual((await callsOf(other, () => other.manager.get(KEY))).store, ['get'])
})

test('a copy whose time is over is not read, even if the cache still has it', async (t) => {
  const servers = cachedServers()
  const { clock, cache } = servers
  await withCopy(servers, TTL + 1_000)
  const one = servers.process()
  await cache.touch(KEY, clock.now() + HOUR) // as a cache does that counts in whole seconds, or got the copy late
  clock.advance(TTL)
  t.deepEqual((await callsOf(one, () => one.manager.get(KEY))).store, ['get'])
  await cache.touch(KEY, clock.now() + HOUR)
  clock.advance(1_000)
  t.is(await valueIn(one.manager), undefined)
})

test('no copy is made of what is too large for the cache, nor of what ends nobody knows when; other readers are not kept waiting for one', async (t) => {
  const servers = cachedServers()
  const one = servers.process()
  await servers.store.create(KEY, 'one'.repeat(100), servers.clock.now() + HOUR)
  const small = cachedManager({ store: one.store.manager, cache: withSupports(one.cache.manager, { maxValueBytes: 300 }), now: servers.clock.now })
  t.is((await valueIn(small))?.length, 300)
  await filled()
  t.is(await servers.cache.get(KEY), undefined)
  one.store.next('get', async (call) => ({ ...((await call()) as object), expiresAt: undefined }))
  await one.manager.get(KEY)
  await filled()
  t.is(await servers.cache.get(KEY), undefined)
})

test('what stands in the cache and is no copy of ours is replaced by one', async (t) => {
  const servers = cachedServers()
  const one = servers.process()
  await servers.store.create(KEY, 'one', servers.clock.now() + HOUR)
  for (const strange of ['{}', 'null', '[2,"v",9e15,9e15]\nold', '[1,"v",9e15]\nold', '[1,1,9e15,9e15]\nold', 'one', '\n', '[1,"v",9e15,9e15']) {
    await servers.cache.delete(KEY)
    await servers.cache.create(KEY, strange, servers.clock.now() + HOUR)
    t.is(await valueIn(one.manager), 'one', strange)
    await filled()
    t.not((await servers.cache.get(KEY))?.value, strange)
  }
})

test('an entry comes back as it was, and none is taken for a lease', (t) => {
  for (const value of ['', '\n', 'a\nb', '[1]\n']) {
    const entry = { value, version: '"\n', expiresAt: 1, freshUntil: 2.5 }
    t.deepEqual(parseEntry(formatEntry(entry)), entry)
    t.not(formatEntry(entry), LEASE)
  }
})

// Writing

test('a save is read by all processes as soon as it is acknowledged', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const [one, other] = [servers.process(), servers.process()]
  const next = await one.manager.replace(KEY, 'two', version, servers.clock.now() + HOUR)
  t.deepEqual(one.cache.calls, ['delete'])
  t.like(await other.manager.get(KEY), { value: 'two', version: next! })
})

test('a record that is made again is read by all processes, though a copy of its forerunner is still there', async (t) => {
  const servers = cachedServers()
  await withCopy(servers)
  const [one, other] = [servers.process(), servers.process()]
  await servers.store.delete(KEY)
  t.is(await valueIn(other.manager), 'one')
  t.truthy(await one.manager.create(KEY, 'again', servers.clock.now() + HOUR))
  t.is(await valueIn(other.manager), 'again')
  const events = eventsOf(t, 'cache-stale')
  await servers.store.delete(KEY)
  one.cache.next('delete', down())
  t.truthy(await one.manager.create(KEY, 'last', servers.clock.now() + HOUR))
  t.true(events.some((fields) => (fields as { operation: string }).operation === 'create'))
})

test('a touch is seen by all processes', async (t) => {
  const servers = cachedServers()
  await withCopy(servers)
  const [one, other] = [servers.process(), servers.process()]
  t.true(await one.manager.touch(KEY, servers.clock.now() + 5_000))
  servers.clock.advance(5_000)
  t.is(await valueIn(other.manager), undefined)
})

test('a save on an old copy is refused by the store, and what is read then is not the copy', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const [cut, other] = [servers.process(), servers.process()]
  failing(cut.cache)
  const newer = await cut.manager.replace(KEY, 'two', version, servers.clock.now() + HOUR)
  t.like(await other.manager.get(KEY), { value: 'one', version })
  t.is(await other.manager.replace(KEY, 'lost', version, servers.clock.now() + HOUR), undefined)
  t.like(await other.manager.get(KEY), { value: 'two', version: newer! })
})

for (const [what, end] of Object.entries({
  'a delete': (manager: NamespaceManager) => manager.delete(KEY),
  'a delete of a version': (manager: NamespaceManager, version: string) => manager.delete(KEY, version),
  'a sign of an end': (manager: NamespaceManager, version: string, now: number) => manager.replace(KEY, 'sign', version, now + HOUR, 'moved'),
  'a save': (manager: NamespaceManager, version: string, now: number) => manager.replace(KEY, 'sign', version, now + HOUR),
})) {
  test(`${what} wins over a copy that was read before it and comes after it`, async (t) => {
    const servers = cachedServers()
    const [reader, writer, other] = [servers.process(), servers.process(), servers.process()]
    const version = (await reader.manager.create(KEY, 'one', servers.clock.now() + HOUR))!
    reader.cache.next('replace', 'late')
    t.is(await valueIn(reader.manager), 'one')
    await end(writer.manager, version, servers.clock.now())
    await reader.cache.release()
    for (const { manager } of [other, reader, writer]) t.not(await valueIn(manager), 'one')
  })

  test(`L07: ${what} wins over a copy whose lease was lost and taken again meanwhile`, async (t) => {
    const servers = cachedServers()
    const [reader, writer, other] = [servers.process(), servers.process(), servers.process()]
    const version = (await reader.manager.create(KEY, 'one', servers.clock.now() + HOUR))!
    reader.cache.next('replace', 'late')
    t.is(await valueIn(reader.manager), 'one')
    await servers.cache.delete(KEY)
    await end(writer.manager, version, servers.clock.now())
    other.cache.next('replace', 'late')
    await other.manager.get(KEY)
    await reader.cache.release()
    t.not(await valueIn(writer.manager), 'one')
    await other.cache.release()
    for (const { manager } of [other, reader, writer]) t.not(await valueIn(manager), 'one')
  })
}

test('L10: a write whose outcome is unknown leaves no copy of what was there before', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const [one, other] = [servers.process(), servers.process()]
  one.store.next('replace', async (call) => {
    await call()
    throw down()
  })
  await t.throwsAsync(one.manager.replace(KEY, 'two', version, servers.clock.now() + HOUR), { code: 'PHIAL_STORE_UNAVAILABLE' })
  await filled()
  t.is(await valueIn(other.manager), 'two')
})

// The cache cannot be told

test('L01: a save that the cache could not be told is acknowledged, with an event; others read the older version for the time to live at most', async (t) => {
  const servers = cachedServers()
  const { clock } = servers
  const events = eventsOf(t, 'cache-stale')
  const version = await withCopy(servers)
  const [cut, other] = [servers.process(), servers.process()]
  failing(cut.cache)
  t.truthy(await cut.manager.replace(KEY, 'two', version, clock.now() + HOUR))
  t.true(events.some((fields) => JSON.stringify(fields) === '{"backend":"cache","operation":"replace"}'))
  clock.advance(TTL - 1)
  t.is(await valueIn(other.manager), 'one')
  clock.advance(1)
  t.is(await valueIn(other.manager), 'two')
})

test('L08: who dies between the store\'s write and the cache\'s leaves the older version readable for the time to live at most', async (t) => {
  const servers = cachedServers()
  const { clock } = servers
  const version = await withCopy(servers)
  const [dying, other] = [servers.process(), servers.process()]
  dying.cache.next('delete', 'hung')
  void dying.manager.replace(KEY, 'two', version, clock.now() + HOUR)
  await filled()
  clock.advance(TTL - 1)
  t.is(await valueIn(other.manager), 'one')
  clock.advance(1)
  t.is(await valueIn(other.manager), 'two')
})

test('who could not tell the cache does not read there what it wrote over, when the cache answers again', async (t) => {
  const servers = cachedServers()
  const { clock } = servers
  const version = await withCopy(servers)
  const cut = servers.process()
  cut.cache.next('delete', ...Array.from({ length: 100 }, () => down()))
  await cut.manager.replace(KEY, 'two', version, clock.now() + HOUR)
  for (const wait of [0, TTL - 1]) {
    clock.advance(wait)
    t.is(await valueIn(cut.manager), 'two')
  }
  clock.advance(1)
  t.is(await valueIn(cut.manager), 'two')
})

test('L06: what the cache could not be told it is told when it answers again', async (t) => {
  const servers = cachedServers()
  const { clock } = servers
  const version = await withCopy(servers)
  const [cut, other] = [servers.process(), servers.process()]
  cut.cache.next('delete', down())
  await cut.manager.replace(KEY, 'two', version, clock.now() + HOUR)
  t.is(await valueIn(other.manager), 'one')
  await cut.manager.get('b'.repeat(64))
  await filled()
  t.is(await valueIn(other.manager), 'two')
  t.is(await valueIn(cut.manager), 'two')
})

test('what was told before another write is not taken for having told that', async (t) => {
  const servers = cachedServers()
  const { clock } = servers
  const version = await withCopy(servers)
  const [one, other] = [servers.process({ cacheTimeoutMs: 10_000 }), servers.process()]
  let answer = (): void => {}
  one.cache.next('delete', (call) => call().then(() => new Promise<void>((resolve) => { answer = resolve })), down(), down())
  const first = one.manager.replace(KEY, 'two', version, clock.now() + HOUR)
  await filled()
  const second = (await other.manager.get(KEY))!.version
  await filled()
  await one.manager.replace(KEY, 'three', second, clock.now() + HOUR)
  answer()
  await first
  t.is(await valueIn(other.manager), 'two')
  t.is(await valueIn(one.manager), 'three')
})

for (const [what, end] of Object.entries({
  'a delete': (manager: NamespaceManager) => manager.delete(KEY),
  'a delete of a version': (manager: NamespaceManager, version: string) => manager.delete(KEY, version),
})) {
  test(`L02: ${what} that the cache could not be told is done in the store, and fails until the cache is told`, async (t) => {
    const servers = cachedServers()
    const version = await withCopy(servers)
    const [cut, other] = [servers.process(), servers.process()]
    failing(cut.cache, down(), 4)
    const error = await t.throwsAsync(async () => end(cut.manager, version), { instanceOf: StoreUnavailableError })
    t.like(error, { code: 'PHIAL_STORE_UNAVAILABLE', backend: 'cache', operation: 'delete', retryable: true })
    t.is(await servers.store.get(KEY), undefined)
    t.is(await valueIn(cut.manager), undefined)
    await t.throwsAsync(async () => end(cut.manager, version), { code: 'PHIAL_STORE_UNAVAILABLE' })
    t.is(await valueIn(other.manager), 'one')
    await end(cut.manager, version)
    t.is(await valueIn(other.manager), undefined)
  })
}

test('one failure of the cache does not fail a delete', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const one = servers.process()
  one.cache.next('delete', down())
  t.true(await one.manager.delete(KEY, version))
  t.is(await valueIn(servers.process().manager), undefined)
})

test('L03: a sign of an end is not written while the cache cannot be told: the session is as it was', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const cut = servers.process()
  failing(cut.cache)
  const error = await t.throwsAsync(cut.manager.replace(KEY, 'sign', version, servers.clock.now() + HOUR, 'moved'), { instanceOf: StoreUnavailableError })
  t.like(error, { backend: 'cache', operation: 'replace', retryable: true })
  t.deepEqual(cut.store.calls, [])
  t.is((await servers.store.get(KEY))?.version, version)
})

test('L04: a revocation is written though the cache cannot be told, and fails', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const cut = servers.process()
  failing(cut.cache)
  await t.throwsAsync(cut.manager.replace(KEY, 'other', version, servers.clock.now() + HOUR, 'revoked'), { instanceOf: StoreUnavailableError })
  t.is(await valueIn(cut.manager), 'other')
})

test('a sign of an end that is refused fails, too, when the cache could not be told: what it was refused for may be this very sign', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const one = servers.process()
  await servers.store.replace(KEY, 'sign', version, servers.clock.now() + HOUR)
  one.cache.next('delete', (call) => call(), down(), down())
  await t.throwsAsync(one.manager.replace(KEY, 'sign', version, servers.clock.now() + HOUR, 'moved'), { instanceOf: StoreUnavailableError })
})

test('a sign of an end fails when the cache could not be told after it was written', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const cut = servers.process()
  cut.cache.next('delete', (call) => call(), down(), down())
  await t.throwsAsync(cut.manager.replace(KEY, 'sign', version, servers.clock.now() + HOUR, 'moved'), { instanceOf: StoreUnavailableError })
  t.is((await servers.store.get(KEY))?.value, 'sign')
})

// The cache is down

test('L06: a cache that fails costs a few calls, then one in half a second, and is used again when it answers', async (t) => {
  const servers = cachedServers()
  await withCopy(servers)
  const one = servers.process()
  one.cache.next('get', ...Array.from({ length: 6 }, down))
  const reads = (): Promise<{ store: string[]; cache: string[] }> => callsOf(one, async () => {
    for (let read = 0; read < 20; read++) t.is(await valueIn(one.manager), 'one')
  })
  for (const [calls, asked] of [[5, 20], [1, 20], [20, 0]] as const) {
    const { cache, store } = await reads()
    t.deepEqual([cache.length, store.length], [calls, asked])
    await sleep(550)
  }
})

test('L06: a cache whose calls throw at once is one that fails, and nothing waits for it', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const fault = new TypeError('a fault in an adapter')
  const thrown = (): never => {
    throw fault
  }
  const cache = withMethods(servers.cache, { get: thrown, create: thrown, replace: thrown, delete: thrown as NamespaceManager['delete'] })
  const manager = cachedManager({ store: servers.store, cache, now: servers.clock.now })
  const told = eventsOf(t, 'store-error') as { readonly error: unknown; readonly operation: string }[]
  t.is(await valueIn(manager), 'one')
  t.truthy(await manager.replace(KEY, 'two', version, servers.clock.now() + HOUR))
  t.is(await valueIn(manager), 'two')
  t.deepEqual(told.filter(({ error }) => error === fault).map(({ operation }) => operation), ['get', 'delete'])
  const program = `
    import { CacheCalls } from 'ROOT/backends/cached/cache-calls.js'
    console.log(await new CacheCalls(60_000).ask('get', () => { throw new TypeError() }), process.getActiveResourcesInfo().includes('Timeout'))
    process.exit()`
  t.is((await runProgram(program)).output, 'undefined false\n')
})

test('L05: a cache that hangs keeps a few reads waiting for its short deadline, and the others, a save and a delete not at all', async (t) => {
  const servers = cachedServers()
  const version = await withCopy(servers)
  const one = servers.process({ cacheTimeoutMs: 100 })
  failing(one.cache, 'hung')
  const began = performance.now()
  for (let read = 0; read < 100; read++) t.is(await valueIn(one.manager), 'one')
  t.truthy(await one.manager.replace(KEY, 'two', version, servers.clock.now() + HOUR))
  await t.throwsAsync(one.manager.delete(KEY), { instanceOf: StoreUnavailableError })
  t.is(await servers.store.get(KEY), undefined)
  const took = performance.now() - began
  t.true(took >= 490 && took < 4_000, `${took} ms`) // 10,000 if each waited
  t.true(one.cache.calls.length <= 5 + took / 500 + 1, `${one.cache.calls.length} calls`)
})

test('L05: a cache that hangs keeps a delete waiting for twice its deadline, and the store has done it before', async (t) => {
  const servers = cachedServers()
  await withCopy(servers)
  const one = servers.process({ cacheTimeoutMs: 100 })
  failing(one.cache, 'hung')
  const began = performance.now()
  const failed = t.throwsAsync(one.manager.delete(KEY), { instanceOf: StoreUnavailableError })
  await filled()
  t.is(await servers.store.get(KEY), undefined)
  await failed
  const took = performance.now() - began
  t.true(took >= 190 && took < 2_000, `${took} ms`)
})

test('L09: a stalled event loop is not taken for a cache that does not answer', async (t) => {
  const servers = cachedServers()
  await withCopy(servers)
  const one = servers.process()
  one.cache.next('get', (call) => new Promise((resolve) => { stat('.', () => resolve(call())) }))
  const reading = callsOf(one, () => one.manager.get(KEY))
  const began = performance.now()
  while (performance.now() - began < 150) { /* no timer runs, and no answer comes in */ }
  t.deepEqual(await reading, { store: [], cache: ['get'] })
})

test('the cache\'s failures and its recovery are events of backend "cache"', async (t) => {
  const servers = cachedServers()
  const [errors, recoveries] = [eventsOf(t, 'store-error'), eventsOf(t, 'store-recovered')]
  const one = servers.process()
  const error = down()
  one.cache.next('get', error)
  await one.manager.get(KEY)
  await one.manager.get(KEY)
  t.true(errors.some((fields) => (fields as { error: unknown }).error === error))
  t.true(recoveries.some((fields) => (fields as { backend: string }).backend === 'cache'))
})

test('so many keys that could not be told are one: nothing is read from the cache until all copies have ended', (t) => {
  let now = 0
  const untold = new UntoldKeys(TTL, () => now)
  for (let key = 0; key < 10_000; key++) untold.add(`${key}`)
  t.true(untold.has('0'))
  t.false(untold.has('10000'))
  now = TTL / 2
  untold.add('10000')
  t.is(untold.size, 0)
  for (const key of ['0', '10000', 'any']) t.true(untold.has(key))
  now = 1.5 * TTL
  t.false(untold.has('0'))
  for (let key = 0; key < 10_000; key++) untold.add(`${key}`)
  now = 2.5 * TTL
  untold.add('x')
  t.is(untold.size, 1)
  t.deepEqual(untold.keys(), ['x'])
})

// Being made, and closed

test('the manifest is the store\'s', (t) => {
  const store = openMemory()
  const { manager } = cachedServers().process({ store })
  t.deepEqual(manager.supports, store.supports)
})

test('what cannot be a cache, or have one, is refused at start', (t) => {
  const memory = openMemory()
  for (const pair of [
    { store: withSupports(memory, { scope: 'request' }), cache: memory },
    { store: memory, cache: withSupports(memory, { scope: 'request' }) },
    { store: memory, cache: withSupports(memory, { atomic: false }) },
    { store: memory, cache: withSupports(memory, { revocable: false }) },
  ]) t.throws(() => cachedManager(pair), { code: 'PHIAL_CONFIG' })
  for (const ms of [0, -1, NaN, Infinity]) {
    t.throws(() => cachedManager({ store: memory, cache: memory, ttlMs: ms }), { code: 'PHIAL_CONFIG', message: /^ttlMs: / })
    t.throws(() => cachedManager({ store: memory, cache: memory, cacheTimeoutMs: ms }), { code: 'PHIAL_CONFIG', message: /^cacheTimeoutMs: / })
  }
})

test.serial('in production, a cache that fewer processes share than the store is warned of', async (t) => {
  const memory = openMemory()
  const { NODE_ENV } = process.env
  t.teardown(() => { process.env['NODE_ENV'] = NODE_ENV ?? '' })
  const cache = (): unknown => cachedManager({ store: withSupports(memory, { scope: 'shared' }), cache: memory })
  process.env['NODE_ENV'] = 'development'
  cache() // without a warning: the first is the one that is looked at
  process.env['NODE_ENV'] = 'production'
  const warning = new Promise<Error & { code?: string }>((resolve) => void process.once('warning', resolve))
  cache()
  t.is((await warning).code, 'PHIAL_CACHE')
})

test('close closes both, and tells when one of them could not be', async (t) => {
  const closed: string[] = []
  const closing = (name: string, error?: Error): NamespaceManager => withMethods(openMemory(), {
    close: async () => {
      closed.push(name)
      if (error) throw error
    },
  })
  await cachedManager({ store: closing('store'), cache: closing('cache') }).close()
  const error = down()
  t.is(await t.throwsAsync(cachedManager({ store: closing('store', error), cache: closing('cache') }).close()), error)
  t.deepEqual(closed, ['store', 'cache', 'store', 'cache'])
})

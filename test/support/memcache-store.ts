import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { memcacheBackend } from '../../backends/memcache.js'
import type { MemcacheOptions } from '../../backends/memcache.js'
import type { BackendContext, Lockable, NamespaceManager, Sealer } from '../../src/namespace-manager.js'
import { SessionError } from '../../src/errors.js'
import type { StoreError } from '../../src/errors.js'
import type { Teardown } from './app.js'
import { FaultProxy } from './fault-proxy.js'
import { MEMCACHED, MemcachedServer } from './memcached-server.js'

export type MemcacheStore = NamespaceManager & Lockable

const sealer: Sealer = { seal: (_purpose, _context, text) => text, open: (_purpose, _context, text) => ({ text, stale: false }) }

export const DEFAULTS: MemcacheOptions = { maxValueBytes: memcacheBackend.supports.maxValueBytes }

/** A manager as the library makes it, without the library. */
export const openMemcache = (url: string | undefined, context: Partial<BackendContext<MemcacheOptions>> = {}): MemcacheStore =>
  memcacheBackend.open({
    namespace: 'test', now: Date.now, maxBytes: 262_144, sealer, url, ...context, options: { ...DEFAULTS, ...context.options },
  }) as MemcacheStore

let namespaces = 0

/** One that no test of this process has used. */
export const freshNamespace = (): string => `test-${process.pid}-${++namespaces}`

export const key = (label: unknown = 'key'): string => createHash('sha256').update(String(label)).digest('hex')

export const later = (seconds = 3600): number => Date.now() + seconds * 1000

/** A memcached of the test's own. */
export const startMemcached = async (t: Teardown, ...args: string[]): Promise<MemcachedServer> => {
  const server = await MemcachedServer.start({ args })
  t.teardown(() => server.kill())
  return server
}

let users = 0
let running: Promise<MemcachedServer> | undefined

/** One for all tests of this process that run at the same time: each takes a namespace of its own. */
export const sharedMemcached = async (t: Teardown): Promise<MemcachedServer> => {
  users += 1
  const server = await (running ??= MemcachedServer.start())
  t.teardown(async () => {
    users -= 1
    if (users > 0) return
    running = undefined
    await server.kill()
  })
  return server
}

export const proxyTo = async (t: Teardown, { port }: { readonly port: number }): Promise<FaultProxy> => {
  const proxy = await FaultProxy.start(port)
  t.teardown(() => proxy.close())
  return proxy
}

/** A manager that is closed after the test. */
export const managerOn = (t: Teardown, url: string | undefined, context: Partial<BackendContext<any>> = {}): MemcacheStore => {
  const manager = openMemcache(url, { namespace: freshNamespace(), ...context })
  t.teardown(() => manager.close())
  return manager
}

export interface Outcome<T> {
  readonly value?: T
  readonly error?: StoreError
  /** Milliseconds until it was settled. */
  readonly ms: number
}

/** How a call ended, and when. */
export const outcomeOf = async <T>(call: () => Promise<T>): Promise<Outcome<T>> => {
  const since = performance.now()
  try {
    return { value: await call(), ms: performance.now() - since }
  } catch (error) {
    if (!(error instanceof SessionError)) throw error
    return { error: error as StoreError, ms: performance.now() - since }
  }
}

/** Tries every 20 ms: how many milliseconds went by until the first success. */
export const timeToSuccess = async (call: () => Promise<unknown>): Promise<number> => {
  const since = performance.now()
  while ((await outcomeOf(call)).error !== undefined) {
    if (performance.now() - since > 20_000) throw new Error('no success within 20 s')
    await sleep(20)
  }
  return performance.now() - since
}

let isTold = false

/** Says once that tests are skipped. */
export const hasMemcached = (): boolean => {
  if (MEMCACHED === undefined && !isTold) console.error('memcached is not installed: the tests against it are SKIPPED (apt-get install memcached)')
  isTold = true
  return MEMCACHED !== undefined
}

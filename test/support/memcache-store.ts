import { memcacheBackend } from '../../backends/memcache.js'
import type { MemcacheOptions } from '../../backends/memcache.js'
import type { BackendContext, Lockable, NamespaceManager, Sealer } from '../../src/namespace-manager.js'
import { MEMCACHED } from './memcached-server.js'

export type MemcacheStore = NamespaceManager & Lockable

const sealer: Sealer = { seal: (_purpose, _context, text) => text, open: (_purpose, _context, text) => ({ text, stale: false }) }

export const DEFAULTS: MemcacheOptions = { maxValueBytes: memcacheBackend.supports.maxValueBytes }

/** A manager as the library makes it, without the library. */
export const openMemcache = (url: string | undefined, context: Partial<BackendContext<MemcacheOptions>> = {}): MemcacheStore =>
  memcacheBackend.open({ namespace: 'test', now: Date.now, maxBytes: 262_144, sealer, url, ...context, options: { ...DEFAULTS, ...context.options } }) as MemcacheStore

let namespaces = 0

/** One that no test of this process has used. */
export const freshNamespace = (): string => `test-${process.pid}-${++namespaces}`

/** Says once that tests are skipped. */
export const hasMemcached = (): boolean => {
  if (MEMCACHED !== undefined) return true
  console.error('memcached is not installed: the tests against it are SKIPPED (apt-get install memcached)')
  return false
}

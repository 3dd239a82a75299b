import type { Backend, BackendContext } from '../src/namespace-manager.js'
import { Host } from './memcache/host.js'
import { manifest, optionTable, type MemcacheOptions } from './memcache/manifest.js'
import { MemcacheManager } from './memcache/memcache-manager.js'
import { serversOf } from './memcache/servers.js'

export type { MemcacheOptions } from './memcache/manifest.js'

/**
 * Keeps each record in an item of memcached, `NAMESPACE:KEY`, for all machines that reach it: for sessions that may be lost. They are when
 * a server is restarted, and when it needs the room for others.
 *
 * Reading and saving are one command each. A read touches with the same command (`gat`); since memcached does not tell when an item ends,
 * each process does so once a `touch_interval` for each session, and `expiresAt` of a record that was read is not known. A record ends never
 * early, and up to two seconds late.
 *
 * Several servers share the sessions out by their keys. One that is down is missed by its own sessions, whose calls fail; nobody else's
 * takes its place.
 *
 * A server that is down or hangs, or has too many connections, is `StoreUnavailableError` or `StoreTimeoutError`, a write whose answer was lost
 * `StoreOutcomeUnknownError`. A wrong password, a full memory, a server without CAS (`-C`), and what is not memcached are `StoreError`.
 *
 * Works over memjs 1.3, which is installed beside phial: `npm install memjs@1`.
 */
export const memcacheBackend: Backend<MemcacheOptions> = {
  type: 'memcache',
  supports: manifest,
  options: optionTable,
  takesUrl: true,
  open(context: BackendContext<MemcacheOptions>): MemcacheManager {
    const { operationTimeout = 1, options: { maxValueBytes } } = context
    // Shorter than the library's own, so that nothing is sent that nobody waits for any more.
    const timeoutMs = 900 * operationTimeout
    const hosts = serversOf(context).map((server) => new Host({ ...server, timeoutMs, maxValueBytes }))
    return new MemcacheManager(context, hosts, timeoutMs)
  },
}

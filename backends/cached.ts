import { warnOnce } from '../src/diagnostics.js'
import { ConfigError } from '../src/errors.js'
import type { Enumerable, Lockable, Manifest, NamespaceManager, OwnerIndex, Purgeable } from '../src/namespace-manager.js'
import { CachedManager } from './cached/cached-manager.js'

export interface CachedOptions {
  /** Keeps the sessions, and decides between writers. */
  readonly store: NamespaceManager
  /** Answers reads. Must be shared by all processes that share the store. */
  readonly cache: NamespaceManager
  /** How old a copy may be that is read, in milliseconds; default 60,000. */
  readonly ttlMs?: number | undefined
  /** How long one call of the cache may take, in milliseconds; default 200. */
  readonly cacheTimeoutMs?: number | undefined
  /** The clock, in epoch milliseconds; default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/**
 * Puts a cache before a store: a namespace manager before another, such as memcached before a database.
 *
 * - **Reading** asks the cache, and the store only when there is no copy, or when a touch is due. A copy carries the store's version, so that
 *   a save is decided by the store. A record whose expiry the store does not tell, or that is too large for the cache, is not copied.
 * - **A write that was acknowledged is read everywhere**, and a session that was ended is read nowhere, as long as the cache can be told.
 *   When it cannot, a save is acknowledged all the same, with the event `cache-stale`: other processes may read the older version for `ttlMs`
 *   at most, and a save that is made on it meets the newer one. Ending a session (`delete`, `replace` with an ending) rejects with
 *   `StoreUnavailableError`, until it can; in the store it has ended, but for one that was to move, which is as it was.
 * - **The cache may be down**: each of its calls has a short deadline, and while none succeeds only one in half a second is made.
 *
 * Whoever makes it hands both managers over: `close` closes them. Throws `ConfigError` for two that do not go together, and for times that
 * are not over 0, or have no end.
 */
export const cachedManager = ({
  store, cache, ttlMs = 60_000, cacheTimeoutMs = 200, now = Date.now,
}: CachedOptions): NamespaceManager & Enumerable & Purgeable & Lockable & OwnerIndex => {
  check(store.supports, cache.supports)
  checkMs({ ttlMs, cacheTimeoutMs })
  return new CachedManager({ store, cache, ttlMs, cacheTimeoutMs, now })
}

const checkMs = (options: Readonly<Record<string, number>>): void => {
  for (const [name, ms] of Object.entries(options)) {
    if (!(ms > 0 && ms < Infinity)) throw new ConfigError(`${name}: expected milliseconds, over 0; got ${ms}`, { setting: name })
  }
}

const REACH = ['request', 'process', 'machine', 'shared']

const check = (store: Manifest, cache: Manifest): void => {
  const fault = (because: string): ConfigError => new ConfigError(`cache: ${because}`, { setting: 'cache' })
  if (store.scope === 'request') throw fault('the client keeps the sessions: there is no store that a cache could spare')
  if (cache.scope === 'request' || !cache.atomic || !cache.revocable) throw fault('expected a backend of a server that decides between writers')
  if (REACH.indexOf(cache.scope) < REACH.indexOf(store.scope) && process.env['NODE_ENV'] === 'production') {
    warnOnce('PHIAL_CACHE', 'session.cache: other processes of the store do not share it, and would read ended sessions for cache_ttl: run one process')
  }
}

import type { Backend, BackendContext } from '../src/namespace-manager.js'
import { serversOf } from './redis/connect.js'
import { RedisManager } from './redis/manager.js'
import { manifest, optionTable } from './redis/manifest.js'
import type { RedisOptions } from './redis/manifest.js'

export type { RedisOptions } from './redis/manifest.js'

/** Of `operation_timeout`: the library's own deadline comes after that, so that it is the backend that tells what became of a call. */
const SHARE_OF_TIMEOUT = 0.95

/**
 * Sessions on a redis or Valkey server (6.2 or later), through ioredis: reading is one command, the touch in it, and saving is one.
 *
 * `open` throws `ConfigError` for a url, a file or a client that it cannot use, and `DependencyError` without ioredis. It begins to connect,
 * and waits for nothing: until the server is there calls reject with `StoreUnavailableError`, and they succeed without a restart when
 * it is. Every call settles within 0.95 of `operation_timeout`, and no command is ever sent after it was given up, or twice.
 *
 * - `StoreUnavailableError`: not connected; or the server refuses for now (LOADING, READONLY, NOREPLICAS, MASTERDOWN, BUSY, OOM, too many
 *   clients); or `wait_replicas` replicas have not confirmed a write, which may or may not have taken effect.
 * - `StoreTimeoutError`, `StoreOutcomeUnknownError`: sent, and not answered in time, or before the connection ended.
 * - `StoreError`, not retryable: what a person must mend, such as WRONGPASS, NOPERM, MISCONF (a full disk), a certificate, no redis there.
 */
export const redisBackend: Backend<RedisOptions> = {
  type: 'redis',
  supports: manifest,
  options: optionTable,
  takesUrl: true,
  open(context: BackendContext<RedisOptions>): RedisManager {
    const { namespace, now, url, options, operationTimeout = 1 } = context
    const timeoutMs = operationTimeout * 1000 * SHARE_OF_TIMEOUT
    return new RedisManager({ namespace, now, timeoutMs, servers: serversOf(url, options, timeoutMs) })
  },
}

import { ConfigError } from '../src/errors.js'
import type { Backend, BackendContext } from '../src/namespace-manager.js'
import { Calls } from './redis/calls.js'
import { makeClient } from './redis/client.js'
import { ConfirmedWrites } from './redis/confirmed-writes.js'
import { lookAtEviction } from './redis/eviction.js'
import { tlsOptions } from './redis/files.js'
import type { Client, Ioredis } from './redis/ioredis.js'
import { OwnLink } from './redis/link.js'
import type { Link } from './redis/link.js'
import { RedisManager } from './redis/manager.js'
import { manifest, optionTable } from './redis/manifest.js'
import type { RedisOptions } from './redis/manifest.js'
import { checkReadyClient, ReadyLink } from './redis/ready-client.js'
import type { ReadyClient } from './redis/ready-client.js'
import { parseRedisUrl } from './redis/url.js'
import { requireClient } from './require-client.js'

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
    const { namespace, now, options: { waitReplicas }, operationTimeout = 1 } = context
    const timeoutMs = operationTimeout * 1000 * SHARE_OF_TIMEOUT
    const linkTo = linksOf(context, timeoutMs)
    const calls = new Calls(linkTo(onceTold(lookAtEviction)))
    if (waitReplicas === 0) return new RedisManager({ namespace, now, timeoutMs, calls })
    const writes = new Calls(linkTo())
    // Half of the time is for those who came while the server was waiting for others.
    const sender = new ConfirmedWrites(writes, waitReplicas, Math.ceil(timeoutMs / 2))
    return new RedisManager({ namespace, now, timeoutMs, calls, confirmed: { sender, calls: writes } })
  },
}

type LinkTo = (whenReady?: (client: Client) => void) => Link

/** Makes links, each a connection of its own. */
const linksOf = (context: BackendContext<RedisOptions>, timeoutMs: number): LinkTo => {
  const { options, url } = context
  if (options.client !== undefined) return linksTo(checkReadyClient(options.client), url)
  const { username, password } = options
  const target = { ...parseRedisUrl(url ?? 'redis://127.0.0.1:6379'), ...(username && { username }), ...(password && { password }) }
  const tls = tlsOptions(options)
  const ioredis = requireClient<Ioredis>('ioredis', '6', 'redis')
  return (whenReady) => new OwnLink(() => makeClient(ioredis, target, { connectTimeout: timeoutMs, tls }), timeoutMs, whenReady)
}

/** The first link uses the application's client itself, others a copy of it. */
const linksTo = (client: ReadyClient, url: string | undefined): LinkTo => {
  if (url !== undefined) throw new ConfigError('url: cannot stand beside redis.client, which knows its servers', { setting: 'url' })
  let isGiven = false
  return () => {
    const isOurs = isGiven
    isGiven = true
    return new ReadyLink(isOurs ? client.duplicate() : client, isOurs)
  }
}

/** Looks behind everybody's back, until a server has told. */
const onceTold = (look: (client: Client) => Promise<boolean>): ((client: Client) => void) => {
  let isTold = false
  return (client) => {
    if (!isTold) void look(client).then((told) => { isTold ||= told })
  }
}

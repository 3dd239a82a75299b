import { ConfigError } from '../../src/errors.js'
import { requireClient } from '../require-client.js'
import { Calls } from './calls.js'
import { makeClient } from './client.js'
import type { ServerTarget } from './client.js'
import { Cluster } from './cluster.js'
import { ConfirmedWrites } from './confirmed-writes.js'
import { lookAtEviction } from './eviction.js'
import { tlsOptions } from './files.js'
import type { Client, Ioredis } from './ioredis.js'
import { OwnLink } from './link.js'
import type { Link } from './link.js'
import type { RedisOptions } from './manifest.js'
import { Masters } from './masters.js'
import { checkReadyClient, ReadyLink } from './ready-client.js'
import type { ReadyClient } from './ready-client.js'
import { OneServer } from './servers.js'
import type { Servers } from './servers.js'
import { addressOf, parseNatMap, parseRedisUrl } from './url.js'
import type { Endpoint, RedisTarget } from './url.js'

/** Milliseconds that a sentinel, or a node that is asked for the slots, is waited for. Others are asked at the same time. */
const PATIENCE = 250

/** Makes links to one server (or to whoever is the master), each a connection of its own. */
type LinkTo = (whenReady?: (client: Client) => void) => Link

/** Begins to connect to whom the url, or the application's client, names. Throws `ConfigError` and `DependencyError`, and has begun nothing then. */
export const serversOf = (url: string | undefined, options: RedisOptions, timeoutMs: number): Servers => {
  const look = onceTold(lookAtEviction)
  const oneServer = (linkTo: LinkTo, onClose?: () => void): OneServer => {
    const calls = new Calls(linkTo(look))
    if (options.waitReplicas === 0) return new OneServer(calls, undefined, onClose)
    // Half of the time is for those who came while the server was waiting for others.
    return new OneServer(calls, new ConfirmedWrites(new Calls(linkTo()), options.waitReplicas, Math.ceil(timeoutMs / 2)), onClose)
  }
  if (options.client !== undefined) return oneServer(linksTo(checkReadyClient(options.client, options.waitReplicas), url))

  const target = targetOf(url, options)
  const natMap = parseNatMap(options.natMap)
  const tls = tlsOptions(options)
  const ioredis = requireClient<Ioredis>('ioredis', '^6.0.0', 'redis')
  const patienceMs = Math.min(PATIENCE, timeoutMs / 3)
  const linksBy = (make: () => Client): LinkTo => (whenReady) => new OwnLink(make, timeoutMs, whenReady)
  const clientOf = (server: ServerTarget, isListener = false): Client => makeClient(ioredis, server, { connectTimeout: timeoutMs, tls, isListener })
  const reached = (endpoint: Endpoint): Endpoint => natMap.get(addressOf(endpoint)) ?? endpoint

  switch (target.kind) {
    case 'server':
    case 'socket':
      return oneServer(linksBy(() => clientOf(target)))
    case 'sentinel': {
      const { sentinelUsername: username, sentinelPassword: password } = options
      const masters = new Masters({
        ...target, patienceMs,
        serverOf: (endpoint) => clientOf({ ...target, kind: 'server', server: reached(endpoint) }),
        sentinelOf: (server, isListener) => clientOf({ kind: 'server', server, isTls: target.isTls, db: 0, ...(username && { username }), ...(password && { password }) }, isListener),
      })
      return oneServer(linksBy(() => masters.client()), () => masters.close())
    }
    case 'cluster':
      return new Cluster({
        ...target, patienceMs,
        waitsForReplicas: options.waitReplicas > 0,
        serverAt: (endpoint) => oneServer(linksBy(() => clientOf({ ...target, kind: 'server', server: reached(endpoint), db: 0 }))),
      })
  }
}

const targetOf = (url = 'redis://127.0.0.1:6379', { username, password, natMap, sentinelUsername, sentinelPassword }: RedisOptions): RedisTarget => {
  const target = parseRedisUrl(url)
  const isOne = target.kind === 'server' || target.kind === 'socket'
  if (isOne && natMap !== undefined) throw new ConfigError('redis.nat_map: is for sentinels and clusters', { setting: 'redis.nat_map' })
  if (target.kind !== 'sentinel') {
    for (const [setting, value] of Object.entries({ 'redis.sentinel_username': sentinelUsername, 'redis.sentinel_password': sentinelPassword })) {
      if (value) throw new ConfigError(`${setting}: the url names no sentinels`, { setting })
    }
  }
  if (sentinelUsername && !sentinelPassword) throw new ConfigError('redis.sentinel_password: a user needs one', { setting: 'redis.sentinel_password' })
  return { ...target, ...(username && { username }), ...(password && { password }) }
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

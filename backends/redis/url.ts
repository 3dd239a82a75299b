import { isIPv4, isIPv6 } from 'node:net'
import { ConfigError } from '../../src/errors.js'

/** A server's address. An IPv6 host stands without brackets. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Of the servers that keep the records; sentinels have their own. Without a `username` it is the user `default`. */
export interface Credentials {
  readonly username?: string
  readonly password?: string
}

/** Where the records are kept, as `session.url` says it. */
export type RedisTarget = Credentials & (
  | { readonly kind: 'server'; readonly server: Endpoint; readonly isTls: boolean; readonly db: number }
  | { readonly kind: 'socket'; readonly path: string; readonly db: number }
  | { readonly kind: 'sentinel'; readonly sentinels: readonly Endpoint[]; readonly master: string; readonly isTls: boolean; readonly db: number }
  | { readonly kind: 'cluster'; readonly seeds: readonly Endpoint[]; readonly isTls: boolean }
)

/**
 * Reads `session.url`. Throws a `ConfigError` for whatever it does not understand; no message repeats any of the text, since a password
 * may stand in the wrong place.
 *
 * | form | |
 * |---|---|
 * | `redis://user:password@host:port/db` | one server; the port 6379 and the database 0 may be left out |
 * | `unix://user:password@/run/redis.sock?db=1` | one server, by its socket (redis-py's form) |
 * | `redis+sentinel://user:password@host:port,host:port/master/db` | the sentinels, port 26379, and the master's name (the form of limits and redis-sentinel-url) |
 * | `redis+cluster://user:password@host:port,host:port` | some nodes of a cluster (limits' form) |
 *
 * `rediss` for `redis` means TLS, to the sentinels too; `valkey` and `valkeys` mean the same as these. A password is percent-encoded.
 */
export const parseRedisUrl = (url: string): RedisTarget => {
  if (/[\s\p{C}]/u.test(url)) throw wrong('holds a blank, a line break or a character that cannot be printed; write it as %20 and the like')
  if (url.includes('#')) throw wrong('holds a #; in a password it is written %23')
  const socket = /^unix:\/\/(.*)$/i.exec(url)
  if (socket !== null) return socketTarget(socket[1]!)
  const [, isTls, topology = 'server', rest] = /^(?:redis|valkey)(s?)(?:\+(sentinel|cluster))?:\/\/(.*)$/i.exec(url) ?? []
  if (rest === undefined) throw wrong('does not begin with redis://, redis+sentinel:// or redis+cluster:// (rediss for TLS, valkey for redis), nor with unix://')
  if (rest.includes('?')) throw wrong('holds a ?; options stand in settings of their own (session.redis.NAME), and in a password it is written %3F')
  return targets[topology.toLowerCase() as keyof typeof targets](rest, isTls !== '')
}

/** An address as the servers tell it → as it is reached from here: `10.0.0.5:6379=203.0.113.7:7001, …`. Throws a `ConfigError`. */
export const parseNatMap = (text: string | undefined): ReadonlyMap<string, Endpoint> =>
  new Map(text?.split(',').map((pair) => {
    const [from, to, more] = pair.trim().split('=')
    if (!from || !to || more !== undefined) throw wrong('expected announced-host:port=reachable-host:port, …', NAT_MAP)
    return [addressOf(endpoint(from.trim(), undefined, NAT_MAP)), endpoint(to.trim(), undefined, NAT_MAP)]
  }))

/** One text for each endpoint. */
export const addressOf = ({ host, port }: Endpoint): string => `${host.toLowerCase()}:${port}`

const NAT_MAP = 'redis.nat_map'

const wrong = (fault: string, setting = 'url'): ConfigError => new ConfigError(`${setting}: ${fault}`, { setting })

const targets = {
  server(rest: string, isTls: boolean): RedisTarget {
    const { hosts, path, ...credentials } = parts(rest)
    if (hosts.length > 1) throw wrong('names several hosts; write redis+sentinel:// or redis+cluster:// for those')
    return { kind: 'server', server: endpoint(hosts[0]!, 6379), isTls, db: database(path), ...credentials }
  },
  sentinel(rest: string, isTls: boolean): RedisTarget {
    const { hosts, path, ...credentials } = parts(rest)
    const [, name = '', db] = /^([^/]*)(?:\/(.*))?$/.exec(path)!
    const master = decoded(name)
    // What Sentinel takes for a name, by the comments of its sentinel.conf.
    if (!/^[\w.-]+$/.test(master)) throw wrong('expected the name of the master after the hosts, as the sentinels know it: redis+sentinel://host:port,host:port/NAME')
    return { kind: 'sentinel', sentinels: hosts.map((host) => endpoint(host, 26379)), master, isTls, db: database(db), ...credentials }
  },
  cluster(rest: string, isTls: boolean): RedisTarget {
    const { hosts, path, ...credentials } = parts(rest)
    if (database(path) !== 0) throw wrong('a cluster has only the database 0')
    return { kind: 'cluster', seeds: hosts.map((host) => endpoint(host, 6379)), isTls, ...credentials }
  },
}

const socketTarget = (rest: string): RedisTarget => {
  const [, before = '', query] = /^([^?]*)(?:\?(.*))?$/.exec(rest)!
  const { hosts, path, ...credentials } = parts(before)
  if (hosts[0] !== '' || hosts.length > 1 || path === '') throw wrong('expected the absolute path of a socket: unix:///run/redis.sock')
  if (query !== undefined && !/^db=[^&]*$/.test(query)) throw wrong('holds a ? that is not ?db=NUMBER; in a path or a password it is written %3F')
  const file = `/${decoded(path)}`
  // A longer one is cut by the system without a word (sun_path in unix(7)).
  if (file.includes('\0') || Buffer.byteLength(file) > 107) throw wrong('the path of the socket is longer than 107 bytes, or holds a NUL')
  return { kind: 'socket', path: file, db: database(query?.slice(3)), ...credentials }
}

interface Parts extends Credentials {
  readonly hosts: readonly string[]
  /** Without the slash before it. */
  readonly path: string
}

const parts = (rest: string): Parts => {
  const [, authority = '', path = ''] = /^([^/]*)(?:\/(.*))?$/.exec(rest)!
  const at = authority.lastIndexOf('@')
  if (at !== authority.indexOf('@') || authority.slice(0, Math.max(at, 0)).includes(',')) {
    throw wrong('user and password stand once, before the first host; in them an @ is written %40, and a comma %2C')
  }
  return { hosts: authority.slice(at + 1).split(','), path, ...(at < 0 ? {} : credentialsIn(authority.slice(0, at))) }
}

const credentialsIn = (text: string): Credentials => {
  const colon = text.indexOf(':')
  const username = decoded(text.slice(0, Math.max(colon, 0)))
  const password = decoded(text.slice(colon + 1))
  if (colon < 0 || password === '') throw wrong('expected user:password@ or :password@ before the host, neither password nor colon left out')
  return username === '' ? { password } : { username, password }
}

/** Without a port of their own, hosts have `port`; they need one when that is `undefined`. */
const endpoint = (text: string, port: number | undefined, setting = 'url'): Endpoint => {
  const [, six, four, digits = port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? []
  const host = six === undefined ? four ?? '' : decoded(six)
  if (six === undefined ? !isHostName(host) : !isIPv6(host)) throw wrong('a host is missing, or is no name or address; an IPv6 address stands in [ ]', setting)
  if (!/^[1-9]\d{0,4}$/.test(String(digits)) || Number(digits) > 65_535) throw wrong('expected a port from 1 to 65535 after a host', setting)
  return { host, port: Number(digits) }
}

/** Underscores are no part of host names, but of the names that containers get. Digits and dots alone are an address or nothing. */
const isHostName = (host: string): boolean => isIPv4(host) || (/^[\w-]+(\.[\w-]+)*\.?$/.test(host) && !/^[\d.]+$/.test(host) && host.length <= 253)

/** The server knows how many there are, and refuses the others when it is first asked. */
const database = (text = ''): number => {
  if (!/^(0|[1-9]\d{0,8})?$/.test(text)) throw wrong('expected the number of a database, or nothing, at its end')
  return Number(text)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('holds a % that does not begin the code of a character; a % itself is written %25')
  }
}

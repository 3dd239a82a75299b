import { isIPv4, isIPv6 } from 'node:net'
import { ConfigError } from '../../src/errors.js'

/** Where a memcached listens. */
export interface Address {
  /** One text for each: `host:port`, `[host]:port`, or a path. By it the records are spread, and errors name it. */
  readonly name: string
  /** An IPv6 host stands without brackets. */
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string }
}

export interface Credentials {
  readonly username: string
  readonly password: string
}

export interface Target {
  /** One or more, all different. */
  readonly addresses: readonly Address[]
  readonly credentials: Credentials | undefined
}

/**
 * Reads `session.url`. Throws a `ConfigError` for whatever it does not understand; no message repeats any of the text, since a password may
 * stand in the wrong place.
 *
 * | form | |
 * |---|---|
 * | `memcache://host:port,host:port` | servers; the port 11211 may be left out. `memcached://` is the same |
 * | `memcache://user:password@host:port,host:port` | the same user and password for all (SASL), percent-encoded |
 * | `host:port host:port` | without a scheme; apart by blanks, commas or semicolons, which Beaker has |
 * | `memcache:///run/memcached.sock`, `/run/memcached.sock` | a socket, by its path; among other servers, too |
 */
export const parseMemcacheUrl = (url: string): Target => {
  const [, scheme, text = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(.*)$/is.exec(url.trim()) ?? []
  if (scheme !== undefined && !/^memcached?$/i.test(scheme)) {
    throw wrong(/^memcached?s$/i.test(scheme) ? 'memjs has no TLS; docs/memcache.md tells what to do' : 'expected memcache://host:port,host:port')
  }
  if (/[?#]/.test(text)) throw wrong('holds a ? or a #; options stand in settings of their own, and in a password they are written %3F and %23')
  const at = text.lastIndexOf('@')
  const before = text.slice(0, Math.max(at, 0))
  if (/[@,;\s]/.test(before)) throw wrong('user and password stand once, before the first server; in them @ is %40, a comma %2C, a blank %20')
  const addresses = text.slice(at + 1).replace(/(?<=[^/])\/$/, '').split(/\s*[,;]\s*|\s+/).map(addressOf)
  if (new Set(addresses.map(({ name }) => name)).size < addresses.length) throw wrong('names a server twice')
  return { addresses, credentials: at < 0 ? undefined : credentialsIn(before) }
}

const wrong = (fault: string): ConfigError => new ConfigError(`url: ${fault}`, { setting: 'url' })

const credentialsIn = (text: string): Credentials => {
  const [username = '', password = '', more] = text.split(':').map(decoded)
  if (username === '' || password === '' || more !== undefined) throw wrong('expected user:password@ before the first server; in them : is %3A')
  return { username, password }
}

const addressOf = (text: string): Address => {
  if (text.startsWith('/')) return socketAt(decoded(text))
  const [, six, four = '', digits = '11211'] = /^(?:\[([^\]]*)\]|([^:[\]/]*))(?::(.*))?$/.exec(text) ?? []
  if (six === undefined ? !isHostName(four) : !isIPv6(six)) throw wrong('a host is missing, or is no name or address; an IPv6 address stands in [ ]')
  if (!/^[1-9]\d{0,4}$/.test(digits) || Number(digits) > 65_535) throw wrong('expected a port from 1 to 65535 after a host')
  const host = (six ?? four).toLowerCase()
  return { name: `${six === undefined ? host : `[${host}]`}:${digits}`, target: { host, port: Number(digits) } }
}

/** A longer path is cut by the system without a word (`sun_path` in unix(7)). */
const socketAt = (path: string): Address => {
  if (path.includes('\0') || Buffer.byteLength(path) > 107) throw wrong('the path of a socket is longer than 107 bytes, or holds a NUL')
  return { name: path, target: { path } }
}

/** Underscores are no part of host names, but of the names that containers get. Digits and dots alone are an address or nothing. */
const isHostName = (host: string): boolean => isIPv4(host) || (/^[\w-]+(\.[\w-]+)*\.?$/.test(host) && !/^[\d.]+$/.test(host) && host.length <= 253)

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('holds a % that does not begin the code of a character; a % itself is written %25')
  }
}

import { stringifySetCookie } from 'cookie'
import type { CookieAttributes } from '../carrier.js'
import { MOST_COOKIE_OCTETS } from '../cookie-room.js'
import { TooLargeError } from '../errors.js'
import { checkCookie } from './cookie-rules.js'

/** What decides about a cookie beside its own attributes. */
export interface CookieMoment {
  /** Whether this exchange is encrypted: asked for `secure: 'auto'`. */
  readonly encrypted: boolean
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * One `Set-Cookie` line. All that can be wrong with it is found here, so that nothing is left to fail when it is sent.
 * Throws `ConfigError` for a name or attributes that `checkCookie` refuses, `TypeError` for a value that is not made of
 * cookie-octets (Node itself lets TAB and Latin-1 through) or an `expiresAt` that is not a number, and `TooLargeError`.
 *
 * A value that `isSealed` is of cookie octets, and is not looked through: for 2 KB that takes a microsecond.
 *
 * `secure: true` is sent as such on a plain connection too: browsers and curl take it from localhost, Safari does not.
 */
export const setCookie = (name: string, value: string, attributes: CookieAttributes, moment: CookieMoment, isSealed = false): string => {
  const tail = tailOf(name, attributes, moment)
  if (!isSealed) checkOctets(name, value)
  checkSize(name, value)
  return `${name}=${value}${tail}`
}

/** What follows the value. It is the same for all cookies of a name and attributes that end with the browser: most of what a line costs. */
const tailOf = (name: string, attributes: CookieAttributes, moment: CookieMoment): string => {
  if (attributes.expiresAt !== undefined) return newTail(name, attributes, moment)
  const key = moment.encrypted ? `${name} encrypted` : name
  const known = tails.get(attributes)
  const tail = known?.get(key) ?? newTail(name, attributes, moment)
  if (known === undefined) tails.set(attributes, new Map([[key, tail]]))
  else known.set(key, tail)
  return tail
}

const tails = new WeakMap<CookieAttributes, Map<string, string>>()

const newTail = (name: string, attributes: CookieAttributes, moment: CookieMoment): string => {
  checkCookie(name, attributes)
  const { domain, path, httpOnly, sameSite, partitioned, priority } = attributes
  return stringifySetCookie({
    name, value: '', path, httpOnly, sameSite, partitioned,
    secure: attributes.secure === 'auto' ? moment.encrypted : attributes.secure,
    ...(domain === undefined ? {} : { domain }),
    ...(priority === undefined ? {} : { priority }),
    ...(attributes.expiresAt === undefined ? {} : life(attributes.expiresAt, moment.now))
  }).slice(name.length + 1)
}

/** The line that makes a browser forget the cookie. `attributes` are those that it was set with, or it is another cookie. */
export const expireCookie = (name: string, attributes: CookieAttributes, moment: CookieMoment): string =>
  setCookie(name, '', { ...attributes, expiresAt: 0 }, moment)

const checkOctets = (name: string, value: string): void => {
  if (!cookieOctets.test(value)) throw new TypeError(`The cookie ${name}: its value may hold visible ASCII only, without " , ; \\`)
}

const checkSize = (name: string, value: string): void => {
  const size = name.length + value.length
  if (size > MOST_COOKIE_OCTETS) throw new TooLargeError(`The cookie ${name} would be ${size} bytes; browsers keep ${MOST_COOKIE_OCTETS}`, size, MOST_COOKIE_OCTETS)
}

/**
 * Both forms, in step, since some programs know `Expires` only; rounded up, so that the cookie outlives what it stands for.
 * The past becomes 1970 and `Max-Age=0`, which RFC 6265's grammar for servers lacks and its rules for browsers have.
 */
const life = (expiresAt: number, now: number): { maxAge: number; expires: Date } => {
  const maxAge = Math.min(Math.max(Math.ceil((expiresAt - now) / 1000), 0), maxAgeSeconds)
  return { maxAge, expires: new Date(maxAge === 0 ? 0 : Math.ceil(now / 1000 + maxAge) * 1000) }
}

// RFC 6265 section 4.1.1.
const cookieOctets = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]*$/
// RFC 6265bis section 5.5: browsers keep no cookie for more than 400 days.
const maxAgeSeconds = 34_560_000

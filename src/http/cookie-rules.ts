import type { CookieAttributes } from '../carrier.js'
import { isHostPrefixed, isHttpPrefixed, prefixOf } from '../cookie-prefix.js'
import { ConfigError } from '../errors.js'

/**
 * Refuses a cookie that a browser would drop, cut or misread, before it is sent: at start, and when a session changes its
 * attributes. Throws `ConfigError`, whose `setting` is the INI name without its prefix.
 *
 * `secure: 'auto'` counts as not secure, since the cookie must also work on the connections that are not encrypted.
 */
export const checkCookie = (name: string, attributes: CookieAttributes): void => {
  checkOctets(name, attributes)
  checkWords(attributes)
  checkPrefix(name, attributes)
}

const checkOctets = (name: string, { domain, path }: CookieAttributes): void => {
  if (!token.test(name)) throw refusal('key', `expected letters, digits and !#$%&'*+-.^_\`|~`, name)
  if (!absolutePath.test(path) || path.length > maxAttribute) {
    throw refusal('cookie_path', `expected "/…", at most ${maxAttribute} visible ASCII characters, no "," or ";"`, path)
  }
  if (domain !== undefined && (!subdomain.test(domain) || domain.length > 253)) {
    throw refusal('cookie_domain', 'expected a host name such as "example.com", without a leading dot', domain)
  }
}

const checkWords = ({ secure, sameSite, partitioned, priority }: CookieAttributes): void => {
  if (!secureWords.includes(secure)) throw refusal('secure', 'expected true, false or "auto"', secure)
  if (!sameSiteWords.includes(sameSite)) throw refusal('samesite', 'expected "strict", "lax" or "none"', sameSite)
  if (!priorityWords.includes(priority)) throw refusal('priority', 'expected "low", "medium" or "high"', priority)
  if (secure === true) return
  // Browsers drop both without Secure: RFC 6265bis section 5.7, and CHIPS.
  if (sameSite === 'none') throw refusal('samesite', '"none" needs `secure = true`', sameSite)
  if (partitioned) throw refusal('partitioned', '`partitioned` needs `secure = true`', partitioned)
}

const checkPrefix = (name: string, { domain, path, secure, httpOnly }: CookieAttributes): void => {
  const prefix = prefixOf(name)
  if (prefix === '') return
  const isHost = isHostPrefixed(name)
  const need = (setting: string, holds: boolean, what: string): void => {
    if (holds) return
    throw new ConfigError(`${setting}: a ${prefix} cookie needs ${what}; choose a \`key\` without the prefix`, { setting })
  }
  need('secure', secure === true, '`secure = true`')
  need('httponly', !isHttpPrefixed(name) || httpOnly, '`httponly = true`')
  need('cookie_domain', !isHost || domain === undefined, 'to have no domain')
  need('cookie_path', !isHost || path === '/', 'the path "/"')
}

// RFC 9110 section 5.6.2.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// RFC 6265's path-value without SP, which is trimmed, and without ",", at which some fold several Set-Cookie into one.
const absolutePath = /^\/[\x21-\x2B\x2D-\x3A\x3C-\x7E]*$/
// RFC 1034 section 3.5, RFC 1123 section 2.1.
const subdomain = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
// RFC 6265bis section 5.6: longer attributes are ignored.
const maxAttribute = 1024

const secureWords: readonly unknown[] = [true, false, 'auto']
const sameSiteWords: readonly unknown[] = ['strict', 'lax', 'none']
const priorityWords: readonly unknown[] = [undefined, 'low', 'medium', 'high']

/** Names what came, escaped, so that it stays on one line of a log. */
const refusal = (setting: string, expected: string, got: unknown): ConfigError =>
  new ConfigError(`${setting}: ${expected}; got ${JSON.stringify(got)}`, { setting })

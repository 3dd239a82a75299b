import { asWritten, seconds, type Kind } from './kinds.js'
import { isKnownHeader } from './known-headers.js'
import { unfit } from './origin.js'

/** RFC 9110 section 5.6.2. The length leaves the value its share of the 4,096 octets that browsers take for both. */
const token = /^[\w!#$%&'*+.^`|~-]{1,256}$/

/** RFC 9110 section 5.1. */
export const headerName: Kind<string> = {
  label: 'header name',
  read: asWritten,
  check(value, origin) {
    if (typeof value !== 'string' || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value)) throw unfit(origin, 'the name of a header', value)
    if (isKnownHeader(value)) throw unfit(origin, 'the name of a header that HTTP knows for nothing else, such as X-Session-Id', value)
    return value
  },
}

export const cookieName: Kind<string> = {
  label: 'cookie name',
  read: asWritten,
  check(value, origin) {
    if (typeof value === 'string' && token.test(value)) return value
    throw unfit(origin, "a cookie name: letters, digits and !#$%&'*+-.^_`|~", value)
  },
}

/** RFC 1034 section 3.5, as RFC 1123 section 2.1 relaxed it. */
const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/

/** Beaker's pages write a dot in front; browsers ignore it (RFC 6265 section 5.2.3). It is dropped. */
export const cookieDomain: Kind<string> = {
  label: 'host name',
  read: asWritten,
  check(value, origin) {
    const name = typeof value === 'string' ? value.replace(/^\./, '').toLowerCase() : ''
    if (isDomain(name)) return name
    throw unfit(origin, 'a host name of two labels or more, such as example.com; a cookie for one host needs none', value)
  },
}

/** No address either: what ends in a number is one (WHATWG URL, "ends in a number"). */
const isDomain = (name: string): boolean => {
  const labels = name.split('.')
  const isAddress = /^(?:\d+|0x[\da-f]*)$/.test(labels.at(-1)!)
  return name.length <= 253 && labels.length > 1 && labels.every(part => label.test(part)) && !isAddress
}

export const cookiePath: Kind<string> = {
  label: 'path of a URL',
  read: asWritten,
  check(value, origin) {
    // RFC 6265 section 4.1.1: no control character, no ";". Browsers drop what has over 1,024 octets (6265bis section 5.6).
    if (typeof value === 'string' && /^\/[ -:<-~]{0,1023}$/.test(value)) return value
    throw unfit(origin, 'a path of a URL, such as /shop', value)
  },
}

const isoDate = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/

/** In an INI file, 1 and 0 are seconds here. */
export const cookieExpires: Kind<boolean | number | Date> = {
  label: 'true, false, whole seconds or a date',
  read(text) {
    if (/^(?:true|yes|on)$/i.test(text)) return true
    if (/^(?:false|no|off)$/i.test(text)) return false
    if (/^\d+$/.test(text)) return Number(text)
    return readDate(text)
  },
  check(value, origin) {
    if (typeof value === 'boolean') return value
    if (typeof value === 'number') return seconds().check(value, origin)
    if (value instanceof Date && !Number.isNaN(value.getTime())) return value
    throw unfit(origin, 'true, false, whole seconds, or a date with its zone, such as 2030-01-31T12:00:00Z', value)
  },
}

/** `new Date` reads the 30th of February as the 2nd of March. */
const readDate = (text: string): unknown => {
  const day = isoDate.exec(text)?.[1]
  if (day === undefined || new Date(day).toJSON()?.startsWith(day) !== true) return text
  return new Date(text)
}

import type { Kind } from './kinds.js'
import { fault, nameOfType, unfit, type Origin } from './origin.js'
import { redactedList } from './redacted.js'
import { secretAdvice, weaknessOf } from './secret-strength.js'

/** Each verification may try them all, so there is an end to them. */
const most = 8
const longest = 4096

/** One text is one secret; a list, newest first, is for rotation. In an INI file blanks part them. No error shows any of it. */
export const secrets: Kind<readonly string[]> = {
  label: 'secrets, newest first',
  read: text => text.split(/\s+/).filter(part => part !== ''),
  check(value, origin) {
    const list: unknown = typeof value === 'string' ? [value] : value
    if (!Array.isArray(list)) throw unfit({ ...origin, shown: nameOfType(value) }, 'a secret or a list of secrets', value)
    if (list.length === 0) throw fault(origin, `expected a secret; got none: ${secretAdvice}`)
    if (list.length > most) throw fault(origin, `expected ${most} secrets at most; got ${list.length}`)
    for (const [index, secret] of list.entries()) checkSecret(secret, origin, list.length > 1 ? `, as number ${index + 1}` : '')
    if (new Set(list).size < list.length) throw fault(origin, 'expected secrets that differ; got one of them twice')
    return redactedList(list as string[])
  },
}

/** `nth` tells which of several. */
export const checkSecret = (secret: unknown, origin: Origin, nth = ''): void => {
  if (typeof secret !== 'string') throw unfit({ ...origin, shown: nameOfType(secret) + nth }, 'text', secret)
  if (secret.length > longest) throw fault(origin, `expected ${longest} characters at most; got ${secret.length}${nth}`)
  const weakness = weaknessOf(secret)
  if (weakness !== undefined) throw fault(origin, `expected 32 random bytes or more; got ${weakness}${nth}: ${secretAdvice}`)
}

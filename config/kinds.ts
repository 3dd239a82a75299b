import { resolve } from 'node:path'
import { Hidden } from '../src/hidden.js'
import type { DataSerializer } from '../src/settings.js'
import { nameOfType, unfit, type Origin } from './origin.js'

/** A kind of value: how INI text is read as one, and what is accepted as one, wherever it was written. */
export interface Kind<V> {
  /** For the documentation: `whole seconds`. */
  readonly label: string
  /** The plain value that the text stands for. Text that stands for none comes back as it is, for `check` to refuse. */
  read(text: string): unknown
  /** The value, checked; a list is copied. Throws `ConfigError`. */
  check(value: unknown, origin: Origin): V
}

export const asWritten = (text: string): string => text

const flags = new Map([
  ['true', true], ['yes', true], ['on', true], ['1', true],
  ['false', false], ['no', false], ['off', false], ['0', false],
])

const readFlag = (text: string): unknown => flags.get(text.toLowerCase()) ?? text
const readNumber = (text: string): unknown => (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text)

export const isOff = (text: string): boolean => /^(?:off|false|no|none)$/i.test(text)

export const flag: Kind<boolean> = {
  label: 'true or false',
  read: readFlag,
  check(value, origin) {
    if (typeof value !== 'boolean') throw unfit(origin, 'true or false', value)
    return value
  },
}

const isWhole = (value: unknown, least: number): value is number => Number.isSafeInteger(value) && (value as number) >= least

export const count = (unit: string, least: number = 1, most: number = Number.MAX_SAFE_INTEGER): Kind<number> => ({
  label: most < Number.MAX_SAFE_INTEGER ? `whole ${unit}, ${least} to ${most}` : `whole ${unit}`,
  read: readNumber,
  check(value, origin) {
    if (!isWhole(value, least)) throw unfit(origin, `whole ${unit}, ${least} or more`, value)
    if (value > most) throw unfit(origin, `whole ${unit}, at most ${most}`, value)
    return value
  },
})

/** Browsers keep no cookie for longer than 400 days (RFC 6265bis section 5.5), and what is longer is likely meant otherwise. */
const fourHundredDays = 34_560_000
const milliseconds = ': is it in milliseconds?'

/** Durations of sessions and cookies. */
export const seconds = (least: number = 1): Kind<number> => ({
  label: 'whole seconds',
  read: readNumber,
  check(value, origin) {
    if (typeof value === 'number' && value > fourHundredDays) {
      throw unfit(origin, `whole seconds, at most ${fourHundredDays} (400 days)`, value, milliseconds)
    }
    return count('seconds', least).check(value, origin)
  },
})

/** For waiting: fractions are allowed. Five minutes at most, far below the 24.8 days where Node's timers overflow. */
export const waitingSeconds: Kind<number> = {
  label: 'seconds, 0.01 to 300',
  read: readNumber,
  check(value, origin) {
    if (typeof value !== 'number' || !(value >= 0.01)) throw unfit(origin, 'seconds, 0.01 or more', value)
    if (value > 300) throw unfit(origin, 'seconds, at most 300', value, milliseconds)
    return value
  },
}

export const secondsOrOff: Kind<number | false> = {
  label: 'whole seconds, or off',
  read: text => (isOff(text) ? false : readNumber(text)),
  check: (value, origin) => (value === false ? false : seconds().check(value, origin)),
}

export const choice = <const W extends string>(...words: readonly W[]): Kind<W> => ({
  label: either(words),
  read: text => text.toLowerCase(),
  check(value, origin) {
    if (!words.includes(value as W)) throw unfit(origin, either(words), value)
    return value as W
  },
})

/** `a, b or c` */
const either = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

export const flagOrAuto: Kind<boolean | 'auto'> = {
  label: 'true, false or auto',
  read: text => (text.toLowerCase() === 'auto' ? 'auto' : readFlag(text)),
  check(value, origin) {
    if (typeof value !== 'boolean' && value !== 'auto') throw unfit(origin, 'true, false or auto', value)
    return value
  },
}

/** Any text, as it stands: for what a backend hands to its client. */
export const anyText: Kind<string> = {
  label: 'text',
  read: asWritten,
  check(value, origin) {
    if (typeof value !== 'string') throw unfit(origin, 'text', value)
    return value
  },
}

/** For passwords and the like: neither an error nor a print shows the value. */
export const hidden = <V>(kind: Kind<V>): Kind<Hidden<V>> => ({
  label: `${kind.label}, never shown`,
  read: text => kind.read(text),
  check: (value, origin) => new Hidden(kind.check(value, { ...origin, shown: origin.shown ?? nameOfType(value) })),
})

/** A thing that only a program can make; no text stands for one. Hidden, since a client knows its password. */
export const instance: Kind<Hidden<object>> = {
  label: 'object',
  read: asWritten,
  check(value, origin) {
    if (typeof value !== 'object' || value === null) throw unfit(origin, 'an object', value)
    return new Hidden(value)
  },
}

export const path: Kind<string> = {
  label: 'path',
  read: asWritten,
  check(value, origin) {
    if (typeof value !== 'string' || value === '' || value.includes('\0')) throw unfit(origin, 'a path', value)
    return resolve(origin.base ?? '', value)
  },
}

export const namespaceName: Kind<string> = {
  label: 'name',
  read: asWritten,
  check(value, origin) {
    if (typeof value === 'string' && /^(?!\.)[\w.-]{1,64}$/.test(value)) return value
    throw unfit(origin, '1 to 64 of A-Z a-z 0-9 . _ -, the first not a dot', value)
  },
}

/** What an `IncomingMessage` keeps under names of its own; others would be erased, or erase the session. */
const taken = new Set([
  '__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'then', 'aborted', 'client', 'complete',
  'connection', 'destroy', 'destroyed', 'emit', 'headers', 'headersDistinct', 'httpVersion', 'httpVersionMajor',
  'httpVersionMinor', 'method', 'on', 'once', 'pipe', 'rawHeaders', 'rawTrailers', 'read', 'readable', 'resume', 'setTimeout',
  'socket', 'statusCode', 'statusMessage', 'stream', 'trailers', 'trailersDistinct', 'upgrade', 'url',
])

export const requestProperty: Kind<string> = {
  label: 'name',
  read: asWritten,
  check(value, origin) {
    if (typeof value === 'string' && /^[A-Za-z_$][\w$]*$/.test(value) && !taken.has(value)) return value
    throw unfit(origin, 'a property name that a request does not have yet', value)
  },
}

export const serializer: Kind<'json' | 'devalue' | DataSerializer> = {
  label: 'json or devalue',
  read: text => text.toLowerCase(),
  check(value, origin) {
    if (value === 'json' || value === 'devalue' || isSerializer(value)) return value
    throw unfit(origin, 'json, devalue, or an object with stringify and parse', value)
  },
}

const isSerializer = (value: unknown): value is DataSerializer => {
  const { stringify, parse } = (value ?? {}) as Partial<DataSerializer>
  return typeof stringify === 'function' && typeof parse === 'function'
}

/** Cannot be written in an INI file. */
export const callback = <F extends (...args: never[]) => unknown>(): Kind<F> => ({
  label: 'function',
  read: asWritten,
  check(value, origin) {
    if (typeof value !== 'function') throw unfit(origin, 'a function', value)
    return value as F
  },
})

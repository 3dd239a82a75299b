import { withoutPassword } from '../src/hidden.js'
import { ConfigError, type ConfigErrorDetails } from '../src/errors.js'

/** Where a value came from: what an error about it has to say. */
export interface Origin {
  /** The setting as its author wrote it: `session.timeout`, `timeout`. */
  readonly setting: string
  readonly file?: string | undefined
  readonly line?: number | undefined
  /** The directory that relative paths start from; absent: the working directory. */
  readonly base?: string | undefined
  /** What errors show in place of the value, where that is secret or came from the environment. */
  readonly shown?: string | undefined
}

/** An error about the place: a setting, or a file as a whole. */
export const fault = (place: ConfigErrorDetails, message: string, cause?: unknown): ConfigError =>
  new ConfigError(place.setting === undefined ? message : `${place.setting}: ${message}`, { ...place, cause })

/** `session.timeout: expected whole seconds, 1 or more; got "5m"` */
export const unfit = (origin: Origin, expected: string, got: unknown, hint = ''): ConfigError =>
  fault(origin, `expected ${expected}; got ${origin.shown ?? show(got)}${hint}`)

const longest = 60

const show = (given: unknown): string => {
  const value = typeof given === 'string' ? withoutPassword(given) : given
  if (typeof value === 'string') return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : value.toISOString()
  return nameOfType(value)
}

/** What kind of thing it is, without a word of what it holds. */
export const nameOfType = (value: unknown): string => {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

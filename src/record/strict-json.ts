import { CodecError } from '../errors.js'
import { valuePath } from './value-path.js'
import { isWellFormed } from './well-formed.js'

/** Deeper than data is, and far from where JSON.stringify runs out of stack. */
const MOST_LEVELS = 200

/**
 * JSON that holds what it was given, or a `CodecError` with the path of what it would drop or change: everything but
 * strings of well-formed Unicode, finite numbers but -0, booleans, null, dense arrays, and plain objects of enumerable data properties
 * none of whose keys is `__proto__`. An object without a prototype is stored as a plain one.
 *
 * With `takesToJson`, an object that has a `toJSON` method (a `Date` has) is stored as that says.
 *
 * Elements of arrays that are accessors are not looked for, because that would double the cost: their value is stored.
 */
export const strictJson = (data: object, takesToJson: boolean): string => {
  const text = JSON.stringify(new Walk(data, takesToJson, false).all())
  if (mayHoldSurrogates(text)) new Walk(data, takesToJson, true).all()
  return text
}

/** The same for the values of an object, each by its key, without `takesToJson`. */
export const strictValues = (data: object): ((key: string) => string) => {
  const walk = new Walk(data, false, false)
  walk.itself()
  return (key) => {
    walk.one(key)
    const text = JSON.stringify((data as Record<string, unknown>)[key])
    if (mayHoldSurrogates(text) || !isWellFormed(key)) new Walk(data, false, true).one(key)
    return text
  }
}

/** JSON.stringify escapes lone surrogates and hardly anything else in this way, so looking for them costs almost nothing. */
const mayHoldSurrogates = (text: string): boolean => text.includes('\\ud')

/** Throws a `CodecError` if what JSON.parse gave has a key `__proto__`, which a merge would take for a prototype, or is nested too deep. */
export const checkParsed = (value: unknown, level = 0): void => {
  if (typeof value !== 'object' || value === null) return
  if (level >= MOST_LEVELS) throw new CodecError('the stored data is nested too deep', '')
  if (Object.hasOwn(value, '__proto__')) throw new CodecError('the stored data has a key "__proto__"', '')
  for (const inner of Object.values(value)) checkParsed(inner, level + 1)
}

class Walk {
  readonly #takesToJson: boolean
  readonly #checksText: boolean
  /** The steps to the value at hand; what is beyond its level is left from before. */
  readonly #steps: (string | number)[] = []
  readonly #root: object

  constructor(root: object, takesToJson: boolean, checksText: boolean) {
    this.#root = root
    this.#takesToJson = takesToJson
    this.#checksText = checksText
  }

  all(): unknown {
    return this.#value(this.#root, 0)
  }

  /** The object that it began with, without its values. */
  itself(): void {
    this.#refuseClass(this.#root, 0)
    this.#refuseSymbols(this.#root, 0)
  }

  one(key: string): void {
    this.#property(this.#root as Record<string, unknown>, key, 0)
  }

  /** The value itself, or a copy in which `toJSON` has spoken. */
  #value(value: unknown, level: number): unknown {
    switch (typeof value) {
      case 'string':
        if (this.#checksText && !isWellFormed(value)) this.#refuse('text with a lone surrogate', level)
        return value
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0)) this.#refuse(Object.is(value, -0) ? '-0' : String(value), level)
        return value
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : this.#object(value, level)
      default:
        return this.#refuse(value === undefined ? 'undefined' : `a ${typeof value}`, level)
    }
  }

  #object(value: object, level: number): unknown {
    if (level >= MOST_LEVELS) this.#refuseDepth(level)
    if (this.#takesToJson && hasToJson(value)) return this.#spoken(value, level)
    if (Array.isArray(value)) return this.#array(value, level)
    this.#refuseClass(value, level)
    return this.#record(value as Record<string, unknown>, level)
  }

  #spoken(value: { toJSON(key: string): unknown }, level: number): unknown {
    let spoken: unknown
    try {
      spoken = value.toJSON(level === 0 ? '' : String(this.#steps[level - 1]))
    } catch (cause) {
      this.#refuse('what toJSON throws at', level, { cause })
    }
    if (typeof spoken === 'object' && spoken !== null && hasToJson(spoken)) this.#refuse('what has a toJSON after its toJSON', level)
    return this.#value(spoken, level)
  }

  #array(array: unknown[], level: number): unknown[] {
    if (Object.getPrototypeOf(array) !== Array.prototype) this.#refuse(kindOf(array), level)
    const values = Object.values(array)
    if (values.length !== array.length) this.#refuse('an array with holes or with properties', level)
    this.#refuseSymbols(array, level)
    let isChanged = false
    for (let index = 0; index < values.length; index++) {
      this.#steps[level] = index
      const value = values[index]
      const kept = this.#value(value, level + 1)
      if (kept === value) continue
      values[index] = kept
      isChanged = true
    }
    return isChanged ? values : array
  }

  #record(record: Record<string, unknown>, level: number): Record<string, unknown> {
    this.#refuseSymbols(record, level)
    let copy: Record<string, unknown> | undefined
    for (const key of Object.getOwnPropertyNames(record)) {
      const kept = this.#property(record, key, level)
      if (kept !== record[key]) (copy ??= { ...record })[key] = kept
    }
    return copy ?? record
  }

  #property(record: Record<string, unknown>, key: string, level: number): unknown {
    this.#steps[level] = key
    const { value, enumerable, get } = Object.getOwnPropertyDescriptor(record, key) as PropertyDescriptor
    if (get !== undefined) this.#refuse('an accessor', level + 1)
    if (!enumerable) this.#refuse('a property that is not enumerable', level + 1)
    if (key === '__proto__') this.#refuse('the key "__proto__"', level + 1)
    if (this.#checksText && !isWellFormed(key)) this.#refuse('a key with a lone surrogate', level + 1)
    return this.#value(value, level + 1)
  }

  #refuseClass(value: object, level: number): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) this.#refuse(kindOf(value), level)
  }

  #refuseSymbols(value: object, level: number): void {
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse('an object with symbols as keys', level)
  }

  /** It is most often a cycle: then the path leads to where that closes. */
  #refuseDepth(level: number): never {
    const met = new Set<unknown>()
    let value: unknown = this.#root
    for (let depth = 0; typeof value === 'object' && value !== null; depth++) {
      if (met.has(value)) this.#refuse('an object that holds itself', depth)
      met.add(value)
      value = (value as Record<string | number, unknown>)[this.#steps[depth] as string]
    }
    return this.#refuse(`data nested deeper than ${MOST_LEVELS} levels`, level)
  }

  #refuse(what: string, level: number, options?: { cause: unknown }): never {
    const path = valuePath(this.#steps.slice(0, level))
    throw new CodecError(`${what} cannot be stored as JSON${path === '' ? '' : `: ${path}`}`, path, options)
  }
}

const hasToJson = (value: object): value is { toJSON(key: string): unknown } =>
  typeof (value as { toJSON?: unknown }).toJSON === 'function'

const kindOf = (value: object): string => {
  const made: unknown = (Object.getPrototypeOf(value) as { constructor?: unknown }).constructor
  return typeof made === 'function' && made.name !== '' ? `a ${made.name}` : 'an object of a class'
}

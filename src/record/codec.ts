import { createRequire } from 'node:module'
import { CodecError, ConfigError, DependencyError } from '../errors.js'
import type { DataSerializer, Revive } from '../settings.js'
import { checkParsed, strictJson, strictValues } from './strict-json.js'
import { isWellFormed } from './well-formed.js'

/** Turns a session's data into the text that is stored, and back. */
export interface DataCodec {
  /** Throws `CodecError` with the path of what would not come back as it is. */
  encode(data: object): string
  /** Throws `CodecError` for what is not ours; never with a piece of the text, which is somebody's data. */
  decode(text: string): object
  /** The same for values one by one, where they have nothing to do with each other, as in JSON. */
  readonly values?: ValueCodec
}

export interface ValueCodec {
  /** What encodes the values of an object, each by its key. Both throw like `encode`. */
  encoder(data: object): (key: string) => string
  decode(text: string): unknown
}

/**
 * The codec that the setting `data_serializer` names.
 *
 * - `json`: strict (`strictJson` tells what it takes). With `revive` it takes objects that have a `toJSON`, as that says, and it is
 *   `revive`'s part to make them again. What `revive` throws passes through.
 * - `devalue`: also `undefined`, NaN, ±Infinity, -0, BigInt, Date, Map, Set, RegExp, URL, typed arrays, holes, cycles and shared references.
 *   It calls accessors, and drops what else hangs on an array, a Map or a Date. Throws `DependencyError` when the package is not there.
 * - an object: whatever that takes. What it throws becomes a `CodecError`.
 *
 * Throws `ConfigError` for `revive` with another than `json`.
 */
export const makeCodec = (serializer: 'json' | 'devalue' | DataSerializer, revive?: Revive): DataCodec => {
  if (serializer === 'json') return jsonCodec(revive)
  if (revive !== undefined) throw new ConfigError('revive: works with data_serializer = json only', { setting: 'revive' })
  return foreignCodec(serializer === 'devalue' ? loadDevalue() : serializer)
}

const jsonCodec = (revive: Revive | undefined): DataCodec => revive === undefined ? plainJson : {
  encode: data => asCodecErrors(() => strictJson(data, true)),
  decode(text) {
    checkParsed(parsed(text, JSON.parse))
    // Parsed again, so that a text that is not ours is told from a hook that throws.
    return asObject(JSON.parse(text, revive))
  },
}

const plainJson: DataCodec = {
  encode: data => asCodecErrors(() => strictJson(data, false)),
  decode: text => asObject(parsedPlain(text)),
  values: {
    encoder: data => {
      const encode = asCodecErrors(() => strictValues(data))
      return key => asCodecErrors(() => encode(key))
    },
    decode: text => parsedPlain(text),
  },
}

const parsedPlain = (text: string): unknown => {
  const value = parsed(text, JSON.parse)
  if (mayHoldProto(text)) checkParsed(value)
  return value
}

/** JSON.stringify escapes no letter, and as `\u00…` only control characters. */
const mayHoldProto = (text: string): boolean => text.includes('__proto__') || text.includes('\\u00')

const foreignCodec = (serializer: DataSerializer): DataCodec => ({
  encode: data => asCodecErrors(() => {
    const text: unknown = serializer.stringify(data)
    if (typeof text !== 'string' || !isWellFormed(text)) throw new CodecError('the serializer gave no well-formed text', '')
    return text
  }),
  decode: text => asObject(parsed(text, serialized => serializer.parse(serialized))),
})

const asCodecErrors = <T>(encode: () => T): T => {
  try {
    return encode()
  } catch (error) {
    if (error instanceof CodecError) throw error
    if (isDevalueError(error)) {
      const path = error.path.replace(/^\./, '')
      throw new CodecError(path === '' ? error.message : `${error.message}: ${path}`, path)
    }
    throw new CodecError('the data cannot be stored', '', { cause: error })
  }
}

// The messages of JSON.parse quote the text.
const parsed = (text: string, parse: (text: string) => unknown): unknown => {
  try {
    return parse(text)
  } catch {
    throw new CodecError('the stored data cannot be read', '')
  }
}

const asObject = (data: unknown): object => {
  if (typeof data !== 'object' || data === null) throw new CodecError('the stored data is not an object', '')
  return data
}

/** devalue's errors hold the data itself, so they are not passed on as a cause. */
const isDevalueError = (error: unknown): error is Error & { readonly path: string } =>
  error instanceof Error && error.name === 'DevalueError' && typeof (error as { path?: unknown }).path === 'string'

const loadDevalue = (): DataSerializer => {
  try {
    return createRequire(import.meta.url)('devalue') as DataSerializer
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause
    const setting = 'dataSerializer'
    throw new DependencyError(`${setting}: devalue needs a package that is not installed: npm install devalue`, { setting, cause })
  }
}

import { CodecError } from '../errors.js'
import type { DataCodec } from './codec.js'
import { KeyedText } from './keyed-text.js'
import type { RecordForm } from './record.js'

type Data = Record<string, unknown>

/** To decode many one by one takes longer than all at once. */
const MOST_SINGLE = 8

const LINE = /^(\d*)(\{[^\n]*\})?\n/

/**
 * What a session holds: the user's keys, and beside them fields that the library keeps for the user (flashes), so that neither shadows the other.
 *
 * Each value costs nothing until it is asked for: one that nobody has seen nor replaced stays the text that it is, and is stored again as that.
 */
export class Content {
  readonly #codec: DataCodec
  /** What was asked for or put, and so may have changed in depth: all there is, once `#texts` is `undefined`. */
  #data: Data
  #texts: KeyedText | undefined
  /** Keys of the texts that were deleted. */
  #gone: Set<string> | undefined
  /** How many of the texts were decoded one by one. */
  #single = 0
  /** Objects that were decoded, and nobody else has put anywhere; `undefined` while all of them are. */
  #made: WeakSet<object> | undefined
  #fields: Data | undefined = {}
  #fieldsText = ''

  constructor(codec: DataCodec, data: Data = {}) {
    this.#codec = codec
    this.#data = data
  }

  /** What `encode` wrote. Throws `CodecError` for what it did not. Damage inside of a value shows when that is decoded: so all of them are, where nothing proves the text. */
  static decode(codec: DataCodec, { payload: text, isUnverified }: Pick<RecordForm, 'payload' | 'isUnverified'>): Content {
    const [line, fields, lengths] = LINE.exec(text) ?? []
    if (line === undefined) throw noSession()
    const fieldsEnd = line.length + Number(fields)
    const content = new Content(codec)
    if (fields !== '') content.#closeFields(text.slice(line.length, fieldsEnd))
    content.#close(lengths, text.slice(fieldsEnd))
    if (isUnverified) content.#open()
    return content
  }

  /** A line of the length of the fields (nothing when there are none, as in most sessions) and those of the values; the fields; the values. */
  encode(): string {
    const { values } = this.#codec
    const fields = this.#fields === undefined ? this.#fieldsText : isEmpty(this.#fields) ? '' : this.#codec.encode(this.#fields)
    const length = fields === '' ? '' : fields.length
    if (values === undefined) return `${length}\n${fields}${this.#codec.encode(this.data)}`
    const texts = KeyedText.write(this.#data, values.encoder(this.#data), this.#texts, this.#gone)
    return `${length}${texts.lengths}\n${fields}${texts.values}`
  }

  /** The plain object itself, with all values. */
  get data(): Data {
    if (this.#texts !== undefined) this.#openAll(this.#texts)
    return this.#data
  }

  set data(data: Data) {
    this.#data = data
    this.#texts = undefined
  }

  get fields(): Data {
    return (this.#fields ??= asDictionary(this.#codec.decode(this.#fieldsText)))
  }

  set fields(fields: Data) {
    this.#fields = fields
  }

  keys(): string[] {
    const keys = Object.keys(this.#data)
    return this.#texts === undefined ? keys : [...new Set([...this.#texts.keys.filter((key) => this.has(key)), ...keys])]
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#data, key) || this.#hasText(key)
  }

  get(key: string): unknown {
    if (Object.hasOwn(this.#data, key)) return this.#data[key]
    if (!this.#hasText(key)) return undefined
    if (++this.#single > MOST_SINGLE) return this.data[key]
    const value = this.#codec.values!.decode(this.#texts!.textOf(key)!)
    this.noteMade(value)
    return (this.#data[key] = value)
  }

  set(key: string, value: unknown): void {
    this.#data[key] = value
  }

  delete(key: string): void {
    delete this.#data[key]
    if (this.#texts?.has(key)) (this.#gone ??= new Set()).add(key)
  }

  /** From now on somebody else may put objects in. */
  knowMade(): void {
    this.#made ??= new WeakSet(Object.values(this.#data).filter(isObject))
  }

  noteMade(value: unknown): void {
    if (isObject(value)) this.#made?.add(value)
  }

  /** Whether it is an object that was decoded, and that nobody else has put anywhere since `knowMade`. */
  isMade(value: object): boolean {
    return this.#made?.has(value) === true
  }

  #hasText(key: string): boolean {
    return this.#texts?.has(key) === true && this.#gone?.has(key) !== true
  }

  #open(): void {
    void this.data
    void this.fields
  }

  #closeFields(text: string): void {
    this.#fieldsText = text
    this.#fields = undefined
  }

  #close(lengths: string | undefined, text: string): void {
    if (lengths === undefined) this.#data = asDictionary(this.#codec.decode(text))
    else if (this.#codec.values === undefined) this.#data = asDictionary(this.#codec.decode(String(KeyedText.read(lengths, text))))
    else this.#texts = KeyedText.read(lengths, text)
  }

  #openAll(texts: KeyedText): void {
    const values = this.#codec.values!.decode(texts.values) as unknown[]
    const { keys } = texts
    if (!Array.isArray(values) || values.length !== keys.length) throw noSession()
    const all: Data = {}
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!
      if (!this.has(key)) continue
      all[key] = Object.hasOwn(this.#data, key) ? undefined : values[index]
      this.noteMade(all[key])
    }
    this.#data = Object.assign(all, this.#data)
    this.#texts = this.#gone = undefined
  }
}

/** It may change in depth. */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const noSession = (): CodecError => new CodecError('the record holds no session', '')

const isEmpty = (fields: Data): boolean => {
  for (const _ in fields) return false
  return true
}

const asDictionary = (value: unknown): Data => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw noSession()
  return value as Data
}

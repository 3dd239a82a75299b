import { CodecError } from '../errors.js'
import type { DataCodec } from './codec.js'
import { KeyedText } from './keyed-text.js'
import type { RecordForm } from './record.js'

type Data = Record<string, unknown>

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
    const texts = KeyedText.write(this.#data, values.encoder(this.#data), this.#texts)
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
    return this.#texts === undefined ? keys : [...new Set([...this.#texts.keys, ...keys])]
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#data, key) || this.#texts?.has(key) === true
  }

  get(key: string): unknown {
    if (Object.hasOwn(this.#data, key)) return this.#data[key]
    const text = this.#texts?.textOf(key)
    return text === undefined ? undefined : (this.#data[key] = this.#codec.values!.decode(text))
  }

  set(key: string, value: unknown): void {
    this.#data[key] = value
  }

  delete(key: string): void {
    delete this.#data[key]
    if (this.#texts?.has(key)) this.#texts = this.#texts.without(key)
  }

  /** What was asked for or put. */
  get seen(): readonly unknown[] {
    return Object.values(this.#data)
  }

  hasSeen(key: string): boolean {
    return Object.hasOwn(this.#data, key)
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
    for (let index = 0; index < keys.length; index++) all[keys[index]!] = values[index]
    this.#data = Object.assign(all, this.#data)
    this.#texts = undefined
  }
}

const noSession = (): CodecError => new CodecError('the record holds no session', '')

const isEmpty = (fields: Data): boolean => {
  for (const _ in fields) return false
  return true
}

const asDictionary = (value: unknown): Data => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw noSession()
  return value as Data
}

import type { OpenRecord } from '../record/change-log.js'
import type { DataCodec } from '../record/codec.js'
import { nonce } from '../record/id.js'
import { checkKey } from './session-data.js'
import type { SessionData } from './session-data.js'

/** A message kept until it is next read. */
export interface Flash {
  readonly value: any
  readonly level: string | null
}

export interface FlashOptions {
  /** What the message is: `warning`, `notice`, `error`, `success`, … Default `null`. */
  readonly level?: string | null
  /** Which list it goes to. Default `flash`. */
  readonly key?: string
  /** For a page that this request answers with itself: never stored, and so it may be any value. Default `false`. */
  readonly now?: boolean
}

interface StoredFlash extends Flash {
  /** Tells equal messages apart, so that a removal takes away those that were read and no others. */
  readonly id: string
}

type Lists = Record<string, readonly StoredFlash[]>

const FIELD = 'flash'
const DEFAULT_KEY = 'flash'

/**
 * The once-read messages of a session. They are kept in a field of the record, not among the user's keys. A message that
 * was read is removed at the end of the request, and only then: a response that failed has shown it to nobody.
 */
export class Flashes {
  readonly #data: SessionData
  readonly #codec: DataCodec
  #read = new Map<string, Set<string>>()
  /** This request's own, not read yet. */
  readonly #now = new Map<string, readonly Flash[]>()

  constructor(data: SessionData, codec: DataCodec) {
    this.#data = data
    this.#codec = codec
  }

  get areRead(): boolean {
    return this.#read.size > 0
  }

  /** The value is kept as it is now, whatever becomes of the object. Throws `CodecError` for what cannot be stored. */
  add(value: unknown, { level = null, key = DEFAULT_KEY, now = false }: FlashOptions): void {
    checkKey(key)
    if (now) return void this.#now.set(key, [...this.#nowOf(key), { value, level }])
    const id = nonce()
    const encoded = this.#codec.encode({ value })
    this.#data.edit((record) => {
      const { value } = this.#codec.decode(encoded) as { value: unknown }
      putList(record, key, [...listOf(record, key), { id, value, level }])
    })
  }

  read(key: string = DEFAULT_KEY): Flash[] {
    const unread = this.#unread(key)
    const stored = unread.map((flash) => this.#shown(flash))
    if (unread.length > 0) this.#read.set(key, new Set([...(this.#read.get(key) ?? []), ...unread.map(({ id }) => id)]))
    const now = this.#nowOf(key)
    this.#now.delete(key)
    return [...stored, ...now]
  }

  peek(key: string = DEFAULT_KEY): Flash[] {
    return [...this.#unread(key).map((flash) => this.#shown(flash)), ...this.#nowOf(key)]
  }

  keep(key: string = DEFAULT_KEY): void {
    this.#read.delete(key)
  }

  keepAll(): void {
    this.#read.clear()
  }

  clear(): void {
    this.#read.clear()
    this.#now.clear()
  }

  /** The removal of what was read, to be made on whatever record there is. */
  takeRemoval(): (record: OpenRecord) => void {
    const read = this.#read
    this.#read = new Map()
    return (record) => {
      for (const [key, ids] of read) putList(record, key, listOf(record, key).filter(({ id }) => !ids.has(id)))
    }
  }

  /** A copy: what becomes of it is none of the stored one's business. */
  #shown({ value, level }: StoredFlash): Flash {
    return { ...(this.#codec.decode(this.#codec.encode({ value })) as { value: unknown }), level }
  }

  #nowOf(key: string): readonly Flash[] {
    return this.#now.get(key) ?? []
  }

  #unread(key: string): readonly StoredFlash[] {
    const read = this.#read.get(key)
    return listOf(this.#data.open, key).filter(({ id }) => !read?.has(id))
  }
}

const listsOf = (record: OpenRecord): Lists => (record.content.fields[FIELD] as Lists | undefined) ?? {}

const listOf = (record: OpenRecord, key: string): readonly StoredFlash[] => {
  const lists = listsOf(record)
  return Object.hasOwn(lists, key) ? lists[key]! : []
}

const putList = (record: OpenRecord, key: string, list: readonly StoredFlash[]): void => {
  const { [key]: _, ...others } = listsOf(record)
  const lists = list.length === 0 ? others : { ...others, [key]: list }
  if (Object.keys(lists).length > 0) record.content.fields[FIELD] = lists
  else delete record.content.fields[FIELD]
}

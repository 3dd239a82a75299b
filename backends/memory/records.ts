import { ShardedMap } from './sharded-map.js'

export class MemoryRecord {
  readonly key: string
  value: string
  version: string
  expiresAt: number
  /** What the value costs on the heap. */
  bytes: number
  older: MemoryRecord | undefined = undefined
  newer: MemoryRecord | undefined = undefined

  constructor(key: string, value: string, version: string, expiresAt: number, bytes: number) {
    this.key = key
    this.value = value
    this.version = version
    this.expiresAt = expiresAt
    this.bytes = bytes
  }
}

/** How many of the longest unused records are searched for an expired one before a live one is given up. */
const LOOK = 32

/**
 * Records by key, and in the order of their use. The order is a linked list, so that a read moves pointers and rehashes
 * nothing. lru-cache does that, too, but keeps one Map, which stops the process when it grows, takes all its room at the
 * start, and evicts live entries while expired ones are there.
 */
export class Records {
  readonly #byKey = new ShardedMap<MemoryRecord>()
  #oldest: MemoryRecord | undefined
  #newest: MemoryRecord | undefined
  #bytes = 0

  get size(): number {
    return this.#byKey.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): MemoryRecord | undefined {
    return this.#byKey.get(key)
  }

  add(record: MemoryRecord): void {
    this.#byKey.set(record.key, record)
    this.#bytes += record.bytes
    this.#append(record)
  }

  remove(record: MemoryRecord): void {
    this.#byKey.delete(record.key)
    this.#bytes -= record.bytes
    this.#unlink(record)
  }

  rewrite(record: MemoryRecord, value: string, version: string, expiresAt: number, bytes: number): void {
    this.#bytes += bytes - record.bytes
    record.value = value
    record.version = version
    record.expiresAt = expiresAt
    record.bytes = bytes
    this.use(record)
  }

  use(record: MemoryRecord): void {
    if (record === this.#newest) return
    this.#unlink(record)
    this.#append(record)
  }

  clear(): void {
    this.#byKey.clear()
    this.#oldest = this.#newest = undefined
    this.#bytes = 0
  }

  /** What to give up for room: an expired record among the longest unused, else the longest unused. */
  victim(now: number): MemoryRecord | undefined {
    let record = this.#oldest
    for (let looked = 0; record !== undefined && looked < LOOK; looked += 1) {
      if (record.expiresAt <= now) return record
      record = record.newer
    }
    return this.#oldest
  }

  *[Symbol.iterator](): IterableIterator<MemoryRecord> {
    for (const [, record] of this.#byKey) yield record
  }

  #append(record: MemoryRecord): void {
    record.older = this.#newest
    record.newer = undefined
    if (this.#newest === undefined) this.#oldest = record
    else this.#newest.newer = record
    this.#newest = record
  }

  #unlink(record: MemoryRecord): void {
    const { older, newer } = record
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
  }
}

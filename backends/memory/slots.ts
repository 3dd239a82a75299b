/** A place for a record. When the record was removed it is another's: look it up anew after every `await`. */
export type Slot = number

/** No record's: the ends of the order of use meet there. */
export const NO_SLOT: Slot = 0

const BITS = 10
const SIZE = 2 ** BITS
const WORDS = 8

/** So many records at a time get their room, so that growing copies nothing. */
class Chunk {
  readonly keys: string[] = Array.from({ length: SIZE }, () => '')
  readonly values: string[] = Array.from({ length: SIZE }, () => '')
  /** 32 bytes a record: its expiry, its version (both of 8 bytes), the slots used before and after it, the bytes of its value. */
  readonly times: Float64Array<ArrayBuffer> = new Float64Array((SIZE * WORDS) / 2)
  readonly words: Uint32Array<ArrayBuffer> = new Uint32Array(this.times.buffer)
}

/**
 * The facts of records, side by side and not in an object each: so a record is two strings to the garbage collector instead of five
 * objects, a read writes no pointer, and 80 bytes a record are saved.
 */
export class Slots {
  #chunks: Chunk[] = [new Chunk()]
  #free: Slot = NO_SLOT
  #last: Slot = NO_SLOT

  take(): Slot {
    const slot = this.#free
    if (slot !== NO_SLOT) {
      this.#free = this.newer(slot)
      return slot
    }
    this.#last += 1
    if (this.#last % SIZE === 0) this.#chunks.push(new Chunk())
    return this.#last
  }

  free(slot: Slot): void {
    this.setKey(slot, '')
    this.setValue(slot, '', 0)
    this.setNewer(slot, this.#free)
    this.#free = slot
  }

  clear(): void {
    this.#chunks = [new Chunk()]
    this.#free = this.#last = NO_SLOT
  }

  key(slot: Slot): string {
    return this.#chunkOf(slot).keys[slot % SIZE]!
  }

  setKey(slot: Slot, key: string): void {
    this.#chunkOf(slot).keys[slot % SIZE] = key
  }

  value(slot: Slot): string {
    return this.#chunkOf(slot).values[slot % SIZE]!
  }

  setValue(slot: Slot, value: string, bytes: number): void {
    const chunk = this.#chunkOf(slot)
    chunk.values[slot % SIZE] = value
    chunk.words[(slot % SIZE) * WORDS + 6] = bytes
  }

  expiresAt(slot: Slot): number {
    return this.#chunkOf(slot).times[((slot % SIZE) * WORDS) / 2]!
  }

  setExpiresAt(slot: Slot, time: number): void {
    this.#chunkOf(slot).times[((slot % SIZE) * WORDS) / 2] = time
  }

  version(slot: Slot): number {
    return this.#chunkOf(slot).times[((slot % SIZE) * WORDS) / 2 + 1]!
  }

  setVersion(slot: Slot, version: number): void {
    this.#chunkOf(slot).times[((slot % SIZE) * WORDS) / 2 + 1] = version
  }

  older(slot: Slot): Slot {
    return this.#chunkOf(slot).words[(slot % SIZE) * WORDS + 4]!
  }

  setOlder(slot: Slot, older: Slot): void {
    this.#chunkOf(slot).words[(slot % SIZE) * WORDS + 4] = older
  }

  newer(slot: Slot): Slot {
    return this.#chunkOf(slot).words[(slot % SIZE) * WORDS + 5]!
  }

  setNewer(slot: Slot, newer: Slot): void {
    this.#chunkOf(slot).words[(slot % SIZE) * WORDS + 5] = newer
  }

  bytes(slot: Slot): number {
    return this.#chunkOf(slot).words[(slot % SIZE) * WORDS + 6]!
  }

  #chunkOf(slot: Slot): Chunk {
    return this.#chunks[slot >>> BITS]!
  }
}

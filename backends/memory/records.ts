import { ShardedMap } from './sharded-map.js'
import { NO_SLOT, Slots } from './slots.js'
import type { Slot } from './slots.js'

export interface Written {
  readonly value: string
  readonly version: number
  readonly expiresAt: number
  /** What the value costs on the heap. */
  readonly bytes: number
}

/** How many of the longest unused records are searched for an expired one before a live one is given up. */
const LOOK = 32

/**
 * Records by key, and in the order of their use. The order is a linked ring, so that a read moves links and rehashes
 * nothing. lru-cache does that, too, but keeps one Map, which stops the process when it grows, takes all its room at the
 * start, and evicts live entries while expired ones are there.
 */
export class Records {
  readonly #slotOf = new ShardedMap<Slot>()
  readonly #slots = new Slots()
  #bytes = 0

  get size(): number {
    return this.#slotOf.size
  }

  get bytes(): number {
    return this.#bytes
  }

  find(key: string): Slot | undefined {
    return this.#slotOf.get(key)
  }

  key(slot: Slot): string {
    return this.#slots.key(slot)
  }

  value(slot: Slot): string {
    return this.#slots.value(slot)
  }

  version(slot: Slot): number {
    return this.#slots.version(slot)
  }

  expiresAt(slot: Slot): number {
    return this.#slots.expiresAt(slot)
  }

  setExpiresAt(slot: Slot, time: number): void {
    this.#slots.setExpiresAt(slot, time)
  }

  add(key: string, written: Written): void {
    const slot = this.#slots.take()
    this.#slotOf.set(key, slot)
    this.#slots.setKey(slot, key)
    this.#write(slot, written)
    this.#append(slot)
  }

  remove(slot: Slot): void {
    this.#slotOf.delete(this.#slots.key(slot))
    this.#bytes -= this.#slots.bytes(slot)
    this.#unlink(slot)
    if (this.size === 0) this.#slots.clear() // gives the room back
    else this.#slots.free(slot)
  }

  rewrite(slot: Slot, written: Written): void {
    this.#bytes -= this.#slots.bytes(slot)
    this.#write(slot, written)
    this.use(slot)
  }

  use(slot: Slot): void {
    if (slot === this.#slots.older(NO_SLOT)) return
    this.#unlink(slot)
    this.#append(slot)
  }

  clear(): void {
    this.#slotOf.clear()
    this.#slots.clear()
    this.#bytes = 0
  }

  /** What to give up for room: an expired record among the longest unused, else the longest unused. */
  victim(now: number): Slot | undefined {
    const oldest = this.#slots.newer(NO_SLOT)
    let slot = oldest
    for (let looked = 0; slot !== NO_SLOT && looked < LOOK; looked += 1) {
      if (this.#slots.expiresAt(slot) <= now) return slot
      slot = this.#slots.newer(slot)
    }
    return oldest === NO_SLOT ? undefined : oldest
  }

  *[Symbol.iterator](): IterableIterator<Slot> {
    for (const [, slot] of this.#slotOf) yield slot
  }

  #write(slot: Slot, { value, version, expiresAt, bytes }: Written): void {
    this.#slots.setValue(slot, value, bytes)
    this.#slots.setVersion(slot, version)
    this.#slots.setExpiresAt(slot, expiresAt)
    this.#bytes += bytes
  }

  #append(slot: Slot): void {
    const newest = this.#slots.older(NO_SLOT)
    this.#slots.setOlder(slot, newest)
    this.#slots.setNewer(slot, NO_SLOT)
    this.#slots.setNewer(newest, slot)
    this.#slots.setOlder(NO_SLOT, slot)
  }

  #unlink(slot: Slot): void {
    const older = this.#slots.older(slot)
    const newer = this.#slots.newer(slot)
    this.#slots.setNewer(older, newer)
    this.#slots.setOlder(newer, older)
  }
}

import { ShardedMap } from './sharded-map.js'

/** Which keys were indexed under an owner, and until when. */
export class Owners {
  readonly #byOwner = new ShardedMap<Map<string, number>>()
  /** The owner last given for a key, for records that are given up for room: nobody else tells the index of them. */
  readonly #ownerOf = new ShardedMap<string>()

  /** How many owners there are. */
  get size(): number {
    return this.#byOwner.size
  }

  add(owner: string, key: string, expiresAt: number): void {
    let entries = this.#byOwner.get(owner)
    if (entries === undefined) this.#byOwner.set(owner, (entries = new Map<string, number>()))
    // Each caller was promised its own time, so the latest counts.
    entries.set(key, Math.max(expiresAt, entries.get(key) ?? expiresAt))
    this.#ownerOf.set(key, owner)
  }

  remove(owner: string, key: string): void {
    if (this.#ownerOf.get(key) === owner) this.#ownerOf.delete(key)
    const entries = this.#byOwner.get(owner)
    if (entries?.delete(key) && entries.size === 0) this.#byOwner.delete(owner)
  }

  /** The record of this key was given up and will not come back. */
  forget(key: string): void {
    const owner = this.#ownerOf.get(key)
    if (owner !== undefined) this.remove(owner, key)
  }

  list(owner: string): string[] {
    return [...(this.#byOwner.get(owner)?.keys() ?? [])]
  }

  clear(): void {
    this.#byOwner.clear()
    this.#ownerOf.clear()
  }

  /** Every entry: owner, key, expiry. Entries may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<[owner: string, key: string, expiresAt: number]> {
    for (const [owner, entries] of this.#byOwner) for (const [key, expiresAt] of entries) yield [owner, key, expiresAt]
  }
}

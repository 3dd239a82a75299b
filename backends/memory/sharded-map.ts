const SHARDS = 256

/**
 * A Map whose keys are hexadecimal digests, in 256 parts. A Map that grows copies itself whole: with 1,000,000 entries
 * that stops the process for 90 ms (340 ms when entries are deleted and set again), and one part of it for less than 1 ms.
 */
export class ShardedMap<V> {
  readonly #shards: (Map<string, V> | undefined)[] = Array.from({ length: SHARDS })
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]?.get(key)
  }

  set(key: string, value: V): void {
    const shard = (this.#shards[shardOf(key)] ??= new Map<string, V>())
    const before = shard.size
    shard.set(key, value)
    this.#size += shard.size - before
  }

  delete(key: string): boolean {
    const wasThere = this.#shards[shardOf(key)]?.delete(key) ?? false
    if (wasThere) this.#size -= 1
    return wasThere
  }

  clear(): void {
    for (const shard of this.#shards) shard?.clear()
    this.#size = 0
  }

  /** Entries may be added and deleted meanwhile. */
  *[Symbol.iterator](): IterableIterator<[string, V]> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard
  }
}

/** The first two digits: keys are hashes, so the parts fill evenly. */
const shardOf = (key: string): number => ((digit(key.charCodeAt(0)) << 4) | digit(key.charCodeAt(1))) & (SHARDS - 1)

/** `0`–`9` are 0x30–0x39, `a`–`f` are 0x61–0x66. */
const digit = (code: number): number => (code & 15) + 9 * (code >> 6)

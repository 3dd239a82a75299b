/** Over so many it is simpler to ask the cache nothing at all for a while. */
const MOST_KEYS = 10_000

interface Mark {
  readonly until: number
}

/** Keys whose copy in the cache may be older than the store's record, and could not be removed. They are not read there until it has ended by itself. */
export class UntoldKeys {
  readonly #ttlMs: number
  readonly #now: () => number
  /** The first was added first. */
  readonly #marks = new Map<string, Mark>()
  #allUntil = 0

  constructor(ttlMs: number, now: () => number) {
    this.#ttlMs = ttlMs
    this.#now = now
  }

  get size(): number {
    return this.#marks.size
  }

  has(key: string): boolean {
    const now = this.#now()
    return this.#allUntil > now || (this.#marks.get(key)?.until ?? 0) > now
  }

  get(key: string): Mark | undefined {
    return this.#marks.get(key)
  }

  add(key: string): void {
    const until = this.#now() + this.#ttlMs
    this.#marks.delete(key)
    this.#marks.set(key, { until })
    if (this.#marks.size <= MOST_KEYS) return
    this.#forgetEnded()
    if (this.#marks.size <= MOST_KEYS) return
    this.#allUntil = until
    this.#marks.clear()
  }

  /** Only if nothing was added since: another's write may have come after what was told. */
  remove(key: string, mark: Mark | undefined): void {
    if (mark !== undefined && this.#marks.get(key) === mark) this.#marks.delete(key)
  }

  /** Those that are still of use to be told. */
  keys(): string[] {
    this.#forgetEnded()
    return [...this.#marks.keys()]
  }

  #forgetEnded(): void {
    const now = this.#now()
    for (const [key, { until }] of this.#marks) {
      if (until > now) return
      this.#marks.delete(key)
    }
  }
}

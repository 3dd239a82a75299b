/** What this process knows of a record that it read or wrote. */
export interface Known {
  readonly version: string
  /** The connection over which the version was told. */
  readonly connection: number
  /** It does not end before this, as far as this process knows: others may have touched it since. */
  readonly expiresAt: number
}

/** About 3 MB. */
const MOST = 10_000

/** The records that were used last. Forgetting one costs a trip, and never a wrong answer. */
export class Memo {
  readonly #entries = new Map<string, Known>()

  get(key: string): Known | undefined {
    return this.#entries.get(key)
  }

  set(key: string, known: Known): void {
    this.#entries.delete(key) // so that it is the newest again
    this.#entries.set(key, known)
    if (this.#entries.size <= MOST) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest!)
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }
}

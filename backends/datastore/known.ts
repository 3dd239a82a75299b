import type { Seen } from './entities.js'

/** About a hundred bytes each. */
const MOST = 10_000

/** What was last seen of records, by their version: who writes what they have read spares a look. */
export class Known {
  readonly #seen = new Map<string, Seen>()

  add(version: string, seen: Seen): void {
    this.#seen.delete(version)
    if (seen.native === '') return
    this.#seen.set(version, seen)
    if (this.#seen.size > MOST) this.#seen.delete(this.#seen.keys().next().value!)
  }

  take(version: string): Seen | undefined {
    const seen = this.#seen.get(version)
    this.#seen.delete(version)
    return seen
  }
}

/** What this process knows of a record that it read or wrote. */
export interface Known {
  version: string
  /** The connection over which the version was told. */
  connection: number
  /** It does not end before this, as far as this process knows: others may have touched it since. */
  expiresAt: number
}

/** About 3 MB. */
const MOST = 10_000

/**
 * Records that this process met; the one it met first is forgotten first. Forgetting one costs a trip, and never a wrong answer.
 *
 * What is known of one is changed in place: an entry that is made anew for each request survives garbage collections that it need not meet.
 */
export class Memo {
  readonly #entries = new Map<string, Known>()

  get(key: string): Readonly<Known> | undefined {
    return this.#entries.get(key)
  }

  learn(key: string, version: string, connection: number, expiresAt: number): void {
    const known = this.#entries.get(key)
    if (known === undefined) return this.#add(key, { version, connection, expiresAt })
    if (known.version !== version) known.version = version // else the text that came with this request would live on
    known.connection = connection
    known.expiresAt = expiresAt
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }

  #add(key: string, known: Known): void {
    this.#entries.set(key, known)
    if (this.#entries.size <= MOST) return
    const [first] = this.#entries.keys()
    this.#entries.delete(first!)
  }
}

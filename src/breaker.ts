/** So many calls fail, and for so long none succeeds, before a server counts as down. Milliseconds. */
const FAILURES = 5
const SILENCE_MS = 1_000
/** Failures this far apart are no outage, only bad luck. */
const WINDOW_MS = 10_000
/** While it counts as down, one call in so long is let through to see. */
const PROBE_MS = 500

/**
 * Knows when a server is down, so that nobody waits for what will not be answered. It takes a time without any success: where
 * only one of several servers is down, calls to the others go on.
 */
export class Breaker {
  readonly #clock: () => number
  #failures = 0
  #firstFailure = 0
  #lastSuccess = -Infinity
  #nextProbe: number | undefined

  /** `clock` never goes back; milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
  }

  get isOpen(): boolean {
    return this.#nextProbe !== undefined
  }

  /** Whether a call is worth making now. One that is, while the server counts as down, is the probe: others wait for the next. */
  admits(): boolean {
    if (this.#nextProbe === undefined) return true
    const now = this.#clock()
    if (now < this.#nextProbe) return false
    this.#nextProbe = now + PROBE_MS
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#nextProbe = undefined
    this.#lastSuccess = this.#clock()
  }

  failed(): void {
    const now = this.#clock()
    if (now - this.#firstFailure > WINDOW_MS) this.#failures = 0
    if (this.#failures++ === 0) this.#firstFailure = now
    if (this.#nextProbe === undefined && this.#failures >= FAILURES && now - this.#lastSuccess >= SILENCE_MS) this.#nextProbe = now + PROBE_MS
  }
}

/** How long the library may keep somebody waiting. */
export interface Budget {
  /** When it will be spent, if what waits does not end: on the clock of `performance.now()`. */
  readonly deadline: number
  /** Waits, and counts it. */
  spend<T>(wait: Promise<T>): Promise<T>
}

/**
 * A request's: only the library's own waiting counts, not the handler's work, and waits that overlap count once. Once the head of the
 * response has left, nobody is kept waiting for its answer: then each call has the whole of it.
 */
export class RequestBudget implements Budget {
  readonly #ms: number
  readonly #isAnswering: () => boolean
  #leftMs: number
  #waits = 0
  #since = 0

  constructor(ms: number, isAnswering: () => boolean) {
    this.#ms = this.#leftMs = ms
    this.#isAnswering = isAnswering
  }

  get deadline(): number {
    if (this.#isAnswering()) return performance.now() + this.#ms
    return (this.#waits > 0 ? this.#since : performance.now()) + this.#leftMs
  }

  async spend<T>(wait: Promise<T>): Promise<T> {
    if (this.#waits++ === 0) this.#since = performance.now()
    try {
      return await wait
    } finally {
      if (--this.#waits === 0) this.#leftMs -= performance.now() - this.#since
    }
  }
}

/** For a session that no request bounds (a worker's, a WebSocket's): each call has the whole of it. */
export class CallBudget implements Budget {
  readonly #ms: number

  constructor(ms: number) {
    this.#ms = ms
  }

  get deadline(): number {
    return performance.now() + this.#ms
  }

  spend<T>(wait: Promise<T>): Promise<T> {
    return wait
  }
}

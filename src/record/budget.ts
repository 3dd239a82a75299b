import type { Awaitable } from '../awaitable.js'

/** How long the library may keep somebody waiting. */
export interface Budget {
  /** When it will be spent, if what waits does not end: on the clock of `performance.now()`. */
  readonly deadline: number
  /** Waits, and counts it; what is there at once is waited for by nobody. */
  spend<T>(wait: Awaitable<T>): Awaitable<T>
}

/**
 * A request's: only the library's own waiting counts, not the handler's work, and waits that overlap count once. Once the head of the
 * response has left, nobody is kept waiting for its answer: then each call has the whole of it.
 */
export class RequestBudget implements Budget {
  readonly #ms: number
  readonly #answer: { readonly headersSent: boolean }
  #leftMs: number
  #waits = 0
  #since = 0

  constructor(ms: number, answer: { readonly headersSent: boolean }) {
    this.#ms = this.#leftMs = ms
    this.#answer = answer
  }

  get deadline(): number {
    if (this.#answer.headersSent) return performance.now() + this.#ms
    return (this.#waits > 0 ? this.#since : performance.now()) + this.#leftMs
  }

  spend<T>(wait: Awaitable<T>): Awaitable<T> {
    if (!(wait instanceof Promise)) return wait
    if (this.#waits++ === 0) this.#since = performance.now()
    const over = (): void => {
      if (--this.#waits === 0) this.#leftMs -= performance.now() - this.#since
    }
    void wait.then(over, over)
    return wait
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

  spend<T>(wait: Awaitable<T>): Awaitable<T> {
    return wait
  }
}

import { gateCoreOf, type GateCore } from './gate-core.js'
import type { GateHooks } from './gate-hooks.js'
import type { GatedResponse } from './gated-response.js'

export type { GateHooks }

export interface GateOptions {
  /** How long calls are held at most, in milliseconds; then a `StoreTimeoutError` is the failure. */
  readonly budgetMs: number
}

/**
 * Stands between a handler and its response, so that no success leaves before what it claims is stored.
 *
 * With nothing pending, calls pass straight through. While a store write is pending they are held, in their order, and look
 * done. A failure that nobody took becomes the answer, in place of all that the handler prepared; if the head had left, the
 * connection is cut, so that the client sees an aborted body, not a complete one.
 *
 * Several managers may each put a gate on one response: it is held for any of them, and who fails decides on the answer.
 */
export class ResponseGate {
  readonly #core: GateCore
  readonly #hooks: GateHooks

  constructor(res: GatedResponse, hooks: GateHooks, options: GateOptions) {
    this.#core = gateCoreOf(res)
    this.#hooks = hooks
    this.#core.join(hooks, options.budgetMs)
  }

  /** Whether the head has truly left, whatever the handler is made to believe. */
  get headersSent(): boolean {
    return this.#core.headersSent
  }

  /** A failure became the answer: what the handler prepared is not sent. */
  get failing(): boolean {
    return this.#core.failing
  }

  /** The exchange is over. */
  get over(): boolean {
    return this.#core.over
  }

  /** The exchange is over and the response complete. */
  get finished(): boolean {
    return this.#core.finished
  }

  /**
   * Holds the handler's calls until the promise is settled. If it rejects, and nobody has taken the failure by the time the
   * calls would be released, the failure becomes the answer. Only a `WritePromise` can be taken.
   */
  hold(promise: Promise<unknown>): void {
    this.#core.hold(promise, this.#hooks)
  }

  /** The error becomes the answer or, if the head has left, cuts the connection. An answer that is complete stays as it is. */
  fail(error: Error): void {
    this.#core.fail(error, this.#hooks)
  }
}

import { emit } from '../diagnostics.js'
import { SessionError, StoreError, StoreTimeoutError } from '../errors.js'

/**
 * Every call of a namespace manager goes through here: it gets a deadline, and whatever comes out of it is one of
 * phial's errors.
 */
export class StoreCalls {
  readonly #backend: string
  readonly #timeoutMs: number
  #failing = false

  constructor(backend: string, timeoutSeconds: number) {
    this.#backend = backend
    this.#timeoutMs = timeoutSeconds * 1000
  }

  /**
   * `deadline` is on the clock of `performance.now()`; the operation's own time-out applies too.
   * Rejects with a `SessionError` only. The call itself runs on after a time-out.
   */
  run<T>(operation: string, deadline: number, call: () => Promise<T>): Promise<T> {
    return this.#checked(operation, Math.min(this.#timeoutMs, deadline - performance.now()), call)
  }

  /** For a call that waits by itself, up to `waitMs`: the operation's time-out comes on top. */
  runWaiting<T>(operation: string, waitMs: number, call: () => Promise<T>): Promise<T> {
    return this.#checked(operation, waitMs + this.#timeoutMs, call)
  }

  async #checked<T>(operation: string, ms: number, call: () => Promise<T>): Promise<T> {
    try {
      const answer = await this.#withDeadline(operation, Math.max(0, ms), call)
      if (this.#failing) this.#recovered()
      return answer
    } catch (error) {
      throw this.#failed(operation, error)
    }
  }

  /** The timer is not unref'd: an operation in flight keeps the process alive, until its deadline at most. */
  #withDeadline<T>(operation: string, ms: number, call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#timedOut(operation, ms)), ms)
      const running = (async () => call())() // an adapter may throw, or answer no promise
      running.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  #timedOut(operation: string, ms: number): StoreTimeoutError {
    const message = `${this.#backend}: ${operation} was not answered within ${Math.round(ms)} ms`
    return new StoreTimeoutError(message, { backend: this.#backend, operation })
  }

  #failed(operation: string, error: unknown): SessionError {
    const known = error instanceof SessionError ? error : this.#foreign(operation, error)
    if (known instanceof StoreError) {
      this.#failing = true
      emit('store-error', { backend: this.#backend, operation, error: known })
    }
    return known
  }

  #foreign(operation: string, cause: unknown): StoreError {
    return new StoreError(`${this.#backend}: ${operation} failed`, { backend: this.#backend, operation, cause })
  }

  #recovered(): void {
    this.#failing = false
    emit('store-recovered', { backend: this.#backend })
  }
}

import { isThenable } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import { Breaker } from '../breaker.js'
import { emit } from '../diagnostics.js'
import { SessionError, StoreError, StoreTimeoutError, StoreUnavailableError } from '../errors.js'
import { Patience } from '../patience.js'

const READING: ReadonlySet<string> = new Set(['get', 'listOwned'])

/**
 * Every call of a namespace manager goes through here: it gets a deadline, and whatever comes out of it is one of
 * phial's errors. While the store is known to be down it is not asked, and the answer comes at once.
 */
export class StoreCalls {
  readonly backend: string
  readonly #timeoutMs: number
  readonly #isSpread: boolean
  /** A store that takes no writes for now (a full disk, a replica) still answers reads. */
  readonly #reads = new Breaker()
  readonly #writes = new Breaker()
  #lastFailure: StoreError | undefined

  /** `isSpread`: the backend's servers are several, and it knows by itself which of them are down. */
  constructor(backend: string, timeoutSeconds: number, isSpread = false) {
    this.backend = backend
    this.#isSpread = isSpread
    this.#timeoutMs = timeoutSeconds * 1000
  }

  /**
   * `deadline` is on the clock of `performance.now()`; the operation's own time-out applies too. After it nothing is sent.
   * Rejects with a `SessionError` only. The call itself runs on after a time-out.
   */
  async run<T>(operation: string, deadline: number, call: () => Promise<T>): Promise<T> {
    return this.runAtOnce(operation, deadline, call)
  }

  /** Like `run`, for a call that may do without a promise: then so does this, and throws what else it would reject with. */
  runAtOnce<T>(operation: string, deadline: number, call: () => Awaitable<T>): Awaitable<T> {
    return this.#checked(operation, Math.min(this.#timeoutMs, deadline - performance.now()), call)
  }

  /** For a call that waits by itself, up to `waitMs`: the operation's time-out comes on top. */
  async runWaiting<T>(operation: string, waitMs: number, call: () => Promise<T>): Promise<T> {
    return this.#checked(operation, waitMs + this.#timeoutMs, call)
  }

  #checked<T>(operation: string, ms: number, call: () => Awaitable<T>): Awaitable<T> {
    const breaker = READING.has(operation) ? this.#reads : this.#writes
    if (ms <= 0) throw this.#untried(operation, StoreTimeoutError, 'the time for it is spent')
    if (!this.#isSpread && !breaker.admits()) throw this.#untried(operation, StoreUnavailableError, 'the store does not answer', this.#lastFailure)
    try {
      const answer = call()
      if (isThenable(answer)) return this.#watched(operation, ms, answer, breaker)
      this.#succeeded(breaker)
      return answer
    } catch (error) {
      throw this.#failed(operation, error, breaker)
    }
  }

  /** An operation in flight keeps the process alive, until its deadline at most, or a moment longer when the process is busy then. */
  #watched<T>(operation: string, ms: number, answer: PromiseLike<T>, breaker: Breaker): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(this.#failed(operation, error, breaker))
      const patience = new Patience(ms, () => fail(this.#timedOut(operation, ms)))
      Promise.resolve(answer).then((value) => {
        if (!patience.end()) return
        this.#succeeded(breaker)
        resolve(value)
      }, (error: unknown) => {
        if (patience.end()) fail(error)
      })
    })
  }

  #timedOut(operation: string, ms: number): StoreTimeoutError {
    const message = `${this.backend}: ${operation} was not answered within ${Math.round(ms)} ms`
    return new StoreTimeoutError(message, { backend: this.backend, operation })
  }

  #succeeded(breaker: Breaker): void {
    breaker.succeeded()
    if (this.#lastFailure === undefined) return
    this.#lastFailure = undefined
    emit('store-recovered', { backend: this.backend })
  }

  #failed(operation: string, error: unknown, breaker: Breaker): SessionError {
    const failure = error instanceof SessionError ? error : this.#foreign(operation, error)
    if (failure instanceof StoreError) {
      if (failure.retryable && failure.backend === this.backend) breaker.failed() // another's is the cache's, or one of two stores'
      this.#tell(operation, (this.#lastFailure = failure))
    }
    return failure
  }

  /** Nothing was sent, so nothing came of it, and nothing was learnt of the store. */
  #untried(operation: string, Failure: typeof StoreTimeoutError | typeof StoreUnavailableError, why: string, cause?: StoreError): StoreError {
    const failure = new Failure(`${this.backend}: ${operation} was not tried, since ${why}`, { backend: this.backend, operation, cause })
    this.#tell(operation, failure)
    return failure
  }

  #tell(operation: string, error: StoreError): void {
    emit('store-error', { backend: this.backend, operation, error })
  }

  #foreign(operation: string, cause: unknown): StoreError {
    return new StoreError(`${this.backend}: ${operation} failed`, { backend: this.backend, operation, cause })
  }
}

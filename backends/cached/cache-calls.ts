import { Breaker } from '../../src/breaker.js'
import { emit } from '../../src/diagnostics.js'
import { SessionClosedError, StoreTimeoutError } from '../../src/errors.js'
import { Patience } from '../../src/patience.js'

export interface Answer<T> {
  readonly answer: T
}

/**
 * Calls of a cache, which is there to save time: none throws, none takes longer than a short deadline and a moment
 * when this process is busy, and while the cache is down few are made.
 */
export class CacheCalls {
  readonly #deadlineMs: number
  readonly #breaker = new Breaker()
  #isFailing = false

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs
  }

  /** `undefined`: it was not made, failed, or was late; a late one may still take effect. */
  async ask<T>(operation: string, call: () => Promise<T>): Promise<Answer<T> | undefined> {
    if (!this.#breaker.admits()) return undefined
    try {
      const answer = await this.#inTime(operation, call)
      this.#breaker.succeeded()
      if (this.#isFailing) emit('store-recovered', { backend: 'cache' })
      this.#isFailing = false
      return { answer }
    } catch (error) {
      this.#breaker.failed()
      this.#isFailing = true
      if (!(error instanceof SessionClosedError)) emit('store-error', { backend: 'cache', operation, error })
      return undefined
    }
  }

  #inTime<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new StoreTimeoutError(`the cache did not answer within ${this.#deadlineMs} ms`, { backend: 'cache', operation }))
      const answer = call() // before there is a timer: it may throw
      const patience = new Patience(this.#deadlineMs, late)
      answer.then(resolve, reject).finally(() => patience.end())
    })
  }
}

import { emit } from '../../src/diagnostics.js'
import { SessionClosedError, StoreTimeoutError } from '../../src/errors.js'

/** So many failures in a row, and the cache counts as down. */
const MOST_FAILURES = 3

/** How often one that is down is tried again, in milliseconds. */
const PROBE_MS = 1_000

export interface Answer<T> {
  readonly answer: T
}

/**
 * Calls of a cache, which is there to save time: none throws, none takes longer than a short deadline, and while the cache is down none is
 * made but one a second, and those that must be.
 */
export class CacheCalls {
  readonly #deadlineMs: number
  #failures = 0
  #probeAt = 0

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs
  }

  /** `undefined`: it was not made, failed, or was late; a late one may still take effect. */
  async ask<T>(operation: string, call: () => Promise<T>, must = false): Promise<Answer<T> | undefined> {
    if (this.#isDown && !must && performance.now() < this.#probeAt) return undefined
    this.#probeAt = performance.now() + PROBE_MS
    try {
      const answer = await this.#inTime(operation, call)
      if (this.#failures > 0) emit('store-recovered', { backend: 'cache' })
      this.#failures = 0
      return { answer }
    } catch (error) {
      this.#failures += 1
      if (!(error instanceof SessionClosedError)) emit('store-error', { backend: 'cache', operation, error })
      return undefined
    }
  }

  get #isDown(): boolean {
    return this.#failures >= MOST_FAILURES
  }

  #inTime<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new StoreTimeoutError(`the cache did not answer within ${this.#deadlineMs} ms`, { backend: 'cache', operation }))
      const timer = setTimeout(late, this.#deadlineMs)
      call().then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }
}

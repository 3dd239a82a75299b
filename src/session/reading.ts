import { warnOnce } from '../diagnostics.js'

/**
 * The promise of something read through the lazy session. Used as if it were the value (`if (req.session.get('user') == …)`, in a
 * template), it says so: a promise is always truthy. Its failure, when nobody takes it, does not end the process.
 */
export class Reading<T> extends Promise<T> {
  #method = ''

  static of<T>(method: string, promise: Promise<T>): Reading<T> {
    const reading = new Reading<T>((resolve, reject) => promise.then(resolve, reject))
    reading.#method = method
    reading.catch(() => {})
    return reading
  }

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  [Symbol.toPrimitive](): string {
    this.#warn()
    return '[object Promise]'
  }

  toJSON(): Record<string, never> {
    this.#warn()
    return {}
  }

  #warn(): void {
    warnOnce('PHIAL_NOT_AWAITED', `session.${this.#method}() answers a promise and was used without await: await it, or load() the session first`)
  }
}

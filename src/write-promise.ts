/**
 * A promise that knows whether somebody took its failure (`await`, `then` with a second function, `catch`, `Promise.all`, `allSettled`):
 * that tells one that was delivered from one that nobody took, which a native promise does not. What comes of `then` with one function, and of
 * `finally`, passes the failure on: it is taken when that is.
 *
 * `await` and `Promise.all` take it a microtask later than they are called, so `taken` is to be asked in a later task.
 */
export class WritePromise<T> extends Promise<T> {
  #taken = false
  #source: WritePromise<any> | undefined

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  get taken(): boolean {
    return this.#taken
  }

  /** All ways of taking a promise's outcome end here, also the language's own. */
  // oxlint-disable-next-line unicorn/no-thenable
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null
  ): Promise<A | B> {
    if (typeof onRejected !== 'function') return this.#passOn(super.then(onFulfilled))
    this.#take()
    return super.then(onFulfilled, onRejected)
  }

  override finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#passOn(super.then().finally(onFinally))
  }

  #take(): void {
    this.#taken = true
    if (this.#source !== undefined) this.#source.#take()
  }

  #passOn<R>(next: Promise<R>): WritePromise<R> {
    const promise = writePromise(() => next)
    promise.#source = this
    return promise
  }
}

/**
 * Runs an async function. A failure that nobody takes never becomes an `unhandledRejection`, which would end the process,
 * and is still not taken. Never throws: what `work` throws rejects the promise.
 */
export const writePromise = <T>(work: () => Promise<T>): WritePromise<T> => {
  const promise = new WritePromise<T>((resolve) => resolve(work()))
  observe(promise, () => {}, () => {})
  return promise
}

/** For what only reads: a failure that nobody takes does not end the process, and is nobody's loss. */
export const handled = <T>(promise: Promise<T>): Promise<T> => {
  observe(promise, () => {}, () => {})
  return promise
}

/** Looks on without taking: `promise.taken` stays as it is, and a rejection counts as handled. */
export const observe = (
  promise: Promise<unknown>,
  onFulfilled: () => void,
  onRejected: (reason: unknown) => void
): void => {
  void Promise.prototype.then.call(promise, onFulfilled, onRejected)
}

/** A value, or the promise of one: what need not wait is there at once, and costs nobody a turn of the event loop. */
export type Awaitable<T> = T | Promise<T>

/** Goes on with the value, at once if it is there. */
export const andThen = <A, B>(value: Awaitable<A>, next: (value: A) => Awaitable<B>): Awaitable<B> =>
  value instanceof Promise ? value.then(next) : next(value)

/** Does the work; what it throws, or rejects with, goes to `recover`. */
export const orElse = <T>(work: () => Awaitable<T>, recover: (error: unknown) => Awaitable<T>): Awaitable<T> => {
  try {
    const value = work()
    return value instanceof Promise ? value.catch(recover) : value
  } catch (error) {
    return recover(error)
  }
}

/** Whatever `await` would wait for. */
export const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'

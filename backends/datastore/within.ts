/**
 * What comes of it until the deadline (of `performance.now()`), or the error of its being late. It runs on. Waiting for what is not `idle`
 * keeps the process alive.
 */
export const within = async <T>(work: Promise<T>, deadline: number, late: () => Error, idle?: 'idle'): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([work, new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), Math.max(0, deadline - performance.now()))
      if (idle) timer.unref()
    })])
  } finally {
    clearTimeout(timer)
  }
}

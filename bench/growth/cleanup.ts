import type { Teardown } from '../../test/support/app.js'

/** Whatever the work has begun is ended with it, the last first, also when it fails. */
export const cleaning = async <R>(work: (t: Teardown) => Promise<R>): Promise<R> => {
  const ends: (() => unknown)[] = []
  try {
    return await work({ teardown: (end) => ends.push(end) })
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

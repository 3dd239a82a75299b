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

const pending = new Set<() => void>()
process.once('exit', () => {
  for (const end of [...pending].toReversed()) end()
})

/** What is to be done also when the process is interrupted, the last first, without waiting for anything. The answer takes it back. */
export const atExit = (end: () => void): (() => void) => {
  pending.add(end)
  return () => void pending.delete(end)
}

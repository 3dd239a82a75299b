import { createRequire } from 'node:module'
import type * as ProperLockfile from 'proper-lockfile'

type Lockfile = Pick<typeof ProperLockfile, 'lock'>

let loaded: Lockfile | undefined

/**
 * proper-lockfile without its signal handlers, loaded at the first write.
 *
 * It imports signal-exit 3, which listens for some twenty signals and replaces `process.emit` and `process.reallyExit`, to
 * remove the locks of a process that ends. Here a lock of a dead process is seen to be one, and signals are the application's.
 * They are left alone when somebody else had loaded signal-exit before.
 */
export const properLockfile = (): Lockfile => (loaded ??= loadQuietly())

const loadQuietly = (): Lockfile => {
  const require = createRequire(import.meta.url)
  const listeners = process.listenerCount('SIGHUP')
  const lockfile = require('proper-lockfile') as Lockfile
  if (process.listenerCount('SIGHUP') > listeners) {
    const signalExit = createRequire(require.resolve('proper-lockfile'))('signal-exit') as { unload?: () => void }
    signalExit.unload?.()
  }
  return lockfile
}

import type { ExecutionContext } from 'ava'
import { modes, testIn } from './every-backend.js'
import type { Mode } from './every-backend.js'

const named = (...names: readonly string[]): Mode[] => modes.filter(({ name }) => names.includes(name))

/** One of each kind: this process, files, and the client. */
export const kinds: readonly Mode[] = named('memory', 'file', 'cookie, signed')

/** One for each type of backend, and the cache in front: for what the backend takes a part in. */
export const backends: readonly Mode[] = named('memory', 'file', 'redis', 'memcache', 'datastore', 'datastore behind memcache', 'cookie, signed', 'cookie, encrypted')

export const storedBackends: readonly Mode[] = backends.filter(({ isStored }) => isStored)

/** A test of what an ancestor did, once for each mode; one after the other, since a disk that all write to at once is slow. */
export const testEach = (title: string, which: readonly Mode[], run: (t: ExecutionContext, mode: Mode) => Promise<void>): void => {
  for (const mode of which) {
    const testIt = testIn(mode)
    testIt(`${mode.name}: ${title}`, (t) => run(t, mode))
  }
}

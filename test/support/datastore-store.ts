import { createHash } from 'node:crypto'
import { datastoreBackend } from '../../backends/datastore.js'
import type { DatastoreOptions } from '../../backends/datastore.js'
import type { DatastoreManager } from '../../backends/datastore/datastore-manager.js'
import type { BackendContext } from '../../src/namespace-manager.js'
import type { Teardown } from './app.js'

type Context = Partial<Omit<BackendContext, 'options'>> & { readonly options?: Partial<DatastoreOptions> }

/** A manager of its own, with a connection of its own, closed with the test. Deadlines are generous: a busy machine is not what is tested. */
export const openDatastore = (t: Teardown, context: Context): DatastoreManager => {
  const manager = datastoreBackend.open({
    namespace: 'test', now: Date.now, operationTimeout: 60, maxBytes: 262_144, sealer: undefined as never,
    ...context, options: { kind: 'PhialSession', ...context.options },
  }) as DatastoreManager
  t.teardown(() => manager.close())
  return manager
}

/** The same in a program of its own, for `runProgram`: `manager` is then there. */
export const opening = (url: string, operationTimeout: number, options = ''): string => `
  import { datastoreBackend } from 'ROOT/backends/datastore.js'
  const manager = datastoreBackend.open({
    namespace: 'child', now: Date.now, url: '${url}', maxBytes: 1e6, options: { kind: 'PhialSession', ${options} }, operationTimeout: ${operationTimeout},
  })
`

/** Two of them, as two processes would have. */
export const openTwo = (t: Teardown, context: Context): readonly [DatastoreManager, DatastoreManager] => [openDatastore(t, context), openDatastore(t, context)]

/** A key as the library makes it. */
export const keyOf = (label: string): string => createHash('sha256').update(label).digest('hex')

export const HOUR = 3_600_000

/** Milliseconds that it took to settle, and how. */
export const timed = async <T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value?: T; readonly error?: any }> => {
  const start = performance.now()
  try {
    return { value: await work(), ms: performance.now() - start }
  } catch (error) {
    return { error, ms: performance.now() - start }
  }
}

import { datastoreBackend } from '../../backends/datastore.js'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import type { ContractFixture } from '../contract/index.js'
import { freshNamespace } from './datastore-emulator.js'

/** Each `open` has a connection of its own, as another process would have it. */
export const datastoreFixture = (url: () => string): ContractFixture => ({
  supports: datastoreBackend.supports,
  patienceMs: 60_000,
  createStore() {
    const store = freshNamespace()
    const opened: NamespaceManager[] = []
    let clock = 1_800_000_000_000
    return {
      open(namespace = 'test') {
        const manager = datastoreBackend.open({
          namespace: `${store} ${namespace}`.replace(/ ([\w.-]+)$/, '-$1'), now: () => clock, url: url(),
          options: { kind: 'PhialSession' }, operationTimeout: 60, maxBytes: 262_144, sealer: undefined as never,
        }) as NamespaceManager
        opened.push(manager)
        return manager
      },
      now: () => clock,
      advance: (ms) => { clock += ms },
      async dispose() {
        for (const manager of opened) await manager.close()
      },
    }
  },
})

import test from 'ava'
import { datastoreBackend } from '../../backends/datastore.js'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import { contractCases } from '../contract/index.js'
import type { ContractFixture } from '../contract/index.js'
import { DatastoreEmulator, freshNamespace, missingEmulator, tellMissing } from '../support/datastore-emulator.js'

tellMissing('the contract of datastore is')

let emulator: DatastoreEmulator | undefined

test.before(async () => {
  if (missingEmulator === undefined) emulator = await DatastoreEmulator.start()
})

test.after.always(() => emulator?.kill())

/** Each `open` has a connection of its own, as another process would have it. */
const fixture: ContractFixture = {
  supports: datastoreBackend.supports,
  patienceMs: 60_000,
  createStore() {
    const store = freshNamespace()
    const opened: NamespaceManager[] = []
    let clock = 1_800_000_000_000
    return {
      open(namespace = 'test') {
        const manager = datastoreBackend.open({
          namespace: `${store} ${namespace}`.replace(/ ([\w.-]+)$/, '-$1'), now: () => clock, url: emulator!.url,
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
}

const testIt = missingEmulator === undefined ? test.serial : test.serial.skip // one at a time: all of them make hundreds of clients

for (const { name, run } of contractCases(fixture)) testIt(name, (t) => t.notThrowsAsync(run()))

import assert from 'node:assert/strict'
import type { Enumerable, Lockable, NamespaceManager, OwnerIndex, Purgeable } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor, type Need } from '../case-definition.js'
import { present, type Stage } from '../stage.js'

type Everything = NamespaceManager & Enumerable & Purgeable & Lockable & OwnerIndex
type Call = (manager: Everything, stage: Stage) => Promise<unknown>

const afterClose = (needs: readonly Need[], calls: Readonly<Record<string, Call>>): CaseDefinition[] =>
  casesFor(needs, Object.fromEntries(Object.entries(calls).map(([call, run]) => [
    `close: afterwards ${call} rejects with SessionClosedError, and does not throw`,
    async (stage: Stage): Promise<void> => {
      const manager = await stage.open<Everything>()
      present(await manager.create(stage.key(), 'value', stage.later()))
      await manager.close()
      // What throws at once, instead of rejecting, ends the case here.
      const outcome = run(manager, stage)
      await assert.rejects(stage.settled(outcome), { code: 'PHIAL_CLOSED' })
    },
  ])))

export const closingCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'close: may be called twice, and at once': async (stage) => {
      const manager = await stage.open()
      present(await manager.create(stage.key(), 'value', stage.later()))
      await Promise.all([manager.close(), manager.close()])
      await manager.close()
    },
    'close: of a manager that was never used': async (stage) => {
      const manager = await stage.open()
      await manager.close()
      await assert.rejects(manager.get(stage.key()), { code: 'PHIAL_CLOSED' })
    },
  }),
  ...afterClose([], {
    'get': (manager, stage) => manager.get(stage.key()),
    'get with a touch': (manager, stage) => manager.get(stage.key(), { expiresAt: stage.later(), ifBefore: stage.later() }),
    'create': (manager, stage) => manager.create(stage.key('other'), 'value', stage.later()),
    'replace': (manager, stage) => manager.replace(stage.key(), 'value', 'version', stage.later()),
    'touch': (manager, stage) => manager.touch(stage.key(), stage.later()),
    'delete': (manager, stage) => manager.delete(stage.key()),
    'delete with a version': (manager, stage) => manager.delete(stage.key(), 'version'),
  }),
  ...afterClose(['enumerable'], {
    'keys': (manager) => manager.keys()[Symbol.asyncIterator]().next(),
  }),
  ...afterClose(['purgeable'], { 'purgeExpired': (manager) => manager.purgeExpired() }),
  ...afterClose(['lockable'], { 'lock': (manager, stage) => manager.lock(stage.key(), 1_000, stage.now()) }),
  ...afterClose(['ownerIndex'], {
    'addOwned': (manager, stage) => manager.addOwned(stage.key('owner'), stage.key(), stage.later()),
    'removeOwned': (manager, stage) => manager.removeOwned(stage.key('owner'), stage.key()),
    'listOwned': (manager, stage) => manager.listOwned(stage.key('owner')),
  }),
  ...casesFor(['lockable'], {
    'close: a lock that is waited for is settled, and a lease may be released': async (stage) => {
      const manager = await stage.open<Lockable>()
      const lease = present(await manager.lock(stage.key(), 600_000, stage.now()))
      const waiting = manager.lock(stage.key(), 600_000, stage.now() + 600_000)
      const refused = waiting.then((given) => given === undefined, (error: { code?: unknown }) => error.code === 'PHIAL_CLOSED')
      await manager.close()
      assert.equal(await stage.settled(refused), true)
      await lease.release()
    },
  }),
  ...casesFor(['severalProcesses'], {
    'close: the other managers of the store go on': async (stage) => {
      const [one, other] = [await stage.open(), await stage.open()]
      const version = present(await one.create(stage.key(), 'one', stage.later()))
      await one.close()
      assert.equal(present(await other.get(stage.key())).value, 'one')
      assert.ok(await other.replace(stage.key(), 'two', version, stage.later()))
      assert.equal(await stage.readValue(stage.key()), 'two')
    },
  }),
]

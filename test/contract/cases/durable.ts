import assert from 'node:assert/strict'
import type { OwnerIndex } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present } from '../stage.js'

export const durableCases: readonly CaseDefinition[] = [
  ...casesFor(['durable', 'severalRecords'], {
    'durable: records outlive a restart of what keeps them, with version and expiry': async (stage) => {
      const manager = await stage.open()
      const [kept, brief, gone] = [stage.key('kept'), stage.key('brief'), stage.key('gone')]
      const made = present(await manager.create(kept, 'value', stage.later()))
      const version = present(await manager.replace(kept, 'newer', made, stage.later()))
      present(await manager.create(gone, 'value', stage.later()))
      await manager.delete(gone)
      await manager.close()
      await stage.store.restart?.()
      const record = present(await stage.read(kept))
      assert.deepEqual([record.value, record.version], ['newer', version])
      assert.equal(await stage.read(gone), undefined)
      const next = await stage.open()
      assert.ok(await next.replace(kept, 'newest', version, stage.later()))
      present(await next.create(brief, 'value', stage.soon()))
      await next.close()
      await stage.outlive()
      assert.equal(await stage.read(brief), undefined)
    },
  }),
  ...casesFor(['durable', 'ownerIndex'], {
    'durable: the owner index outlives a restart of what keeps it': async (stage) => {
      const owner = stage.key('owner')
      const manager = await stage.open<OwnerIndex>()
      await manager.addOwned(owner, stage.key(), stage.later())
      await manager.close()
      await stage.store.restart?.()
      assert.deepEqual(await (await stage.open<OwnerIndex>()).listOwned(owner), [stage.key()])
    },
  }),
]

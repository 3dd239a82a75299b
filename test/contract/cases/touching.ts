import assert from 'node:assert/strict'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present } from '../stage.js'

export const touchingCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'touch: true, and the expiry moves to a later time': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      assert.equal(await manager.touch(key, stage.later()), true)
      await stage.outlive()
      assert.equal(await stage.readValue(key), 'value')
    },
    'touch: true, and the expiry moves to an earlier time': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.later()))
      assert.equal(await manager.touch(key, stage.soon()), true)
      await stage.outlive()
      assert.equal(await stage.read(key), undefined)
    },
    'touch: of a record that an earlier request made': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      const next = await stage.open()
      assert.equal(await next.touch(key, stage.later()), true)
      await stage.outlive()
      assert.equal(await stage.readValue(key), 'value')
    },
    'touch: moves the expiry only, not the value nor the version': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'value', stage.later()))
      await manager.touch(key, stage.later() + 1_000)
      await manager.touch(key, stage.later() + 2_000)
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], ['value', version])
    },
    'touch: false when there is no record, and never creates': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      assert.equal(await manager.touch(key, stage.later()), false)
      assert.equal(await manager.get(key), undefined)
      assert.ok(await manager.create(key, 'value', stage.later()))
    },
    'touch: false when the record has expired, and it stays expired': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      await stage.outlive()
      assert.equal(await manager.touch(key, stage.later()), false)
      assert.equal(await stage.read(key), undefined)
    },
    'touch: false when the record was deleted, and it stays deleted': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.later()))
      await manager.delete(key)
      assert.equal(await manager.touch(key, stage.later()), false)
      assert.equal(await stage.read(key), undefined)
    },
  }),
  ...casesFor(['exactClock'], {
    'touch: true 1 ms before the end of the record, false at its end': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const end = stage.now() + 5_000
      present(await manager.create(key, 'value', end))
      await stage.advance(4_999)
      assert.equal(await manager.touch(key, end), true)
      await stage.advance(1)
      assert.equal(await manager.touch(key, stage.later()), false)
      assert.equal(await stage.read(key), undefined)
    },
  }),
]

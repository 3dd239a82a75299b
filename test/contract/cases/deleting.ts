import assert from 'node:assert/strict'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present } from '../stage.js'

export const deletingCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'delete: removes the record': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.later()))
      await manager.delete(key)
      assert.equal(await manager.get(key), undefined)
      assert.equal(await stage.read(key), undefined)
    },
    'delete: without a version, whatever the record holds': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'one', stage.later()))
      present(await manager.replace(key, 'two', version, stage.later()))
      await manager.touch(key, stage.later() + 1_000)
      await manager.delete(key)
      assert.equal(await stage.read(key), undefined)
    },
    'delete: of a record that an earlier request made': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.later()))
      const next = await stage.open()
      await next.delete(key)
      assert.equal(await stage.read(key), undefined)
    },
    'delete: removing what is not there is not an error': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      await manager.delete(key)
      present(await manager.create(key, 'value', stage.later()))
      await manager.delete(key)
      await manager.delete(key)
      present(await manager.create(key, 'value', stage.soon()))
      await stage.outlive()
      await manager.delete(key)
      assert.equal(await stage.read(key), undefined)
    },
    'delete with a version: true when it removed the record of that version': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const first = present(await manager.create(key, 'one', stage.later()))
      const second = present(await manager.replace(key, 'two', first, stage.later()))
      assert.equal(await manager.delete(key, second), true)
      assert.equal(await stage.read(key), undefined)
    },
    'delete with a version: false, changing nothing, when the record has another': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const first = present(await manager.create(key, 'one', stage.later()))
      const second = present(await manager.replace(key, 'two', first, stage.later()))
      for (const other of [first, '', 'nonsense']) assert.equal(await manager.delete(key, other), false, JSON.stringify(other))
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], ['two', second])
    },
    'delete with a version: false when there is no record, or no longer': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      assert.equal(await manager.delete(key, 'nonsense'), false)
      const version = present(await manager.create(key, 'value', stage.later()))
      assert.equal(await manager.delete(key, version), true)
      assert.equal(await manager.delete(key, version), false)
    },
    'delete with a version: a touch leaves the version as it was': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'value', stage.later()))
      await manager.touch(key, stage.later() + 1_000)
      assert.equal(await manager.delete(key, version), true)
      assert.equal(await stage.read(key), undefined)
    },
  }),
  ...casesFor(['severalRecords', 'revocable'], {
    'delete: a manager that read the record before cannot bring it back, by replace, by touch or by reading': async (stage) => {
      const key = stage.key()
      const [late, killer] = [await stage.open(), await stage.open()]
      present(await late.create(key, 'value', stage.later()))
      const { version } = present(await late.get(key))
      await killer.delete(key)
      assert.equal(await late.touch(key, stage.later()), false)
      assert.equal(await late.replace(key, 'again', version, stage.later()), undefined)
      assert.equal(await late.get(key, { expiresAt: stage.later(), ifBefore: stage.later() }), undefined)
      assert.equal(await stage.read(key), undefined)
    },
  }),
]

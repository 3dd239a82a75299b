import assert from 'node:assert/strict'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present } from '../stage.js'

export const creatingCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'create: the version of the new record': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = await manager.create(key, 'value', stage.later())
      assert.equal(typeof version, 'string')
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], ['value', version])
    },
    'create: undefined, changing nothing, when a live record is there': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'first', stage.soon()))
      assert.equal(await manager.create(key, 'second', stage.later()), undefined)
      const record = present(await manager.get(key))
      assert.deepEqual([record.value, record.version], ['first', version])
      await stage.outlive()
      assert.equal(await stage.read(key), undefined, 'nor the expiry')
    },
    'create: the next request finds the live record there, too': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'first', stage.later()))
      const next = await stage.open()
      assert.equal(await next.create(key, 'second', stage.later()), undefined)
      assert.equal(await stage.readValue(key), 'first')
    },
    'create: an expired record is no record: the new one takes its place, value, version, expiry and all': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const old = present(await manager.create(key, 'old', stage.soon()))
      await stage.outlive()
      const version = present(await manager.create(key, 'new', stage.later()))
      assert.notEqual(version, old)
      await stage.outlive()
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], ['new', version])
    },
    'create: a deleted record is no record': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'old', stage.later()))
      await manager.delete(key)
      assert.ok(await manager.create(key, 'new', stage.later()))
      assert.equal(await stage.readValue(key), 'new')
    },
  }),
  ...casesFor(['exactClock'], {
    'create: refused 1 ms before the end of the record that is there, not at its end': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'old', stage.now() + 5_000))
      await stage.advance(4_999)
      assert.equal(await manager.create(key, 'new', stage.later()), undefined)
      await stage.advance(1)
      assert.ok(await manager.create(key, 'new', stage.later()))
      assert.equal(await stage.readValue(key), 'new')
    },
  }),
]

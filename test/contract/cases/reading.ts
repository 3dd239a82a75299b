import assert from 'node:assert/strict'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present } from '../stage.js'

export const readingCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'get: a record that was never made is missing, which is an answer': async (stage) => {
      assert.equal(await stage.read(stage.key()), undefined)
    },
    'get: the live record, with the value and the version of the last write': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const made = present(await manager.create(key, 'first', stage.later()))
      const record = present(await manager.get(key))
      assert.equal(record.value, 'first')
      assert.equal(record.version, made)
      const written = present(await manager.replace(key, 'second', made, stage.later()))
      const next = present(await stage.read(key))
      assert.equal(next.value, 'second')
      assert.equal(next.version, written)
    },
    'get: reading changes neither the value nor the version': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'value', stage.later()))
      await manager.get(key)
      const again = present(await manager.get(key))
      assert.equal(again.value, 'value')
      assert.equal(again.version, version)
    },
    'get: without a touch the expiry stays, and nothing is said to be touched': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      assert.notEqual(present(await manager.get(key)).touched, true)
      await stage.outlive()
      assert.equal(await manager.get(key), undefined)
    },
    'get: the expiry, where it is told, is the one that was given': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const expiresAt = stage.later()
      present(await manager.create(key, 'value', expiresAt))
      const told = present(await manager.get(key)).expiresAt ?? expiresAt
      assert.ok(Math.abs(told - expiresAt) <= stage.tolerance, `told ${told - expiresAt} ms off`)
    },
    'get: the answer is the caller\'s own: changing it changes no record': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'value', stage.later()))
      const record = present(await manager.get(key))
      for (const field of ['value', 'version']) Reflect.set(record, field, 'changed by the caller')
      Reflect.set(record, 'expiresAt', stage.now() - 1)
      const again = present(await manager.get(key))
      assert.equal(again.value, 'value')
      assert.equal(again.version, version)
      assert.ok(await manager.replace(key, 'next', version, stage.later()))
    },
    'get with a touch: one that is due moves the expiry, and says so': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      const record = present(await manager.get(key, { expiresAt: stage.later(), ifBefore: stage.later() }))
      assert.equal(record.value, 'value')
      assert.equal(record.touched, true)
      await stage.outlive()
      assert.equal(await stage.readValue(key), 'value')
    },
    'get with a touch: the next request sees the record touched': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      const reader = await stage.open()
      assert.equal(present(await reader.get(key, { expiresAt: stage.later(), ifBefore: stage.later() })).touched, true)
      await stage.outlive()
      assert.equal(await stage.readValue(key), 'value')
    },
    'get with a touch: one that is not due leaves the expiry, and says so': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      const record = present(await manager.get(key, { expiresAt: stage.later(), ifBefore: stage.now() }))
      assert.notEqual(record.touched, true)
      await stage.outlive()
      assert.equal(await manager.get(key), undefined)
    },
    'get with a touch: the expiry, where it is told, is the one before the touch': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const before = stage.soon()
      present(await manager.create(key, 'value', before))
      const told = present(await manager.get(key, { expiresAt: stage.later(), ifBefore: stage.later() })).expiresAt ?? before
      assert.ok(Math.abs(told - before) <= stage.tolerance, `told ${told - before} ms off`)
    },
    'get with a touch: leaves the value and the version as they were': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'value', stage.soon()))
      assert.equal(present(await manager.get(key, { expiresAt: stage.later(), ifBefore: stage.later() })).version, version)
      const record = present(await manager.get(key))
      assert.equal(record.value, 'value')
      assert.equal(record.version, version)
      assert.ok(await manager.replace(key, 'next', version, stage.later()))
    },
    'get with a touch: never creates': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const touch = { expiresAt: stage.later(), ifBefore: stage.later() }
      assert.equal(await manager.get(key, touch), undefined)
      assert.equal(await manager.get(key), undefined)
      present(await manager.create(key, 'value', stage.later()))
      await manager.delete(key)
      assert.equal(await manager.get(key, touch), undefined)
      assert.equal(await stage.read(key), undefined)
    },
    'get with a touch: does not revive an expired record': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      present(await manager.create(key, 'value', stage.soon()))
      await stage.outlive()
      assert.equal(await manager.get(key, { expiresAt: stage.later(), ifBefore: stage.later() }), undefined)
      assert.equal(await stage.read(key), undefined)
    },
  }),
  ...casesFor(['exactClock'], {
    'get with a touch: due while the expiry is before ifBefore, not when it is ifBefore': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const end = stage.now() + 5_000
      present(await manager.create(key, 'value', end))
      assert.notEqual(present(await manager.get(key, { expiresAt: end + 5_000, ifBefore: end })).touched, true)
      assert.equal(present(await manager.get(key, { expiresAt: end + 1, ifBefore: end + 1 })).touched, true)
      await stage.advance(5_000)
      assert.ok(await manager.get(key), 'lives at its former end')
      await stage.advance(1)
      assert.equal(await manager.get(key), undefined, 'and ends where the touch that was due had put it')
    },
  }),
]

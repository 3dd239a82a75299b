import assert from 'node:assert/strict'
import type { Enumerable, Lockable, Manifest, OwnerIndex, Purgeable } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present, Stage } from '../stage.js'

type Abilities = Partial<Enumerable & Purgeable & Lockable & OwnerIndex>

/** The first case proves the fixture: without it the others could pass for the wrong reason. */
export const fixtureCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'fixture: a new store is empty, what one manager writes another reads, and the clock moves for both': async (stage) => {
      const key = stage.key()
      const first = await stage.open()
      assert.equal(await first.get(key), undefined, 'a new store is empty')
      assert.ok(await first.create(key, 'shared', stage.later()))

      await Stage.play(stage.fixture, async (other) => assert.equal(await other.read(key), undefined, 'two stores do not meet'))
      assert.equal(await stage.readValue(key), 'shared', 'a second manager reads what the first one wrote')

      const before = stage.now()
      await stage.outlive()
      assert.ok(stage.now() >= before + stage.life, 'the clock moves')
      assert.equal(await stage.readValue(key), 'shared', 'it moves by what it was told')

      const next = await stage.open()
      await next.delete(key)
      assert.ok(await next.create(key, 'brief', stage.soon()))
      await stage.outlive()
      assert.equal(await stage.read(key), undefined, 'the managers go by this clock')
    },
    'supports: the manifest of the fixture, true of the manager': async (stage) => {
      const manager = await stage.open<Abilities>()
      assert.deepEqual({ ...manager.supports }, { ...stage.supports })
      assert.ok(Number.isSafeInteger(manager.supports.maxValueBytes) && manager.supports.maxValueBytes > 0)
      const claims: Partial<Record<keyof Manifest, readonly (keyof Abilities)[]>> = {
        enumerable: ['keys'],
        purgeable: ['purgeExpired'],
        lockable: ['lock'],
        ownerIndex: ['addOwned', 'removeOwned', 'listOwned'],
      }
      for (const [claim, methods] of Object.entries(claims)) {
        if (manager.supports[claim as keyof Manifest] !== true) continue
        for (const method of methods) assert.equal(typeof manager[method], 'function', `${claim}: ${method}`)
      }
    },
  }),
  ...casesFor(['exactClock'], {
    'fixture: the clock stands where it was put, to the millisecond': async (stage) => {
      const key = stage.key()
      const start = stage.now()
      const manager = await stage.open()
      present(await manager.create(key, 'value', start + 1_000))
      await stage.advance(999)
      assert.equal(stage.now(), start + 999)
      assert.equal((await manager.get(key))?.value, 'value')
      await stage.advance(1)
      assert.equal(stage.now(), start + 1_000)
      assert.equal(await manager.get(key), undefined)
    },
  }),
]

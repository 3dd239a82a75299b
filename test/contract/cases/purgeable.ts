import assert from 'node:assert/strict'
import type { NamespaceManager, Purgeable } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present, range, type Stage } from '../stage.js'

/** A purge may leave what expired a little while ago to the next one. */
const WHILE = 600_000

const fill = async (manager: NamespaceManager, stage: Stage, labels: readonly string[], expiresAt: number): Promise<void> => {
  for (const label of labels) present(await manager.create(stage.key(label), label, expiresAt))
}

const outliveByFar = async (stage: Stage): Promise<void> => {
  await stage.outlive()
  if (stage.fixture.ownClock === undefined) await stage.advance(WHILE)
}

export const purgeableCases: readonly CaseDefinition[] = [
  ...casesFor(['purgeable'], {
    'purgeExpired: removes expired records only, and says how many': async (stage) => {
      const manager = await stage.open<Purgeable>()
      await fill(manager, stage, ['brief 1', 'brief 2', 'brief 3'], stage.soon())
      await fill(manager, stage, ['live 1', 'live 2'], stage.later())
      await outliveByFar(stage)
      assert.equal(await manager.purgeExpired(), 3)
      for (const label of ['live 1', 'live 2']) assert.equal(await stage.readValue(stage.key(label)), label)
    },
    'purgeExpired: 0 when nothing has expired, and when all that had is purged': async (stage) => {
      const manager = await stage.open<Purgeable>()
      assert.equal(await manager.purgeExpired(), 0)
      await fill(manager, stage, ['brief'], stage.soon())
      assert.equal(await manager.purgeExpired(), 0)
      await outliveByFar(stage)
      assert.equal(await manager.purgeExpired(), 1)
      assert.equal(await manager.purgeExpired(), 0)
    },
    'purgeExpired: leaves what was touched or replaced in time': async (stage) => {
      const manager = await stage.open<Purgeable>()
      await fill(manager, stage, ['touched', 'read', 'replaced'], stage.soon())
      await manager.touch(stage.key('touched'), stage.later())
      const touch = { expiresAt: stage.later(), ifBefore: stage.later() }
      const { version } = present(await manager.get(stage.key('replaced')))
      await manager.get(stage.key('read'), touch)
      present(await manager.replace(stage.key('replaced'), 'replaced', version, stage.later()))
      await outliveByFar(stage)
      assert.equal(await manager.purgeExpired(), 0)
      for (const label of ['touched', 'read', 'replaced']) assert.equal(await stage.readValue(stage.key(label)), label)
    },
    'purgeExpired: removes nothing of another namespace': async (stage) => {
      const [shop, forum] = [await stage.open<Purgeable>('shop'), await stage.open<Purgeable>('forum')]
      for (const manager of [shop, forum]) {
        await fill(manager, stage, ['brief'], stage.soon())
        await fill(manager, stage, ['live'], stage.later())
      }
      await outliveByFar(stage)
      assert.equal(await shop.purgeExpired(), 1)
      assert.equal(present(await forum.get(stage.key('live'))).value, 'live')
      assert.equal(await forum.purgeExpired(), 1)
    },
    'purgeExpired: never removes a record that is written anew meanwhile': async (stage) => {
      const manager = await stage.open<Purgeable>()
      const labels = range(20).map((index) => `${index}`)
      await fill(manager, stage, labels, stage.soon())
      await outliveByFar(stage)
      const [, ...versions] = await Promise.all([
        manager.purgeExpired(),
        ...labels.map((label) => manager.create(stage.key(label), 'new', stage.later())),
      ])
      assert.ok(versions.every((version) => version !== undefined))
      for (const label of labels) assert.equal(await stage.readValue(stage.key(label)), 'new')
    },
  }),
]

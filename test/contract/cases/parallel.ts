import assert from 'node:assert/strict'
import type { NamespaceManager } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { countWins, present, range, type Stage } from '../stage.js'

const CONTENDERS = 20
const ROUNDS = 10

/** As many managers, in turns two of them, as two processes would have. */
const contenders = async (stage: Stage, count = CONTENDERS): Promise<NamespaceManager[]> => {
  const [one, other] = [await stage.open(), await stage.open()]
  return range(count).map((index) => (index % 2 === 0 ? one : other))
}

const increment = async (manager: NamespaceManager, key: string, stage: Stage): Promise<void> => {
  for (const _ of range(1_000)) {
    const { value, version } = present(await manager.get(key))
    if ((await manager.replace(key, `${Number(value) + 1}`, version, stage.later())) !== undefined) return
  }
  assert.fail('never got its turn in 1,000 tries')
}

export const parallelCases: readonly CaseDefinition[] = [
  ...casesFor(['severalRecords', 'atomic'], {
    'create: of several at once one wins, and its record is the one that is there': async (stage) => {
      const key = stage.key()
      const managers = await contenders(stage)
      const versions = await Promise.all(managers.map((manager, index) => manager.create(key, `${index}`, stage.later())))
      assert.equal(countWins(versions), 1)
      const winner = versions.findIndex((version) => version !== undefined)
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], [`${winner}`, versions[winner]])
    },
    'create: of several at once on an expired record one wins': async (stage) => {
      const key = stage.key()
      const managers = await contenders(stage)
      present(await present(managers[0]).create(key, 'old', stage.soon()))
      await stage.outlive()
      const versions = await Promise.all(managers.map((manager, index) => manager.create(key, `${index}`, stage.later())))
      assert.equal(countWins(versions), 1)
      assert.equal(await stage.readValue(key), `${versions.findIndex((version) => version !== undefined)}`)
    },
    'replace: of several at once with one version one wins, and its value is the one that is there': async (stage) => {
      const key = stage.key()
      const managers = await contenders(stage)
      const seen = present(await present(managers[0]).create(key, 'start', stage.later()))
      const versions = await Promise.all(managers.map((manager, index) => manager.replace(key, `${index}`, seen, stage.later())))
      assert.equal(countWins(versions), 1)
      const winner = versions.findIndex((version) => version !== undefined)
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], [`${winner}`, versions[winner]])
    },
    'replace: 100 increments by ten writers at a time count 100': async (stage) => {
      const key = stage.key()
      const managers = await contenders(stage, 10)
      present(await present(managers[0]).create(key, '0', stage.later()))
      await Promise.all(managers.map(async (manager) => {
        for (const _ of range(10)) await increment(manager, key, stage)
      }))
      assert.equal(await stage.readValue(key), '100')
    },
    'delete with a version: of several at once one removed the record': async (stage) => {
      const key = stage.key()
      const managers = await contenders(stage)
      const version = present(await present(managers[0]).create(key, 'value', stage.later()))
      assert.equal(countWins(await Promise.all(managers.map((manager) => manager.delete(key, version)))), 1)
      assert.equal(await stage.read(key), undefined)
    },
    'delete with a version: at once with a replace, one of them wins and the other is told': async (stage) => {
      const managers = await contenders(stage, 2)
      for (const round of range(ROUNDS)) {
        const key = stage.key(`${round}`)
        const [one, other] = round % 2 === 0 ? managers : managers.toReversed()
        const version = present(await present(one).create(key, 'value', stage.later()))
        const [replaced, removed] = await Promise.all([
          present(one).replace(key, 'next', version, stage.later()),
          present(other).delete(key, version),
        ])
        assert.equal(countWins([replaced, removed]), 1)
        assert.equal(await stage.readValue(key), removed ? undefined : 'next')
      }
    },
    'touch: at once with replaces it undoes none of them': async (stage) => {
      const managers = await contenders(stage, 2)
      for (const round of range(ROUNDS)) {
        const key = stage.key(`${round}`)
        const [one, other] = [present(managers[0]), present(managers[1])]
        const version = present(await one.create(key, 'value', stage.soon()))
        const touch = { expiresAt: stage.later(), ifBefore: stage.later() }
        const [, replaced] = await Promise.all([
          other.touch(key, stage.later()),
          one.replace(key, 'next', version, stage.later()),
          other.get(key, touch),
          other.touch(key, stage.later()),
        ])
        const record = present(await stage.read(key))
        assert.deepEqual([record.value, record.version], ['next', replaced])
      }
    },
  }),
  ...casesFor(['severalRecords', 'atomic', 'revocable'], {
    'delete: at once with writes, touches and reads, the record stays deleted': async (stage) => {
      const [one, other] = await contenders(stage, 2)
      for (const round of range(ROUNDS)) {
        const key = stage.key(`${round}`)
        const version = present(await present(one).create(key, 'value', stage.later()))
        await Promise.all([
          present(one).replace(key, 'next', version, stage.later()),
          present(one).touch(key, stage.later()),
          present(other).delete(key),
          present(one).get(key, { expiresAt: stage.later() + 1_000, ifBefore: stage.later() + 1_000 }),
          present(one).touch(key, stage.later()),
        ])
        assert.equal(await stage.read(key), undefined)
      }
    },
  }),
]

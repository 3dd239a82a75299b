import assert from 'node:assert/strict'
import type { Enumerable, NamespaceManager } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present, range, type Stage } from '../stage.js'

/** More than a page or a slice of any server's listing is likely to hold. */
const MANY = 300

const keysOf = async (manager: Enumerable): Promise<string[]> => {
  const keys = new Set<string>()
  for await (const key of manager.keys()) keys.add(key)
  return [...keys].toSorted()
}

const fill = async (manager: NamespaceManager, stage: Stage, count: number, label: string): Promise<string[]> => {
  const keys = range(count).map((index) => stage.key(`${label} ${index}`))
  await Promise.all(keys.map((key) => manager.create(key, 'value', stage.later())))
  return keys.toSorted()
}

export const enumerableCases: readonly CaseDefinition[] = casesFor(['enumerable'], {
  'keys: none in an empty store': async (stage) => {
    assert.deepEqual(await keysOf(await stage.open<Enumerable>()), [])
  },
  [`keys: every live key, of ${MANY}`]: async (stage) => {
    const keys = await fill(await stage.open(), stage, MANY, 'many')
    assert.deepEqual(await keysOf(await stage.open<Enumerable>()), keys)
  },
  'keys: no expired one': async (stage) => {
    const manager = await stage.open<Enumerable>()
    const keys = await fill(manager, stage, 3, 'live')
    present(await manager.create(stage.key('brief'), 'value', stage.soon()))
    await stage.outlive()
    assert.deepEqual(await keysOf(manager), keys)
  },
  'keys: no deleted one': async (stage) => {
    const manager = await stage.open<Enumerable>()
    const [first = '', ...others] = await fill(manager, stage, 3, 'live')
    await manager.delete(first)
    assert.deepEqual(await keysOf(manager), others)
  },
  'keys: of no other namespace, whatever its name': async (stage) => {
    const names = ['shop', 'shop2', 'shop:eu', 'sh*', '*', 'sho?', 'sho[a-z]']
    const expected = new Map<string, string[]>()
    for (const name of names) expected.set(name, await fill(await stage.open(name), stage, 2, name))
    for (const name of names) assert.deepEqual(await keysOf(await stage.open<Enumerable>(name)), expected.get(name), name)
  },
  'keys: those that are there all the time appear, whatever is written meanwhile': async (stage) => {
    const manager = await stage.open<Enumerable>()
    const keys = await fill(manager, stage, 20, 'steady')
    const seen = new Set<string>()
    for await (const key of manager.keys()) {
      seen.add(key)
      // Not for ever: what is written meanwhile may appear, too.
      if (seen.size > 40) continue
      present(await manager.create(stage.key(`new ${seen.size}`), 'value', stage.later()))
      const { version } = present(await manager.get(keys[seen.size % 20] ?? ''))
      present(await manager.replace(keys[seen.size % 20] ?? '', 'changed', version, stage.later()))
    }
    assert.deepEqual(keys.filter((key) => !seen.has(key)), [])
  },
  'keys: a reader may stop early': async (stage) => {
    const manager = await stage.open<Enumerable>()
    const keys = await fill(manager, stage, 20, 'live')
    let count = 0
    for await (const key of manager.keys()) {
      assert.ok(keys.includes(key))
      if (++count === 3) break
    }
    assert.equal(count, 3)
    assert.deepEqual(await keysOf(manager), keys)
  },
})

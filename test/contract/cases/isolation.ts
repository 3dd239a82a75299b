import assert from 'node:assert/strict'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present, type Stage } from '../stage.js'

/** Names that a careless pattern, path or prefix takes for one another. */
const namespaces: Readonly<Record<string, readonly [string, string]>> = {
  'two names': ['shop', 'forum'],
  'a name that begins another': ['shop', 'shop2'],
  'a name that ends another': ['shop', 'workshop'],
  'a part in front of a colon': ['shop', 'shop:eu'],
  'upper and lower case': ['shop', 'Shop'],
  'a star': ['*', 'shop'],
  'a star behind': ['sh*', 'shop'],
  'a question mark': ['sho?', 'shop'],
  'a class of characters': ['sho[a-z]', 'shop'],
  'a backslash': ['sh\\op', 'shop'],
}

const neighbours = Object.entries(namespaces).map(([what, [one, other]]) => [
  `namespace: ${what}: neither sees, makes way for nor removes the other's record (${one}, ${other})`,
  async (stage: Stage): Promise<void> => {
    const key = stage.key()
    const [left, right] = [await stage.open(one), await stage.open(other)]
    const version = present(await left.create(key, 'left', stage.later()))
    assert.equal(await right.get(key), undefined)
    assert.equal(await right.touch(key, stage.soon()), false)
    assert.equal(await right.replace(key, 'taken', version, stage.later()), undefined)
    assert.equal(await right.delete(key, version), false)
    present(await right.create(key, 'right', stage.later()))
    assert.equal(present(await left.get(key)).value, 'left')
    await right.delete(key)
    assert.equal(present(await left.get(key)).value, 'left')
    assert.equal(await right.get(key), undefined)
  },
] as const)

export const isolationCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'key: the record of one is never given for another': async (stage) => {
      const manager = await stage.open()
      const version = present(await manager.create(stage.key('one'), 'one', stage.later()))
      const next = await stage.open()
      const other = stage.key('other')
      assert.equal(await next.get(other), undefined)
      assert.equal(await next.touch(other, stage.later()), false)
      assert.equal(await next.replace(other, 'taken', version, stage.later()), undefined)
      assert.equal(await next.delete(other, version), false)
      assert.equal(await stage.readValue(stage.key('one')), 'one')
    },
  }),
  ...casesFor(['severalRecords'], {
    'key: what is done to one record leaves the next as it is': async (stage) => {
      const manager = await stage.open()
      const [one, other] = [stage.key('one'), stage.key('other')]
      const version = present(await manager.create(one, 'one', stage.later()))
      const kept = present(await manager.create(other, 'other', stage.later()))
      present(await manager.replace(one, 'changed', version, stage.later()))
      await manager.touch(one, stage.soon())
      await stage.outlive()
      assert.equal(await manager.get(one), undefined)
      await manager.delete(one)
      const record = present(await stage.read(other))
      assert.deepEqual([record.value, record.version], ['other', kept])
    },
    'key: two that differ in the last digit only, or in the first': async (stage) => {
      const manager = await stage.open()
      const [start, end] = [stage.key().slice(0, -1), stage.key().slice(1)]
      const keys = [`${start}0`, `${start}1`, `0${end}`, `1${end}`]
      for (const key of keys) present(await manager.create(key, key, stage.later()))
      for (const key of keys) assert.equal(await stage.readValue(key), key)
    },
    ...Object.fromEntries(neighbours),
  }),
]

import assert from 'node:assert/strict'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present, range } from '../stage.js'

export const replacingCases: readonly CaseDefinition[] = [
  ...casesFor([], {
    'replace: with the version that is there, the new version': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const first = present(await manager.create(key, 'one', stage.later()))
      const second = present(await manager.replace(key, 'two', first, stage.later()))
      assert.equal(typeof second, 'string')
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], ['two', second])
    },
    'replace: with an older version, undefined, changing nothing': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const first = present(await manager.create(key, 'one', stage.later()))
      const second = present(await manager.replace(key, 'two', first, stage.soon()))
      assert.equal(await manager.replace(key, 'three', first, stage.later()), undefined)
      const record = present(await manager.get(key))
      assert.deepEqual([record.value, record.version], ['two', second])
      await stage.outlive()
      assert.equal(await stage.read(key), undefined, 'nor the expiry')
    },
    'replace: with a version that never was, undefined, changing nothing': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'one', stage.later()))
      for (const strange of ['', '0', 'nonsense', '*', `${version}0`, ` ${version}`, version.slice(0, -1)]) {
        assert.equal(await manager.replace(key, 'two', strange, stage.later()), undefined, JSON.stringify(strange))
      }
      const record = present(await stage.read(key))
      assert.deepEqual([record.value, record.version], ['one', version])
    },
    'replace: of what is not there, undefined, and nothing is made': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      for (const version of ['', '1', 'nonsense']) {
        assert.equal(await manager.replace(key, 'value', version, stage.later()), undefined)
      }
      assert.equal(await stage.read(key), undefined)
    },
    'replace: of an expired record, undefined, and it stays expired': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'one', stage.soon()))
      await stage.outlive()
      assert.equal(await manager.replace(key, 'two', version, stage.later()), undefined)
      assert.equal(await stage.read(key), undefined)
    },
    'replace: of a deleted record, undefined, and it stays deleted': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'one', stage.later()))
      await manager.delete(key)
      assert.equal(await manager.replace(key, 'two', version, stage.later()), undefined)
      assert.equal(await stage.read(key), undefined)
    },
    'replace: a touch leaves the version as it was': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'one', stage.later()))
      assert.equal(await manager.touch(key, stage.later() + 1_000), true)
      assert.ok(await manager.replace(key, 'two', version, stage.later()))
      assert.equal(await stage.readValue(key), 'two')
    },
    'replace: moves the expiry to a later time': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'one', stage.soon()))
      assert.ok(await manager.replace(key, 'two', version, stage.later()))
      await stage.outlive()
      assert.equal(await stage.readValue(key), 'two')
    },
    'replace: moves the expiry to an earlier time': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const version = present(await manager.create(key, 'one', stage.later()))
      assert.ok(await manager.replace(key, 'two', version, stage.soon()))
      await stage.outlive()
      assert.equal(await stage.read(key), undefined)
    },
    'replace: by the same value is a write like any other, with a version of its own': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const first = present(await manager.create(key, 'same', stage.later()))
      const second = present(await manager.replace(key, 'same', first, stage.later()))
      assert.notEqual(second, first)
      assert.equal(await manager.replace(key, 'same', first, stage.later()), undefined)
    },
    'replace: a shorter value leaves nothing of a longer one, nor a longer one anything out': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const long = 'long '.repeat(100)
      let version = present(await manager.create(key, long, stage.later()))
      for (const value of ['short', '', long]) {
        version = present(await manager.replace(key, value, version, stage.later()))
        assert.equal(present(await manager.get(key)).value, value)
      }
      assert.equal(await stage.readValue(key), long)
    },
    'version: no two writes share one': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const versions: string[] = []
      for (const round of range(5)) {
        versions.push(present(await manager.create(key, `${round}`, stage.later())))
        for (const write of range(4)) {
          versions.push(present(await manager.replace(key, `${write}`, versions.at(-1) ?? '', stage.later())))
        }
        await manager.delete(key)
      }
      assert.equal(new Set(versions).size, 25)
    },
    'version: a record that is deleted and made again has another one, and the former does not fit it': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const before = present(await manager.create(key, 'same', stage.later()))
      await manager.delete(key)
      const after = present(await manager.create(key, 'same', stage.later()))
      assert.notEqual(after, before)
      assert.equal(await manager.replace(key, 'late', before, stage.later()), undefined)
      assert.equal(await manager.delete(key, before), false)
      assert.equal(await stage.readValue(key), 'same')
    },
    'version: a record that expired and was made again has another one, and the former does not fit it': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const before = present(await manager.create(key, 'same', stage.soon()))
      await stage.outlive()
      const after = present(await manager.create(key, 'same', stage.later()))
      assert.notEqual(after, before)
      assert.equal(await manager.replace(key, 'late', before, stage.later()), undefined)
      assert.equal(await stage.readValue(key), 'same')
    },
  }),
  ...casesFor(['severalRecords'], {
    'version: no two writes share one, of different keys either': async (stage) => {
      const manager = await stage.open()
      const versions: string[] = []
      for (const label of range(10)) {
        const version = present(await manager.create(stage.key(`${label}`), 'value', stage.later()))
        versions.push(version, present(await manager.replace(stage.key(`${label}`), 'value', version, stage.later())))
      }
      assert.equal(new Set(versions).size, 20)
    },
    'replace: a version that another manager made out of date is refused': async (stage) => {
      const key = stage.key()
      const [slow, fast] = [await stage.open(), await stage.open()]
      const seen = present(await slow.create(key, 'one', stage.later()))
      const newer = present(await fast.replace(key, 'two', seen, stage.later()))
      assert.equal(await slow.replace(key, 'late', seen, stage.later()), undefined)
      assert.ok(await slow.replace(key, 'three', newer, stage.later()))
      assert.equal(present(await fast.get(key)).value, 'three')
    },
  }),
  ...casesFor(['exactClock'], {
    'replace: taken 1 ms before the end of the record, refused at its end': async (stage) => {
      const key = stage.key()
      const manager = await stage.open()
      const end = stage.now() + 5_000
      const version = present(await manager.create(key, 'one', end))
      await stage.advance(4_999)
      const next = present(await manager.replace(key, 'two', version, end))
      await stage.advance(1)
      assert.equal(await manager.replace(key, 'three', next, stage.later()), undefined)
      assert.equal(await stage.read(key), undefined)
    },
  }),
]

import test from 'ava'
import * as testing from 'phial/testing'
import { memoryBackend } from '../../backends/memory.js'
import type { Manifest } from '../../src/namespace-manager.js'
import { memoryFixture, sharedSupports } from '../support/memory-fixture.js'

const namesFor = (changes: Partial<Manifest>): string[] =>
  testing.contractCases({ ...memoryFixture, supports: { ...memoryBackend.supports, ...changes } }).map(({ name }) => name)

test('phial/testing gives the suite and the kit, and nothing else at run time', (t) => {
  t.deepEqual(Object.keys(testing).toSorted(), ['FaultyStore', 'contractCases', 'makeSession', 'memoryManager', 'testClock'])
})

test('the first case proves the fixture, whatever the manifest says', (t) => {
  const none = { atomic: false, revocable: false, enumerable: false, purgeable: false, lockable: false, ownerIndex: false }
  for (const names of [namesFor({}), namesFor(sharedSupports), namesFor({ ...none, scope: 'request' })]) {
    t.regex(names[0] ?? '', /^fixture: /u)
    t.true(names.length >= 60, `${names.length}`)
  }
})

const abilities: readonly (readonly [keyof Manifest, RegExp])[] = [
  ['enumerable', /^keys: |afterwards keys /u],
  ['purgeable', /^purgeExpired: |afterwards purgeExpired /u],
  ['lockable', /^lock: |^release: |afterwards lock |a lock that is waited for/u],
  ['ownerIndex', /^owners: |Owned: |afterwards \w+Owned |index of the owners|owners' entries/u],
  ['atomic', /(?<!close.*)at once|of several|100 increments/u],
]

for (const [ability, about] of abilities) {
  test(`cases about ${ability} are chosen by the manifest`, (t) => {
    const [all, without] = [namesFor({}), namesFor({ [ability]: false })]
    const chosen = all.filter((name) => !without.includes(name))
    t.true(chosen.length > 0)
    t.deepEqual(chosen.filter((name) => !about.test(name)), [])
    t.deepEqual(without.filter((name) => about.test(name) && !/leased at once/u.test(name)), [])
  })
}

test('cases about restarts are for durable backends, about other processes for shared ones', (t) => {
  t.deepEqual(namesFor({}).filter((name) => /^durable|the other managers/u.test(name)), [])
  t.is(namesFor(sharedSupports).filter((name) => /^durable|the other managers/u.test(name)).length, 3)
})

test('a case that fails rejects, and its store is disposed of all the same', async (t) => {
  let disposed = 0
  const [first] = testing.contractCases({
    ...memoryFixture,
    createStore: async () => ({
      ...(await memoryFixture.createStore()),
      open: () => {
        throw new Error('no server')
      },
      dispose: () => {
        disposed += 1
      },
    }),
  })
  await t.throwsAsync(async () => first?.run(), { message: 'no server' })
  t.is(disposed, 1)
})

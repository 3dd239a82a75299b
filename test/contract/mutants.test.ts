import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { mutantFixture } from '../support/mutants/mutant-fixture.js'
import type { Mutant } from '../support/mutants/mutant.js'
import { mutants } from '../support/mutants/mutants.js'
import { contractCases } from './index.js'

/** The names of the cases that fail, or hang. */
const failures = async (mutant?: Mutant): Promise<string[]> => {
  const names = await Promise.all(
    contractCases(mutantFixture(mutant)).map(async ({ name, run }) => {
      const done = new AbortController()
      const outcome = run().then(() => undefined, () => name)
      const failed = await Promise.race([outcome, sleep(10_000, name, done)])
      done.abort()
      return failed
    }),
  )
  return names.filter((name) => name !== undefined)
}

// Cases wait for leases to end. A few mutants at a time fill that time, and all at once would make it longer.
const lanes: Promise<unknown>[] = Array.from({ length: 8 }, () => Promise.resolve())
const outcomes = mutants.map((mutant, index) => {
  const lane = index % lanes.length
  const outcome = Promise.resolve(lanes[lane]).then(() => failures(mutant))
  lanes[lane] = outcome
  return outcome
})

test('the suite passes what the mutants are made of', async (t) => {
  t.deepEqual(await failures(), [])
})

mutants.forEach(({ fault, caughtBy }, index) => {
  test(`the suite finds: ${fault} (${caughtBy})`, async (t) => {
    const failed = (await outcomes[index]) ?? []
    t.true(failed.some((name) => name.startsWith(caughtBy)), `failed: ${failed.join(' | ') || 'nothing'}`)
  })
})

test('every case of the suite fails for some mutant', async (t) => {
  const names = contractCases(mutantFixture()).map(({ name }) => name)
  t.is(new Set(names).size, names.length, 'no two cases share a name')
  const failed = new Set((await Promise.all(outcomes)).flat())
  t.deepEqual(names.filter((name) => !failed.has(name)), [])
})

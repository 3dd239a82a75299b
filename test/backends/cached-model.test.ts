import test from 'ava'
import { CachedWorld } from '../support/cached-world.js'
import { countOf, random } from '../security/support.js'

const SCHEDULES = countOf('PHIAL_INTERLEAVINGS', 3_000)
const SEED = countOf('PHIAL_SEED', 20_260_101)

/**
 * Never read: what an acknowledged write replaced or removed, when the cache could be told or by the process that wrote it; anything that the
 * store has not held for longer than the cache's time to live; what has expired. Never lost: a write that was acknowledged.
 */
test(`L11: whatever the order of calls, outages and evictions, nothing is read that should not be: ${SCHEDULES} schedules`, async (t) => {
  const totals: Record<string, number> = {}
  for (let schedule = 0; schedule < SCHEDULES; schedule++) {
    const world = new CachedWorld(random(SEED + schedule))
    await world.play(200)
    if (world.faults.length > 0) return t.fail(`seed ${SEED + schedule}: ${world.faults.join('; ')}`)
    for (const [name, count] of Object.entries(world.counts)) totals[name] = (totals[name] ?? 0) + count
  }
  t.log(JSON.stringify(totals))
  for (const name of ['read', 'copied', 'written', 'refused', 'untold', 'failed']) t.true(totals[name]! > SCHEDULES / 10, `${name}: ${totals[name]}`)
})

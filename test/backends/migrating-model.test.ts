import test from 'ava'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import { countOf, random } from '../security/support.js'
import { openMemory } from '../support/memory-fixture.js'
import { openMigrating } from '../support/migrating-fixture.js'
import { SteppedCalls } from '../support/stepped-calls.js'

const SCHEDULES = countOf('PHIAL_INTERLEAVINGS', 2_000)
const SEED = countOf('PHIAL_SEED', 20_260_201)
const KEY = 'k'.repeat(64)
const NOW = 1_800_000_000_000
const LATER = NOW + 3_600_000

/** A schedule of two processes of each step: four that share two stores. What went wrong, if anything did. */
const play = async (seed: number): Promise<string | undefined> => {
  const chance = random(seed)
  const pick = (count: number): number => Math.floor(chance() * count)
  const now = (): number => NOW
  const stores = [openMemory({}, now), openMemory({}, now)] as const
  const calls = new SteppedCalls()
  const steps = (['from', 'to', 'from', 'to'] as const).map((createIn) =>
    openMigrating([calls.connection(stores[0]), calls.connection(stores[1])], createIn, now))

  const made = new Set<string>()
  const replaced = new Set<string>()
  const over = new Set<string>()
  const faults: string[] = []
  const seen = ['', '', '', '']

  const read = async (by: number, manager: NamespaceManager): Promise<void> => {
    const dead = new Set(over)
    const record = await manager.get(KEY)
    seen[by] = record !== undefined && made.has(record.version) ? record.version : '' // before its maker is answered nobody has its id
    if (record !== undefined && dead.has(record.version)) faults.push(`read ${record.version}, which was replaced or ended`)
  }
  const create = async (by: number, manager: NamespaceManager): Promise<void> => {
    const version = await manager.create(KEY, `made by ${by}`, LATER)
    if (version !== undefined) made.add(version)
  }
  const replace = async (by: number, manager: NamespaceManager): Promise<void> => {
    const base = seen[by]!
    const version = await manager.replace(KEY, `replaced by ${by}`, base, LATER)
    if (version === undefined) return
    if (replaced.has(base)) faults.push(`${base} was replaced or removed twice`)
    replaced.add(base)
    over.add(base)
    made.add(version)
  }
  const remove = async (by: number, manager: NamespaceManager): Promise<void> => {
    const version = seen[by]!
    const known = [...made]
    if (chance() < 0.5) {
      await manager.delete(KEY)
      for (const one of known) over.add(one)
    } else if (await manager.delete(KEY, version)) {
      if (replaced.has(version)) faults.push(`${version} was replaced or removed twice`)
      replaced.add(version)
      over.add(version)
    }
  }

  let running = 0
  for (let step = 0; step < 150 || calls.size > 0; step++) {
    if (step < 150 && running < 5 && chance() < 0.4) {
      const by = pick(4)
      const work = [read, read, create, create, replace, replace, remove][pick(7)]!
      running += 1
      void work(by, steps[by]!).catch((error: unknown) => faults.push(String(error))).finally(() => { running -= 1 })
    } else if (calls.size > 0) {
      calls.forward(pick(calls.size))
    }
    await new Promise(setImmediate)
  }

  const held = (await Promise.all(stores.map((store) => store.get(KEY)))).filter((record) => record !== undefined)
  if (held.length > 1) faults.push('two records of one key')
  const last = await openMigrating(stores, 'to', now).get(KEY)
  if (last !== undefined && over.has(last.version)) faults.push(`${last.version} is there, and was replaced or ended`)
  for (const store of stores) await store.close()
  return faults.length > 0 ? faults.join('; ') : undefined
}

test(`G05: processes of both steps keep one record of a key, lose no write and revive nothing: ${SCHEDULES} schedules`, async (t) => {
  for (let seed = SEED; seed < SEED + SCHEDULES; seed++) t.is(await play(seed), undefined, `seed ${seed}`)
})

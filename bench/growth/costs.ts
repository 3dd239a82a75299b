import { cleaning } from './cleanup.js'
import type { Footprint } from './ground.js'
import { lookAtMachine } from './machine.js'
import type { Machine } from './machine.js'
import type { GrowthOptions } from './options.js'
import { spreadOf } from './rounds.js'
import type { Call, StoreName } from './scene.js'
import { isStaged, stage } from './stage.js'
import type { Staged, Tell } from './stage.js'

/** What sessions cost, for reckoning what many of them need. */
export interface Costs {
  readonly machine: Machine
  readonly stores: Readonly<Partial<Record<CostedStore, StoreCosts>>>
}

export type CostedStore = Exclude<StoreName, 'cookie'>

export interface StoreCosts {
  /** What sessions of growing records take where they are kept. */
  readonly footprints: readonly ({ readonly record: number } & Footprint)[]
  /** What an owner takes besides, for a session of 1,000 bytes whose owner has no other; where owners have an index. */
  readonly owner: Footprint
  readonly read: OperationCosts
  /** With the reading that comes before. */
  readonly save: OperationCosts
}

/** For one operation on a session of 1,000 bytes, each by itself: when many come at once, they cost a server less. */
export interface OperationCosts {
  /** Of the process that serves, in microseconds. */
  readonly cpuUs: number
  readonly serverCpuUs?: number
  /** To the server, and from it. */
  readonly bytesIn?: number
  readonly bytesOut?: number
}

const STORES: readonly CostedStore[] = ['memory', 'file', 'redis', 'memcache']
const SIZES = [100, 300, 1_000, 3_000, 10_000, 30_000]

export const measureCosts = async ({ isShort, few, rounds, roundMs }: GrowthOptions, tell: Tell): Promise<Costs> => {
  const machine = lookAtMachine()
  const stores: Partial<Record<CostedStore, StoreCosts>> = {}
  const countOf = (size: number): number => (isShort ? few : Math.min(10_000, Math.floor(100_000_000 / size)))
  for (const store of STORES) {
    const footprints = []
    for (const size of isShort ? [1_000] : SIZES) footprints.push(await footprintOf(store, size, countOf(size), tell, false))
    const owned = await footprintOf(store, 1_000, countOf(1_000), tell, true)
    const owner = owned && difference(owned, footprints[isShort ? 0 : SIZES.indexOf(1_000)]!)
    const spent = await cleaning(async (t) => {
      const staged = await stage(t, { store, count: few, size: 1_000, inFlight: 1 }, tell)
      return isStaged(staged) ? { read: await costsOf(staged, 'read', rounds, roundMs), save: await costsOf(staged, 'read and save', rounds, roundMs) } : undefined
    })
    if (owner && spent) stores[store] = { footprints: footprints.filter((one) => one !== undefined), owner, ...spent }
  }
  return { machine: machine(), stores }
}

const footprintOf = (store: CostedStore, size: number, count: number, tell: Tell, owned: boolean): Promise<({ record: number } & Footprint) | undefined> =>
  cleaning(async (t) => {
    const staged = await stage(t, { store, count, size, owned }, tell)
    if (!isStaged(staged)) return undefined
    const { ground, memory: { record, heap, external } } = staged
    const own = ground.footprint === undefined ? { bytes: heap + external } : await ground.footprint(count)
    return { record, ...own }
  })

const difference = (a: Footprint, b: Footprint): Footprint => ({
  bytes: a.bytes - b.bytes,
  ...(a.diskBytes !== undefined && { diskBytes: a.diskBytes - b.diskBytes!, inodes: a.inodes! - b.inodes! }),
})

const costsOf = async ({ scene, ground }: Staged, operation: Call, rounds: number, ms: number): Promise<OperationCosts> => {
  await scene.ask('round', operation, 2 * ms)
  const all: OperationCosts[] = []
  for (let round = 0; round < rounds; round++) {
    const before = await ground.spent?.()
    const { cpuUs, operations } = await scene.ask('round', operation, ms)
    const after = await ground.spent?.()
    const each = (name: 'cpuUs' | 'bytesIn' | 'bytesOut'): number => (after![name] - before![name]) / operations
    all.push({ cpuUs, ...(before && { serverCpuUs: each('cpuUs'), bytesIn: each('bytesIn'), bytesOut: each('bytesOut') }) })
  }
  const names = Object.keys(all[0]!) as (keyof OperationCosts)[]
  return Object.fromEntries(names.map((name) => [name, spreadOf(all.map((one) => one[name]!)).median])) as unknown as OperationCosts
}

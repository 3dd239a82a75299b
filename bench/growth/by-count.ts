import { cleaning } from './cleanup.js'
import type { Footprint } from './ground.js'
import type { GrowthOptions } from './options.js'
import { interleaved } from './rounds.js'
import type { CostSpread } from './rounds.js'
import { OPERATIONS } from './scene.js'
import type { MemoryPerSession, Operation, Pause, StoreName } from './scene.js'
import { isStaged, stage } from './stage.js'
import type { Tell } from './stage.js'

export interface CountRow {
  readonly store: StoreName
  readonly count: number
  /** Why it was not measured. */
  readonly missing?: string
  readonly costs?: Readonly<Record<Operation, CostSpread>>
  readonly memory?: MemoryPerSession
  readonly footprint?: Footprint | undefined
  readonly pauses?: { readonly reading: Pause; readonly purging: Pause }
  readonly seededMs?: number
}

export const SIZE = 1_000

/** Of the sessions, those that end: removing a file under its lock takes longer than all else. */
const EXPIRING: Partial<Record<StoreName, number>> = { memory: 0.5, file: 0.02, redis: 0.1 }

/** A store with ever more sessions. All sizes of it are there at once, each in a process, and take turns. */
export const byCount = (store: StoreName, { counts, rounds, roundMs, pauseMs }: GrowthOptions, tell: Tell): Promise<CountRow[]> =>
  cleaning(async (t) => {
    const wanted = []
    for (const count of counts) wanted.push(await stage(t, { store, count, size: SIZE, expiring: Math.ceil(count * EXPIRING[store]!) }, tell))
    const staged = wanted.filter(isStaged)
    const footprints = []
    for (const { ground, scene } of staged) footprints.push(await ground.footprint?.(scene.spec.count))
    const costs = new Map<Operation, CostSpread[]>()
    for (const operation of OPERATIONS) {
      tell(`${store}: ${operation}`)
      costs.set(operation, await interleaved(staged.map(({ scene }) => scene), operation, rounds, roundMs))
    }
    const measured: CountRow[] = []
    for (const [index, { scene, memory, seededMs }] of staged.entries()) {
      const { count } = scene.spec
      tell(`${store}, ${count.toLocaleString('en')} sessions: pauses`)
      const pauses = { reading: await scene.ask('pause', 'reading', pauseMs), purging: await scene.ask('pause', 'purging', pauseMs) }
      const own = Object.fromEntries(OPERATIONS.map((operation) => [operation, costs.get(operation)![index]!])) as Record<Operation, CostSpread>
      measured.push({ store, count, costs: own, memory, footprint: footprints[index], pauses, seededMs })
    }
    tell(`${store}: removing`)
    return wanted.map((one, index) => (isStaged(one) ? measured[staged.indexOf(one)]! : { store, count: counts[index]!, missing: one }))
  })

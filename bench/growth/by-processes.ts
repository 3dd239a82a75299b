import { cleaning } from './cleanup.js'
import { prepareGround } from './ground.js'
import type { GrowthOptions } from './options.js'
import { spreadOf } from './rounds.js'
import type { Spread } from './rounds.js'
import type { Call } from './scene.js'
import { isStaged, stage } from './stage.js'
import type { Staged, Tell } from './stage.js'

export interface ProcessRow {
  readonly operation: Call
  readonly processes: number
  /** Of all processes together. */
  readonly perSecond: Spread
  /** For one operation, in microseconds. */
  readonly processCpuUs: Spread
  readonly redisCpuUs: Spread
}

/** Several server processes on one redis, all at once. Numbers of processes take turns. */
export const byProcesses = ({ processes, few, rounds, roundMs }: GrowthOptions, tell: Tell): Promise<ProcessRow[]> =>
  cleaning(async (t) => {
    const ground = await prepareGround(t, 'redis', few, 1_000)
    if (typeof ground === 'string') return []
    const staged: Staged[] = []
    for (let process = 0; process < Math.max(...processes); process++) {
      const one = await stage(t, { store: 'redis', count: few, size: 1_000 }, tell, ground)
      if (isStaged(one)) staged.push(one)
    }
    const rows: ProcessRow[] = []
    for (const operation of ['read', 'read and save'] as const) {
      tell(`redis, ${processes.join(', ')} processes: ${operation}`)
      await Promise.all(staged.map(({ scene }) => scene.ask('round', operation, roundMs)))
      const all = processes.map((): Round[] => [])
      for (let round = 0; round < rounds; round++) {
        for (const [index, many] of processes.entries()) all[index]!.push(await together(staged.slice(0, many), operation, 2 * roundMs))
      }
      rows.push(...processes.map((many, index) => {
        const of = (name: keyof Round): Spread => spreadOf(all[index]!.map((round) => round[name]))
        return { operation, processes: many, perSecond: of('perSecond'), processCpuUs: of('processCpuUs'), redisCpuUs: of('redisCpuUs') }
      }))
    }
    return rows
  })

type Round = Record<'perSecond' | 'processCpuUs' | 'redisCpuUs', number>

const together = async (staged: readonly Staged[], operation: Call, ms: number): Promise<Round> => {
  const spent = staged[0]!.ground.spent!
  const before = await spent()
  const costs = await Promise.all(staged.map(({ scene }) => scene.ask('round', operation, ms)))
  const after = await spent()
  const operations = costs.reduce((sum, cost) => sum + cost.operations, 0)
  return {
    perSecond: costs.reduce((sum, cost) => sum + 1e6 / cost.us, 0),
    processCpuUs: costs.reduce((sum, cost) => sum + cost.cpuUs * cost.operations, 0) / operations,
    redisCpuUs: (after.cpuUs - before.cpuUs) / operations,
  }
}

import type { Cost, Operation } from './scene.js'
import type { Scene } from './scenes.js'

/** The median of some measurements and, as their spread, their quartiles. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export interface CostSpread {
  readonly us: Spread
  readonly cpuUs: Spread
  /** Of each round: to the first scene's in the same round. */
  readonly ratio: Spread
  /** The same, of the CPU's time. */
  readonly cpuRatio: Spread
}

/**
 * Measures scenes in turns, in an order that changes, one at a time: what disturbs the machine for a while disturbs all of them, and
 * the ratio within a round stays. In the order of the scenes.
 */
export const interleaved = async (scenes: readonly Scene[], operation: Operation, rounds: number, ms: number): Promise<CostSpread[]> => {
  const costs: Cost[][] = scenes.map(() => [])
  for (const scene of scenes) await scene.round(operation, 2 * ms) // until it runs as it will
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < scenes.length; turn++) {
      const index = (turn + round) % scenes.length
      costs[index]!.push(await scenes[index]!.round(operation, ms))
    }
  }
  return costs.map((own) => ({
    us: spreadOf(own.map((cost) => cost.us)),
    cpuUs: spreadOf(own.map((cost) => cost.cpuUs)),
    ratio: spreadOf(own.map((cost, round) => cost.us / costs[0]![round]!.us)),
    cpuRatio: spreadOf(own.map((cost, round) => cost.cpuUs / costs[0]![round]!.cpuUs)),
  }))
}

export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: at(sorted, 0.5), low: at(sorted, 0.25), high: at(sorted, 0.75) }
}

const at = (sorted: readonly number[], share: number): number => {
  const place = share * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return below + (above - below) * (place % 1)
}

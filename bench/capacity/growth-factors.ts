import type { CountRow } from '../growth/by-count.js'
import type { GrowthRow } from '../growth/by-size.js'
import type { CostedStore } from '../growth/costs.js'
import { measuredAt } from './figures.js'
import type { CapacityInput } from './input.js'

/** Of the growth tables, what CPU an operation takes when there are more sessions, or larger ones. */
export interface Growth {
  readonly count?: readonly Pick<CountRow, 'store' | 'count' | 'costs'>[]
  readonly size?: readonly GrowthRow[]
}

/** How many times the CPU time that was measured with a thousand sessions of 1,000 bytes; never less than once. */
export interface Factor {
  readonly byCount: number
  readonly bySize: number
}

/** The sessions' size that all other costs were measured with. */
const COSTED_SIZE = 1_000

export const factorOf = (store: CostedStore, call: 'read' | 'save', { sessions, size }: CapacityInput, growth: Growth): Factor => {
  // memcached's were not measured: redis's process does alike.
  const like = store === 'memcache' ? 'redis' : store
  return { byCount: atLeastOnce(byCount(like, call, sessions, growth)), bySize: atLeastOnce(bySize(like, call, size, growth)) }
}

const atLeastOnce = (factor: number): number => Math.max(1, factor)

/** By the logarithm, as caches miss more with each tenfold; beyond the most that was measured it stays, for more than that nobody knows. */
const byCount = (store: string, call: 'read' | 'save', sessions: number, { count = [] }: Growth): number => {
  const points = count.filter((row) => row.store === store && row.costs !== undefined).map(({ count: many, costs }) =>
    ({ record: Math.log10(many), value: costs![call === 'read' ? 'read' : 'read and save'].cpuRatio.median }))
  const most = Math.max(...points.map(({ record }) => record))
  return points.length === 0 ? 1 : measuredAt(points, Math.min(most, Math.log10(sessions)))
}

const bySize = (store: string, call: 'read' | 'save', size: number, { size: rows = [] }: Growth): number => {
  const points = rows.filter((row) => row.store === store).map((row) => ({ record: row.of, value: row[call].cpuUs.median }))
  return points.length === 0 ? 1 : measuredAt(points, size) / measuredAt(points, COSTED_SIZE)
}

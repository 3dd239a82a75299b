import { cleaning } from './cleanup.js'
import type { GrowthOptions } from './options.js'
import { interleaved } from './rounds.js'
import type { CostSpread } from './rounds.js'
import type { StoreName } from './scene.js'
import { isStaged, stage } from './stage.js'
import type { Tell } from './stage.js'

export interface GrowthRow {
  readonly store: StoreName
  /** What grows. */
  readonly of: number
  readonly read: CostSpread
  readonly save: CostSpread
}

/** Of the data that a cookie takes, beside what phial puts to it. */
const MOST_IN_COOKIE = 2_500

/** Bytes of all sessions of a scene, at most. */
const MOST = 20_000_000

/** Sessions of ever more data. */
export const bySize = ({ stores, sizes, few, rounds, roundMs }: GrowthOptions, tell: Tell): Promise<GrowthRow[]> =>
  inTurn<StoreName>([...stores, 'cookie'], async (store) => {
    const own = store === 'cookie' ? [...sizes.filter((size) => size < MOST_IN_COOKIE), MOST_IN_COOKIE] : sizes
    const wanted = own.map((size) => ({ store, size, count: Math.max(10, Math.min(few, Math.floor(MOST / size))) }))
    return grown(wanted, ({ size }) => size, rounds, roundMs, tell)
  })

/** Requests with ever more cookies, of which one is the session's. */
export const byCookies = ({ cookies, few, rounds, roundMs }: GrowthOptions, tell: Tell): Promise<GrowthRow[]> =>
  grown(cookies.map((many) => ({ store: 'memory', size: 1_000, count: few, cookies: many })), (wanted) => wanted.cookies!, rounds, roundMs, tell)

type Wanted = Parameters<typeof stage>[1]

const grown = (all: readonly Wanted[], of: (wanted: Wanted) => number, rounds: number, roundMs: number, tell: Tell): Promise<GrowthRow[]> =>
  cleaning(async (t) => {
    const staged = []
    for (const wanted of all) staged.push(await stage(t, wanted, tell))
    const there = staged.filter(isStaged)
    const scenes = there.map(({ scene }) => scene)
    const read = await interleaved(scenes, 'read', rounds, roundMs)
    const save = await interleaved(scenes, 'read and save', rounds, roundMs)
    return there.map(({ scene: { spec } }, index) => ({ store: spec.store, of: of(spec), read: read[index]!, save: save[index]! }))
  })

const inTurn = async <T>(all: readonly T[], work: (one: T) => Promise<GrowthRow[]>): Promise<GrowthRow[]> => {
  const rows: GrowthRow[] = []
  for (const one of all) rows.push(...(await work(one)))
  return rows
}

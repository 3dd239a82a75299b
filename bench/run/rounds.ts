import { bare } from '../contestants.js'
import type { Contestant } from '../contestants.js'
import type { BenchOptions } from '../options.js'
import { paths } from '../servers/job.js'
import { playBlock } from './block.js'
import type { Sample } from './block.js'
import { ContestantProcess } from './contestant-process.js'
import { disturbance } from './disturbance.js'
import { load } from './load.js'
import { measure } from './measure.js'
import type { Figures } from './measure.js'
import type { Store, StoreName } from './stores.js'

/** All scenarios of one server, between two measurements of the bare one. */
export interface Block {
  readonly name: string
  readonly round: number
  readonly bare: readonly [before: Figures, after: Figures]
  readonly samples: readonly Sample[]
  /** Why its figures do not count. */
  readonly disturbance?: string
  /** Why there are none: a proof or a connection failed. */
  readonly failure?: string
}

/** Hears what goes on. */
export interface Progress {
  begins(contestant: Contestant, round: number): void
  measured(sample: Sample): void
  ended(block: Block): void
}

/** Plays every contestant once a round, each again while it was disturbed. All that was measured is among the blocks, also what was disturbed. */
export const playRounds = async (
  options: BenchOptions, stores: ReadonlyMap<StoreName, Store>, folder: string, progress: Progress, judge: typeof disturbance = disturbance,
): Promise<Block[]> => {
  const blocks: Block[] = []
  const floor = await ContestantProcess.start(bare, '')
  const ofBare = async (): Promise<Figures> => {
    const what = { path: paths.untouched }
    if (options.warmUpSeconds > 0) await load({ ...what, url: floor.url, seconds: options.warmUpSeconds })
    return measure(floor, { ...what, seconds: options.seconds })
  }
  let last: Figures | undefined // before one block it is what was seen after another, unless that was disturbed
  const play = async (contestant: Contestant, round: number): Promise<Block> => {
    progress.begins(contestant, round)
    const before = last ?? (await ofBare())
    const [samples, failure] = await playBlock(contestant, options, folder, contestant.store && stores.get(contestant.store), progress.measured)
      .then((all) => [all] as const, (error: Error) => [[], error.message] as const)
    const after = await ofBare()
    const found = options.attempts === undefined ? undefined : judge(before, samples, after)
    const block = { name: contestant.name, round, bare: [before, after] as const, samples, ...(found && { disturbance: found }), ...(failure && { failure }) }
    last = found === undefined ? after : undefined
    progress.ended(block)
    return block
  }
  try {
    for (let round = 1; round <= options.rounds; round++) {
      // A store may get faster the longer it runs: nobody is to have that for themselves.
      for (const contestant of round % 2 === 1 ? options.contestants : options.contestants.toReversed()) {
        for (let attempt = 1; attempt <= (options.attempts ?? 1); attempt++) {
          const block = await play(contestant, round)
          blocks.push(block)
          if (block.disturbance === undefined) break
        }
      }
    }
  } finally {
    await floor.stop()
  }
  return blocks
}

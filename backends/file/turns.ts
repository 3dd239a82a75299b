import { dirname } from 'node:path'
import type { Directories } from './directories.js'
import { Lanes, type Lane } from './lanes.js'
import { claimOn } from './lock-directory.js'
import { takeLock } from './lock.js'
import { inStage, type Stage, type Stages } from './stages.js'

/** What a write has while it is its turn. */
export interface Turn extends Lane {
  /** A directory in which to make things ready. Whoever does not reject leaves nothing in it. */
  readonly staged: string
  /**
   * Makes a change while the lock is held; `held` is then the path of what was `staged`, for as long as the lock is not lost.
   * The answer is the change's: whether it took place.
   */
  underLock(change: (held: string) => Promise<boolean>): Promise<boolean>
}

/** How a write gets its turn: behind the other writes of this process to the same file, then by the file's lock. */
export class Turns {
  readonly #directories: Directories
  readonly #stages: Stages
  readonly #now: () => number

  constructor(directories: Directories, stages: Stages, now: () => number) {
    this.#directories = directories
    this.#stages = stages
    this.#now = now
  }

  /** `work` is done again when it meets ENOENT: a directory was missing, or the lock was lost, or the record went away meanwhile. */
  async run<T>(path: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    const end = performance.now() + patienceMs
    const isLate = (): boolean => performance.now() > end
    return lanes.run(path, lane =>
      this.#directories.within(dirname(path), () => this.#onStage(stage => work(this.#turn(path, lane, stage, isLate))), isLate)
    )
  }

  async #onStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = await this.#stages.take()
    try {
      const result = await work(stage)
      await this.#stages.giveBack(stage)
      return result
    } catch (error) {
      await this.#stages.discard(stage)
      throw error
    }
  }

  #turn(path: string, lane: Lane, stage: Stage, isLate: () => boolean): Turn {
    const underLock: Turn['underLock'] = change => this.#underLock(path, stage, isLate, change)
    return Object.assign(lane, { staged: inStage(stage), underLock })
  }

  async #underLock(path: string, stage: Stage, isLate: () => boolean, change: (held: string) => Promise<boolean>): Promise<boolean> {
    const claim = claimOn(path, stage)
    const lock = await takeLock(claim, this.#now, isLate)
    if (lock === undefined) throw Object.assign(new Error('the lock was not free in time'), { code: 'ELOCKED' })
    let letGo: Promise<void> | undefined
    try {
      const isChanged = await change(claim.held)
      letGo = lock.keepStage()
      if (isChanged) await this.#directories.sync(dirname(path))
      return isChanged
    } finally {
      await (letGo ?? lock.drop())
    }
  }
}

/** How long a write waits in its lane and for the lock, in ms. A dead holder costs none of it, a stalled one 1.5 s. */
const patienceMs = 5000

/** Of the whole process, so that two managers of one directory do not poll for each other's locks. */
const lanes = new Lanes()

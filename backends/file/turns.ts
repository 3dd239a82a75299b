import { dirname } from 'node:path'
import type { Directories } from './directories.js'
import { codeOf } from './errors.js'
import { Lanes, type Lane } from './lanes.js'
import { claimOn, type Claim } from './lock-directory.js'
import { takeLock } from './lock.js'

export interface Turn extends Lane {
  /**
   * Runs a change while the lock is held. `prepare` makes the lock's token ready. The answer is the change's: whether it took
   * place.
   */
  underLock(prepare: (claim: Claim) => Promise<unknown>, change: (claim: Claim) => Promise<boolean>): Promise<boolean>
}

/** How a write gets its turn: behind the other writes of this process to the same file, then by the file's lock. */
export class Turns {
  readonly #directories: Directories
  readonly #now: () => number

  constructor(directories: Directories, now: () => number) {
    this.#directories = directories
    this.#now = now
  }

  /**
   * `work` is done again when it rejects with ENOENT: a directory was missing, or the lock was lost, or the record went away on
   * the way.
   */
  async run<T>(path: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    const end = performance.now() + patienceMs
    const isLate = (): boolean => performance.now() > end
    const directory = dirname(path)
    return lanes.run(path, async lane => {
      const underLock: Turn['underLock'] = (prepare, change) => this.#underLock(path, isLate, prepare, change)
      if (!(await this.#directories.has(directory))) await this.#directories.make(directory)
      for (;;) {
        try {
          return await work(Object.assign(lane, { underLock }))
        } catch (error) {
          if (codeOf(error) !== 'ENOENT' || isLate()) throw error
          await this.#directories.make(directory)
        }
      }
    })
  }

  async #underLock(path: string, isLate: () => boolean, ...[prepare, change]: Parameters<Turn['underLock']>): Promise<boolean> {
    const claim = claimOn(path)
    const release = await takeLock(claim, () => prepare(claim), this.#now, isLate)
    if (release === undefined) throw Object.assign(new Error('the lock was not free in time'), { code: 'ELOCKED' })
    let released: Promise<void> | undefined
    try {
      const isChanged = await change(claim)
      released = release()
      if (isChanged) await this.#directories.sync(dirname(path))
      return isChanged
    } finally {
      await (released ?? release())
    }
  }
}

/** How long a write waits in its lane and for the lock, in ms. A dead holder costs none of it, a stalled one 1.5 s. */
const patienceMs = 5000

/** Of the whole process, so that two managers of one directory do not poll for each other's locks. */
const lanes = new Lanes()

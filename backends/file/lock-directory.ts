import { lstat, readdir, rename, rm, rmdir, utimes } from 'node:fs/promises'
import { codeOf } from './errors.js'
import { endOf, isDead } from './holder.js'
import type { Stage } from './stages.js'

/**
 * A wish to hold the lock of a path. The lock is a directory with the holder's token in it, taken by renaming the holder's stage
 * onto it: the system does that only where there is no lock, or an empty one, so that lock and token come into being in one step.
 */
export interface Claim {
  readonly stage: Stage
  readonly lock: string
  /** The token once the lock is held. It is there as long as the lock is ours. */
  readonly held: string
}

export const claimOn = (path: string, stage: Stage): Claim => {
  const lock = `${path}.lock`
  return { stage, lock, held: `${lock}/${stage.token}` }
}

type Done<T = void> = (error: unknown, value?: T) => void

/**
 * What proper-lockfile sees of one claim, given to it as its `fs` option. proper-lockfile decides when to try, to look whether
 * the holder is gone, and to take over, and beats the heart; what these are stands here, because its own `rmdir` and `mkdir` let
 * several take over one dead lock, and let a late holder remove its successor's.
 *
 * - Taking is one rename (see `Claim`).
 * - Taking over is moving the judged token out of the lock: it can be done once, and is of no effect on any other token.
 * - Whoever held that token finds it gone: whatever it does next with its token's path fails.
 */
export class LockDirectory {
  readonly #claim: Claim
  readonly #now: () => number
  #held = false
  #probed = false
  #keepsStage = false
  #mtime = new Date(0)
  #judged: readonly string[] = []
  #seen = ''
  #seenSince = 0

  constructor(claim: Claim, now: () => number) {
    this.#claim = claim
    this.#now = now
  }

  mkdir(_lock: string, done: Done): void {
    answer(this.#take(), done)
  }

  rmdir(_lock: string, done: Done): void {
    answer(this.#held ? this.#leave() : this.#takeOver(), done)
  }

  stat(_lock: string, done: Done<{ mtime: Date }>): void {
    answer(this.#held ? this.#own() : this.#judge(), done)
  }

  /** The first comes right after taking, to learn how exact the times are; the others are the heartbeat. */
  utimes(_lock: string, atime: Date, mtime: Date, done: Done): void {
    this.#mtime = mtime
    answer(this.#probed ? utimes(this.#claim.lock, atime, mtime) : Promise.resolve(), done)
  }

  /**
   * From now on letting go is renaming the lock back to be the stage. To be called only by who has just seen the token there: a
   * successor's lock would be renamed too. (That would be no harm but to its patience: it finds its token gone, and begins anew.)
   */
  keepStage(): void {
    this.#keepsStage = true
  }

  /** Lets go of the lock, or of what is left of it. The successor's, if there is one, is not empty and stays. */
  async drop(): Promise<void> {
    await rm(this.#claim.held, { recursive: true, force: true })
    await rmdir(this.#claim.lock).catch((error: unknown) => {
      if (!isOneOf(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
    })
  }

  async #leave(): Promise<void> {
    const { lock, stage } = this.#claim
    await (this.#keepsStage ? stage.disk.rename(lock, stage.path) : this.drop())
  }

  async #take(): Promise<void> {
    const { lock, stage } = this.#claim
    try {
      await stage.disk.rename(stage.path, lock)
    } catch (error) {
      throw isOneOf(error, 'ENOTEMPTY') ? Object.assign(error as Error, { code: 'EEXIST' }) : error
    }
    this.#held = true
  }

  /** Rejects with ENOENT when the lock was taken over. Right after taking there is no need to look. */
  async #own(): Promise<{ mtime: Date }> {
    if (this.#probed) await lstat(this.#claim.held)
    this.#probed = true
    return { mtime: this.#mtime }
  }

  /** Answers by the age that proper-lockfile looks at: as old as can be, or of this moment. */
  async #judge(): Promise<{ mtime: Date }> {
    const names = await readdir(this.#claim.lock)
    const isAbandoned = names.every(name => this.#isOver(name)) || (await this.#isStalled(names))
    this.#judged = isAbandoned ? names : []
    return { mtime: new Date(isAbandoned ? 0 : Date.now()) }
  }

  #isOver(token: string): boolean {
    const end = endOf(token)
    return isDead(token) || (end !== undefined && end <= this.#now())
  }

  /** Nobody beats the heart: measured on this process's monotonic clock, so that setting the clock takes no lock from anybody. */
  async #isStalled(names: readonly string[]): Promise<boolean> {
    const seen = `${names.join()} ${(await lstat(this.#claim.lock)).mtimeMs}`
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#seenSince = performance.now()
    }
    return performance.now() - this.#seenSince > stalledMs
  }

  async #takeOver(): Promise<void> {
    for (const name of this.#judged) await discard(`${this.#claim.lock}/${name}`, `${this.#claim.stage.path}.old`)
  }
}

/** The heart beats once a second, as often as proper-lockfile can. */
const stalledMs = 1500

/** Takes an entry out of the way in one step, then removes it with all that it holds. Of several who try one succeeds. */
export const discard = async (path: string, aside: string): Promise<void> => {
  try {
    await rename(path, aside)
  } catch (error) {
    if (isOneOf(error, 'ENOENT')) return
    throw error
  }
  await rm(aside, { recursive: true, force: true })
}

const isOneOf = (error: unknown, ...codes: string[]): boolean => codes.includes(codeOf(error) ?? '')

const answer = <T>(result: Promise<T>, done: Done<T>): void => {
  result.then(value => done(null, value), done)
}

import { lstat, readdir, rm, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Directories } from './directories.js'
import { entriesOf } from './entries.js'
import { codeOf } from './errors.js'
import { endOf, isDead, newToken } from './holder.js'
import { isKey, leaves } from './layout.js'
import { claimOn, discard } from './lock-directory.js'
import { takeLock } from './lock.js'
import type { RecordFiles } from './record-files.js'
import type { Stages } from './stages.js'

/** A tree of 256 directories, and who makes them. */
export interface Tree {
  readonly root: string
  readonly directories: Directories
}

export interface PurgeTask {
  /** One process purges at a time, by the lock of this path. */
  readonly path: string
  readonly records: Tree
  /** With one more level: a directory for each owner. */
  readonly owners: Tree
  readonly leases: Tree
  readonly stages: Stages
  /** Where stages are. */
  readonly stageRoots: readonly string[]
  readonly files: RecordFiles
  readonly now: () => number
  readonly shouldStop: () => boolean
}

/**
 * Removes what has been dead for over a minute: records and owners' entries past their expiry, each looked at again under its
 * lock, and what dead processes left: stages, locks, leases. Gives the number of records removed; 0 when another process keeps
 * purging. What cannot be removed does not keep the others from it: the first such failure is thrown at the end.
 */
export const purge = async (task: PurgeTask): Promise<number> => {
  if (!(await task.records.directories.has(dirname(task.path)))) return 0
  const release = await takePurgeLock(task)
  if (release === undefined) return 0
  try {
    return await new Sweep(task).run()
  } finally {
    await release()
  }
}

/** Long enough to see that a holder is stalled. A full disk can hold no lock, and purging is what empties it. */
const takePurgeLock = async ({ path, stages, now, shouldStop }: PurgeTask): Promise<(() => Promise<void>) | undefined> => {
  const end = performance.now() + 2000
  try {
    const stage = await stages.make(newToken())
    const lock = await takeLock(claimOn(path, stage), now, () => shouldStop() || performance.now() > end)
    if (lock === undefined) await stages.discard(stage)
    return lock?.drop
  } catch (error) {
    if (isFull(error)) return async () => {}
    throw error
  }
}

/** Answers whether the entry was a record that was removed. */
type SweepEntry = (path: string, name: string) => Promise<boolean>

class Sweep {
  readonly #task: PurgeTask
  readonly #failures: unknown[] = []

  constructor(task: PurgeTask) {
    this.#task = task
  }

  async run(): Promise<number> {
    const { records, owners, leases, stageRoots } = this.#task
    for (const root of new Set(stageRoots)) await this.#each(root, path => this.#sweepStage(path))
    const removed = await this.#tree(records, (path, name) => this.#sweepRecord(path, name))
    await this.#tree(owners, path => this.#sweepOwner(path))
    await this.#tree(leases, (path, name) => this.#sweepRecord(path, name))
    if (this.#failures.length > 0) throw this.#failures[0]
    return removed
  }

  async #tree({ root, directories }: Tree, sweep: SweepEntry): Promise<number> {
    let removed = 0
    for (const leaf of leaves) {
      const directory = `${root}/${leaf}`
      if (await directories.has(directory)) removed += await this.#each(directory, sweep)
    }
    return removed
  }

  /** How many of the entries were records that were removed. */
  async #each(directory: string, sweep: SweepEntry): Promise<number> {
    let removed = 0
    for await (const { name } of entriesOf(directory)) {
      if (this.#task.shouldStop()) break
      try {
        if (await sweep(`${directory}/${name}`, name)) removed++
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') this.#failures.push(error)
      }
    }
    return removed
  }

  async #sweepStage(path: string): Promise<boolean> {
    if (isDead(basename(path)) || (await isForgotten(path))) await rm(path, { recursive: true, force: true })
    return false
  }

  async #sweepOwner(directory: string): Promise<boolean> {
    if (!isKey(basename(directory))) return false // not ours
    await this.#each(directory, (path, name) => this.#sweepRecord(path, name))
    await rmdir(directory).catch(() => {}) // if it is empty now
    return false
  }

  async #sweepRecord(path: string, name: string): Promise<boolean> {
    if (isKey(name)) return this.#removeExpired(path)
    if (name.endsWith('.lock') && isKey(name.slice(0, -'.lock'.length))) await this.#sweepLock(path)
    return false
  }

  async #removeExpired(path: string): Promise<boolean> {
    const isExpired = async (): Promise<boolean> => {
      const stats = await lstat(path)
      return stats.isFile() && stats.mtimeMs <= this.#task.now() - graceMs
    }
    if (!(await isExpired())) return false
    try {
      return await this.#task.files.remove(path, isExpired)
    } catch (error) {
      if (!isFull(error)) throw error
      await unlink(path) // nobody can write a new one either
      return true
    }
  }

  async #sweepLock(lock: string): Promise<void> {
    for (const token of await readdir(lock)) {
      const isOver = (endOf(token) ?? Infinity) <= this.#task.now() - graceMs
      if (!isDead(token) && !isOver && !(await isForgotten(lock))) continue
      await discard(`${lock}/${token}`, `${this.#task.stageRoots[0]}/${newToken()}.old`)
    }
    await rmdir(lock).catch(() => {}) // if it is empty now: then nobody holds it
  }
}

const graceMs = 60_000

/**
 * Left by another machine, or by this one before it was started anew: whoever holds a lock beats its heart, and staging takes
 * no hour.
 */
const isForgotten = async (path: string): Promise<boolean> => (await lstat(path)).ctimeMs < Date.now() - 3_600_000

const isFull = (error: unknown): boolean => codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'

import type { Dirent } from 'node:fs'
import { lstat, mkdir, readdir, rm, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Directories } from './directories.js'
import { entriesOf } from './entries.js'
import { codeOf } from './errors.js'
import { endOf, isDead, newToken } from './holder.js'
import { isKey, leaves } from './layout.js'
import { claimOn, discard } from './lock-directory.js'
import { takeLock, type Release } from './lock.js'
import type { RecordFiles } from './record-files.js'

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
const takePurgeLock = async (task: PurgeTask): Promise<Release | undefined> => {
  const claim = claimOn(task.path)
  const end = performance.now() + 2000
  try {
    return await takeLock(claim, () => mkdir(claim.staged, 0o700), task.now, () => task.shouldStop() || performance.now() > end)
  } catch (error) {
    if (isFull(error)) return async () => {}
    throw error
  }
}

class Sweep {
  readonly #task: PurgeTask
  #failures: unknown[] = []

  constructor(task: PurgeTask) {
    this.#task = task
  }

  async run(): Promise<number> {
    const { records, owners, leases } = this.#task
    await this.#sweep(dirname(this.#task.path))
    const removed = await this.#each(records, directory => this.#sweep(directory))
    await this.#each(owners, directory => this.#sweepOwners(directory))
    await this.#each(leases, directory => this.#sweep(directory))
    if (this.#failures.length > 0) throw this.#failures[0]
    return removed
  }

  async #each({ root, directories }: Tree, sweep: (directory: string) => Promise<number>): Promise<number> {
    let removed = 0
    for (const leaf of leaves) {
      const directory = `${root}/${leaf}`
      if (await directories.has(directory)) removed += await sweep(directory)
    }
    return removed
  }

  async #sweepOwners(directory: string): Promise<number> {
    for await (const { name } of this.#entries(directory)) {
      if (!isKey(name)) continue
      await this.#sweep(`${directory}/${name}`)
      await rmdir(`${directory}/${name}`).catch(() => {}) // if it is empty now
    }
    return 0
  }

  async #sweep(directory: string): Promise<number> {
    let removed = 0
    for await (const { name } of this.#entries(directory)) {
      try {
        if (await this.#remove(`${directory}/${name}`, name)) removed++
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') this.#failures.push(error)
      }
    }
    return removed
  }

  async *#entries(directory: string): AsyncGenerator<Dirent> {
    for await (const entry of entriesOf(directory)) {
      if (this.#task.shouldStop()) return
      yield entry
    }
  }

  /** Whether a record was removed. */
  async #remove(path: string, name: string): Promise<boolean> {
    if (isKey(name)) return this.#removeExpired(path)
    const [key = '', rest = ''] = name.split('.')
    if (!isKey(key) && key !== basename(this.#task.path)) return false // not ours
    if (rest === 'lock') await this.#sweepLock(path)
    else if (isDead(rest) || (await isForgotten(path))) await rm(path, { recursive: true, force: true })
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
      await discard(`${lock}/${token}`, `${lock.slice(0, -'.lock'.length)}.${newToken()}.old`)
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

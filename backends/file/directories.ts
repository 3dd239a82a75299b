import type { Stats } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import type { Awaitable } from '../../src/awaitable.js'
import type { Disk } from './disk.js'
import { codeOf } from './errors.js'

/**
 * The directories below one root: made when first written to, 0700, and looked at once before they are used: each must be a
 * real directory (no link) of this user's that nobody else can write to.
 */
export class Directories {
  readonly #disk: Disk
  readonly #root: string
  readonly #sync: boolean
  readonly #known = new Set<string>()

  constructor(disk: Disk, root: string, sync: boolean) {
    this.#disk = disk
    this.#root = root
    this.#sync = sync
  }

  /** Whether the directory is there. Rejects when it, or one above it up to the root, is not to be trusted. */
  has(directory: string): Awaitable<boolean> {
    return this.#known.has(directory) || this.#look(directory)
  }

  /** Works in a directory that is made if need be. Work that meets ENOENT is done again, until it `isLate`. */
  async within<T>(directory: string, work: () => Awaitable<T>, isLate: () => boolean = () => false): Promise<T> {
    if (!(await this.has(directory))) await this.make(directory)
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || isLate()) throw error
        await this.make(directory)
      }
    }
  }

  /** Makes what is missing, even if it was there before. The first call is in the pool, so that trying for long keeps nobody from their turn. */
  async make(directory: string): Promise<void> {
    await mkdir(dirname(this.#root), { recursive: true, mode: 0o700 })
    for (const level of this.#levels(directory)) await this.#makeOne(level)
    this.#remember(directory)
  }

  /** Makes renames, links and unlinks in the directory outlast a power failure. */
  async sync(directory: string): Promise<void> {
    if (!this.#sync) return
    const handle = await this.#disk.open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async #look(directory: string): Promise<boolean> {
    for (const level of this.#levels(directory)) {
      if (!(await this.#isThere(level))) return false
    }
    this.#remember(directory)
    return true
  }

  async #makeOne(directory: string): Promise<void> {
    if (await this.#isThere(directory)) return
    try {
      await this.#disk.mkdir(directory, 0o700)
    } catch (error) {
      if (codeOf(error) === 'EEXIST' && (await this.#isThere(directory))) return
      throw error
    }
    await this.sync(dirname(directory))
  }

  async #isThere(directory: string): Promise<boolean> {
    const stats = await statsOf(this.#disk, directory)
    if (stats === undefined) return false
    const fault = faultOf(stats)
    if (fault !== undefined) throw new Error(`a directory of the store ${fault}`)
    return true
  }

  /** Owners have directories without number. */
  #remember(directory: string): void {
    if (this.#known.size >= 2048) this.#known.clear()
    this.#known.add(directory)
  }

  /** From the root down. */
  #levels(directory: string): string[] {
    const levels = [this.#root]
    for (const name of relative(this.#root, directory).split(sep)) {
      if (name !== '') levels.push(`${levels.at(-1)}${sep}${name}`)
    }
    return levels
  }
}

/** What is wrong with a directory that holds sessions, if anything. */
export const faultOf = (stats: Stats): string | undefined => {
  if (stats.isSymbolicLink()) return 'is a symbolic link'
  if (!stats.isDirectory()) return 'is not a directory'
  if (process.geteuid !== undefined && stats.uid !== process.geteuid()) return 'belongs to another user'
  if ((stats.mode & 0o022) !== 0) return 'can be written to by others'
  return undefined
}

/** `undefined` when there is nothing. */
export const statsOf = async (disk: Disk, path: string): Promise<Stats | undefined> => {
  try {
    return await disk.lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

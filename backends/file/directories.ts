import type { Stats } from 'node:fs'
import { lstat, mkdir, open } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import { codeOf } from './errors.js'

/**
 * The directories below one root: made when first written to, 0700, and looked at once before they are used: each must be a
 * real directory (no link) of this user's that nobody else can write to.
 */
export class Directories {
  readonly #root: string
  readonly #sync: boolean
  readonly #known = new Set<string>()

  constructor(root: string, sync: boolean) {
    this.#root = root
    this.#sync = sync
  }

  /** Whether the directory is there. Rejects when it, or one above it up to the root, is not to be trusted. */
  async has(directory: string): Promise<boolean> {
    if (this.#known.has(directory)) return true
    for (const level of this.#levels(directory)) {
      if (!(await isThere(level))) return false
    }
    this.#remember(directory)
    return true
  }

  /** Works in a directory that is made if need be. Work that meets ENOENT is done again, until it `isLate`. */
  async within<T>(directory: string, work: () => Promise<T>, isLate: () => boolean = () => false): Promise<T> {
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

  /** Makes what is missing, even if it was there before. */
  async make(directory: string): Promise<void> {
    await mkdir(dirname(this.#root), { recursive: true, mode: 0o700 })
    for (const level of this.#levels(directory)) await this.#makeOne(level)
    this.#remember(directory)
  }

  /** Makes renames, links and unlinks in the directory outlast a power failure. */
  async sync(directory: string): Promise<void> {
    if (!this.#sync) return
    const handle = await open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async #makeOne(directory: string): Promise<void> {
    if (await isThere(directory)) return
    try {
      await mkdir(directory, 0o700)
    } catch (error) {
      if (codeOf(error) === 'EEXIST' && (await isThere(directory))) return
      throw error
    }
    await this.sync(dirname(directory))
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

const isThere = async (directory: string): Promise<boolean> => {
  const stats = await lstat(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (stats === undefined) return false
  const fault = faultOf(stats)
  if (fault !== undefined) throw new Error(`a directory of the store ${fault}`)
  return true
}

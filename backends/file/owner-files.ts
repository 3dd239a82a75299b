import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Directories } from './directories.js'
import { codeOf } from './errors.js'
import { fileName, isKey, pathOf } from './layout.js'
import type { RecordFiles } from './record-files.js'

/** Which keys were indexed under an owner: a record with nothing in it for each, in a directory for each owner. */
export class OwnerFiles {
  readonly #root: string
  readonly #directories: Directories
  readonly #files: RecordFiles

  constructor(root: string, directories: Directories, files: RecordFiles) {
    this.#root = root
    this.#directories = directories
    this.#files = files
  }

  /** Never shortens the life of an entry. */
  async add(owner: string, key: string, expiresAt: number): Promise<void> {
    const path = this.#entry(owner, key)
    const entry = await this.#files.get(path, { expiresAt, ifBefore: expiresAt }, true)
    if (entry?.touched || (entry?.expiresAt ?? 0) >= expiresAt) return
    await this.#files.put(path, '', expiresAt, current => (current.expiresAt ?? 0) < expiresAt)
  }

  async remove(owner: string, key: string): Promise<void> {
    await this.#files.remove(this.#entry(owner, key), async () => true)
  }

  /** Entries that have expired are listed until they are purged. */
  async list(owner: string): Promise<string[]> {
    const directory = pathOf(this.#root, owner)
    if (!(await this.#directories.has(directory))) return []
    try {
      return (await readdir(directory)).filter(isKey)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  #entry(owner: string, key: string): string {
    return join(pathOf(this.#root, owner), fileName(key))
  }
}

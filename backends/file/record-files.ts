import { lstat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { StoredRecord, Touch } from '../../src/namespace-manager.js'
import type { Directories } from './directories.js'
import { codeOf } from './errors.js'
import { encodeRecord, readRecord, setExpiry } from './record-file.js'
import { commitStaged, fillStaged, linkStaged, openStaged, removeInto, unstage } from './staged-file.js'
import type { Turns } from './turns.js'

/**
 * Reads and writes records, each a file of its own. Reading and touching take no lock.
 *
 * Every change of a record that is there happens under its lock, and is one rename out of or into the lock's token, a directory:
 * - a new value is written and synced in the token, and committed by renaming it onto the record;
 * - a removal renames the record into the token.
 *
 * So a holder that stalls after its last check and is taken over cannot do harm when it goes on: taking over moves the token
 * away, and the late rename fails (ENOENT). It is then done again from the beginning, and decided anew by the version. Whoever
 * dies leaves the old record or the new one. A record that is not there is created without the lock, by `link`, which replaces
 * nothing: holders of the lock change only what they have seen to be there, and only they remove.
 */
export class RecordFiles {
  readonly #directories: Directories
  readonly #turns: Turns
  readonly #sync: boolean
  readonly #now: () => number

  constructor(directories: Directories, turns: Turns, sync: boolean, now: () => number) {
    this.#directories = directories
    this.#turns = turns
    this.#sync = sync
    this.#now = now
  }

  /** See `readRecord` for what a damaged file gives. A touch may be lost with the machine, unless it is `durable`. */
  async get(path: string, touch?: Touch, durable = false): Promise<StoredRecord | undefined> {
    return this.#read(path, async (file, expiresAt) => {
      if (touch === undefined || expiresAt >= touch.ifBefore) return false
      return this.#extend(file, touch.expiresAt, durable).catch(() => false)
    })
  }

  async touch(path: string, expiresAt: number): Promise<boolean> {
    const record = await this.#read(path, file => this.#extend(file, expiresAt, false))
    return record?.touched === true
  }

  /** Writes the record where none is live, or the live one is accepted. Gives the version written. */
  async put(path: string, value: string, expiresAt: number, accept: (current: StoredRecord) => boolean): Promise<string | undefined> {
    const record = encodeRecord(value)
    return this.#turns.run(path, async turn => {
      await fillStaged(await openStaged(turn.staged), record, expiresAt, this.#sync)
      const isNew = await linkStaged(turn.staged, path)
      if (isNew) {
        await this.#directories.sync(dirname(path))
        return record.version
      }
      const isWritten = await turn.underLock(async held => {
        if (isNew === false) await lstat(path) // gone meanwhile (ENOENT): another may be creating it, which no lock keeps out
        const current = await readRecord(path, this.#now)
        const isWanted = current === undefined || accept(current)
        await (isWanted ? commitStaged(held, path) : unstage(held))
        return isWanted
      })
      return isWritten ? record.version : undefined
    })
  }

  async replace(path: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    const record = encodeRecord(value)
    if (!(await this.#directories.has(dirname(path)))) return undefined
    return this.#turns.run(path, async turn => {
      // a version made since the call is newer than the one it names, and no version comes back
      if (turn.madeMeanwhile !== undefined && turn.madeMeanwhile !== version) return undefined
      const file = await openStaged(turn.staged)
      try {
        const isWritten = await turn.underLock(async held => {
          const isWanted = (await readRecord(path, this.#now))?.version === version
          if (isWanted) await fillStaged(file, record, expiresAt, this.#sync)
          await (isWanted ? commitStaged(held, path) : unstage(held))
          if (isWanted) turn.made(record.version)
          return isWanted
        })
        return isWritten ? record.version : undefined
      } finally {
        await file.close()
      }
    })
  }

  /** Whether this call removed the file. It is asked under the lock whether it `isWanted` gone. */
  async remove(path: string, isWanted: () => Promise<boolean>): Promise<boolean> {
    if (!(await this.#directories.has(dirname(path)))) return false
    return this.#turns.run(path, async turn => {
      if (!(await isPresent(path))) return false
      return turn.underLock(async held => {
        if (!(await isWanted())) return false
        await removeInto(held, path)
        return true
      })
    })
  }

  async #read(path: string, whenLive: (file: FileHandle, expiresAt: number) => Promise<boolean>): Promise<StoredRecord | undefined> {
    if (!(await this.#directories.has(dirname(path)))) return undefined
    try {
      return await readRecord(path, this.#now, whenLive)
    } catch (error) {
      if (codeOf(error) !== 'ESTALE') throw error
      return readRecord(path, this.#now, whenLive) // another machine replaced it meanwhile
    }
  }

  /** On the descriptor that was read: it can hit no newer record, and create none. */
  async #extend(file: FileHandle, expiresAt: number, durable: boolean): Promise<true> {
    await setExpiry(file, expiresAt)
    if (durable && this.#sync) await file.sync()
    return true
  }
}

const isPresent = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    }
  )

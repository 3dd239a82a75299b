import { dirname } from 'node:path'
import { andThen, orElse, type Awaitable } from '../../src/awaitable.js'
import type { StoredRecord, Touch } from '../../src/namespace-manager.js'
import { statsOf, type Directories } from './directories.js'
import type { Disk, OpenFile } from './disk.js'
import { codeOf } from './errors.js'
import { encodeRecord, readRecord, setExpiry, type WhenLive } from './record-file.js'
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
  readonly #disk: Disk
  readonly #directories: Directories
  readonly #turns: Turns
  readonly #sync: boolean
  readonly #now: () => number

  constructor(disk: Disk, directories: Directories, turns: Turns, sync: boolean, now: () => number) {
    this.#disk = disk
    this.#directories = directories
    this.#turns = turns
    this.#sync = sync
    this.#now = now
  }

  /** See `readRecord` for what a damaged file gives. A touch may be lost with the machine, unless it is `durable`. */
  get(path: string, touch?: Touch, durable = false): Awaitable<StoredRecord | undefined> {
    return this.#read(path, (file, expiresAt) => {
      if (touch === undefined || expiresAt >= touch.ifBefore) return false
      return orElse(() => this.#extend(file, touch.expiresAt, durable), () => false)
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
      await fillStaged(await openStaged(this.#disk, turn.staged), record, expiresAt, this.#sync)
      const isNew = await linkStaged(this.#disk, turn.staged, path)
      if (isNew) {
        await this.#directories.sync(dirname(path))
        return record.version
      }
      const isWritten = await turn.underLock(async held => {
        if (isNew === false) await this.#disk.lstat(path) // gone meanwhile (ENOENT): another may be creating it, which no lock keeps out
        const current = await readRecord(this.#disk, path, this.#now)
        const isWanted = current === undefined || accept(current)
        await (isWanted ? commitStaged(this.#disk, held, path) : unstage(this.#disk, held))
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
      const file = await openStaged(this.#disk, turn.staged)
      try {
        const isWritten = await turn.underLock(async held => {
          const isWanted = (await readRecord(this.#disk, path, this.#now))?.version === version
          if (isWanted) await fillStaged(file, record, expiresAt, this.#sync)
          await (isWanted ? commitStaged(this.#disk, held, path) : unstage(this.#disk, held))
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
      if ((await statsOf(this.#disk, path)) === undefined) return false
      return turn.underLock(async held => {
        if (!(await isWanted())) return false
        await removeInto(this.#disk, held, path)
        return true
      })
    })
  }

  #read(path: string, whenLive: WhenLive): Awaitable<StoredRecord | undefined> {
    const read = (): Awaitable<StoredRecord | undefined> => readRecord(this.#disk, path, this.#now, whenLive)
    const readAgain = (error: unknown): Awaitable<StoredRecord | undefined> => {
      if (codeOf(error) !== 'ESTALE') throw error
      return read() // another machine replaced it meanwhile
    }
    return andThen(this.#directories.has(dirname(path)), isThere => (isThere ? orElse(read, readAgain) : undefined))
  }

  /** On the descriptor that was read: it can hit no newer record, and create none. */
  #extend(file: OpenFile, expiresAt: number, durable: boolean): Awaitable<true> {
    return andThen(setExpiry(file, expiresAt), () => (durable && this.#sync ? file.sync().then(() => true) : true))
  }
}

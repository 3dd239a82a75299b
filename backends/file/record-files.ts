import { link, lstat, mkdir, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { StoredRecord, Touch } from '../../src/namespace-manager.js'
import type { Directories } from './directories.js'
import { codeOf } from './errors.js'
import { newToken } from './holder.js'
import type { Claim } from './lock-directory.js'
import { tellLost } from './lock.js'
import { encodeRecord, readRecord, setExpiry, type EncodedRecord } from './record-file.js'
import { fillStaged, openStaged } from './staged-file.js'
import { Turns, type Turn } from './turns.js'

/**
 * Reads and writes records, each a file of its own. Reading and touching take no lock.
 *
 * Every change of a record that is there happens under its lock, and is one rename from or to the lock's token:
 * - a new value is written and synced *as* the token, and committed by renaming the token onto the record;
 * - a removal renames the record into its token, a directory.
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

  constructor(directories: Directories, sync: boolean, now: () => number) {
    this.#directories = directories
    this.#turns = new Turns(directories, now)
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
      const outcome = await this.#create(path, record, expiresAt)
      if (outcome === 'created') return record.version
      return this.#commit(turn, path, record, expiresAt, async () => {
        if (outcome === 'exists') await lstat(path) // gone meanwhile (ENOENT): another may be creating it, which no lock keeps out
        const current = await readRecord(path, this.#now)
        return current === undefined || accept(current)
      })
    })
  }

  async replace(path: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    const record = encodeRecord(value)
    if (!(await this.#directories.has(dirname(path)))) return undefined
    return this.#turns.run(path, async turn => {
      // a version made since the call is newer than the one it names, and no version comes back
      if (turn.madeMeanwhile !== undefined && turn.madeMeanwhile !== version) return undefined
      return this.#commit(turn, path, record, expiresAt, async () => (await readRecord(path, this.#now))?.version === version)
    })
  }

  /** Whether this call removed the file. It is asked under the lock whether it `isWanted` gone. */
  async remove(path: string, isWanted: () => Promise<boolean>): Promise<boolean> {
    if (!(await this.#directories.has(dirname(path)))) return false
    return this.#turns.run(path, async turn => {
      if (!(await isPresent(path))) return false
      return turn.underLock(
        claim => mkdir(claim.staged, 0o700),
        async claim => {
          if (!(await isWanted())) return false
          await move(path, `${claim.held}/removed`)
          await unlink(`${claim.held}/removed`).catch(() => {}) // else it goes with the lock
          await rmdir(claim.held).catch(() => {})
          return true
        }
      )
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

  /** Succeeds where there is no file at all. */
  async #create(path: string, record: EncodedRecord, expiresAt: number): Promise<'created' | 'exists' | 'no links'> {
    const staged = `${path}.${newToken()}`
    const file = await openStaged(staged)
    try {
      await fillStaged(file, record, expiresAt, this.#sync)
      await link(staged, path)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EEXIST') return 'exists'
      if (code === 'EPERM' || code === 'ENOTSUP') return 'no links'
      throw error
    } finally {
      await file.close()
      await unlink(staged).catch(() => {})
    }
    await this.#directories.sync(dirname(path))
    return 'created'
  }

  async #commit(
    turn: Turn,
    path: string,
    record: EncodedRecord,
    expiresAt: number,
    isWanted: () => Promise<boolean>
  ): Promise<string | undefined> {
    let file: FileHandle | undefined
    const stage = async (claim: Claim): Promise<void> => void (file = await openStaged(claim.staged))
    const commit = async (claim: Claim): Promise<boolean> => {
      if (file === undefined || !(await isWanted())) return false
      await fillStaged(file, record, expiresAt, this.#sync)
      await move(claim.held, path)
      turn.made(record.version)
      return true
    }
    try {
      return (await turn.underLock(stage, commit)) ? record.version : undefined
    } finally {
      await file?.close()
    }
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

/** The rename that changes a record. It fails when the lock was taken over, or the record is not there any more. */
const move = async (from: string, to: string): Promise<void> => {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') tellLost()
    throw error
  }
}

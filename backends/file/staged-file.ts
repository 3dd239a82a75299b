import { constants } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Awaitable } from '../../src/awaitable.js'
import type { Disk, OpenFile } from './disk.js'
import { codeOf } from './errors.js'
import { tellLost } from './lock.js'
import { setExpiry, type EncodedRecord } from './record-file.js'

/** Makes the file that is written aside: ours, 0600, and never an existing one or a link. */
export const openStaged = (disk: Disk, staged: string): Awaitable<OpenFile> =>
  disk.open(fileIn(staged), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)

/**
 * Writes all, the expiry last, and closes, before the file gets its name: some file systems tell only then that the disk is full.
 */
export const fillStaged = async (file: OpenFile, record: EncodedRecord, expiresAt: number, sync: boolean): Promise<void> => {
  try {
    await file.writeFile(record.bytes)
    await setExpiry(file, expiresAt)
    if (sync) await file.sync()
  } finally {
    await file.close()
  }
}

export const unstage = (disk: Disk, staged: string): Awaitable<void> => disk.unlink(fileIn(staged))

/** Gives the file its name if nothing has it: `false` if something has, `undefined` if the file system knows no hard links. */
export const linkStaged = async (disk: Disk, staged: string, path: string): Promise<boolean | undefined> => {
  try {
    await disk.link(fileIn(staged), path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') return false
    if (code === 'EPERM' || code === 'ENOTSUP') return undefined
    throw error
  }
  await unstage(disk, staged)
  return true
}

/** Puts the file in the place of what has the name. Fails (ENOENT) when the lock was lost, and the token with it. */
export const commitStaged = (disk: Disk, held: string, path: string): Promise<void> => move(disk, fileIn(held), path)

/** Takes what has the name away, and removes it. Fails (ENOENT) when the lock was lost, and the token with it. */
export const removeInto = async (disk: Disk, held: string, path: string): Promise<void> => {
  await move(disk, path, fileIn(held))
  try {
    await unstage(disk, held)
  } catch (error) {
    if (!['EISDIR', 'EPERM'].includes(codeOf(error) ?? '')) throw error
    await rm(fileIn(held), { recursive: true }) // a directory, which is none of ours
  }
}

const fileIn = (directory: string): string => `${directory}/record`

const move = async (disk: Disk, from: string, to: string): Promise<void> => {
  try {
    await disk.rename(from, to)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') tellLost()
    throw error
  }
}

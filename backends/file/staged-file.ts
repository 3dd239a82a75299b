import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { setExpiry, type EncodedRecord } from './record-file.js'

/** A file that is written aside: made by us, 0600, and never an existing one or a link. */
export const openStaged = (path: string): Promise<FileHandle> =>
  open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)

/**
 * Writes all, the expiry last, and closes, before the file gets its name: some file systems tell only then that the disk is
 * full.
 */
export const fillStaged = async (file: FileHandle, record: EncodedRecord, expiresAt: number, sync: boolean): Promise<void> => {
  await file.writeFile(record.bytes)
  await setExpiry(file, expiresAt)
  if (sync) await file.sync()
  await file.close()
}

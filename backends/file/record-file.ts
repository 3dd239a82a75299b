import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { andThen, orElse, type Awaitable } from '../../src/awaitable.js'
import { checksum } from '../../src/checksum.js'
import { TooLargeError } from '../../src/errors.js'
import type { StoredRecord } from '../../src/namespace-manager.js'
import { randomText } from '../../src/random.js'
import type { Disk, OpenFile } from './disk.js'
import { codeOf } from './errors.js'

/** The largest value that is read or written, in bytes. */
export const maxValueBytes: number = 16 * 1024 * 1024

/**
 * A record's file: `phial1 VERSION BYTES CRC32`, a line feed, and the value in UTF-8. The checksum is over the version and the
 * value. The expiry is not in the text but is the file's time of modification, so that a touch is one call on an open
 * descriptor.
 */
export interface EncodedRecord {
  readonly version: string
  readonly bytes: Buffer
}

export const encodeRecord = (value: string): EncodedRecord => {
  const version = randomText(16)
  const body = Buffer.from(value)
  if (body.length > maxValueBytes) throw new TooLargeError('the value is larger than the file store takes', body.length, maxValueBytes)
  const header = Buffer.from(`phial1 ${version} ${body.length} ${checksum(version, body)}\n`)
  return { version, bytes: Buffer.concat([header, body]) }
}

/**
 * The record in a file: `undefined` when there is no file, or it is past its expiry. `whenLive` is called with the open file of
 * a live record and its expiry; what it answers becomes `touched`.
 *
 * A file that is no record of ours, or not whole (cut, empty, foreign, altered in any byte), is answered as a record with an
 * *empty* value, which no codec accepts: so it is reported as corrupt above instead of passing for missing, and its version
 * lets it be replaced or deleted. It is answered whatever its expiry, since what damaged the file has likely changed its time
 * too; it is never touched.
 *
 * Rejects when what stands there is no regular file: a symbolic link (ELOOP), directory, FIFO, socket or device.
 */
export const readRecord = (disk: Disk, path: string, now: () => number, whenLive: WhenLive = () => false): Awaitable<StoredRecord | undefined> =>
  andThen(openExisting(disk, path), file => file && thenClose(file, () => readOpen(file, now, whenLive)))

export type WhenLive = (file: OpenFile, expiresAt: number) => Awaitable<boolean>

const readOpen = (file: OpenFile, now: () => number, whenLive: WhenLive): Awaitable<StoredRecord | undefined> =>
  andThen(file.stat(), stats => {
    if (!stats.isFile()) throw new Error('a record is not a regular file')
    return andThen(readInto(Buffer.allocUnsafe(Math.min(stats.size, maxFileBytes)), file), bytes => {
      const { version, value } = decode(bytes)
      if (value === undefined) return { version, value: '' }
      const expiresAt = Math.round(stats.mtimeMs) // set from a floating-point number of seconds
      if (expiresAt <= now()) return undefined
      return andThen(whenLive(file, expiresAt), touched => ({ version, value, expiresAt, touched }))
    })
  })

const thenClose = <T>(file: OpenFile, work: () => Awaitable<T>): Awaitable<T> => {
  const failed = (error: unknown): Awaitable<T> => andThen(file.close(), () => {
    throw error
  })
  return andThen(orElse(work, failed), result => andThen(file.close(), () => result))
}

/** Year 9999, in seconds. Node takes what is negative or infinite for "now". */
const latest = 253_402_300_799

export const setExpiry = (file: OpenFile, expiresAt: number): Awaitable<void> => {
  const seconds = Math.min(Math.max(expiresAt / 1000, 0), latest)
  return file.utimes(seconds, seconds)
}

/** No link is followed, and a FIFO does not wait for its writer. */
const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const openExisting = (disk: Disk, path: string): Awaitable<OpenFile | undefined> =>
  orElse<OpenFile | undefined>(() => disk.open(path, reading), error => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })

const headerPattern = /^phial1 ([\w-]{22}) (\d{1,8}) ([0-9a-f]{8})\n/
const maxHeaderBytes = 64
const maxFileBytes = maxHeaderBytes + maxValueBytes

/**
 * The value is absent when the file is damaged; the version is then what can still be read of it, or stands for the bytes
 * found.
 */
const decode = (bytes: Buffer): { version: string; value: string | undefined } => {
  const header = headerPattern.exec(bytes.toString('latin1', 0, maxHeaderBytes))
  const [line, version, length, sum] = header ?? []
  if (line === undefined || version === undefined) {
    return { version: `damaged-${createHash('sha256').update(bytes).digest('base64url')}`, value: undefined }
  }
  const body = bytes.subarray(line.length)
  const isWhole = body.length === Number(length) && checksum(version, body) === sum
  return { version, value: isWhole ? body.toString() : undefined }
}

/** One read, as a rule; fewer bytes when the file is cut meanwhile. */
const readInto = (buffer: Buffer, file: OpenFile, filled = 0): Awaitable<Buffer> => {
  if (filled === buffer.length) return buffer
  return andThen(file.read(buffer, filled, buffer.length - filled, filled), ({ bytesRead }) =>
    bytesRead === 0 ? buffer.subarray(0, filled) : readInto(buffer, file, filled + bytesRead)
  )
}

import { constants } from 'node:os'
import { SessionError, StoreError, StoreTimeoutError, StoreUnavailableError } from '../../src/errors.js'

/** libuv has no names for these: `code` is "Unknown system error -116". */
const unnamed = new Map([
  [-constants.errno.ESTALE, 'ESTALE'],
  [-constants.errno.EDQUOT, 'EDQUOT']
])

/** The system's name for an error, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined => {
  const { code, errno } = (error ?? {}) as NodeJS.ErrnoException
  return (errno === undefined ? undefined : unnamed.get(errno)) ?? code
}

/**
 * What passes without anybody mending the disk: descriptors and memory come free, purging makes room, and a stale
 * handle of a network file system is opened anew. A broken (EIO), read-only (EROFS) or forbidden (EACCES) disk is not here.
 */
const passing = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'EINTR', 'ESTALE', 'ETIMEDOUT'])

/** The one place where the system's errors become the library's. The message never holds a path: its last part is a key. */
export const toStoreError = (error: unknown, operation: string): SessionError => {
  if (error instanceof SessionError) return error
  const code = codeOf(error)
  const details = { backend: 'file', operation, cause: error }
  if (code === 'ELOCKED') return new StoreTimeoutError(`file store: ${operation} waited too long for the record's lock`, details)
  const message = `file store: ${operation} failed (${code ?? 'see its cause'})`
  return code !== undefined && passing.has(code) ? new StoreUnavailableError(message, details) : new StoreError(message, details)
}

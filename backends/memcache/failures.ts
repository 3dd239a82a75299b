import { SessionError, StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError } from '../../src/errors.js'
import { STATUS } from './wire.js'

/**
 * Why a command got no answer:
 * - `unreachable`: there is no connection, and none was had in time; nothing was sent;
 * - `crowded`: too much is waiting already; nothing was sent;
 * - `silent`: no answer in time;
 * - `lost`: the connection ended before the answer;
 * - `locked`: the server wants another user and password, or any;
 * - `foreign`: what answers is not memcached.
 */
export type Reason = 'unreachable' | 'crowded' | 'silent' | 'lost' | 'locked' | 'foreign'

export class CallFailure extends Error {
  readonly reason: Reason

  constructor(reason: Reason, server: string, cause?: unknown) {
    super(`${server} ${words[reason]}`, { cause })
    this.reason = reason
  }
}

const words: Readonly<Record<Reason, string>> = {
  unreachable: 'cannot be reached',
  crowded: 'has more to answer than it should',
  silent: 'did not answer in time',
  lost: 'closed the connection',
  locked: 'did not accept the user and the password',
  foreign: 'does not speak memcached\'s binary protocol',
}

/** The server answered, and refused. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, text: string) {
    super(`status 0x${status.toString(16)}, "${text}"`)
    this.status = status
  }
}

/** The server is one that sessions cannot be kept on, until somebody changes how it is run. */
export class Unfit extends Error {}

const passing: ReadonlySet<number> = new Set([STATUS.internal, STATUS.busy, STATUS.temporary])

/** The one place where failures become the library's errors. */
export const toStoreError = (error: unknown, operation: string): SessionError => {
  if (error instanceof SessionError) return error
  const details = { backend: 'memcache', operation, cause: error }
  const message = `memcache: ${operation} failed: ${error instanceof Error ? error.message : 'see its cause'}`
  if (error instanceof CallFailure) return new (classOf(error.reason, operation))(message, details)
  if (!(error instanceof Refusal)) return new StoreError(message, details)
  if (error.status === STATUS.outOfMemory) return new StoreError(`${message}: no evictions (-M), or no room for items of this size`, details)
  return passing.has(error.status) ? new StoreUnavailableError(message, details) : new StoreError(message, details)
}

const classOf = (reason: Reason, operation: string): typeof StoreError => {
  switch (reason) {
    case 'unreachable': case 'crowded': return StoreUnavailableError
    case 'silent': return StoreTimeoutError
    case 'lost': return operation === 'get' || operation === 'open' ? StoreUnavailableError : StoreOutcomeUnknownError
    case 'locked': case 'foreign': return StoreError
  }
}

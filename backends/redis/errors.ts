import { SessionError, StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError } from '../../src/errors.js'

/** The server answered that it would not. Of ioredis's own error nothing is kept but the text: it carries the command, and with that keys, data and passwords. */
export class Refused extends Error {
  /** The first word of the answer, such as `READONLY`. */
  readonly code: string

  constructor(answer: string) {
    // Some answers repeat the beginning of the command.
    const [text = ''] = answer.split(/,? with args/)
    super(text)
    this.name = 'Refused'
    this.code = /^[A-Z]+/.exec(text)?.[0] ?? 'ERR'
  }
}

/** The command was not handed to a connection: it has no effect. */
export class NotSent extends Error {
  /** Whether it takes a person to mend that. */
  readonly isLasting: boolean

  constructor(message: string, cause?: unknown, isLasting = false) {
    super(message, { cause })
    this.name = 'NotSent'
    this.isLasting = isLasting
  }
}

/** The command was sent, and then came no answer in time, or the end of the connection: it had its effect, or will have it, or not. */
export class Unanswered extends Error {
  readonly isLate: boolean

  constructor(cause?: unknown) {
    super(cause === undefined ? 'no answer came in time' : 'the connection ended before the answer came', cause === undefined ? undefined : { cause })
    this.name = 'Unanswered'
    this.isLate = cause === undefined
  }
}

/** The write was made, and not enough replicas have told that they have it. */
export class Unconfirmed extends Error {}

/** What a call of ioredis rejects with: the server's own word, or else the answer is lost. */
export const ofClient = (error: unknown): Refused | Unanswered =>
  error instanceof Error && error.name === 'ReplyError' ? new Refused(error.message) : new Unanswered(error)

/**
 * Refusals that pass by themselves: the server loads its data, is a replica, misses replicas or its master, is at work, is full until
 * sessions expire, or is a cluster that moves slots or has lost some.
 */
const passing = new Set(['LOADING', 'READONLY', 'NOREPLICAS', 'MASTERDOWN', 'BUSY', 'OOM', 'CLUSTERDOWN', 'TRYAGAIN'])

export const isPassing = ({ code }: Refused): boolean => passing.has(code)

/** Told when a connection begins, these take a person: the user, the password, the rights, the server's protection. */
const lasting = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM', 'DENIED'])

/**
 * Why a connection cannot be made, or `isLasting` when nobody but a person can mend it: the server refuses the user, is none of redis, or
 * its certificate is not believed. Errors of a system call pass.
 */
export const notConnected = (cause: unknown): NotSent => new NotSent('there is no connection', cause, isLastingTrouble(cause))

const isLastingTrouble = (cause: unknown): boolean => {
  if (cause instanceof Refused) return lasting.has(cause.code)
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException
  // Node says EPROTO where a server does not speak TLS, and ECONNRESET, without a system call, where it went in the middle of that.
  return code === 'EPROTO' || (code !== undefined && syscall === undefined && code !== 'ECONNRESET')
}

/**
 * How a call counts when its answer is lost. `read`: it may be repeated, writes too that do the same again. `write`: what became of it
 * can be learnt by reading. `confirmed`: a write that replicas have to have, of which reading at the master tells nothing.
 */
export type Nature = 'read' | 'write' | 'confirmed'

/** The one place where a client's failures become the library's. */
export const toStoreError = (error: unknown, operation: string, nature: Nature): SessionError => {
  if (error instanceof SessionError) return error
  const details = { backend: 'redis', operation, cause: error }
  const because = (text: string): string => `redis: ${operation}: ${text}`
  if (error instanceof Refused) {
    const message = because(`the server refused (${error.code})`)
    return isPassing(error) ? new StoreUnavailableError(message, details) : new StoreError(message, details)
  }
  if (error instanceof NotSent) {
    const message = because(`${error.message}${reason(error.cause)}`)
    return error.isLasting ? new StoreError(message, details) : new StoreUnavailableError(message, details)
  }
  if (nature === 'confirmed' && (error instanceof Unanswered || error instanceof Unconfirmed)) {
    return new StoreUnavailableError(because('not confirmed by replicas'), details)
  }
  if (!(error instanceof Unanswered)) return new StoreError(because('failed'), details)
  if (error.isLate) return new StoreTimeoutError(because(error.message), details)
  return nature === 'read' ? new StoreUnavailableError(because(error.message), details) : new StoreOutcomeUnknownError(because(error.message), details)
}

const reason = (cause: unknown): string => {
  const { code } = (cause ?? {}) as { code?: unknown }
  return typeof code === 'string' ? ` (${code})` : ''
}

/**
 * Every error that phial makes. Codes are promised from release to release, messages are not.
 *
 * Wrong arguments are a bare `TypeError`; errors that are not phial's pass through untouched.
 */
export abstract class SessionError extends Error {
  /** A stable name for this kind of error, such as `PHIAL_GONE`. */
  abstract readonly code: string
  /** Of the answer to a request that fails with it. Frameworks (Express, Koa, Fastify) answer with an error's `status` as well. */
  readonly status: number = 500

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
  }
}

export interface ConfigErrorDetails {
  /** The setting as its author wrote it, such as `session.timeout`. */
  readonly setting?: string | undefined
  readonly file?: string | undefined
  /** Counted from 1. */
  readonly line?: number | undefined
  readonly cause?: unknown
}

/** An error about a setting; its message begins with where that stands. */
export abstract class SettingError extends SessionError {
  readonly setting: string | undefined
  readonly file: string | undefined
  readonly line: number | undefined

  constructor(message: string, details: ConfigErrorDetails = {}) {
    const { setting, file, line } = details
    const where = file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}: `
    super(where + message, details.cause === undefined ? undefined : { cause: details.cause })
    this.setting = setting
    this.file = file
    this.line = line
  }
}

/** A setting is missing, malformed, unknown, or unsafe beside another. Thrown at start; at a request only for what is set there (`session.cookie`). */
export class ConfigError extends SettingError {
  readonly code = 'PHIAL_CONFIG'
}

/** An optional package that a setting asks for is not installed. The message holds the install command. */
export class DependencyError extends SettingError {
  readonly code = 'PHIAL_DEPENDENCY'
}

/** The same error, told of the setting as its author wrote it. */
export const placedAt = (error: SettingError, place: ConfigErrorDetails): SettingError => {
  const { setting, message, cause } = error
  const text = message.startsWith(`${setting}: `) ? message.slice(`${setting}: `.length) : message
  const PlacedError = error instanceof DependencyError ? DependencyError : ConfigError
  return new PlacedError(`${place.setting}: ${text}`, { ...place, cause })
}

export interface StoreErrorDetails {
  /** The backend's type: `file`, `memory`, … */
  readonly backend: string
  /** The namespace manager's method that failed: `get`, `create`, … */
  readonly operation: string
  /** Whether the same call may succeed a little later, without anybody mending anything. */
  readonly retryable?: boolean
  readonly cause?: unknown
}

/** The store failed. What it could not confirm may or may not have happened; nothing was lied about. */
export class StoreError extends SessionError {
  readonly code: string = 'PHIAL_STORE'
  override readonly status: number = 503
  readonly backend: string
  readonly operation: string
  readonly retryable: boolean

  constructor(message: string, details: StoreErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.backend = details.backend
    this.operation = details.operation
    this.retryable = details.retryable ?? false
  }
}

/** The store did not answer within `operation_timeout`, or the request's budget was spent. Retryable. */
export class StoreTimeoutError extends StoreError {
  override readonly code = 'PHIAL_STORE_TIMEOUT'
  constructor(message: string, details: StoreErrorDetails) {
    super(message, { retryable: true, ...details })
  }
}

/** The store cannot be reached, or refuses work for now. Retryable. */
export class StoreUnavailableError extends StoreError {
  override readonly code = 'PHIAL_STORE_UNAVAILABLE'
  constructor(message: string, details: StoreErrorDetails) {
    super(message, { retryable: true, ...details })
  }
}

/** A write was sent and its answer lost: it took effect once, or not at all. */
export class StoreOutcomeUnknownError extends StoreError {
  override readonly code = 'PHIAL_STORE_OUTCOME_UNKNOWN'
}

/** The session was destroyed, renewed, revoked or evicted while this request held it. It is not brought back. */
export class SessionGoneError extends SessionError {
  readonly code = 'PHIAL_GONE'
  override readonly status = 409
}

/** Others kept writing this session until the request's budget was spent. Nothing of this write was kept. */
export class SessionConflictError extends SessionError {
  readonly code = 'PHIAL_CONFLICT'
  override readonly status = 503
}

/** A value cannot be stored as it is, or a stored record cannot be read. */
export class CodecError extends SessionError {
  readonly code = 'PHIAL_CODEC'
  /** Where the value stands: `user.born`, `items[3]`; empty for the record as a whole. */
  readonly path: string

  constructor(message: string, path: string, options?: { cause?: unknown }) {
    super(message, options)
    this.path = path
  }
}

/** The record, or the cookie, would be larger than its limit. The stored one is as it was. */
export class TooLargeError extends SessionError {
  readonly code = 'PHIAL_TOO_LARGE'
  /** In bytes. */
  readonly size: number
  readonly limit: number

  constructor(message: string, size: number, limit: number) {
    super(message)
    this.size = size
    this.limit = limit
  }
}

/** The change needs a cookie, and the headers have left. */
export class HeadersSentError extends SessionError {
  readonly code = 'PHIAL_HEADERS_SENT'
}

/** The lock was not free within the time given. */
export class LockTimeoutError extends SessionError {
  readonly code = 'PHIAL_LOCK_TIMEOUT'
  override readonly status = 503
}

/**
 * `cross-site`: another site, or a sibling, sent it. `no-token`: it brought none. `no-session`: the session that the token would be of
 * is over. `bad-token`: it is forged, of another session, or from before the last log-in.
 */
export type CsrfReason = 'cross-site' | 'no-token' | 'no-session' | 'bad-token'

/** A request that would change something did not prove that a page of this application sent it. */
export class CsrfError extends SessionError {
  readonly code = 'PHIAL_CSRF'
  override readonly status = 403
  readonly reason: CsrfReason

  constructor(message: string, reason: CsrfReason) {
    super(message)
    this.reason = reason
  }
}

/** The manager was closed, or the request that the session belongs to is over. */
export class SessionClosedError extends SessionError {
  readonly code = 'PHIAL_CLOSED'
  override readonly status = 503
}

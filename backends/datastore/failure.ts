/** gRPC's status codes, as far as they are told apart. */
export const CODE = {
  CANCELLED: 1, UNKNOWN: 2, INVALID_ARGUMENT: 3, DEADLINE_EXCEEDED: 4, NOT_FOUND: 5, ALREADY_EXISTS: 6, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9, ABORTED: 10, OUT_OF_RANGE: 11, UNIMPLEMENTED: 12, INTERNAL: 13, UNAVAILABLE: 14, UNAUTHENTICATED: 16,
} as const

/** The server has looked at the request and refused it. After any other code a write may still have been done. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([
  CODE.INVALID_ARGUMENT, CODE.NOT_FOUND, CODE.ALREADY_EXISTS, CODE.PERMISSION_DENIED, CODE.RESOURCE_EXHAUSTED,
  CODE.FAILED_PRECONDITION, CODE.ABORTED, CODE.OUT_OF_RANGE, CODE.UNIMPLEMENTED, CODE.UNAUTHENTICATED,
])

/** How often it is worth trying again: Google says of its own errors not to do so more than once. */
const TRIES: ReadonlyMap<number, number> = new Map([
  [CODE.UNAVAILABLE, Infinity], [CODE.ABORTED, Infinity], [CODE.RESOURCE_EXHAUSTED, Infinity], [CODE.DEADLINE_EXCEEDED, Infinity],
  [CODE.INTERNAL, 2], [CODE.UNKNOWN, 2],
])

/** A call that came to nothing. */
export class Failure extends Error {
  /** What gRPC said; `undefined` when nothing was sent. */
  readonly code: number | undefined
  /** Nobody needs to mend anything. */
  readonly isPassing: boolean

  private constructor(message: string, code: number | undefined, isPassing: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.isPassing = isPassing
  }

  /** Sent, and answered with an error, or not at all. */
  static answered(code: number, cause?: unknown): Failure {
    return new Failure(`failed with gRPC's code ${code}`, code, code === CODE.CANCELLED || TRIES.has(code), cause)
  }

  /** Not sent: no connection, or no place on it, in time. */
  static unreached(why: string): Failure {
    return new Failure(why, undefined, true)
  }

  /** Not sent: the client could not be made, or would not. */
  static broken(cause: unknown): Failure {
    return new Failure('failed before anything was sent', undefined, false, cause)
  }

  /** Whether a write may have been done all the same, or may still be. */
  get mayHaveLanded(): boolean {
    return this.code !== undefined && !REFUSALS.has(this.code)
  }

  /** Whether to try again after so many tries. */
  isWorthTry(tries: number): boolean {
    return this.code !== undefined && tries < (TRIES.get(this.code) ?? 0)
  }
}

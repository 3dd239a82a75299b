import type { IncomingMessage, ServerResponse } from 'node:http'
import { SessionError } from '../errors.js'
import type { SessionManager } from '../session/session-manager.js'
import type { SessionObject } from '../session/session-object.js'

/** A request that carries its session under the given key. */
export type SessionRequest<
  T extends object = Record<string, any>,
  K extends string = 'session',
  R = IncomingMessage,
> = R & { readonly [key in K]: SessionObject<T> }

/** A handler with its session manager: what `createServer` takes. */
export interface SessionHandler<R = IncomingMessage, S = ServerResponse, T extends object = Record<string, any>> {
  (req: R, res: S, ...rest: unknown[]): unknown
  readonly manager: SessionManager<T>
}

type AnyHandler = (req: any, res: any, ...rest: any[]) => unknown

/**
 * Hangs the lazy session on each request. One of phial's errors that leaves the handler becomes the error answer; others pass
 * through as if nobody stood between.
 */
export const wrapHandler = <R extends object, S extends object, T extends object>(handler: AnyHandler, manager: SessionManager<T>): SessionHandler<R, S, T> => {
  const wrapped = (req: R, res: S, ...rest: unknown[]): unknown => {
    const session = manager.open(req, res)
    if (!session.handle()) return handler(req, res, ...rest) // its failures are the outer handler's to take
    try {
      const result = handler(req, res, ...rest)
      if (!isThenable(result)) return result
      const answered = Promise.resolve(result.then(undefined, (error) => answer(session, error)))
      session.handledBy(answered)
      return answered
    } catch (error) {
      return answer(session, error)
    }
  }
  return Object.assign(wrapped, { manager })
}

const answer = (session: SessionObject<any>, error: unknown): void => {
  if (!(error instanceof SessionError)) throw error
  session.fail(error)
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

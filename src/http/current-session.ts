import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import { ConfigError } from '../errors.js'
import type { SessionObject } from '../session/session-object.js'
import { sessionOf } from '../session/session-of.js'
import type { SessionRequest } from './wrap.js'

/** Costs nothing before a request runs in it. */
const requests = new AsyncLocalStorage<object>()

/** Wraps a handler so that whatever it calls, however deep and however much later, finds the session by `currentSession()`. */
export const withCurrentSession = <R extends object = SessionRequest, Rest extends unknown[] = [res: ServerResponse], A = unknown>(
  handler: (req: R, ...rest: Rest) => A,
): ((req: R, ...rest: Rest) => A) =>
  (req, ...rest) => requests.run(req, handler, req, ...rest)

/**
 * The lazy session of the request that this code runs for: what `req.session` is in the handler.
 * Throws `ConfigError` outside of a request whose handler is wrapped by both `withSession` and `withCurrentSession`.
 */
export const currentSession = <T extends object = Record<string, any>>(): SessionObject<T> => {
  const req = requests.getStore()
  if (req === undefined) throw new ConfigError('currentSession() was called outside of a request: wrap its handler with withCurrentSession')
  return sessionOf<T>(req)
}

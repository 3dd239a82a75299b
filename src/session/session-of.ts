import { ConfigError } from '../errors.js'
import { SessionObject } from './session-object.js'

/**
 * The lazy session of a request: `req.session`, else the first of its own properties that is one (`request_key`).
 * Throws `ConfigError` when there is none.
 */
export const sessionOf = <T extends object = Record<string, any>>(req: object): SessionObject<T> => {
  const { session } = req as { session?: unknown }
  const found = session instanceof SessionObject ? session : Object.values(req).find((value) => value instanceof SessionObject)
  if (found === undefined) throw new ConfigError('this request has no session: its handler is not wrapped by withSession')
  return found as SessionObject<T>
}

/** What a tool writes into the session of a request; see `SessionObject.writing`. Rejects with `ConfigError` when there is none. */
export const writingTo = <R>(req: object, work: (object: SessionObject<any>) => Promise<R>): Promise<R> => {
  try {
    const object = sessionOf(req)
    return object.writing(() => work(object))
  } catch (error) {
    return Promise.reject(error)
  }
}

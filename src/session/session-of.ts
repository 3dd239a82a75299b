import { ConfigError } from '../errors.js'
import { SessionObject } from './session-object.js'

/** The lazy session that a wrapped handler's request carries, whatever its `request_key`. Throws `ConfigError` when there is none. */
export const sessionOf = (req: object): SessionObject<any> => {
  const { session } = req as { session?: unknown }
  const object = session instanceof SessionObject ? session : Object.values(req).find((value) => value instanceof SessionObject)
  if (object === undefined) throw new ConfigError('this request has no session: wrap its handler by withSession', { setting: 'request_key' })
  return object as SessionObject<any>
}

import { prefixOf } from '../cookie-prefix.js'
import { readCookies } from './cookie-header.js'

/** A slot is a further cookie beside the session's: `__Host-phial-seen`. The prefix stays in front, and with it its rules. */
export const slotName = (name: string, slot: string | undefined): string => slot === undefined ? name : `${name}-${slot}`

/** Whether a cookie is a session's of this name, one of its slots, or of a named session, whose name may do without the prefix. */
export const isSessions = (cookie: string, name: string): boolean =>
  cookie === name || [`${name}-`, `${name}.`, `${name.slice(prefixOf(name).length)}.`].some((start) => cookie.startsWith(start))

/** The values that came under a session's name, or under that of one of its slots. */
export const readSlot = (request: CookieRequest, name: string, slot: string | undefined): readonly string[] =>
  readCookies(request.headers.cookie, slotName(name, slot))

/** The slice of Node's HTTP/1 and HTTP/2 requests that holds cookies. */
export interface CookieRequest {
  readonly headers: { readonly cookie?: string | undefined }
}

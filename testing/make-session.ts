import { IncomingMessage, ServerResponse } from 'node:http'
import type { OutgoingHttpHeaders } from 'node:http'
import { Socket } from 'node:net'
import type { SessionManager } from '../src/session/session-manager.js'

export interface MadeSession {
  /** What a request's `Cookie` header says to come with this session; empty for a manager that uses none. */
  readonly cookie: string
  /** The headers of such a request: `Cookie`, or the manager's `id_header`. */
  readonly headers: Readonly<Record<string, string>>
  /** For `manager.getById`. */
  readonly id: string
}

export interface MakeSessionOptions {
  /** The user that it belongs to; nobody if absent. */
  readonly owner?: string
}

/**
 * Stores a session with this data, and answers what a client that has it would send. It works with every backend, for the sessions of a
 * name too: `makeSession(manager.named('cart'), { items: [] })`.
 *
 * Rejects as `save()` does.
 */
export const makeSession = async <T extends object>(manager: SessionManager<T>, data: Partial<T> = {}, { owner }: MakeSessionOptions = {}): Promise<MadeSession> => {
  const req = new IncomingMessage(new Socket())
  const res = new ServerResponse(req)
  const session = await manager.open(req, res).load()
  if (owner !== undefined) session.owner = owner
  await session.assign(data).save()
  res.writeHead(200)
  const headers = presented(res.getHeaders())
  res.destroy()
  return { cookie: headers['cookie'] ?? '', headers, id: session.id }
}

/** What a client keeps of a response, as it sends it. */
const presented = ({ 'set-cookie': cookies = [], 'cache-control': _caching, vary: _vary, ...idHeader }: OutgoingHttpHeaders): Record<string, string> => {
  const cookie = [cookies].flat().map((line) => line.slice(0, line.indexOf(';'))).join('; ')
  return { ...(cookie !== '' && { cookie }), ...(idHeader as Record<string, string>) }
}

import { OutgoingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2'
import { Writable } from 'node:stream'
import { isHttp1, type GatedResponse } from './gated-response.js'

/**
 * A response without a wire, in the state that the real one is in. Whatever is called on it is checked, counted and answered
 * by Node's own code, so that nothing of it is imitated here; what is written to it stays, by reference, and goes nowhere.
 */
export const standInFor = (res: GatedResponse): GatedResponse => {
  const standIn = isHttp1(res) ? http1StandIn(res) : http2StandIn(res)
  // A write after the end is an error event. The real response has it too, when its turn comes.
  standIn.on('error', () => {})
  return standIn
}

/**
 * Node itself queues in such a one: a pipelined response has no socket until the answers before it are complete. The constructor
 * of `ServerResponse` is left out: it tells diagnostics of one more response (`http.server.response.created`).
 */
class Http1StandIn extends OutgoingMessage {}
Object.setPrototypeOf(Http1StandIn.prototype, ServerResponse.prototype)

const http1StandIn = (res: ServerResponse): ServerResponse => {
  const standIn = new Http1StandIn() as OutgoingMessage as ServerResponse
  // Later releases ask the request's server how strict they are to be with headers.
  Object.assign(standIn, { req: res.req })
  for (const name of (res as RawNames).getRawHeaderNames()) standIn.setHeader(name, res.getHeader(name)!)
  for (const key of state) copyScalar(key, res, standIn)
  return standIn
}

/** The status, and Node's own flags and counts: has the head left, is there a body, how long may it be, how much may wait. */
const state = [...Reflect.ownKeys(new Http1StandIn()), 'statusCode', 'statusMessage']

const copyScalar = (key: PropertyKey, from: object, to: object): void => {
  const value: unknown = Reflect.get(from, key)
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') Reflect.set(to, key, value)
}

/** Node has it; its types forgot it. */
type RawNames = ServerResponse & { getRawHeaderNames(): string[] }

/** Over a stream that takes a head and lets nothing go. `node:http2` takes 15 ms to load: it is not for those who do without. */
const http2StandIn = (res: Http2ServerResponse): Http2ServerResponse => {
  const { Http2ServerResponse } = process.getBuiltinModule('node:http2')
  const stream = Object.assign(new Writable({ write() {} }), {
    headersSent: false,
    respond(): void {
      this.headersSent = true
    }
  })
  stream.on('error', () => {})
  const standIn = new Http2ServerResponse(stream as Writable as ServerHttp2Stream)
  standIn.statusCode = res.statusCode
  if (res.headersSent) return standIn.writeHead(res.statusCode)
  for (const [name, value] of Object.entries(res.getHeaders())) standIn.setHeader(name, value!)
  return standIn
}

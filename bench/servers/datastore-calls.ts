import http2 from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'

/** Calls of Datastore that this process has made, by method. Its client speaks gRPC, where each call is a request to a path that ends in the method. */
export const datastoreCalls: Record<string, number> = {}

const { connect } = http2

http2.connect = ((...args: Parameters<typeof connect>): ClientHttp2Session => {
  const session = connect(...args)
  const { request } = session
  session.request = (headers, ...rest) => {
    const path = String((headers as Record<string, unknown> | undefined)?.[':path'])
    const method = path.slice(path.lastIndexOf('/') + 1)
    datastoreCalls[method] = (datastoreCalls[method] ?? 0) + 1
    return request.call(session, headers, ...rest)
  }
  return session
}) as typeof connect

import { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'

/** What handlers write their answer to: HTTP/1's response, or HTTP/2's in Node's compatibility API. */
export type GatedResponse = ServerResponse | Http2ServerResponse

export const isHttp1 = (res: GatedResponse): res is ServerResponse => res instanceof ServerResponse

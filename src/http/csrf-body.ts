import type { Readable } from 'node:stream'
import { tokenSearch } from './csrf-search.js'
import type { TokenSearch } from './csrf-search.js'

/** The slice of Node's HTTP/1 and HTTP/2 requests that holds a body. */
export interface BodyRequest extends Pick<Readable,
  'read' | 'unshift' | 'on' | 'off' | 'readable' | 'readableFlowing' | 'readableEncoding'> {
  readonly headers: { readonly 'content-type'?: string | undefined }
}

/** What finds the token in the request's body; `undefined` where that is no form. */
export const searchFor = ({ headers }: BodyRequest): TokenSearch | undefined =>
  tokenSearch((headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase())

/**
 * The token in a form's body: it is read only so far as the token stands, `limit` bytes at most, and what was read is put back, so that
 * the handler finds the body whole. Without a token the rest stays unread, and what was read is gone.
 */
export const tokenInBody = (req: BodyRequest, search: TokenSearch, limit: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    if (!req.readable || req.readableFlowing === true) return resolve(undefined)
    const chunks: (Buffer | string)[] = []
    let left = limit
    const look = (): void => {
      let token: string | undefined
      for (let chunk: Buffer | string | null; (chunk = req.read()) !== null;) {
        chunks.push(chunk)
        const text = typeof chunk === 'string' ? chunk : chunk.toString('latin1')
        if (left > 0) token ??= search(text.slice(0, left))
        left -= text.length
      }
      // In the same tick: the stream would say otherwise that it has ended.
      if (token !== undefined) putBack(req, chunks)
      if (token !== undefined || left < 0) done(token)
    }
    const done = (token?: string): void => {
      req.off('readable', look)
      for (const event of OVER) req.off(event, stop)
      resolve(token)
    }
    const stop = (): void => done()
    for (const event of OVER) req.on(event, stop)
    req.on('readable', look)
  })

const OVER = ['end', 'close', 'error']

/** In one piece: of many, each would move those that are there already. */
const putBack = (req: BodyRequest, chunks: readonly (Buffer | string)[]): void => {
  const encoding = req.readableEncoding
  if (encoding === null) req.unshift(Buffer.concat(chunks as Buffer[]))
  else req.unshift(chunks.join(''), encoding)
}

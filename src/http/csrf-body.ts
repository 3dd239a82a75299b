import type { Readable } from 'node:stream'
import { TOKEN_CHARS } from '../session/csrf.js'

/** The name of the field that carries a token. */
export const TOKEN_FIELD = 'csrf_token'

/** The slice of Node's HTTP/1 and HTTP/2 requests that holds a body. */
export interface BodyRequest extends Pick<Readable,
  'read' | 'unshift' | 'on' | 'off' | 'readable' | 'readableFlowing' | 'readableEncoding'> {
  readonly headers: { readonly 'content-type'?: string | undefined }
}

/** Where the token is, in the two forms in which browsers send a form. Whoever has a token may put it where they like. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  'application/x-www-form-urlencoded': new RegExp(`(?:^|&)${TOKEN_FIELD}=([\\w-]{${TOKEN_CHARS}})`),
  'multipart/form-data': new RegExp(`[ ;]name="?${TOKEN_FIELD}"?\\r\\n(?:[^\\r\\n]+\\r\\n)*\\r\\n([\\w-]{${TOKEN_CHARS}})`),
}

/**
 * The token in a form's body: it is read only so far as the token stands, `limit` bytes at most, and what was read is put back, so that
 * the handler finds the body whole. Without a token the rest stays unread, and what was read is gone.
 */
export const tokenInBody = (req: BodyRequest, limit: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const pattern = PATTERNS[mediaType(req)]
    if (pattern === undefined || !req.readable || req.readableFlowing === true) return resolve(undefined)
    const chunks: (Buffer | string)[] = []
    let text = ''
    const look = (): void => {
      for (let chunk: Buffer | string | null; (chunk = req.read()) !== null;) {
        chunks.push(chunk)
        text += typeof chunk === 'string' ? chunk : chunk.toString('latin1')
      }
      const token = pattern.exec(text.slice(0, limit))?.[1]
      // In the same tick: the stream would say otherwise that it has ended.
      if (token !== undefined) for (const chunk of chunks.toReversed()) req.unshift(chunk, req.readableEncoding ?? undefined)
      if (token !== undefined || text.length > limit) done(token)
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

const mediaType = ({ headers }: BodyRequest): string =>
  (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()

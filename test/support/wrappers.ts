import { ServerResponse, STATUS_CODES, type IncomingMessage } from 'node:http'
import { createGzip, type Gzip } from 'node:zlib'

/** The packages that people put around handlers, in small: each does to the response what its model does. */

type Writes = (this: ServerResponse, ...args: unknown[]) => unknown
type Listener = (...args: never[]) => void

/** After on-headers: calls the listener when the head is about to be written, and applies what `writeHead` was given first. */
export const onHeaders = (res: ServerResponse, listener: (res: ServerResponse) => void): void => {
  const writeHead = res.writeHead as Writes
  let isFired = false
  res.writeHead = function (this: ServerResponse, ...args: unknown[]) {
    const rest = setWriteHeadHeaders(this, args)
    if (!isFired) {
      isFired = true
      listener(this)
      if (typeof rest[0] === 'number' && this.statusCode !== rest[0]) rest[0] = this.statusCode
    }
    return writeHead.apply(this, rest)
  } as typeof res.writeHead
}

const setWriteHeadHeaders = (res: ServerResponse, args: unknown[]): unknown[] => {
  const index = args.length > 1 && typeof args[1] === 'string' ? 2 : 1
  const headers = args[index]
  res.statusCode = args[0] as number
  if (Array.isArray(headers)) for (let i = 0; i < headers.length; i += 2) res.setHeader(headers[i] as string, headers[i + 1] as string)
  else for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value as string)
  return args.slice(0, index)
}

/** After compression 1.7, which still looks at `_header` and calls `_implicitHeader`, and takes `drain` listeners to its stream. */
export const compress = (res: ServerResponse): void => {
  const inner = res as ServerResponse & { _header: string | null; _implicitHeader(): void }
  const { write, end, on } = inner as unknown as { write: Writes; end: Writes; on: (event: string, listener: Listener) => ServerResponse }
  let listeners: Listener[] | undefined = []
  let stream: Gzip | undefined
  let isEnded = false

  res.write = function (chunk: never, encoding: never) {
    if (isEnded) return false
    if (!inner._header) inner._implicitHeader()
    return stream ? stream.write(Buffer.from(chunk, encoding)) : write.call(inner, chunk, encoding)
  } as typeof res.write

  res.end = function (chunk?: never, encoding?: never) {
    if (isEnded) return false
    if (!inner._header) inner._implicitHeader()
    if (!stream) return end.call(inner, chunk, encoding)
    isEnded = true
    return chunk ? stream.end(Buffer.from(chunk, encoding)) : stream.end()
  } as typeof res.end

  res.on = function (event: string, listener: Listener) {
    if (!listeners || event !== 'drain') return on.call(inner, event, listener)
    if (stream) stream.on(event, listener)
    else listeners.push(listener)
    return inner
  } as typeof res.on

  onHeaders(res, () => {
    const early = listeners ?? []
    if (res.req.method === 'HEAD' || res.getHeader('Content-Encoding')) {
      listeners = undefined
      for (const listener of early) on.call(inner, 'drain', listener)
      return
    }
    const gzip = stream = createGzip()
    for (const listener of early) gzip.on('drain', listener)
    res.setHeader('Content-Encoding', 'gzip')
    res.removeHeader('Content-Length')
    gzip.on('data', (chunk) => { if (write.call(inner, chunk) === false) gzip.pause() })
    gzip.on('end', () => end.call(inner))
    on.call(inner, 'drain', () => gzip.resume())
  })
}

/** After finalhandler: the last one to be asked, which answers unless an answer was begun, and cuts one that was, on an error. */
export const finalHandler = (req: IncomingMessage, res: ServerResponse) => (error?: Error): void => {
  if (!error && res.headersSent) return
  if (res.headersSent) return void req.socket.destroy()
  const body = error ? error.message : 'Cannot find it'
  res.statusCode = error ? 500 : 404
  res.statusMessage = STATUS_CODES[res.statusCode]!
  for (const name of res.getHeaderNames()) res.removeHeader(name)
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body, 'utf8')
}

/** After cookie-session and its kind: adds its cookie when the head is about to be written. */
export const lateCookie = (res: ServerResponse, line: string): void =>
  onHeaders(res, () => {
    const others = [res.getHeader('Set-Cookie') ?? []].flat().map(String)
    res.setHeader('Set-Cookie', [...others, line])
  })

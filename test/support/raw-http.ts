import { once } from 'node:events'
import { connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

interface Listening extends Pick<Server, 'listen' | 'close' | 'address' | 'on'> {
  closeAllConnections?(): void
}

/** Listens on a free loopback port until the test is over. */
export const listen = async (t: ExecutionContext, server: Listening): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server as unknown as NodeJS.EventEmitter, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections?.()
  })
  return (server.address() as AddressInfo).port
}

export const open = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

export interface Exchange {
  /** All that came, one character for each byte. */
  readonly text: string
  /** How the connection ended: `end`, or the error's code. */
  readonly outcome: string
}

/** Sends the text and reads until the server closes the connection. */
export const exchange = async (port: number, request: string): Promise<Exchange> => {
  const socket = await open(port)
  socket.write(request)
  return readAll(socket)
}

export const readAll = (socket: Socket): Promise<Exchange> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = []
    let outcome = 'end'
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => { outcome = error.code ?? error.message })
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve({ text: Buffer.concat(chunks).toString('latin1'), outcome }))
  })

/** A request's text. Without `Connection: close` among its headers, the connection stays open. */
export const request = (path: string, { method = 'GET', version = '1.1', headers = [], body = '' }: RequestParts = {}): string =>
  [`${method} ${path} HTTP/${version}`, 'Host: test', ...headers, '', body].join('\r\n')

interface RequestParts {
  readonly method?: string
  readonly version?: string
  readonly headers?: readonly string[]
  readonly body?: string
}

/** One request, one answer, then the connection is closed. */
export const ask = (port: number, path = '/', parts: RequestParts = {}): Promise<Exchange> =>
  exchange(port, request(path, { ...parts, headers: ['Connection: close', ...(parts.headers ?? [])] }))

export interface ParsedHead {
  readonly statusLine: string
  /** `name: value`, in the order they came. */
  readonly headers: readonly string[]
  readonly body: string
}

/** Apart into lines; the body is not decoded. */
export const parseHead = (text: string): ParsedHead => {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...headers] = text.slice(0, end).split('\r\n')
  return { statusLine, headers, body: text.slice(end + 4) }
}

/** The values of one header. */
export const valuesOf = ({ headers }: ParsedHead, name: string): string[] =>
  headers.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `)).map((line) => line.slice(name.length + 2))

export const withoutDate = (text: string): string => text.replaceAll(/^Date: .*\r\n/gm, 'Date: …\r\n')

import type { Socket } from 'node:net'

/** What is used of memjs's `Server`, which is one connection at a time. Not its own type: the package is an optional one. */
export interface MemjsServer {
  username: string | undefined
  password: string | undefined
  /** What came and is not a whole reply yet. */
  readonly responseBuffer: Buffer
  /** There from the first `write` on. */
  readonly _socket?: Socket
  responseHandler(data: Buffer): void
  /** Connects first, when that is still to be done. */
  write(frame: Buffer): void
  onResponse(opaque: number, handler: ResponseHandler): void
  /** It may be handed a string. */
  onError(opaque: number, handler: (error: unknown) => void): void
  /** What was written goes out now, and not before. Emitted without a user and a password, too. */
  once(event: 'authenticated', listener: () => void): unknown
}

export interface ResponseHandler {
  (response: MemjsResponse): void
  /** More than one reply is to come; the last has no body. */
  quiet?: boolean
}

export interface MemjsResponse {
  readonly header: {
    readonly magic: number
    readonly opcode: number
    readonly status: number
    readonly totalBodyLength: number
    readonly cas: Buffer
  }
  readonly key: Buffer
  readonly val: Buffer
}

export interface MemjsServerOptions {
  readonly timeout: number
  readonly conntimeout: number
  readonly keepAlive: boolean
}

/** Whose third and fourth argument are user and password. With the path of a socket in place of the port, the host is not looked at. */
export type MemjsServerClass =
  new (host: string, port: number | string, username: undefined, password: undefined, options: MemjsServerOptions) => MemjsServer

export interface Memjs {
  readonly Server: MemjsServerClass
}

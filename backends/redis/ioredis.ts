import type { Corkable } from '../one-packet.js'

export type Command = readonly [name: string, ...args: (string | number)[]]

/** What is used of ioredis's `Redis` and `Cluster`. Not their own types: the package is an optional one. */
export interface Client {
  readonly status: string
  /** Rejects with an error whose name is `ReplyError` when the server refuses. A name in lower case. */
  call(...command: Command): Promise<unknown>
  /** Sends them in one go, over one connection. */
  pipeline(commands: readonly Command[]): { exec(): Promise<[error: Error | null, reply: unknown][] | null> }
  connect(): Promise<void>
  /** For good: what is in flight rejects. */
  disconnect(): void
  on(event: string, listener: (...args: any[]) => void): unknown
  /** Of a `Redis`. Not writable any more once the server has closed the connection, which `status` tells a little later. */
  readonly stream?: Corkable & { readonly writable: boolean; unref(): void }
  /** Of a `Cluster`. */
  nodes?(role: 'master'): Client[]
}

export interface Ioredis {
  readonly Redis: new (options: object) => Client
  readonly Cluster: new (seeds: readonly object[], options: object) => Client
}

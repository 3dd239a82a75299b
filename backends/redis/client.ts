import type { RedisTarget } from './url.js'

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
  /** Of a `Cluster`. */
  nodes?(role: 'master'): Client[]
}

export interface Ioredis {
  readonly Redis: new (options: object) => Client
  readonly Cluster: new (seeds: readonly object[], options: object) => Client
}

/** What every client is made with, whatever it is a client of. */
export interface ClientOptions {
  /** In milliseconds: how long a connection may take to be made. */
  readonly connectTimeout: number
  /** For `tls.connect`. */
  readonly tls: object
}

/**
 * A client that is not connected yet and that never repeats anything: no command is queued, sent twice, or sent after it was given up,
 * and when its connection ends, so does it (event `end`). Who uses it makes another.
 *
 * It takes no part in keeping the process alive once it is connected.
 */
export const makeClient = (ioredis: Ioredis, target: RedisTarget, { connectTimeout, tls }: ClientOptions): Client => {
  if (target.kind !== 'server' && target.kind !== 'socket') throw new Error(`no client for a ${target.kind} yet`)
  const { username, password, db } = target
  const client = new ioredis.Redis({
    ...(target.kind === 'socket' ? { path: target.path } : target.server),
    ...(target.kind === 'server' && target.isTls ? { tls } : {}),
    username, password, db, connectTimeout, ...careful, ...silent,
  })
  return unreferenced(client)
}

/** The ways in which ioredis repeats by default, all closed. */
const careful = {
  lazyConnect: true,
  // A command that was given up while it waited here would be executed later.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: () => null,
  // A dead connection is destroyed this many milliseconds after the attempt to end it.
  disconnectTimeout: 50,
}

/** RESP2, and nothing asked at the start: a connection carries commands only, and a user needs no right but to them. */
const silent = { protocol: 2, disableClientInfo: true, enableReadyCheck: false }

/** An idle socket keeps no process alive. */
const unreferenced = (client: Client): Client => {
  client.on('connect', () => (client as { stream?: { unref(): void } }).stream?.unref())
  return client
}

import type { Client, Ioredis } from './ioredis.js'
import { guardReplies } from './reply-guard.js'
import type { RedisTarget } from './url.js'

/** One server; other targets are several of these. */
export type ServerTarget = Extract<RedisTarget, { readonly kind: 'server' | 'socket' }>

/** What every client is made with, whatever it is a client of. */
export interface ClientOptions {
  /** In milliseconds: how long a connection may take to be made. */
  readonly connectTimeout: number
  /** For `tls.connect`. */
  readonly tls: object
  /** It subscribes, and gets messages that nobody asked for. */
  readonly isListener?: boolean
}

/**
 * A client that is not connected yet and that never repeats anything: no command is queued, sent twice, or sent after it was given up,
 * and when its connection ends, so does it (event `end`). Who uses it makes another.
 *
 * Replies are looked at before they are read (see `guardReplies`). It takes no part in keeping the process alive once it is connected.
 */
export const makeClient = (ioredis: Ioredis, target: ServerTarget, { connectTimeout, tls, isListener = false }: ClientOptions): Client => {
  const { username, password, db } = target
  const client = new ioredis.Redis({
    ...(target.kind === 'socket' ? { path: target.path } : target.server),
    ...(target.kind === 'server' && target.isTls ? { tls } : {}),
    username, password, db, connectTimeout, ...careful, ...silent,
  })
  guardReplies(client, isListener)
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
  client.on('connect', () => client.stream?.unref())
  return client
}

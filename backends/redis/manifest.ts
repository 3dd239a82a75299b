import type { Manifest, OptionTable } from '../../src/namespace-manager.js'

export const manifest: Manifest = {
  scope: 'shared',
  durable: true,
  atomic: true,
  revocable: true,
  // Reading one keeps the event loop busy for about 25 ms.
  maxValueBytes: 4 * 1024 * 1024,
  enumerable: true,
  purgeable: false,
  lockable: true,
  ownerIndex: true,
}

export interface RedisOptions {
  /** In place of the user in `session.url`, where it need not be percent-encoded. */
  readonly username?: string | undefined
  /** In place of the password in `session.url`, where it need not be percent-encoded. */
  readonly password?: string | undefined
  /** Addresses as the servers tell them, and as they are reached from here. */
  readonly natMap?: string | undefined
  /** Of the sentinels, which have users and passwords of their own. */
  readonly sentinelUsername?: string | undefined
  readonly sentinelPassword?: string | undefined
  /** A file of certificates (PEM) by which the server's is believed, in place of the system's. */
  readonly caFile?: string | undefined
  /** Files with this client's certificate and its key (PEM), for a server that asks for one. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** How many replicas must have a write before it is acknowledged; default 0. Touches do not wait. */
  readonly waitReplicas: number
  /** A `Redis` or `Cluster` of ioredis, in place of `session.url`. It is not closed with the sessions. */
  readonly client?: object | undefined
}

export const optionTable: OptionTable = {
  username: { type: 'string', default: undefined, sentence: 'The user, if not in the url, where it would have to be percent-encoded.' },
  password: { type: 'string', default: undefined, secret: true, sentence: 'The password, if not in the url, where it would have to be percent-encoded.' },
  ca_file: { type: 'string', default: undefined, sentence: 'A file of certificates (PEM) that the server\'s must come from, in place of the system\'s.' },
  cert_file: { type: 'string', default: undefined, sentence: 'This client\'s certificate (PEM), for servers that ask for one.' },
  key_file: { type: 'string', default: undefined, sentence: 'The key (PEM) of cert_file.' },
  nat_map: {
    type: 'string',
    default: undefined,
    sentence: 'Sentinel and cluster: addresses as the servers tell them, and as they are reached from here: 10.0.0.5:6379=203.0.113.7:7001, ….',
  },
  sentinel_username: { type: 'string', default: undefined, sentence: 'The user at the sentinels, if they ask for one.' },
  sentinel_password: { type: 'string', default: undefined, secret: true, sentence: 'The password at the sentinels, if they ask for one; the url\'s is the servers\'.' },
  wait_replicas: {
    type: 'count',
    default: 0,
    least: 0,
    sentence: 'How many replicas must have a save, a log-out or a new owner before it is acknowledged; otherwise it is answered with 503. Touches do not wait.',
  },
  client: { type: 'object', default: undefined, sentence: 'A ready client of ioredis, in place of the url. It is not closed with the sessions.' },
}

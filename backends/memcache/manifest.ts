import type { Manifest, OptionTable } from '../../src/namespace-manager.js'
import { ITEM_OVERHEAD } from './host.js'

export interface MemcacheOptions {
  /** The user and the password of all servers (SASL PLAIN), if `session.url` does not name them; both or none. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The largest record, in bytes; default 1,047,552: what fits into an item of 1 MiB. */
  readonly maxValueBytes: number
  /** A memjs client, instead of `session.url`, whose servers, users and passwords are taken. It is neither used nor closed. */
  readonly client?: unknown
}

const maxValueBytes = 1024 * 1024 - ITEM_OVERHEAD

export const manifest: Manifest = {
  scope: 'shared',
  durable: false,
  atomic: true,
  revocable: true,
  maxValueBytes,
  enumerable: false,
  purgeable: false,
  lockable: true,
  ownerIndex: false,
  verified: true,
}

export const optionTable: OptionTable = {
  username: {
    type: 'string',
    default: undefined,
    sentence: 'The user for SASL, on all servers; or in the url.',
  },
  password: {
    type: 'string',
    default: undefined,
    secret: true,
    sentence: 'The password that belongs to it.',
  },
  max_value_bytes: {
    type: 'count',
    default: maxValueBytes,
    sentence: 'The largest record, in bytes: at least 1024 below the limit that memcached is started with (`-I`).',
  },
  client: {
    type: 'object',
    default: undefined,
    sentence: 'A memjs client instead of a url: its servers, users and passwords are taken, and connections made to them.',
  },
}

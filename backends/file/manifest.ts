import type { Manifest, OptionTable } from '../../src/namespace-manager.js'
import { maxValueBytes } from './record-file.js'

export const manifest: Manifest = {
  scope: 'machine',
  durable: true,
  atomic: true,
  revocable: true,
  maxValueBytes,
  enumerable: true,
  purgeable: true,
  lockable: true,
  ownerIndex: true,
  verified: true
}

export interface FileOptions {
  /** Whether a write is on the disk, not only on its way there, when it is acknowledged. */
  readonly sync: boolean
  /** Where the files are: `auto`, `local` or `remote`. */
  readonly disk: string
  /** Seconds between two purges of expired records, on average. */
  readonly purgeInterval: number
}

export const optionTable: OptionTable = {
  sync: {
    type: 'boolean',
    default: true,
    sentence: 'Wait until each write is on the disk: what was saved outlasts a power failure. Off, it outlasts only the process.'
  },
  disk: {
    type: 'string',
    default: 'auto',
    sentence: 'local: small calls are made at once, without the thread pool. remote: never. auto: local where Linux knows the file system to be.'
  },
  purge_interval: {
    type: 'seconds',
    default: 3600,
    sentence: 'How often, on average, each process removes expired records; 0 leaves that to you.',
    least: 0
  }
}

import { makeCodec } from '../../src/record/codec.js'
import { Content } from '../../src/record/content.js'
import { formatRecord } from '../../src/record/record.js'
import { packEnvelope } from '../../backends/cookie/envelope.js'
import type { Sealer } from '../../src/namespace-manager.js'
import { makeSealer } from '../../src/record/seal.js'
import { sessionData } from '../growth/session-data.js'

const KEY = '0'.repeat(64)
const AT = 1_700_000_000_000
const NONCE = 'n'.repeat(16)

/** How many nonces of writes a record holds after some saves. */
const WRITES = 6

export interface RecordOptions {
  readonly owned?: boolean
  readonly encrypted?: boolean
}

/** Bytes that phial hands to a store for a session that was saved several times: its data behind a line of phial's own, sealed if there is a key. */
export const recordSize = (size: number, options: RecordOptions = {}): number => {
  const text = recordText(size, options)
  return options.encrypted ? sealer(true).seal('record', KEY, text).length : text.length
}

/** Octets of the cookie of a session whose record the client keeps; its name and attributes are not counted. */
export const cookieSize = (size: number, options: RecordOptions = {}): number => {
  const value = recordText(size, options)
  const text = packEnvelope({ id: 'i'.repeat(43), value, version: 'v'.repeat(22), issuedAt: AT, expiresAt: AT, forgetAt: undefined })
  return sealer(options.encrypted).seal('cookie', KEY, text).length
}

const recordText = (size: number, { owned = false, encrypted = false }: RecordOptions): string => {
  const payload = new Content(makeCodec('json'), sessionData(size, 1)).encode()
  const owner = owned ? { owner: 'somebody@example.com', generations: [NONCE] } : {}
  return formatRecord(KEY, { meta: { createdAt: AT, savedAt: AT, writes: Array.from({ length: WRITES }, () => NONCE), ...owner }, payload }, !encrypted)
}

const sealer = (encrypted = false): Sealer => makeSealer({ secrets: [KEY], encryptKeys: encrypted ? [KEY] : [], name: 'capacity' })

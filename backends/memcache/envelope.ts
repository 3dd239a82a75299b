import { checksum } from '../../src/checksum.js'
import { randomText } from '../../src/random.js'

/** What stands in front of each value: `1`, a nonce, the expiry in base 36, the checksum of these and the value, and a line feed. */
const HEAD = /^(1([\w-]{16})([0-9a-z]{9}))([0-9a-f]{8})\n/
export const HEAD_BYTES = 35

/** A record as it is stored. */
export interface Stored {
  /** Of each write another: two records that have it in common are the same. */
  readonly nonce: string
  readonly value: string
  /** What its writer gave it. Touches do not change it. */
  readonly expiresAt: number
}

export const encode = (value: string, expiresAt: number): { readonly nonce: string; readonly body: Buffer } => {
  const nonce = randomText(12)
  const stamp = `1${nonce}${timeText(expiresAt)}`
  const body = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(value))
  body.write(value, HEAD_BYTES)
  body.write(`${stamp}${checksum(stamp, body.subarray(HEAD_BYTES))}\n`, 'latin1')
  return { nonce, body }
}

/**
 * What is not whole, or not ours, is answered as a record with an empty value, which no codec accepts: so it is told as corrupt above, and
 * does not pass for missing.
 */
export const decode = (body: Buffer): Stored => {
  const [, stamp, nonce, time, sum] = HEAD.exec(body.toString('latin1', 0, HEAD_BYTES)) ?? []
  const isWhole = stamp !== undefined && checksum(stamp, body.subarray(HEAD_BYTES)) === sum
  if (!isWhole) return { nonce: UNKNOWN, value: '', expiresAt: 0 }
  return { nonce: nonce!, value: body.toString('utf8', HEAD_BYTES), expiresAt: parseInt(time!, 36) }
}

const UNKNOWN = '.'.repeat(16)

const LATEST = 36 ** 9 - 1
const timeText = (time: number): string => Math.min(Math.max(Math.ceil(time), 0), LATEST).toString(36).padStart(9, '0')

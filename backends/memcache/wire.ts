/** Of memcached's binary protocol (its `protocol_binary.h`). */
export const OPCODE = { get: 0x00, add: 0x02, replace: 0x03, delete: 0x04, stat: 0x10, touch: 0x1c, getAndTouch: 0x1d } as const

export const STATUS = {
  ok: 0x00, notFound: 0x01, exists: 0x02, tooLarge: 0x03, notStored: 0x05, outOfMemory: 0x82, internal: 0x84, busy: 0x85, temporary: 0x86,
} as const

export interface Command {
  readonly opcode: number
  /** Without blanks and control characters, at most 250 bytes. */
  readonly key: string
  /** When the item ends, as `lifeOf` says it. */
  readonly life?: number
  readonly body?: Buffer
  /** 16 hexadecimal digits: the item must have this one. */
  readonly cas?: string
}

const HEADER_BYTES = 24
const REQUEST = 0x80
export const RESPONSE = 0x81

/** The bytes of a command. `opaque` comes back with its reply. */
export const frameOf = ({ opcode, key, life, body = NOTHING, cas }: Command, opaque: number): Buffer => {
  const extrasBytes = life === undefined ? 0 : body.length > 0 ? 8 : 4
  const frame = Buffer.alloc(HEADER_BYTES + extrasBytes + key.length + body.length)
  frame[0] = REQUEST
  frame[1] = opcode
  frame.writeUInt16BE(key.length, 2)
  frame[4] = extrasBytes
  frame.writeUInt32BE(frame.length - HEADER_BYTES, 8)
  frame.writeUInt32BE(opaque, 12)
  if (cas !== undefined) frame.write(cas, 16, 'hex')
  const keyAt = HEADER_BYTES + extrasBytes
  if (life !== undefined) frame.writeUInt32BE(life, keyAt - 4) // flags, which stay 0, stand before it
  frame.write(key, keyAt, 'latin1')
  body.copy(frame, keyAt + key.length)
  return frame
}

const NOTHING = Buffer.alloc(0)

/** In seconds: memcached takes more for a date (its `REALTIME_MAXDELTA`). */
const LONGEST_LIFE = 30 * 86_400
/** A day in 1970: the item is gone at once. */
const GONE = LONGEST_LIFE + 1
const LAST_DATE = 0xffff_ffff

/**
 * An expiry as memcached is told it: a duration, in seconds. Its clock goes by whole seconds, so an item lives for up to one less than it
 * was given; rounded up and one more it ends never early, and at most two seconds late. Beyond 30 days there is only the date, by the
 * server's own clock. 0 means never.
 */
export const lifeOf = (expiresAt: number, now: number): number => {
  if (expiresAt === Infinity) return 0
  if (!(expiresAt > now)) return GONE
  const seconds = Math.ceil((expiresAt - now) / 1000) + 1
  return seconds <= LONGEST_LIFE ? seconds : Math.min(Math.ceil(Date.now() / 1000) + seconds, LAST_DATE)
}

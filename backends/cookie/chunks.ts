import type { Carrier } from '../../src/carrier.js'
import { MOST_COOKIE_OCTETS } from '../../src/cookie-room.js'

export const MOST_CHUNKS = 8

/** Reserved for a name that is not told. */
const UNTOLD_NAME_OCTETS = 64

/** The slots of the second chunk and on. */
export const CHUNK_SLOTS: readonly string[] = Array.from({ length: MOST_CHUNKS - 1 }, (_, index) => String(index + 1))

/** `3~` stands before the first of three chunks. No seal has a `~`. */
const MARK = /^[2-8]~/
const MARK_OCTETS = 2

/** How many octets each chunk may have, the first first. A cookie's name is a token: an octet a character. */
export const roomsOf = (chunks: number, carrier?: Carrier): readonly number[] =>
  [undefined, ...CHUNK_SLOTS].slice(0, chunks).map(slot => MOST_COOKIE_OCTETS - (carrier?.name?.(slot).length ?? UNTOLD_NAME_OCTETS))

/** The longest text for these rooms. */
export const roomIn = (rooms: readonly number[]): number =>
  rooms.reduce((sum, room) => sum + room, rooms.length > 1 ? -MARK_OCTETS : 0)

export const isMarked = (chunk: string): boolean => MARK.test(chunk)

/** The values of the cookies that carry the text: one, unmarked, when it fits into one. */
export const splitText = (text: string, rooms: readonly number[]): readonly string[] => {
  const [first = 0, ...others] = rooms
  if (text.length <= first) return [text]
  let from = first - MARK_OCTETS
  const parts = [text.slice(0, from)]
  for (const room of others) {
    if (from >= text.length) break
    parts.push(text.slice(from, from + room))
    from += room
  }
  parts[0] = `${parts.length}~${parts[0]}`
  return parts
}

/** The text that begins in this cookie; `undefined` when a chunk is missing or came twice. Mixed ones make a text that does not open. */
export const joinText = (first: string, carrier: Carrier): string | undefined => {
  if (!isMarked(first)) return first
  let text = first.slice(MARK_OCTETS)
  for (const slot of CHUNK_SLOTS.slice(0, Number(first[0]) - 1)) {
    const [part, another] = carrier.read(slot)
    if (part === undefined || another !== undefined) return undefined
    text += part
  }
  return text
}

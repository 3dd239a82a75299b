import { Refused } from './errors.js'
import { addressOf } from './url.js'
import type { Endpoint } from './url.js'

export const SLOTS = 16_384

/** The slot of a key, by the rules of the Redis Cluster specification: of what stands between the first `{` and the next `}`, if anything does. */
export const slotOf = (key: string): number => {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open)
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % SLOTS
}

/** CRC-16/XMODEM: polynomial 1021, beginning with 0. */
const crc16 = (text: string): number => {
  let crc = 0
  for (const byte of Buffer.from(text)) crc = ((crc << 8) & 0xffff) ^ CRC_TABLE[(crc >> 8) ^ byte]!
  return crc
}

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  return crc
})

/** Who serves which slot: only masters, since a replica may not know yet that a session is gone. */
export class SlotMap {
  readonly #masters: (Endpoint | undefined)[] = Array.from({ length: SLOTS })

  masterOf(slot: number): Endpoint | undefined {
    return this.#masters[slot]
  }

  /** What a MOVED says. */
  set(slot: number, master: Endpoint): void {
    this.#masters[slot] = master
  }

  /** Each master once. */
  masters(): Endpoint[] {
    return [...new Map(this.#masters.filter((master) => master !== undefined).map((master) => [addressOf(master), master])).values()]
  }

  /** Whether it said anything: a node that was just made, or thrown out, knows of no slots. */
  replaceBy(ranges: readonly SlotRange[]): boolean {
    if (ranges.length === 0) return false
    this.#masters.fill(undefined)
    for (const { from, to, master } of ranges) this.#masters.fill(master, from, to + 1)
    return true
  }
}

export interface SlotRange {
  readonly from: number
  readonly to: number
  readonly master: Endpoint
}

/**
 * Reads the answer to `CLUSTER SLOTS`. A node without a host (`cluster-preferred-endpoint-type unknown-endpoint`, or one that does not
 * know its own address yet) is where the answer came from.
 */
export const slotRanges = (answer: unknown, from: Endpoint): SlotRange[] =>
  listOf(answer).flatMap((range) => {
    const [first, last, master] = listOf(range)
    const [host, port] = listOf(master)
    const isSound = isSlot(first) && isSlot(last) && first <= last && isPort(port)
    return isSound ? [{ from: first, to: last, master: { host: hostOr(host, from), port } }] : []
  })

export interface Redirection {
  /** `MOVED`: for good, and the map is out of date. `ASK`: this once, the slot is on its way. */
  readonly kind: 'MOVED' | 'ASK'
  readonly slot: number
  readonly to: Endpoint
}

/** Where an error sends us; `undefined` for one that does not. */
export const redirectionIn = (error: unknown, from: Endpoint): Redirection | undefined => {
  if (!(error instanceof Refused)) return undefined
  const [, kind, slot, host, port] = /^(MOVED|ASK) (\d{1,5}) (\S*):(\d{1,5})$/.exec(error.message) ?? []
  if (kind === undefined || !isSlot(Number(slot)) || !isPort(Number(port))) return undefined
  return { kind: kind as 'MOVED' | 'ASK', slot: Number(slot), to: { host: hostOr(host, from), port: Number(port) } }
}

/** A node that does not tell its host says nothing, or `?`. */
const hostOr = (host: unknown, from: Endpoint): string => (typeof host === 'string' && host !== '' && host !== '?' ? host : from.host)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const isSlot = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) < SLOTS
const isPort = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536

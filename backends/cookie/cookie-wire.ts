import type { Carrier, CookieAttributes } from '../../src/carrier.js'
import { emit, warnOnce } from '../../src/diagnostics.js'
import type { Sealer } from '../../src/namespace-manager.js'
import { CHUNK_SLOTS, isMarked, joinText, roomsOf, splitText } from './chunks.js'
import { packEnvelope, packLife, unpackEnvelope, unpackLife, type Envelope, type Life } from './envelope.js'

export interface WireOptions {
  readonly sealer: Sealer
  readonly now: () => number
  readonly chunks: number
  /** How long a session lives at most. */
  readonly lifetimeMs: number
}

/** What came from the client and proved to be ours. */
export interface Presented {
  readonly record: Envelope
  /** Sealed with an older key. */
  readonly stale: boolean
}

// With the format's version, so that what another one sealed does not open.
const PURPOSE = 'cookie 1'
const LIFE_PURPOSE = 'cookie seen 1'
/** The slot of the touch. */
export const SEEN = 'seen'
/** Of one name. A client sends one; the others cost an opening each. */
const MOST_CANDIDATES = 8
/** Half of what Node takes in all headers of a request, 16 KiB, before it answers 431. */
const HEAVY_OCTETS = 8192

/** The cookies in which a request's record comes and goes, sealed, and bound to the name of their cookie. */
export class CookieWire {
  /** How many octets each chunk may have. */
  readonly rooms: readonly number[]
  readonly #carrier: Carrier
  readonly #options: WireOptions
  readonly #name: string
  /** What came under the session's name, and of its touches; a header is searched once. */
  #came: readonly string[] | undefined
  #seen: readonly string[] | undefined
  /** The slots that this request has written. */
  readonly #sent = new Set<string>()

  constructor(carrier: Carrier, options: WireOptions) {
    this.rooms = roomsOf(options.chunks, carrier)
    this.#carrier = carrier
    this.#options = options
    this.#name = carrier.name?.() ?? ''
  }

  /**
   * The record that the client keeps. Where there are several cookies, a dead one does not stand in a live one's way, and of one
   * session's the newest counts: it was sent for another path or domain. Two sessions are none.
   */
  read(): Presented | undefined {
    const candidates = this.#candidates()
    if (candidates.length > MOST_CANDIDATES) return rejected('too-many')
    const now = this.#options.now()
    const found: Presented[] = []
    for (const candidate of candidates) {
      const presented = this.#open(candidate)
      if (presented !== undefined && !isForgotten(presented, now)) found.push(presented)
    }
    if (found.length < 2) return found[0]
    const live = found.filter(({ record }) => record.expiresAt > now)
    return onlyOne(live.length > 0 ? live : found)
  }

  /**
   * The record goes out. A cookie that outlives the browser is kept for the session's whole lifetime, and what it was told to
   * be forgotten at is sealed in it: so a touch is able to move that without sending the record again.
   */
  sendRecord(envelope: Envelope, attributes: CookieAttributes): void {
    const { sealer, now, lifetimeMs } = this.#options
    const forgetAt = attributes.expiresAt
    const kept = forgetAt === undefined ? attributes : { ...attributes, expiresAt: Math.max(forgetAt, now() + lifetimeMs) }
    const chunks = splitText(sealer.seal(PURPOSE, this.#name, packEnvelope({ ...envelope, forgetAt })), this.rooms)
    let octets = 0
    for (let index = 0; index < chunks.length; index++) {
      const chunk = chunks[index] as string
      this.#sendChunk(chunk, kept, index)
      octets += chunk.length
    }
    if (octets > HEAVY_OCTETS) {
      warnOnce('PHIAL_COOKIE_SIZE', `a session's cookies have more than ${HEAVY_OCTETS} octets; Node refuses requests with 16 KiB of headers`)
    }
    this.#expireChunks(attributes, chunks.length - 1)
    this.#expireLife(attributes)
  }

  /** A touch goes out, in a cookie of its own: it counts for the record of that version, and for no older or newer one. */
  sendLife(version: string, expiresAt: number, attributes: CookieAttributes): void {
    const life = packLife({ expiresAt, forgetAt: attributes.expiresAt })
    this.#carrier.write(this.#options.sealer.seal(LIFE_PURPOSE, this.#lifeContext(version), life), attributes, SEEN, true)
    this.#sent.add(SEEN)
  }

  expire(attributes: CookieAttributes): void {
    this.#carrier.expire(attributes)
    this.#expireChunks(attributes, 0)
    this.#expireLife(attributes)
  }

  #open(candidate: string): Presented | undefined {
    const sealed = joinText(candidate, this.#carrier)
    if (sealed === undefined) return rejected('malformed')
    const opened = this.#options.sealer.open(PURPOSE, this.#name, sealed)
    if (opened === undefined) return rejected('bad-signature')
    const record = unpackEnvelope(opened.text)
    const life = this.#lifeOf(record.version)
    return { record: life === undefined ? record : { ...record, ...life }, stale: opened.stale }
  }

  /** What the last touch of this version said. One of another version is what a later save left behind, and no forgery. */
  #lifeOf(version: string): Life | undefined {
    let latest: Life | undefined
    for (const candidate of this.#touches().slice(0, MOST_CANDIDATES)) {
      const opened = this.#options.sealer.open(LIFE_PURPOSE, this.#lifeContext(version), candidate)
      if (opened === undefined) continue
      const life = unpackLife(opened.text)
      if (latest === undefined || life.expiresAt > latest.expiresAt) latest = life
    }
    return latest
  }

  #lifeContext(version: string): string {
    return `${version} ${this.#name}`
  }

  #sendChunk(chunk: string, attributes: CookieAttributes, index: number): void {
    const slot = index === 0 ? undefined : CHUNK_SLOTS[index - 1]
    this.#carrier.write(chunk, attributes, slot, true)
    if (slot !== undefined) this.#sent.add(slot)
  }

  /** Where no chunks are sent, their slots are looked at only when some came. */
  #expireChunks(attributes: CookieAttributes, kept: number): void {
    if (this.rooms.length === 1 && !this.#candidates().some(isMarked)) return
    for (const slot of CHUNK_SLOTS.slice(kept)) this.#expireSlot(slot, attributes)
  }

  #expireLife(attributes: CookieAttributes): void {
    this.#expireSlot(SEEN, attributes)
  }

  #expireSlot(slot: string, attributes: CookieAttributes): void {
    const came = (): readonly string[] => slot === SEEN ? this.#touches() : this.#carrier.read(slot)
    if (this.#sent.has(slot) || came().length > 0) this.#carrier.expire(attributes, slot)
  }

  #candidates(): readonly string[] {
    return (this.#came ??= this.#carrier.read())
  }

  #touches(): readonly string[] {
    return (this.#seen ??= this.#carrier.read(SEEN))
  }
}

const isForgotten = ({ record: { forgetAt } }: Presented, now: number): boolean => forgetAt !== undefined && forgetAt <= now

const onlyOne = (found: readonly Presented[]): Presented | undefined =>
  found.some(({ record }) => record.id !== found[0]?.record.id) ? rejected('ambiguous')
    : found.toSorted((a, b) => b.record.issuedAt - a.record.issuedAt)[0]

const rejected = (reason: 'malformed' | 'bad-signature' | 'ambiguous' | 'too-many'): undefined => {
  emit('rejected-id', { reason })
  return undefined
}

/** A record as the cookie carries it, and as the request holds it. */
export interface Envelope extends Life {
  readonly id: string
  readonly value: string
  /** 22 characters; each write has its own. */
  readonly version: string
  readonly issuedAt: number
}

/** What a touch moves. */
export interface Life {
  readonly expiresAt: number
  /** When the client was told to forget it; absent: when it closes. */
  readonly forgetAt: number | undefined
}

const VERSION_CHARS = 22
/** Milliseconds in base 36 take 9 characters up to the year 5188. */
const TIME_CHARS = 9
const LAST_TIME = 36 ** TIME_CHARS - 1
const LIFE_AT = VERSION_CHARS + TIME_CHARS
const ID_AT = LIFE_AT + 2 * TIME_CHARS

/** Version, times, id, a line's end, value: its length depends on those of the id and the value only. */
export const packEnvelope = (envelope: Envelope): string =>
  `${envelope.version}${packTime(envelope.issuedAt)}${packLife(envelope)}${envelope.id}\n${envelope.value}`

/** Of a text that `packEnvelope` made: the seal proves that it did. */
export const unpackEnvelope = (text: string): Envelope => {
  const end = text.indexOf('\n', ID_AT)
  return {
    version: text.slice(0, VERSION_CHARS),
    issuedAt: unpackTime(text, VERSION_CHARS),
    expiresAt: unpackTime(text, LIFE_AT),
    forgetAt: unpackTime(text, LIFE_AT + TIME_CHARS) || undefined,
    id: text.slice(ID_AT, end),
    value: text.slice(end + 1),
  }
}

export const packLife = ({ expiresAt, forgetAt }: Life): string => packTime(expiresAt) + packTime(forgetAt ?? 0)

/** Of a text that `packLife` made. */
export const unpackLife = (text: string): Life => ({ expiresAt: unpackTime(text, 0), forgetAt: unpackTime(text, TIME_CHARS) || undefined })

const packTime = (time: number): string => Math.max(0, Math.min(Math.floor(time), LAST_TIME)).toString(36).padStart(TIME_CHARS, '0')

const unpackTime = (text: string, at: number): number => Number.parseInt(text.slice(at, at + TIME_CHARS), 36)

import { CodecError } from '../errors.js'
import type { DataCodec } from './codec.js'

/** What is kept of a session beside its data. Times are epoch milliseconds. */
export interface RecordMeta {
  createdAt: number
  authenticatedAt?: number | undefined
  savedAt: number
  owner?: string | undefined
  /** Of which of its owner's generations it is: one of them has to be the current one. */
  generations?: readonly string[] | undefined
  /** A cookie domain and path of this session's own. */
  domain?: string | undefined
  path?: string | undefined
  /** The nonces of the last few writes, newest first: by them a writer whose answer was lost learns what became of its write. */
  writes: readonly string[]
}

/** The user's keys, and beside them what the library keeps for the user (flashes), so that neither shadows the other. */
export interface Content {
  data: Record<string, unknown>
  fields: Record<string, unknown>
}

/** A record with its content still encoded. */
export interface RecordForm {
  readonly meta: RecordMeta
  readonly payload: string
}

/** What stays under an id that was renewed, for a short while: it reads as gone, and a revocation can follow it. */
export interface MovedRecord {
  readonly movedTo: string
  /** Until when the old id may still read. */
  readonly until: number
}

/** How many write nonces a record remembers. */
const WRITES_KEPT = 6

/** Enough of the key to know that a store answered with another key's record. */
const checkOf = (key: string): string => key.slice(0, 16)

interface Header {
  v: 1
  k: string
  w?: readonly string[]
  c?: number
  a?: number
  s?: number
  o?: string
  g?: readonly string[]
  d?: string
  p?: string
  m?: string
  u?: number
}

export const withWrite = (meta: RecordMeta, nonce: string, savedAt: number): RecordMeta => ({
  ...meta,
  savedAt,
  writes: [nonce, ...meta.writes.slice(0, WRITES_KEPT - 1)],
})

/** One line of JSON, then the content as the codec wrote it. */
export const formatRecord = (key: string, { meta, payload }: RecordForm): string => {
  const header: Header = { v: 1, k: checkOf(key), w: meta.writes, c: meta.createdAt, s: meta.savedAt }
  if (meta.authenticatedAt !== undefined) header.a = meta.authenticatedAt
  if (meta.owner !== undefined) header.o = meta.owner
  if (meta.generations !== undefined && meta.generations.length > 0) header.g = meta.generations
  if (meta.domain !== undefined) header.d = meta.domain
  if (meta.path !== undefined) header.p = meta.path
  return `${JSON.stringify(header)}\n${payload}`
}

export const formatMoved = (key: string, { movedTo, until }: MovedRecord): string =>
  `${JSON.stringify({ v: 1, k: checkOf(key), m: movedTo, u: until } satisfies Header)}\n`

/** Throws `CodecError` for anything that is not a record of this key. The payload is not decoded yet. */
export const parseRecord = (key: string, text: string): RecordForm | MovedRecord => {
  const end = text.indexOf('\n')
  if (end < 0) throw new CodecError('the record is cut short', '')
  const header = parseHeader(text.slice(0, end))
  if (header.k !== checkOf(key)) throw new CodecError('the record belongs to another key', '')
  if (typeof header.m === 'string') return { movedTo: header.m, until: numberOr(header.u, 0) }
  return { meta: metaOf(header), payload: text.slice(end + 1) }
}

export const isMoved = (record: object): record is MovedRecord => 'movedTo' in record

const parseHeader = (line: string): Header => {
  let header: unknown
  try {
    header = JSON.parse(line)
  } catch (cause) {
    throw new CodecError('the record has no header', '', { cause })
  }
  if (typeof header !== 'object' || header === null || (header as Header).v !== 1) {
    throw new CodecError('the record has a form that this release does not know', '')
  }
  return header as Header
}

const metaOf = (header: Header): RecordMeta => {
  const { c, s, a, o, g, d, p, w } = header
  if (!isTime(c) || !isTime(s) || !(a === undefined || isTime(a))) throw new CodecError('the record has no times', '')
  if (![o, d, p].every(isOptionalText) || !isTextList(w) || !(g === undefined || isTextList(g))) throw new CodecError('the record has a damaged header', '')
  return { createdAt: c, savedAt: s, authenticatedAt: a, owner: o, generations: g, domain: d, path: p, writes: w }
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value)
const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === 'string'
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string')
const numberOr = (value: unknown, fallback: number): number => (isTime(value) ? value : fallback)

/** The length of the encoded fields on a line (nothing when there are none, as in most sessions), the fields, the data. */
export const encodeContent = (codec: DataCodec, { data, fields }: Content, suspects?: ReadonlySet<string>): string => {
  for (const _ in fields) {
    const encoded = codec.encode(fields)
    return `${encoded.length}\n${encoded}${codec.encode(data, suspects)}`
  }
  return `\n${codec.encode(data, suspects)}`
}

export const decodeContent = (codec: DataCodec, payload: string): Content => {
  const start = payload.indexOf('\n') + 1
  const split = start + Number(payload.slice(0, start))
  const fields = split === start ? {} : codec.decode(payload.slice(start, split))
  const data = codec.decode(payload.slice(split))
  if (!isDictionary(data) || !isDictionary(fields)) throw new CodecError('the record holds no session', '')
  return { data, fields }
}

const isDictionary = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

import { checksum } from '../checksum.js'
import { CodecError } from '../errors.js'

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

/** A record with its content still encoded. */
export interface RecordForm {
  readonly meta: RecordMeta
  readonly payload: string
  /** The store may have damaged it without anybody noticing: what is wrong with it shows only when all of it is decoded. */
  readonly isUnverified?: boolean
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

const FORM = '1'
/** The check of the key, a checksum, and the facts: when it was created and saved, nonces, and what few records have. */
const RECORD = /^1 (\S+) ([\da-f]{8})? ((-?\d+) (-?\d+) ([\w,-]*)( .+)?)$/s
/** The check of the key, until when, where to. */
const MOVED = /^1 (\S+) moved (-?\d+) (\S+)$/

/** What few records have, as JSON. */
interface Rare {
  a?: number | undefined
  o?: string | undefined
  g?: readonly string[] | undefined
  d?: string | undefined
  p?: string | undefined
}

export const withWrite = (meta: RecordMeta, nonce: string, savedAt: number): RecordMeta => ({
  ...meta,
  savedAt,
  writes: [nonce, ...meta.writes.slice(0, WRITES_KEPT - 1)],
})

/** A line about the record, then the content as it was encoded. With a checksum, where nothing else would tell that the content was damaged. */
export const formatRecord = (key: string, { meta, payload }: RecordForm, hasChecksum: boolean): string => {
  const facts = `${meta.createdAt} ${meta.savedAt} ${meta.writes.join(',')}${rareOf(meta)}`
  return `${FORM} ${checkOf(key)} ${hasChecksum ? checksum(facts, payload) : ''} ${facts}\n${payload}`
}

export const formatMoved = (key: string, { movedTo, until }: MovedRecord): string => `${FORM} ${checkOf(key)} moved ${until} ${movedTo}\n`

/** Throws `CodecError` for anything that is not a record of this key. The content is not decoded yet; `isVerified` when others have found that it is whole. */
export const parseRecord = (key: string, text: string, isVerified: boolean): RecordForm | MovedRecord => {
  const end = text.indexOf('\n')
  if (end < 0) throw new CodecError('the record is cut short', '')
  const line = text.slice(0, end)
  if (!line.startsWith(`${FORM} `)) throw new CodecError('the record has a form that this release does not know', '')
  const [, check, sum, facts, created, saved, writes, rare] = RECORD.exec(line) ?? []
  if (check === undefined) return parseMoved(key, line)
  assertCheck(check, key)
  const payload = text.slice(end + 1)
  if (!isVerified && sum !== undefined && sum !== checksum(facts!, payload)) throw new CodecError('the record is not what was stored', '')
  const meta = { createdAt: timeOf(created), savedAt: timeOf(saved), writes: writes === '' ? [] : writes!.split(',') }
  return { meta: rare === undefined ? meta : { ...meta, ...parsedRare(rare) }, payload, isUnverified: !isVerified && sum === undefined }
}

export const isMoved = (record: object): record is MovedRecord => 'movedTo' in record

const parseMoved = (key: string, line: string): MovedRecord => {
  const [, check, until, movedTo] = MOVED.exec(line) ?? []
  if (check === undefined) throw damaged()
  assertCheck(check, key)
  return { movedTo: movedTo!, until: timeOf(until) }
}

const assertCheck = (check: string, key: string): void => {
  if (check !== checkOf(key)) throw new CodecError('the record belongs to another key', '')
}

const timeOf = (text: string | undefined): number => {
  const time = Number(text)
  if (!Number.isSafeInteger(time)) throw damaged()
  return time
}

const rareOf = ({ authenticatedAt, owner, generations = [], domain, path }: RecordMeta): string => {
  if (authenticatedAt === undefined && owner === undefined && domain === undefined && path === undefined) return ''
  return ` ${JSON.stringify({ a: authenticatedAt, o: owner, g: generations.length > 0 ? generations : undefined, d: domain, p: path } satisfies Rare)}`
}

const parsedRare = (text: string): Partial<RecordMeta> => {
  const { a, o, g, d, p } = parsedJson(text)
  if (!(a === undefined || Number.isSafeInteger(a)) || ![o, d, p].every(isOptionalText) || !(g === undefined || isTextList(g))) throw damaged()
  return { authenticatedAt: a, owner: o, generations: g, domain: d, path: p }
}

const parsedJson = (text: string): Rare => {
  try {
    return Object(JSON.parse(text)) as Rare
  } catch (cause) {
    throw new CodecError('the record has a damaged line', '', { cause })
  }
}

const damaged = (): CodecError => new CodecError('the record has a damaged line', '')

const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === 'string'
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string')

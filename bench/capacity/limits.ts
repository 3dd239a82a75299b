import { MOST_CHUNKS } from '../../backends/cookie/chunks.js'
import { manifest as datastore } from '../../backends/datastore/manifest.js'
import { manifest as file } from '../../backends/file/manifest.js'
import { manifest as memcache } from '../../backends/memcache/manifest.js'
import { memoryBackend } from '../../backends/memory.js'
import { manifest as redis } from '../../backends/redis/manifest.js'
import { table } from '../../config/table.js'
import { MOST_COOKIE_OCTETS } from '../../src/cookie-room.js'
import type { CapacityStore } from './input.js'

/** `session.max_bytes`, unless it is set. */
const MAX_BYTES = Number(table.maxBytes.default)
/** What a cookie may have of name and value, less a name such as `__Host-phial`; docs/cookies.md has more of it. */
const MOST_IN_COOKIE = MOST_COOKIE_OCTETS - '__Host-phial'.length

/** The largest record of each store, however `session.max_bytes` is set; what a cookie takes is told from its octets. */
const LARGEST: Readonly<Partial<Record<CapacityStore, number>>> = {
  memory: memoryBackend.supports.maxValueBytes, file: file.maxValueBytes, redis: redis.maxValueBytes, memcache: memcache.maxValueBytes, datastore: datastore.maxValueBytes,
}

/** `session.memory.max_sessions` and `max_total_bytes`, unless they are set. */
export const MEMORY_DEFAULTS: { readonly sessions: number; readonly totalBytes: number } = {
  sessions: Number(memoryBackend.options?.['max_sessions']?.default), totalBytes: Number(memoryBackend.options?.['max_total_bytes']?.default),
}

/** Why phial would refuse the record, and what setting would change that; `undefined` when it would not. */
export const refusalOf = (store: CapacityStore, record: number): string | undefined => {
  const largest = LARGEST[store] ?? Infinity
  const has = `the record has ${exactly(record)} bytes, and`
  if (record > largest) return `${has} ${store} takes no more than ${exactly(largest)}, whatever session.max_bytes says`
  if (record > MAX_BYTES) return `${has} session.max_bytes, ${exactly(MAX_BYTES)} unless it is set, takes no more: set it higher`
  return undefined
}

export const cookieRefusalOf = (octets: number): string | undefined => {
  if (octets <= MOST_IN_COOKIE) return undefined
  const has = `it has ${exactly(octets)} octets, and one cookie takes ${exactly(MOST_IN_COOKIE)}`
  const chunks = Math.ceil(octets / MOST_IN_COOKIE)
  return chunks <= MOST_CHUNKS ? `${has}: session.cookie.chunks = ${chunks} or more spreads it over several` : `${has}, and session.cookie.chunks is ${MOST_CHUNKS} at most: take another store`
}

const exactly = (value: number): string => value.toLocaleString('en')

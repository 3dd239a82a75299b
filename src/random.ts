import { hash, randomBytes } from 'node:crypto'
import { StoreUnavailableError } from './errors.js'

// One call to the system for many small takings: 0.1 µs each instead of 1.5.
const POOL_BYTES = 4096

let pool: Buffer = Buffer.alloc(0)
let used = 0
let lastFill = ''

/** Random bytes as base64url. Throws, and gives nothing, when the system's random source fails. */
export const randomText = (bytes: number): string => {
  const from = take(bytes)
  const text = pool.toString('base64url', from, used)
  pool.fill(0, from, used)
  return text
}

/** Random bytes in a buffer of their own. Throws like `randomText`. */
export const randomBuffer = (bytes: number): Buffer => {
  const from = take(bytes)
  const taken = Buffer.from(pool.subarray(from, used))
  pool.fill(0, from, used)
  return taken
}

/** Where the bytes begin that the caller copies and overwrites, so that none is given twice or found in memory later. */
const take = (bytes: number): number => {
  if (used + bytes > pool.length) refill()
  const from = used
  used += bytes
  return from
}

const refill = (): void => {
  const fresh = drawn()
  if (fresh.length !== POOL_BYTES) throw failed(`gave ${fresh.length} bytes of ${POOL_BYTES}`)
  // A source that is stuck says the same twice: in one answer, or in two.
  const fill = hash('sha256', fresh.subarray(0, POOL_BYTES / 2))
  if (fill === lastFill || fill === hash('sha256', fresh.subarray(POOL_BYTES / 2))) throw failed('repeats itself')
  lastFill = fill
  pool = fresh
  used = 0
}

const drawn = (): Buffer => {
  try {
    return randomBytes(POOL_BYTES)
  } catch (cause) {
    throw failed('failed', cause)
  }
}

/** Nothing can be stored safely for now: the request is answered as when the store is down. */
const failed = (how: string, cause?: unknown): StoreUnavailableError =>
  new StoreUnavailableError(`the random source ${how}`, { backend: 'random', operation: 'randomBytes', cause })

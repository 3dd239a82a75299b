import type { StoredRecord } from '../../src/namespace-manager.js'

/** A record as the cache keeps it. */
export interface Entry {
  readonly value: string
  /** The store's: a save on a copy is decided by the store. */
  readonly version: string
  /** When the record expires, if nobody uses it. */
  readonly expiresAt: number
  /** When the copy is too old to be read: reckoned from before it was read from the store, however late it came here. */
  readonly freshUntil: number
}

/** Stands where somebody is about to put a copy. No entry is empty. */
export const LEASE = ''

export const formatEntry = ({ value, version, expiresAt, freshUntil }: Entry): string =>
  `${JSON.stringify([FORMAT, version, expiresAt, freshUntil])}\n${value}`

/** `undefined` for what another release wrote, or nobody. */
export const parseEntry = (text: string): Entry | undefined => {
  const end = text.indexOf('\n')
  try {
    const [format, version, expiresAt, freshUntil] = JSON.parse(text.slice(0, end)) as unknown[]
    if (format !== FORMAT || typeof version !== 'string' || typeof expiresAt !== 'number' || typeof freshUntil !== 'number') return undefined
    return { value: text.slice(end + 1), version, expiresAt, freshUntil }
  } catch {
    return undefined
  }
}

/** What a reader is answered. A copy is not touched: whose touch is due asks the store. */
export const recordOf = ({ value, version, expiresAt }: Entry): StoredRecord => ({ value, version, expiresAt, touched: false })

const FORMAT = 1

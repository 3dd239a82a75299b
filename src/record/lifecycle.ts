import { SessionConflictError } from '../errors.js'
import { isMoved } from './record.js'
import type { RecordForm } from './record.js'
import type { Found, SealedStore } from './sealed-store.js'
import { REFUSED } from './sealed-store.js'

/** A `moved` sign is followed this often: nobody renews a session faster than it can be ended. */
const MOST_HOPS = 8

/**
 * Ends a session: the record is deleted by its version, and one that was renewed meanwhile is followed to its new key
 * and ended there. Resolves to whether there was anything to end. `base` spares the first read.
 */
export const destroyRecord = async (records: SealedStore, key: string, deadline: number, base?: Found, hops: number = MOST_HOPS): Promise<boolean> => {
  let found = base
  for (;;) {
    found ??= await readAnything(records, key, deadline)
    if (found === undefined) return false
    if (isMoved(found.record)) return endRenewed(records, key, found.record.movedTo, deadline, hops)
    if (await records.delete(key, found.version, deadline)) return true
    found = undefined
    checkTime(deadline)
  }
}

/** The sign goes last: as long as the renewed record is not surely gone, it can be followed again. */
const endRenewed = async (records: SealedStore, key: string, movedTo: string, deadline: number, hops: number): Promise<boolean> => {
  const ended = hops > 0 && (await destroyRecord(records, movedTo, deadline, undefined, hops - 1))
  await records.discard(key, deadline)
  return ended
}

/** A record that cannot be read is ended too: there is nothing in it to follow. */
const readAnything = async (records: SealedStore, key: string, deadline: number): Promise<Found | undefined> => {
  try {
    return await records.read(key, deadline)
  } catch (error) {
    if (!(error instanceof Error) || (error as { code?: unknown }).code !== 'PHIAL_CODEC') throw error
    await records.discard(key, deadline)
    return undefined
  }
}

export interface Renewal {
  readonly oldKey: string
  readonly newKey: string
  /** The old record as this session loaded it. */
  readonly base: Found<RecordForm>
  /** The new record: the data with this session's changes. */
  readonly form: RecordForm
  /** The same changes made on a newer record. */
  readonly merge: (newer: RecordForm) => Promise<RecordForm>
  /** How long the old id may still read, in milliseconds. */
  readonly graceMs: number
}

/**
 * Gives a session a new id. The new record is made first, then the old one is claimed by its version: of two renewals
 * one wins, and a session that was ended meanwhile stays ended. A crash between leaves a record whose id nobody knows.
 * `undefined` when the new key is taken; `'gone'` when the session is gone.
 */
export const renewRecord = async (records: SealedStore, renewal: Renewal, deadline: number): Promise<Found<RecordForm> | 'gone' | undefined> => {
  const { oldKey, newKey, graceMs } = renewal
  let renewed = await records.create(newKey, renewal.form, deadline)
  if (renewed === undefined) return undefined
  try {
    let base = renewal.base
    while (!(await records.move(oldKey, { movedTo: newKey, until: records.rules.now() + graceMs }, base.version, deadline))) {
      const newer = await records.read(oldKey, deadline)
      if (newer !== undefined && isMoved(newer.record) && newer.record.movedTo === newKey) return renewed // our own, whose answer was lost
      if (newer === undefined || isMoved(newer.record)) {
        await records.delete(newKey, renewed.version, deadline)
        return 'gone'
      }
      base = { ...newer, record: newer.record }
      const merged = await records.replace(newKey, await renewal.merge(newer.record), renewed.version, deadline)
      if (merged === REFUSED) return 'gone' // revoked through the owner's index, where the new key already stands
      renewed = merged
      checkTime(deadline)
    }
    return renewed
  } catch (error) {
    records.discard(newKey, Infinity).catch(() => {})
    throw error
  }
}

const checkTime = (deadline: number): void => {
  if (performance.now() >= deadline) throw new SessionConflictError('others kept writing this session until the time was spent')
}


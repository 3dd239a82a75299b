import { Buffer } from 'node:buffer'
import { emit } from '../../src/diagnostics.js'
import { StoreUnavailableError } from '../../src/errors.js'
import type {
  Ending, Enumerable, Lease, Lockable, Manifest, NamespaceManager, OwnerIndex, Purgeable, StoredRecord, Touch,
} from '../../src/namespace-manager.js'
import { CacheCalls } from './cache-calls.js'
import { formatEntry, LEASE, parseEntry, recordOf } from './entry.js'
import { UntoldKeys } from './untold-keys.js'

type EveryAbility = NamespaceManager & Enumerable & Purgeable & Lockable & OwnerIndex

export interface CachedParts {
  readonly store: NamespaceManager
  readonly cache: NamespaceManager
  readonly ttlMs: number
  readonly cacheTimeoutMs: number
  readonly now: () => number
}

/** Longer than reading from the store takes. A reader that dies keeps the others from filling for so long, in milliseconds. */
const LEASE_MS = 5_000

/** What a look into the cache gave: the record; or the version of what may be replaced by a copy; or, if neither, nothing to be used. */
interface Look {
  readonly record?: StoredRecord
  readonly claim?: string | undefined
}

const NOTHING: Look = {}

/**
 * The store decides; the cache only answers reads. Its entries are copies of records, and leases of those who are about to put one.
 *
 * A lease is taken before the record is read from the store, and a copy is put by the lease's version. A write goes to the store first and
 * then removes the entry, so that it breaks every lease of those who may have read the record before. When the write is acknowledged no older
 * copy is there, and none can come.
 */
export class CachedManager implements EveryAbility {
  readonly supports: Manifest
  readonly #store: EveryAbility
  readonly #cache: NamespaceManager
  readonly #calls: CacheCalls
  readonly #untold: UntoldKeys
  readonly #ttlMs: number
  readonly #now: () => number
  #isTelling = false

  constructor({ store, cache, ttlMs, cacheTimeoutMs, now }: CachedParts) {
    this.supports = cache.supports.verified ? { ...store.supports } : { ...store.supports, verified: false }
    this.#store = store as EveryAbility // of which abilities are asked only if the manifest claims them
    this.#cache = cache
    this.#calls = new CacheCalls(cacheTimeoutMs)
    this.#untold = new UntoldKeys(ttlMs, now)
    this.#ttlMs = ttlMs
    this.#now = now
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    const { record, claim } = await this.#look(key, touch)
    if (record !== undefined) return record
    const freshUntil = this.#now() + this.#ttlMs
    const stored = await this.#store.get(key, touch)
    if (claim !== undefined) void this.#fill(key, claim, stored, stored?.touched ? touch?.expiresAt : stored?.expiresAt, freshUntil)
    return stored
  }

  /** Of what the key held before there may be a copy: not every key is new. */
  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    const version = await this.#stored(key, () => this.#store.create(key, value, expiresAt))
    if (!(await this.#tell(key)) && version !== undefined) emit('cache-stale', { backend: 'cache', operation: 'create' })
    return version
  }

  /** A session does not move while the cache cannot be told of it: it would be lost to its user, who is not told its new id. */
  async replace(key: string, value: string, version: string, expiresAt: number, ending?: Ending): Promise<string | undefined> {
    if (ending === 'moved' && !(await this.#tellSurely(key))) throw untold('replace')
    const next = await this.#stored(key, () => this.#store.replace(key, value, version, expiresAt, ending))
    const isTold = await (ending ? this.#tellSurely(key) : this.#tell(key))
    if (ending && !isTold) throw untold('replace')
    if (next !== undefined && !isTold) emit('cache-stale', { backend: 'cache', operation: 'replace' })
    return next
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const isTouched = await this.#stored(key, () => this.#store.touch(key, expiresAt))
    if (!(await this.#tell(key)) && isTouched) emit('cache-stale', { backend: 'cache', operation: 'touch' })
    return isTouched
  }

  /** Tells the cache whatever the store says: who asks again after a failure finds no record, and a copy perhaps. */
  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const isDeleted = await this.#stored<boolean | void>(key, () => (version === undefined ? this.#store.delete(key) : this.#store.delete(key, version)))
    if (!(await this.#tellSurely(key))) throw untold('delete')
    return isDeleted
  }

  keys(): AsyncIterable<string> {
    return this.#store.keys()
  }

  purgeExpired(): Promise<number> {
    return this.#store.purgeExpired()
  }

  lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    return this.#store.lock(key, leaseMs, waitUntil)
  }

  addOwned(owner: string, key: string, expiresAt: number): Promise<void> {
    return this.#store.addOwned(owner, key, expiresAt)
  }

  removeOwned(owner: string, key: string): Promise<void> {
    return this.#store.removeOwned(owner, key)
  }

  listOwned(owner: string): Promise<string[]> {
    return this.#store.listOwned(owner)
  }

  async close(): Promise<void> {
    const closings = await Promise.allSettled([this.#store.close(), this.#cache.close()])
    for (const closing of closings) if (closing.status === 'rejected') throw closing.reason
  }

  /** A copy whose touch is due, or that is too old, is replaced like a lease: it is removed by the same writes. */
  async #look(key: string, touch?: Touch): Promise<Look> {
    if (this.#untold.has(key)) return NOTHING
    const found = await this.#calls.ask('get', () => this.#cache.get(key))
    if (found === undefined) return NOTHING
    void this.#tellOthers()
    if (found.answer === undefined) return { claim: await this.#lease(key) }
    if (found.answer.value === LEASE) return NOTHING
    const entry = parseEntry(found.answer.value)
    const now = this.#now()
    const isFresh = entry !== undefined && entry.freshUntil > now && entry.expiresAt > now
    return isFresh && !(touch && entry.expiresAt < touch.ifBefore) ? { record: recordOf(entry) } : { claim: found.answer.version }
  }

  async #lease(key: string): Promise<string | undefined> {
    const lease = await this.#calls.ask('create', () => this.#cache.create(key, LEASE, this.#now() + LEASE_MS))
    return lease?.answer
  }

  /** Nobody waits for it. What cannot be kept leaves no lease behind. */
  async #fill(key: string, claim: string, stored: StoredRecord | undefined, expiresAt: number | undefined, freshUntil: number): Promise<void> {
    const endsAt = Math.min(expiresAt ?? 0, freshUntil)
    const text = stored && endsAt > this.#now() ? formatEntry({ ...stored, expiresAt: expiresAt!, freshUntil }) : undefined
    if (text !== undefined && Buffer.byteLength(text) <= this.#cache.supports.maxValueBytes) {
      await this.#calls.ask('replace', () => this.#cache.replace(key, text, claim, endsAt))
    } else {
      await this.#calls.ask('delete', () => this.#cache.delete(key, claim))
    }
  }

  /** A write that failed may have taken effect, or may yet. */
  async #stored<T>(key: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      void this.#tell(key)
      throw error
    }
  }

  /** Removes the entry of a record that may have changed. `false`: it may still be there; this process does not read it. */
  async #tell(key: string): Promise<boolean> {
    const mark = this.#untold.get(key)
    const told = await this.#calls.ask('delete', () => this.#cache.delete(key))
    if (told === undefined) {
      this.#untold.add(key)
      return false
    }
    this.#untold.remove(key, mark)
    void this.#tellOthers()
    return true
  }

  /** Once more if it fails: a connection may just have been lost. */
  async #tellSurely(key: string): Promise<boolean> {
    return (await this.#tell(key)) || this.#tell(key)
  }

  /** The cache answers again: what it could not be told is told now. */
  async #tellOthers(): Promise<void> {
    if (this.#isTelling || this.#untold.size === 0) return
    this.#isTelling = true
    for (const key of this.#untold.keys()) if (!(await this.#tell(key))) break
    this.#isTelling = false
  }
}

const untold = (operation: string): StoreUnavailableError =>
  new StoreUnavailableError('the cache could not be told that a session ends: it may be read there for cache_ttl', { backend: 'cache', operation })

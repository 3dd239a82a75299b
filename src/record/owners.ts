import { andThen } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import type { NamespaceManager, OwnerIndex, StoredRecord } from '../namespace-manager.js'
import { nonce } from './id.js'
import type { KeySpace } from './id.js'
import { OwnerGenerations } from './owner-generations.js'
import { isMoved } from './record.js'
import type { RecordMeta } from './record.js'
import type { SealedStore } from './sealed-store.js'
import type { StoreCalls } from './store-call.js'

/**
 * Which sessions an owner has. Whether one still counts is told by the owner's generation, at every reading; the index is there to list
 * them. It is a superset: an entry is written before the record that names the owner and removed after it.
 */
export class Owners {
  readonly #index: OwnerIndex | undefined
  readonly #generations: OwnerGenerations | undefined
  readonly #records: SealedStore
  readonly #calls: StoreCalls
  readonly #keys: KeySpace

  constructor(store: NamespaceManager, records: SealedStore, calls: StoreCalls, keys: KeySpace) {
    this.#index = store.supports.ownerIndex ? (store as NamespaceManager & OwnerIndex) : undefined
    this.#generations = store.supports.scope === 'request' ? undefined : new OwnerGenerations(store, calls, records.rules, keys)
    this.#records = records
    this.#calls = calls
    this.#keys = keys
  }

  get canList(): boolean {
    return this.#index !== undefined
  }

  /**
   * Puts the key under its owner, before a record there names them. Resolves to the generations that the record is to name, or to
   * `undefined` when it is of one that was revoked. `recordKey` is where the session's record is now, if it is not there yet.
   */
  async admit(meta: RecordMeta, key: string, deadline: number, recordKey: string = key): Promise<readonly string[] | undefined> {
    const [generations] = await Promise.all([this.#standing(meta, recordKey, deadline), this.#add(meta, key, deadline)])
    return generations
  }

  /** Whether a session that was just read was not revoked. An entry that could not be renewed is renewed another time. */
  confirm(meta: RecordMeta, key: string, deadline: number, isTouched = false): Awaitable<boolean> {
    if (meta.owner === undefined) return true
    const renewing = isTouched ? this.#add(meta, key, deadline).catch(() => {}) : undefined
    return andThen(this.#standing(meta, key, deadline), (generations) => andThen(renewing, () => generations !== undefined))
  }

  async remove(owner: string | undefined, key: string, deadline: number): Promise<void> {
    const index = this.#index
    if (owner === undefined || index === undefined) return
    await this.#calls.run('removeOwned', deadline, () => index.removeOwned(this.#keys.ownerKeyOf(owner), key))
  }

  async list(owner: string, deadline: number): Promise<readonly string[]> {
    const index = this.#index
    return index === undefined ? [] : this.#calls.run('listOwned', deadline, () => index.listOwned(this.#keys.ownerKeyOf(owner)))
  }

  /** The generation that counts now; `undefined` when there is none. */
  async generation(owner: string, deadline: number): Promise<StoredRecord | undefined> {
    return this.#generations?.read(owner, deadline)
  }

  /** `false`, changing nothing, when `base` does not count any more. */
  async renewGeneration(owner: string, next: string, base: StoredRecord | undefined, deadline: number): Promise<boolean> {
    return this.#generations?.renew(owner, next, base, deadline) ?? true
  }

  async #add(meta: RecordMeta, key: string, deadline: number): Promise<void> {
    const index = this.#index
    if (index === undefined) return
    await this.#calls.run('addOwned', deadline, () => index.addOwned(this.#keys.ownerKeyOf(meta.owner!), key, this.#records.rules.indexExpiry(meta)))
  }

  /** One that a revocation spared knows the new generation before that counts. */
  #standing(meta: RecordMeta, recordKey: string, deadline: number): Awaitable<readonly string[] | undefined> {
    return andThen(this.#generationsOf(meta, deadline), (generations) => generations ?? this.#sparedOf(meta, recordKey, deadline))
  }

  async #sparedOf(meta: RecordMeta, recordKey: string, deadline: number): Promise<readonly string[] | undefined> {
    const now = await this.#records.read(recordKey, deadline)
    if (now === undefined || isMoved(now.record) || now.record.meta.owner !== meta.owner) return undefined
    return this.#generationsOf(now.record.meta, deadline)
  }

  /** A log-in begins one if there is none; for others, one that was lost is over: that logs out, never in. */
  #generationsOf({ owner, generations: own }: RecordMeta, deadline: number): Awaitable<readonly string[] | undefined> {
    const generations = this.#generations
    if (generations === undefined) return []
    if (own === undefined) return generations.begin(owner!, nonce(), deadline).then((begun) => [begun])
    return andThen(generations.read(owner!, deadline), (now) => now !== undefined && own.includes(now.value) ? own : undefined)
  }
}

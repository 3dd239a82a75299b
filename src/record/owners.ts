import type { NamespaceManager, OwnerIndex } from '../namespace-manager.js'
import { nonce, ownerKeyOf } from './id.js'
import { OwnerGenerations } from './owner-generations.js'
import { isMoved } from './record.js'
import type { RecordMeta } from './record.js'
import type { SealedStore } from './sealed-store.js'
import type { StoreCalls } from './store-call.js'

/**
 * Which sessions an owner has. The index is a superset: an entry is written before the record that names the owner and
 * removed after it, so a list that was read to its end has missed nobody who was there. What an index lost, the owner's generation
 * ends; where there is no index, it alone tells who was revoked.
 */
export class Owners {
  readonly #index: OwnerIndex | undefined
  readonly #generations: OwnerGenerations | undefined
  readonly #records: SealedStore
  readonly #calls: StoreCalls

  constructor(store: NamespaceManager, records: SealedStore, calls: StoreCalls) {
    this.#index = store.supports.ownerIndex ? (store as NamespaceManager & OwnerIndex) : undefined
    this.#generations = store.supports.scope === 'request' ? undefined : new OwnerGenerations(store, calls, records.rules)
    this.#records = records
    this.#calls = calls
  }

  get canList(): boolean {
    return this.#index !== undefined
  }

  /** Whether a session of an owner that was just read is to be admitted: always without an index, else when its entry is due. */
  isDue(isTouched: boolean): boolean {
    return this.#generations !== undefined && (isTouched || !this.canList)
  }

  /**
   * Puts the key under its owner, before a record there names them. Resolves to the generations that the record is to name, or to
   * `undefined` when it is of one that was revoked. `recordKey` is where the session's record is now, if it is not there yet.
   */
  async admit(meta: RecordMeta, key: string, deadline: number, recordKey: string = key): Promise<readonly string[] | undefined> {
    const [generations] = await Promise.all([this.#generationsOf(meta, deadline), this.#add(meta, key, deadline)])
    if (generations !== undefined) return generations
    const now = await this.#records.read(recordKey, deadline) // one that a revocation spared knows the new generation before it counts
    if (now === undefined || isMoved(now.record) || now.record.meta.owner !== meta.owner) return undefined
    return this.#generationsOf(now.record.meta, deadline)
  }

  async remove(owner: string | undefined, key: string, deadline: number): Promise<void> {
    const index = this.#index
    if (owner === undefined || index === undefined) return
    await this.#calls.run('removeOwned', deadline, () => index.removeOwned(ownerKeyOf(owner), key))
  }

  async list(owner: string, deadline: number): Promise<readonly string[]> {
    const index = this.#index
    return index === undefined ? [] : this.#calls.run('listOwned', deadline, () => index.listOwned(ownerKeyOf(owner)))
  }

  /** The generation that counts now; `undefined` when it was lost. */
  async generation(owner: string, deadline: number): Promise<string | undefined> {
    return this.#generations?.current(owner, deadline)
  }

  async beginGeneration(owner: string, generation: string, deadline: number): Promise<void> {
    await this.#generations?.renew(owner, generation, deadline)
  }

  async #add(meta: RecordMeta, key: string, deadline: number): Promise<void> {
    const index = this.#index
    if (index === undefined) return
    await this.#calls.run('addOwned', deadline, () => index.addOwned(ownerKeyOf(meta.owner!), key, this.#records.rules.indexExpiry(meta)))
  }

  /** A generation that got lost is put back where an index would tell; without one, what is lost is over: an eviction logs out, never in. */
  async #generationsOf({ owner, generations: own }: RecordMeta, deadline: number): Promise<readonly string[] | undefined> {
    const generations = this.#generations
    if (generations === undefined) return []
    if (own === undefined) return [await generations.begin(owner!, nonce(), deadline)]
    const now = this.canList ? await generations.begin(owner!, own[0]!, deadline) : await generations.current(owner!, deadline)
    return now !== undefined && own.includes(now) ? own : undefined
  }
}

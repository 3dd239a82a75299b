import type { NamespaceManager, OwnerIndex } from '../namespace-manager.js'
import { ownerKeyOf } from './id.js'
import type { StoreCalls } from './store-call.js'

/**
 * Which sessions an owner has. The index is a superset: an entry is written before the record that names the owner and
 * removed after it, so a list that was read to its end has missed nobody who was there.
 */
export class Owners {
  readonly #index: OwnerIndex | undefined
  readonly #calls: StoreCalls

  constructor(store: NamespaceManager | undefined, calls: StoreCalls) {
    this.#index = store?.supports.ownerIndex ? (store as NamespaceManager & OwnerIndex) : undefined
    this.#calls = calls
  }

  get canList(): boolean {
    return this.#index !== undefined
  }

  async add(owner: string | undefined, key: string, expiresAt: number, deadline: number): Promise<void> {
    const index = this.#index
    if (owner === undefined || index === undefined) return
    await this.#calls.run('addOwned', deadline, () => index.addOwned(ownerKeyOf(owner), key, expiresAt))
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
}

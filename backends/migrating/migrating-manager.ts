import { Buffer } from 'node:buffer'
import { SessionClosedError, TooLargeError } from '../../src/errors.js'
import type {
  Ending, Enumerable, Lease, Lockable, Manifest, NamespaceManager, OwnerIndex, Purgeable, StoredRecord, Touch,
} from '../../src/namespace-manager.js'
import { inCommon } from './manifest.js'

type EveryAbility = NamespaceManager & Enumerable & Purgeable & Lockable & OwnerIndex

/** Where a record lives. Its version begins with the place's letter. */
export type Place = 'from' | 'to'

/**
 * Two stores that are read as one. A record stays where it was made, and is in one of them only: `create` makes sure that the key is not in the
 * other. So nothing is ever copied, and what was deleted cannot come back from a copy.
 *
 * Processes that create in different places agree on everything that matters: who locks locks in both, `from` first. Who reads asks first where it
 * creates.
 */
export class MigratingManager implements EveryAbility {
  readonly supports: Manifest
  readonly #stores: Readonly<Record<Place, EveryAbility>>
  readonly #places: readonly [own: Place, other: Place]
  #isClosed = false

  constructor(from: NamespaceManager, to: NamespaceManager, createIn: Place) {
    this.supports = inCommon(from.supports, to.supports)
    this.#stores = { from, to } as Readonly<Record<Place, EveryAbility>> // of which abilities are asked only if the manifests claim them
    this.#places = createIn === 'to' ? ['to', 'from'] : ['from', 'to']
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    for (const place of this.#places) {
      const record = await this.#stores[place].get(key, touch)
      if (record !== undefined) return { ...record, version: place + record.version }
    }
    return undefined
  }

  /** Looks before and after: of two processes that create the same key in different places at the same time, neither has made it, and either may try again. */
  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    this.#checkSize(value)
    const [place, otherPlace] = this.#places
    const [own, other] = [this.#stores[place], this.#stores[otherPlace]]
    if ((await other.get(key)) !== undefined) return undefined
    const version = await own.create(key, value, expiresAt)
    if (version === undefined) return undefined
    let isAlone = false
    try {
      isAlone = (await other.get(key)) === undefined
    } finally {
      if (!isAlone) await own.delete(key, version)
    }
    return isAlone ? place + version : undefined
  }

  async replace(key: string, value: string, version: string, expiresAt: number, ending?: Ending): Promise<string | undefined> {
    this.#checkSize(value)
    const place = placeOf(version)
    if (place === undefined) return undefined
    const next = await this.#stores[place].replace(key, value, version.slice(place.length), expiresAt, ending)
    return next === undefined ? undefined : place + next
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const [own, other] = this.#places
    return (await this.#stores[own].touch(key, expiresAt)) || this.#stores[other].touch(key, expiresAt)
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    this.#assertOpen()
    if (version === undefined) return void (await this.#inBoth((store) => store.delete(key)))
    const place = placeOf(version)
    return place !== undefined && this.#stores[place].delete(key, version.slice(place.length))
  }

  /** Taken away by its version first: what another wrote meanwhile is not undone. */
  async settle(key: string, expiresAt: number): Promise<void> {
    const [own, other] = this.#places
    const there = await this.#stores[other].get(key)
    if (there === undefined || !(await this.#stores[other].delete(key, there.version))) return
    await this.#stores[own].create(key, there.value, expiresAt)
  }

  async *keys(): AsyncGenerator<string> {
    yield* this.#stores.to.keys()
    yield* this.#stores.from.keys()
  }

  async purgeExpired(): Promise<number> {
    const counts = await this.#inBoth(async (store) => (store.supports.purgeable ? store.purgeExpired() : 0))
    return counts.reduce((sum, count) => sum + count)
  }

  /** In both, so that who has left the old store behind and who does not know the new one agree with everybody between. */
  async lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    const { from, to } = this.#stores
    const first = await from.lock(key, leaseMs, waitUntil)
    if (first === undefined) return undefined
    try {
      const second = await to.lock(key, leaseMs, waitUntil)
      if (second !== undefined) return { release: async () => void (await bothOf(second.release(), first.release())) }
    } catch (error) {
      await first.release()
      throw error
    }
    await first.release()
    return undefined
  }

  /** Beside the records that are made now. An entry elsewhere is read, too. */
  addOwned(owner: string, key: string, expiresAt: number): Promise<void> {
    return this.#stores[this.#places[0]].addOwned(owner, key, expiresAt)
  }

  async removeOwned(owner: string, key: string): Promise<void> {
    await this.#inBoth((store) => store.removeOwned(owner, key))
  }

  async listOwned(owner: string): Promise<string[]> {
    return [...new Set((await this.#inBoth((store) => store.listOwned(owner))).flat())]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#inBoth((store) => store.close())
  }

  #inBoth<T>(call: (store: EveryAbility) => Promise<T>): Promise<readonly [T, T]> {
    return bothOf(call(this.#stores.to), call(this.#stores.from))
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new SessionClosedError('the stores are closed')
  }

  #checkSize(value: string): void {
    this.#assertOpen()
    const size = Buffer.byteLength(value)
    const { maxValueBytes } = this.supports
    if (size > maxValueBytes) throw new TooLargeError(`the record has ${size} bytes; the smaller of the two stores takes ${maxValueBytes}`, size, maxValueBytes)
  }
}

const placeOf = (version: string): Place | undefined => (version.startsWith('from') ? 'from' : version.startsWith('to') ? 'to' : undefined)

/** Both are waited for, also when one of them fails. */
const bothOf = async <T>(one: Promise<T>, other: Promise<T>): Promise<readonly [T, T]> => {
  await Promise.allSettled([one, other])
  return [await one, await other]
}

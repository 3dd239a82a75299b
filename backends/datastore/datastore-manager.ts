import { SessionClosedError } from '../../src/errors.js'
import type {
  BackendContext, Enumerable, Lease, Lockable, Manifest, NamespaceManager, OwnerIndex, Purgeable, StoredRecord, Touch,
} from '../../src/namespace-manager.js'
import { nameOf, seenIn } from './entities.js'
import { toStoreError } from './errors.js'
import { Leases } from './leases.js'
import { manifest, type DatastoreOptions } from './manifest.js'
import { OwnerEntries } from './owner-entries.js'
import { pagesOf } from './pages.js'
import { purge } from './purge.js'
import { Records } from './records.js'
import type { Service } from './service.js'
import type { Space } from './space.js'
import { Write } from './write.js'

/** Of the time that the library waits, so that who knows best what happened tells it. */
const SHARE = 0.9
/** What no request waits for may take longer, at least so many milliseconds a page. */
const PAGE_MS = 10_000

/** The manager of one namespace. Everything that fails becomes a typed error here. */
export class DatastoreManager implements NamespaceManager, Enumerable, Purgeable, Lockable, OwnerIndex {
  readonly supports: Manifest = manifest
  readonly #now: () => number
  readonly #timeoutMs: number
  readonly #service: Service
  readonly #space: Space
  readonly #records: Records
  readonly #owners: OwnerEntries
  readonly #leases: Leases
  readonly #underWay = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor({ now, operationTimeout = 1 }: BackendContext<DatastoreOptions>, service: Service, space: Space) {
    this.#now = now
    this.#timeoutMs = operationTimeout * 1000 * SHARE
    this.#service = service
    this.#space = space
    this.#records = new Records(service, now)
    this.#owners = new OwnerEntries(service, this.#space, now)
    this.#leases = new Leases(service, now, this.#deadline)
  }

  get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    return this.#run('get', () => this.#records.get(this.#space.record(key), touch, this.#deadline()))
  }

  create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#write('create', (write) => this.#records.create(this.#space.record(key), value, expiresAt, write))
  }

  replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#write('replace', (write) => this.#records.replace(this.#space.record(key), value, version, expiresAt, write))
  }

  touch(key: string, expiresAt: number): Promise<boolean> {
    return this.#write('touch', (write) => this.#records.touch(this.#space.record(key), expiresAt, write))
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  delete(key: string, version?: string): Promise<boolean | void> {
    const record = this.#space.record(key)
    return this.#write<boolean | void>('delete', (write) =>
      version === undefined ? this.#records.remove(record, write) : this.#records.removeVersion(record, version, write))
  }

  async *keys(): AsyncGenerator<string> {
    const search = { kind: this.#space.kinds.records, paths: ['expires'], deadline: this.#patience }
    const pages = pagesOf(this.#service, search)
    for (;;) {
      const { value: page } = await this.#run('keys', () => pages.next())
      if (page === undefined) return
      for (const result of page) {
        this.#refuseWhenClosed()
        if ((seenIn(result).expiresAt ?? Infinity) > this.#now()) yield nameOf(result.entity?.key)
      }
    }
  }

  purgeExpired(): Promise<number> {
    return this.#run('purgeExpired', () => purge({
      service: this.#service, space: this.#space, now: this.#now, deadline: this.#patience, shouldStop: () => this.#closing !== undefined,
    }))
  }

  async lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    return this.#run('lock', () => this.#leases.lock(this.#space.lease(key), leaseMs, waitUntil))
  }

  addOwned(owner: string, key: string, expiresAt: number): Promise<void> {
    return this.#write('addOwned', (write) => this.#owners.add(owner, key, expiresAt, write))
  }

  removeOwned(owner: string, key: string): Promise<void> {
    return this.#write('removeOwned', (write) => this.#owners.remove(owner, key, write))
  }

  listOwned(owner: string): Promise<string[]> {
    return this.#run('listOwned', () => this.#owners.list(owner, this.#deadline()))
  }

  /** Waits for what is under way, which is not for long; who waits for a lease is answered `undefined`. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#leases.close()
    await Promise.allSettled(this.#underWay)
    await this.#service.close()
  }

  readonly #deadline = (): number => performance.now() + this.#timeoutMs
  readonly #patience = (): number => performance.now() + Math.max(this.#timeoutMs, PAGE_MS)

  #write<T>(operation: string, work: (write: Write) => Promise<T>): Promise<T> {
    const write = new Write(this.#service, this.#deadline())
    return this.#run(operation, () => work(write), write)
  }

  async #run<T>(operation: string, work: () => Promise<T>, write?: Write): Promise<T> {
    this.#refuseWhenClosed()
    const running = work()
    this.#underWay.add(running)
    try {
      return await running
    } catch (error) {
      throw toStoreError(error, operation, write?.mayHaveLanded)
    } finally {
      this.#underWay.delete(running)
    }
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) throw new SessionClosedError('the datastore namespace manager is closed')
  }
}

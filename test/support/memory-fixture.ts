import { memoryBackend, type MemoryOptions } from '../../backends/memory.js'
import { SessionClosedError } from '../../src/errors.js'
import type {
  Enumerable, Lease, Lockable, Manifest, NamespaceManager, OwnerIndex, Purgeable, Sealer, StoredRecord, Touch,
} from '../../src/namespace-manager.js'
import type { ContractFixture, ContractStore } from '../contract/contract-fixture.js'

export type EveryAbility = NamespaceManager & Enumerable & Purgeable & Lockable & OwnerIndex

const defaults: MemoryOptions = { maxSessions: 100_000, maxTotalBytes: 128 * 1024 * 1024, purgeInterval: 60 }

const sealer: Sealer = { seal: (_purpose, _context, text) => text, open: (_purpose, _context, text) => ({ text, stale: false }) }

export const openMemory = (options: Partial<MemoryOptions> = {}, now: () => number = Date.now): EveryAbility =>
  memoryBackend.open({ namespace: 'test', now, options: { ...defaults, ...options }, maxBytes: 262_144, sealer }) as EveryAbility

/** The memory backend as it is: a store is a manager for each namespace, so opening again gives the same one. */
export const memoryFixture: ContractFixture = {
  supports: memoryBackend.supports,
  createStore(): ContractStore {
    let clock = 1_800_000_000_000
    const managers = new Map<string, EveryAbility>()
    return {
      open: (namespace = 'test') => {
        const manager = managers.get(namespace) ?? openMemory({}, () => clock)
        managers.set(namespace, manager)
        return manager
      },
      now: () => clock,
      advance: (ms) => {
        clock += ms
      },
      dispose: async () => {
        for (const manager of managers.values()) await manager.close()
      },
    }
  },
}

export const sharedSupports: Manifest = { ...memoryBackend.supports, scope: 'shared', durable: true }

/** A connection to a memory manager that stands for a server: closing it closes nothing but itself. */
export class Connection implements EveryAbility {
  readonly supports: Manifest = sharedSupports
  readonly #server: EveryAbility
  readonly #closing = new AbortController()

  constructor(server: EveryAbility) {
    this.#server = server
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    return this.#reach().get(key, touch)
  }

  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#reach().create(key, value, expiresAt)
  }

  async replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#reach().replace(key, value, version, expiresAt)
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    return this.#reach().touch(key, expiresAt)
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    return version === undefined ? this.#reach().delete(key) : this.#reach().delete(key, version)
  }

  async *keys(): AsyncGenerator<string> {
    yield* this.#reach().keys()
  }

  async purgeExpired(): Promise<number> {
    return this.#reach().purgeExpired()
  }

  async lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    const { signal } = this.#closing
    const granted = this.#reach().lock(key, leaseMs, waitUntil)
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(closedError()))
      granted.then((lease) => (signal.aborted ? lease?.release() : resolve(lease)), reject)
    })
  }

  async addOwned(owner: string, key: string, expiresAt: number): Promise<void> {
    return this.#reach().addOwned(owner, key, expiresAt)
  }

  async removeOwned(owner: string, key: string): Promise<void> {
    return this.#reach().removeOwned(owner, key)
  }

  async listOwned(owner: string): Promise<string[]> {
    return this.#reach().listOwned(owner)
  }

  async close(): Promise<void> {
    this.#closing.abort()
  }

  #reach(): EveryAbility {
    if (this.#closing.signal.aborted) throw closedError()
    return this.#server
  }
}

const closedError = (): SessionClosedError => new SessionClosedError('the connection is closed')

import { emit } from '../../src/diagnostics.js'
import { SessionClosedError } from '../../src/errors.js'
import type { BackendContext, Lease, Lockable, Manifest, NamespaceManager, StoredRecord, Touch } from '../../src/namespace-manager.js'
import { toStoreError } from './failures.js'
import type { Host } from './host.js'
import { Leases } from './leases.js'
import { manifest, type MemcacheOptions } from './manifest.js'
import { Records } from './records.js'

/** The manager of one namespace. Each call gets its deadline here, and whatever fails becomes a typed error. */
export class MemcacheManager implements NamespaceManager, Lockable {
  readonly isSpread: boolean
  readonly supports: Manifest
  readonly #now: () => number
  readonly #timeoutMs: number
  readonly #hosts: readonly Host[]
  readonly #records: Records
  readonly #leases: Leases
  #closing: Promise<void> | undefined

  /** `hosts` are taken over: they are closed with the manager. */
  constructor({ now, namespace, options }: BackendContext<MemcacheOptions>, hosts: readonly Host[], timeoutMs: number) {
    this.supports = { ...manifest, maxValueBytes: options.maxValueBytes }
    this.#now = now
    this.#timeoutMs = timeoutMs
    this.#hosts = hosts
    this.isSpread = hosts.length > 1
    this.#records = new Records(hosts, namespace, now)
    this.#leases = new Leases(
      (key, leaseMs) => this.#run('lock', (deadline) => this.#records.create(leaseKey(key), '', now() + leaseMs, deadline)),
      (key, version) => this.#run('release', (deadline) => this.#records.delete(leaseKey(key), version, deadline)),
    )
    for (const host of hosts) void this.#lookAt(host)
  }

  get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    return this.#run('get', (deadline) => this.#records.get(key, touch, deadline))
  }

  create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#run('create', (deadline) => this.#records.create(key, value, expiresAt, deadline))
  }

  replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#run('replace', (deadline) => this.#records.replace(key, value, version, expiresAt, deadline))
  }

  touch(key: string, expiresAt: number): Promise<boolean> {
    return this.#run('touch', (deadline) => this.#records.touch(key, expiresAt, deadline))
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const isRemoved = await this.#run('delete', (deadline) => this.#records.delete(key, version, deadline))
    return version === undefined ? undefined : isRemoved
  }

  /** A lease that nobody releases ends up to two seconds late. */
  async lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    return this.#leases.lock(key, leaseMs, waitUntil - this.#now())
  }

  /** Lets go of leases, and waits for what is under way. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    await this.#leases.close()
    await Promise.all(this.#hosts.map((host) => host.close()))
  }

  async #run<T>(operation: string, work: (deadline: number) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined && operation !== 'release') throw new SessionClosedError('the memcache store is closed')
    try {
      return await work(performance.now() + this.#timeoutMs)
    } catch (error) {
      throw toStoreError(error, operation)
    }
  }

  /** What is wrong from the start is told at the start; the server may still come. */
  async #lookAt(host: Host): Promise<void> {
    try {
      await host.look()
    } catch (error) {
      const failure = toStoreError(error, 'open')
      if (this.#closing === undefined) emit('store-error', { backend: 'memcache', operation: 'open', error: failure })
    }
  }
}

const leaseKey = (key: string): string => `${key}:lock`

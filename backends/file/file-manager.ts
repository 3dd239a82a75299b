import { orElse, type Awaitable } from '../../src/awaitable.js'
import { emit } from '../../src/diagnostics.js'
import { SessionClosedError } from '../../src/errors.js'
import type {
  AtOnce,
  BackendContext,
  Enumerable,
  Lease,
  Lockable,
  Manifest,
  NamespaceManager,
  OwnerIndex,
  Purgeable,
  StoredRecord,
  Touch
} from '../../src/namespace-manager.js'
import { Directories, statsOf } from './directories.js'
import type { Disk } from './disk.js'
import { entriesOf } from './entries.js'
import { toStoreError } from './errors.js'
import { InFlight } from '../in-flight.js'
import { isKey, layoutOf, leaves, pathOf, type Layout } from './layout.js'
import { Leases } from './leases.js'
import { manifest, type FileOptions } from './manifest.js'
import { OwnerFiles } from './owner-files.js'
import { PurgeTimer } from './purge-timer.js'
import { purge } from './purge.js'
import { RecordFiles } from './record-files.js'
import { Stages } from './stages.js'
import { Turns } from './turns.js'

/** The manager of one namespace. Everything that fails becomes a typed error here. */
export class FileManager implements NamespaceManager, Enumerable, Purgeable, Lockable, OwnerIndex {
  readonly supports: Manifest = manifest
  /** Where the disk need not wait, a record is read without a promise. */
  readonly atOnce: AtOnce = { get: (key, touch) => this.#atOnce('get', () => this.#files.get(this.#path(key), touch)) }
  readonly #disk: Disk
  readonly #now: () => number
  readonly #layout: Layout
  readonly #directories: Directories
  readonly #lockDirectories: Directories
  readonly #stages: Stages
  readonly #files: RecordFiles
  readonly #owners: OwnerFiles
  readonly #leases: Leases
  readonly #timer: PurgeTimer
  readonly #inFlight = new InFlight()
  #closing: Promise<void> | undefined

  constructor({ namespace, now, options }: BackendContext<FileOptions>, dataDir: string, lockDir: string, disk: Disk) {
    this.#disk = disk
    this.#now = now
    this.#layout = layoutOf(namespace, dataDir, lockDir)
    this.#directories = new Directories(disk, dataDir, options.sync)
    this.#lockDirectories = new Directories(disk, lockDir, false)
    this.#stages = new Stages(disk, this.#layout.stages, this.#directories)
    this.#files = new RecordFiles(disk, this.#directories, new Turns(this.#directories, this.#stages, now), options.sync, now)
    this.#owners = new OwnerFiles(this.#layout.owners, this.#directories, this.#files)
    const leaseStages = new Stages(disk, this.#layout.leaseStages, this.#lockDirectories)
    this.#leases = new Leases(this.#layout.leases, this.#lockDirectories, leaseStages, now, () => this.#isClosing)
    this.#timer = new PurgeTimer(options.purgeInterval, now, () => this.#purgeByTimer())
  }

  get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    return this.#run('get', () => this.#files.get(this.#path(key), touch))
  }

  create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#write('create', () => this.#files.put(this.#path(key), value, expiresAt, () => false))
  }

  replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#write('replace', () => this.#files.replace(this.#path(key), value, version, expiresAt))
  }

  touch(key: string, expiresAt: number): Promise<boolean> {
    return this.#run('touch', () => this.#files.touch(this.#path(key), expiresAt))
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const path = this.#path(key)
    const isWanted = async (): Promise<boolean> => version === undefined || (await this.#files.get(path))?.version === version
    const isRemoved = await this.#run('delete', () => this.#files.remove(path, isWanted))
    return version === undefined ? undefined : isRemoved
  }

  async *keys(): AsyncGenerator<string> {
    for (const leaf of leaves) yield* this.#keysIn(`${this.#layout.records}/${leaf}`)
  }

  purgeExpired(): Promise<number> {
    return this.#run('purgeExpired', () =>
      purge({
        path: `${this.#layout.namespace}/purge`,
        records: { root: this.#layout.records, directories: this.#directories },
        owners: { root: this.#layout.owners, directories: this.#directories },
        leases: { root: this.#layout.leases, directories: this.#lockDirectories },
        stages: this.#stages,
        stageRoots: [this.#layout.stages, this.#layout.leaseStages],
        files: this.#files,
        now: this.#now,
        shouldStop: () => this.#isClosing
      })
    )
  }

  lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    return this.#run('lock', () => this.#leases.lock(key, leaseMs, waitUntil))
  }

  addOwned(owner: string, key: string, expiresAt: number): Promise<void> {
    return this.#write('addOwned', () => this.#owners.add(owner, key, expiresAt))
  }

  removeOwned(owner: string, key: string): Promise<void> {
    return this.#run('removeOwned', () => this.#owners.remove(owner, key))
  }

  listOwned(owner: string): Promise<string[]> {
    return this.#run('listOwned', () => this.#owners.list(owner))
  }

  /** Waits for what is under way; a purge stops early, and who waits for a lease is answered `undefined`. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#timer.stop()
    await this.#inFlight.none()
    await this.#leases.close()
    await this.#stages.close()
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined
  }

  #path(key: string): string {
    return pathOf(this.#layout.records, key)
  }

  async #run<T>(operation: string, work: () => Awaitable<T>): Promise<T> {
    return this.#atOnce(operation, work)
  }

  #atOnce<T>(operation: string, work: () => Awaitable<T>): Awaitable<T> {
    this.#refuseWhenClosed()
    const counted = (): Awaitable<T> => {
      const answer = work()
      return answer instanceof Promise ? this.#inFlight.run(() => answer) : answer
    }
    return orElse(counted, error => {
      throw toStoreError(error, operation)
    })
  }

  #write<T>(operation: string, work: () => Promise<T>): Promise<T> {
    if (!this.#isClosing) this.#timer.start()
    return this.#run(operation, work)
  }

  #refuseWhenClosed(): void {
    if (this.#isClosing) throw new SessionClosedError('the file store is closed')
  }

  async *#keysIn(directory: string): AsyncGenerator<string> {
    try {
      this.#refuseWhenClosed()
      if (!(await this.#directories.has(directory))) return
      for await (const { name } of entriesOf(directory)) {
        const isLive = isKey(name) && (await this.#isLive(`${directory}/${name}`))
        this.#refuseWhenClosed()
        if (isLive) yield name
      }
    } catch (error) {
      throw toStoreError(error, 'keys')
    }
  }

  async #isLive(path: string): Promise<boolean> {
    const stats = await statsOf(this.#disk, path)
    return stats !== undefined && stats.isFile() && Math.round(stats.mtimeMs) > this.#now()
  }

  async #purgeByTimer(): Promise<void> {
    try {
      await this.purgeExpired()
    } catch (error) {
      if (!this.#isClosing) emit('store-error', { backend: 'file', operation: 'purgeExpired', error })
    }
  }
}

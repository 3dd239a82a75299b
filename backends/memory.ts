import { setImmediate } from 'node:timers/promises'
import { emit, warnOnce } from '../src/diagnostics.js'
import { ConfigError, SessionClosedError, TooLargeError } from '../src/errors.js'
import type {
  AtOnce, Backend, BackendContext, Enumerable, Lease, Lockable, Manifest, NamespaceManager, OptionTable, OwnerIndex, Purgeable,
  StoredRecord, Touch,
} from '../src/namespace-manager.js'
import { timerMs } from '../src/timer-ms.js'
import { LeaseQueue } from './memory/lease-queue.js'
import { Owners } from './memory/owners.js'
import { Records } from './memory/records.js'
import type { Slot } from './memory/slots.js'

export interface MemoryOptions {
  /**
   * Default 100,000: with records of 1,000 bytes, about 120 MB. Beside its record a session takes about 190 bytes, and about 430 more
   * when it has an owner.
   */
  readonly maxSessions: number
  /** Bytes of session data on the heap, at least the application's `max_bytes`; default 128 MiB. */
  readonly maxTotalBytes: number
  /** About how many seconds pass between two purges of expired sessions; default 60. */
  readonly purgeInterval: number
}

const options: OptionTable = {
  max_sessions: {
    type: 'count',
    default: 100_000,
    sentence: 'Sessions kept; a further one takes the place of an expired one, else of the one that was unused for the longest time.',
  },
  max_total_bytes: {
    type: 'count',
    default: 128 * 1024 * 1024,
    sentence: 'Bytes of session data kept, beside about 200 bytes a session; over it, sessions are given up as with max_sessions.',
  },
  purge_interval: {
    type: 'seconds',
    default: 60,
    sentence: 'How often expired sessions are looked for and freed. They are never readable, however long this is.',
  },
}

const supports: Manifest = {
  scope: 'process',
  durable: false,
  atomic: true,
  revocable: true,
  // What memcached takes by default: an application that outgrows this process need not shrink its sessions.
  maxValueBytes: 1024 * 1024,
  enumerable: true,
  purgeable: true,
  lockable: true,
  ownerIndex: true,
  verified: true,
}

/**
 * Sessions in this process, bounded in number and bytes. A manager has its own: two of them share nothing, and what a
 * manager keeps is gone when it is closed. For development, tests, and applications of one process that may forget.
 *
 * Leases are served first come, first served, and are timed by timers: setting the clock ends none.
 */
export const memoryBackend: Backend<MemoryOptions> = {
  type: 'memory',
  supports,
  options,
  open(context) {
    const { options: { maxTotalBytes }, maxBytes } = context
    if (maxTotalBytes < maxBytes) {
      const setting = 'session.memory.max_total_bytes'
      throw new ConfigError(`${setting}: expected at least session.max_bytes, ${maxBytes}; got ${maxTotalBytes}`, { setting })
    }
    if (process.env['NODE_ENV'] === 'production') {
      warnOnce('PHIAL_MEMORY', 'session.type = memory: sessions end with this process, and no other process sees them')
    }
    return new MemoryNamespaceManager(context)
  },
}

/** Records looked at in one go, which takes well under 1 ms. */
const SLICE = 1_000

class MemoryNamespaceManager implements NamespaceManager, Enumerable, Purgeable, Lockable, OwnerIndex {
  readonly supports: Manifest = supports
  /** Nothing here ever waits. */
  readonly atOnce: Required<AtOnce> = {
    get: (key, touch) => this.#get(key, touch),
    create: (key, value, expiresAt) => this.#create(key, value, expiresAt),
    replace: (key, value, version, expiresAt) => this.#replace(key, value, version, expiresAt),
  }
  readonly #now: () => number
  readonly #options: MemoryOptions
  readonly #records = new Records()
  readonly #owners = new Owners()
  readonly #leases = new LeaseQueue()
  #writes = 0
  #purgeTimer: NodeJS.Timeout | undefined
  /** How far the clock is ahead of one that nobody sets. */
  #clockAhead = 0
  #closed = false

  constructor(context: BackendContext<MemoryOptions>) {
    this.#now = context.now
    this.#options = context.options
    this.#clockAhead = context.now() - performance.now()
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    return this.#get(key, touch)
  }

  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#create(key, value, expiresAt)
  }

  async replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#replace(key, value, version, expiresAt)
  }

  #get(key: string, touch?: Touch): StoredRecord | undefined {
    const slot = this.#live(key)
    if (slot === undefined) return undefined
    const records = this.#records
    const expiresAt = records.expiresAt(slot)
    const touched = touch !== undefined && expiresAt < touch.ifBefore
    if (touched) records.setExpiresAt(slot, touch.expiresAt)
    records.use(slot)
    return { value: records.value(slot), version: this.#versionOf(slot), expiresAt, touched }
  }

  #create(key: string, value: string, expiresAt: number): string | undefined {
    const bytes = heapBytes(value)
    if (this.#live(key) !== undefined) return undefined
    const version = ++this.#writes
    this.#records.add(key, { value, version, expiresAt, bytes })
    this.#makeRoom()
    this.#schedulePurge()
    return version.toString(36)
  }

  #replace(key: string, value: string, version: string, expiresAt: number): string | undefined {
    const bytes = heapBytes(value)
    const slot = this.#live(key)
    if (slot === undefined || this.#versionOf(slot) !== version) return undefined
    const next = ++this.#writes
    this.#records.rewrite(slot, { value, version: next, expiresAt, bytes })
    this.#makeRoom()
    return next.toString(36)
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const slot = this.#live(key)
    if (slot === undefined) return false
    this.#records.setExpiresAt(slot, expiresAt)
    this.#records.use(slot)
    return true
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const slot = this.#live(key)
    const isMeant = slot !== undefined && (version === undefined || this.#versionOf(slot) === version)
    if (isMeant) this.#records.remove(slot)
    return version === undefined ? undefined : isMeant
  }

  async *keys(): AsyncGenerator<string> {
    this.#assertOpen()
    let looked = 0
    for (const slot of this.#records) {
      if (this.#records.expiresAt(slot) > this.#now()) yield this.#records.key(slot)
      if (++looked % SLICE === 0) await setImmediate()
      this.#assertOpen()
    }
  }

  async purgeExpired(): Promise<number> {
    this.#assertOpen()
    return this.#purge(true)
  }

  async lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    this.#assertOpen()
    return this.#leases.lock(key, leaseMs, waitUntil - this.#now())
  }

  async addOwned(owner: string, key: string, expiresAt: number): Promise<void> {
    this.#assertOpen()
    this.#owners.add(owner, key, expiresAt)
    this.#schedulePurge()
  }

  async removeOwned(owner: string, key: string): Promise<void> {
    this.#assertOpen()
    this.#owners.remove(owner, key)
  }

  async listOwned(owner: string): Promise<string[]> {
    this.#assertOpen()
    return this.#owners.list(owner)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#purgeTimer)
    this.#leases.close(closedError())
    this.#records.clear()
    this.#owners.clear()
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError()
  }

  #live(key: string): Slot | undefined {
    this.#assertOpen()
    const slot = this.#records.find(key)
    if (slot === undefined || this.#records.expiresAt(slot) > this.#now()) return slot
    this.#records.remove(slot)
    return undefined
  }

  #versionOf(slot: Slot): string {
    return this.#records.version(slot).toString(36)
  }

  /** Gives records up until the bounds are kept, but not the one written last: a single one may be larger than what is left. */
  #makeRoom(): void {
    const { maxSessions, maxTotalBytes } = this.#options
    while (this.#records.size > 1 && (this.#records.size > maxSessions || this.#records.bytes > maxTotalBytes)) {
      const reason = this.#records.size > maxSessions ? 'count' : 'bytes'
      const now = this.#now()
      const victim = this.#records.victim(now)
      if (victim === undefined) return
      const [key, isExpired] = [this.#records.key(victim), this.#records.expiresAt(victim) <= now]
      this.#records.remove(victim)
      if (isExpired) continue
      this.#owners.forget(key)
      emit('evicted', { backend: 'memory', reason })
    }
  }

  #schedulePurge(): void {
    if (this.#purgeTimer !== undefined) return
    // Several managers, made together, shall not purge together.
    const delay = this.#options.purgeInterval * 1_000 * (0.9 + 0.2 * Math.random())
    this.#purgeTimer = setTimeout(() => void this.#purgeInTurn(), timerMs(delay)).unref()
  }

  async #purgeInTurn(): Promise<void> {
    if (!this.#hasClockJumped()) await this.#purge(false)
    this.#purgeTimer = undefined
    if (this.#records.size + this.#owners.size > 0) this.#schedulePurge()
  }

  /** A clock that was set ahead by mistake, and is set back, shall not cost anybody their session. */
  #hasClockJumped(): boolean {
    const ahead = this.#now() - performance.now()
    const hasJumped = Math.abs(ahead - this.#clockAhead) > JUMP_MS
    this.#clockAhead = ahead
    return hasJumped
  }

  async #purge(keepsProcessAlive: boolean): Promise<number> {
    let removed = 0
    await inSlices(this.#records, keepsProcessAlive, (slot) => {
      if (this.#records.expiresAt(slot) > this.#now()) return
      this.#records.remove(slot)
      removed += 1
    })
    await inSlices(this.#owners, keepsProcessAlive, ([owner, key, expiresAt]) => {
      if (expiresAt <= this.#now()) this.#owners.remove(owner, key)
    })
    return removed
  }
}

/** In milliseconds: clocks are corrected by less all the time. */
const JUMP_MS = 60_000

const inSlices = async <T>(all: Iterable<T>, keepsProcessAlive: boolean, visit: (one: T) => void): Promise<void> => {
  let visited = 0
  for (const one of all) {
    visit(one)
    if (++visited % SLICE === 0) await setImmediate(undefined, { ref: keepsProcessAlive })
  }
}

const closedError = (): SessionClosedError => new SessionClosedError('the memory namespace manager is closed')

/** What a value takes on V8's heap: a byte a character while all are ASCII, else two. Refuses what is over the manifest's limit. */
const heapBytes = (value: string): number => {
  const size = Buffer.byteLength(value)
  const limit = supports.maxValueBytes
  if (size > limit) throw new TooLargeError(`the record has ${size} bytes; the memory backend takes ${limit}`, size, limit)
  return size === value.length ? size : 2 * value.length
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { cachedManager } from '../../backends/cached.js'
import { StoreOutcomeUnknownError, StoreUnavailableError } from '../../src/errors.js'
import type { NamespaceManager, StoredRecord, Touch } from '../../src/namespace-manager.js'
import { openMemory } from './memory-fixture.js'
import { arrived, SteppedCalls } from './stepped-calls.js'
import type { SteppedCall, SteppedFault } from './stepped-calls.js'

const TTL = 60_000
const KEY = 'k'.repeat(64)

type Target = 'store' | 'cache'

interface Sent {
  readonly from: number
  readonly target: Target
  readonly at: number
}

/** What the store held, until which step and which time. */
interface Reign {
  readonly version: string | undefined
  untilStep: number
  untilTime: number
}

/** An answered write: what the store held before it, up to this reign, is not to be read again: by its process, and by all if the cache was told. */
interface Ended {
  readonly by: number
  readonly reign: number
  readonly isTold: boolean
}

interface Read {
  readonly step: number
  readonly time: number
  readonly ended: readonly Ended[]
  readonly touch: Touch | undefined
}

/**
 * Three processes with one store and one cache; chance makes the order of all steps of their calls. A process may be cut off from the cache.
 * The cache may forget. Whatever a process reads is judged by what the store held.
 */
export class CachedWorld {
  readonly faults: string[] = []
  readonly counts: Record<'read' | 'copied' | 'written' | 'refused' | 'untold' | 'failed', number> =
    { read: 0, copied: 0, written: 0, refused: 0, untold: 0, failed: 0 }
  readonly #chance: () => number
  /** How often what happens, which is another thing in each world. */
  readonly #rates: Readonly<Record<'time' | 'cut' | 'eviction' | 'reading' | 'creating' | 'deleting', number>>
  readonly #servers: Readonly<Record<Target, NamespaceManager>>
  readonly #processes: readonly NamespaceManager[]
  readonly #isCut: boolean[] = [false, false, false]
  /** The version that each process has seen last. */
  readonly #seen: string[] = ['', '', '']
  /** How often each process has asked the store. */
  readonly #asked: number[] = [0, 0, 0]
  readonly #calls = new SteppedCalls({
    faultOf: (call) => this.#faultOf(call),
    failure: (call, fault) => this.#failure(call, fault),
    arrive: (call) => this.#arrive(call),
  })
  readonly #sent = new WeakMap<SteppedCall, Sent>()
  readonly #reigns: Reign[] = [{ version: undefined, untilStep: Infinity, untilTime: Infinity }]
  readonly #ended: Ended[] = []
  readonly #values = new Map<string, string>()
  /** What the store answered. */
  readonly #given = new Set<unknown>()
  #now = 1_800_000_000_000
  #step = 0
  #running = 0
  #isStale = false

  constructor(chance: () => number) {
    const now = (): number => this.#now
    this.#chance = chance
    this.#rates = { time: 0.1 * chance(), cut: 0.15 * chance() ** 2, eviction: 0.02 * chance(), reading: 0.2 + 0.7 * chance(), creating: 0.3, deleting: 0.4 * chance() }
    this.#servers = { store: openMemory({}, now), cache: openMemory({}, now) }
    this.#processes = this.#isCut.map((_, from) =>
      cachedManager({ store: this.#link(from, 'store'), cache: this.#link(from, 'cache'), ttlMs: TTL, cacheTimeoutMs: 60_000, now }))
  }

  async play(steps: number): Promise<void> {
    const listen = (): void => { this.#isStale = true }
    const { now } = performance
    performance.now = () => this.#now // which says when a cache that is down is tried again
    subscribe('phial:cache-stale', listen)
    try {
      for (; this.#step < steps || this.#calls.size > 0; this.#step++) await this.#advance(this.#step < steps)
      if (this.#running > 0) this.faults.push(`${this.#running} calls were never answered`)
    } finally {
      performance.now = now
      unsubscribe('phial:cache-stale', listen)
      for (const server of Object.values(this.#servers)) await server.close()
    }
  }

  /** At most one call is answered, so that at most one operation ends. */
  async #advance(mayBegin: boolean): Promise<void> {
    this.#isStale = false
    if (mayBegin && this.#running < 6 && this.#happens(0.3)) this.#begin(this.#pick(3))
    else if (mayBegin && this.#happens(this.#rates.time)) this.#now += this.#pick(this.#happens(0.7) ? 4_000 : TTL)
    else if (mayBegin && this.#happens(this.#rates.cut)) this.#isCut[this.#pick(3)] = this.#happens(0.4)
    else if (mayBegin && this.#happens(this.#rates.eviction)) await this.#servers.cache.delete(KEY)
    else if (this.#calls.size > 0) this.#calls.forward(this.#pick(this.#calls.size))
    await new Promise(setImmediate)
    await this.#observe()
  }

  #happens(rate: number): boolean {
    return this.#chance() < rate
  }

  #pick(count: number): number {
    return Math.floor(this.#chance() * count)
  }

  async #observe(): Promise<void> {
    const last = this.#reigns.at(-1)!
    const version = (await this.#servers.store.get(KEY))?.version
    if (version === last.version) return
    Object.assign(last, { untilStep: this.#step, untilTime: this.#now })
    this.#reigns.push({ version, untilStep: Infinity, untilTime: Infinity })
  }

  #link(from: number, target: Target): NamespaceManager {
    return this.#calls.connection(this.#servers[target], (call) => {
      if (target === 'store' && call.method === 'get') this.#asked[from]! += 1
      this.#sent.set(call, { from, target, at: this.#now })
    })
  }

  #faultOf(call: SteppedCall): SteppedFault | undefined {
    const { from, target } = this.#sent.get(call)!
    const isFaulty = target === 'cache' ? this.#isCut[from] && this.#happens(0.8) : this.#happens(0.02)
    if (!isFaulty) return undefined
    return call.answer === undefined ? (['lost', 'late', 'unanswered'] as const)[this.#pick(3)] : 'unanswered'
  }

  #failure(call: SteppedCall, fault: SteppedFault): Error {
    const { target } = this.#sent.get(call)!
    const FaultError = target === 'store' ? StoreOutcomeUnknownError : StoreUnavailableError
    return new FaultError(fault, { backend: target, operation: call.method })
  }

  /** Times are sent to the cache as durations: what arrives late lasts longer. */
  #arrive(call: SteppedCall): Promise<unknown> {
    const { target, at } = this.#sent.get(call)!
    const late = target === 'cache' ? this.#now - at : 0
    const answer = arrived({ ...call, args: call.args.map((arg) => (typeof arg === 'number' ? arg + late : arg)) })
    if (target === 'store') void answer.then((version) => this.#given.add(version))
    return answer
  }

  #begin(by: number): void {
    this.#running += 1
    void this.#operate(by).finally(() => { this.#running -= 1 })
  }

  #operate(by: number): Promise<void> {
    if (this.#happens(this.#rates.reading)) return this.#read(by)
    if (this.#happens(this.#rates.creating)) return this.#create(by)
    if (this.#happens(this.#rates.deleting)) return this.#delete(by)
    return this.#happens(0.9) ? this.#replace(by) : this.#touch(by)
  }

  async #read(by: number): Promise<void> {
    const [step, time] = [this.#step, this.#now]
    const ended = this.#ended.filter((write) => write.isTold || write.by === by)
    const touch = this.#happens(0.7) ? { expiresAt: time + 200_000, ifBefore: time + 100_000 } : undefined
    const asked = this.#asked[by]!
    try {
      const record = await this.#processes[by]!.get(KEY, touch)
      this.counts[asked === this.#asked[by] && record !== undefined ? 'copied' : 'read'] += 1
      this.#seen[by] = record?.version ?? ''
      const what = this.#judge(record, { step, time, ended, touch })
      if (what !== undefined) this.faults.push(`step ${step} to ${this.#step}: process ${by} read ${record?.version ?? 'nothing'}, which ${what}`)
    } catch {
      this.counts.failed += 1
    }
  }

  #judge(record: StoredRecord | undefined, { step, time, ended, touch }: Read): string | undefined {
    if (record === undefined) return this.#reigns.some(({ version, untilStep }) => version === undefined && untilStep >= step) ? undefined : 'was not so'
    const index = this.#reigns.findIndex(({ version }) => version === record.version)
    const reign = this.#reigns[index]
    if (reign === undefined) return 'never was'
    if (reign.untilTime <= time - TTL) return 'is too old'
    if (ended.some((write) => write.reign >= index)) return 'was replaced or removed by a write that was acknowledged before'
    if (this.#values.has(record.version) && this.#values.get(record.version) !== record.value) return 'has another value'
    if (record.expiresAt! <= time) return 'had expired'
    if (touch && !record.touched && record.expiresAt! < touch.ifBefore) return 'was not touched'
    return undefined
  }

  #create(by: number): Promise<void> {
    const value = this.#nextValue()
    return this.#write(by, async () => {
      const version = await this.#processes[by]!.create(KEY, value, this.#life)
      this.#written(value, version)
      return { reign: version === undefined ? -1 : this.#reignOf(version, -1) }
    }, -1)
  }

  #replace(by: number): Promise<void> {
    const [value, seen, ending] = [this.#nextValue(), this.#seen[by]!, ([undefined, 'moved', 'revoked'] as const)[this.#pick(3)]]
    return this.#write(by, async () => {
      const version = await this.#processes[by]!.replace(KEY, value, seen, this.#life, ending)
      this.#written(value, version)
      if (version !== undefined) this.#seen[by] = version
      return version === undefined ? { reign: this.#reignOf(seen), isRefused: true } : { reign: this.#reignOf(version, -1) }
    }, -1)
  }

  #touch(by: number): Promise<void> {
    return this.#write(by, async () => {
      await this.#processes[by]!.touch(KEY, this.#now + 230_000)
      return { reign: -1 }
    }, -1)
  }

  /** It was removed, or was not there any more. */
  #delete(by: number): Promise<void> {
    const seen = this.#happens(0.5) ? this.#seen[by]! : undefined
    const reign = seen === undefined ? this.#reigns.length - 1 : this.#reignOf(seen)
    return this.#write(by, async () => {
      await (seen === undefined ? this.#processes[by]!.delete(KEY) : this.#processes[by]!.delete(KEY, seen))
      return { reign }
    }, reign)
  }

  /** `work` answers the last reign that is over; `untold` is that when the cache failed it. What was refused was said to its process alone. */
  async #write(by: number, work: () => Promise<{ reign: number; isRefused?: boolean }>, untold: number): Promise<void> {
    try {
      const { reign, isRefused = false } = await work()
      this.#ended.push({ by, reign, isTold: !this.#isStale && !isRefused })
      if (this.#isStale) this.counts.untold += 1
    } catch (error) {
      this.counts.failed += 1
      if ((error as { backend?: string }).backend === 'cache') this.#ended.push({ by, reign: untold, isTold: false })
    }
  }

  #written(value: string, version: string | undefined): void {
    if (version === undefined) return void (this.counts.refused += 1)
    this.counts.written += 1
    this.#values.set(version, value)
    if (!this.#given.has(version)) this.faults.push(`step ${this.#step}: ${version} was acknowledged and is not in the store`)
  }

  #reignOf(version: string, offset = 0): number {
    const index = this.#reigns.findIndex((reign) => reign.version === version)
    return index < 0 ? -1 : index + offset
  }

  #nextValue(): string {
    return `value ${this.#step} ${this.#running}`
  }

  get #life(): number {
    return this.#now + 30_000 + this.#pick(200_000)
  }
}

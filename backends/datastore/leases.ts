import type { Lease } from '../../src/namespace-manager.js'
import { randomText } from '../../src/random.js'
import { tryUntil } from './attempts.js'
import type { Key } from './client.js'
import { baseOf, entityOf, millisOf, nativeOf, seenIn, textIn, type Seen } from './entities.js'
import type { Service } from './service.js'
import { Write } from './write.js'

/** Between two looks at a lease that another has, in milliseconds: the first time, and at most. */
const SHORT = 10
const LONG = 100
/** A lease's entity is kept for longer than the lease, so that a clock that is ahead purges none that holds. */
const KEPT_MS = 3_600_000

interface Held {
  readonly holder: string | undefined
  readonly hasEnded: boolean
  readonly seen: Seen
}

/** Leases, each an entity that is there while it lasts. How long it lasts is told by the server's clock, so that ours need not agree. */
export class Leases {
  readonly #service: Service
  readonly #now: () => number
  readonly #newDeadline: () => number
  readonly #waiting = new Set<() => void>()
  #isClosed = false

  constructor(service: Service, now: () => number, newDeadline: () => number) {
    this.#service = service
    this.#now = now
    this.#newDeadline = newDeadline
  }

  /** `undefined` when it was not free in time, or when the manager is closed. */
  async lock(key: Key, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    const end = performance.now() + waitUntil - this.#now()
    const holder = randomText(16)
    for (let pause = SHORT; ; pause = Math.min(LONG, pause * 1.5)) {
      const seen = await this.#take(key, holder, leaseMs)
      if (seen !== undefined) return { release: this.#releaseOf(key, seen) }
      const left = end - performance.now()
      if (left <= 0 || this.#isClosed) return undefined
      await this.#wait(Math.min(left, pause * (0.5 + Math.random())))
      if (this.#isClosed) return undefined
    }
  }

  /** Who waits is answered. */
  close(): void {
    this.#isClosed = true
    for (const wake of this.#waiting) wake()
  }

  /** The lease's entity, if it could be had now. */
  #take(key: Key, holder: string, leaseMs: number): Promise<Seen | undefined> {
    const write = new Write(this.#service, this.#newDeadline())
    const entity = entityOf(key, { holder, lease: String(leaseMs) }, this.#now() + leaseMs + KEPT_MS)
    return tryUntil(write.deadline, async () => {
      const held = await this.#look(key, write.deadline)
      if (held?.holder === holder) return held.seen // an earlier try was done
      if (held !== undefined && !held.hasEnded) return undefined
      const result = await write.commit(held === undefined ? { insert: entity } : { update: entity, ...baseOf(held.seen) })
      return result && { native: nativeOf(result.version), expiresAt: undefined }
    })
  }

  async #look(key: Key, deadline: number): Promise<Held | undefined> {
    const { found: [result], readTime } = await this.#service.lookup([key], deadline)
    if (result === undefined) return undefined
    const seen = seenIn(result)
    const leaseMs = Number(textIn(result, 'lease') ?? 0)
    // An emulator tells no times: then it runs where we do.
    const hasEnded = readTime && result.updateTime
      ? millisOf(readTime) - millisOf(result.updateTime) >= leaseMs
      : (seen.expiresAt ?? 0) - KEPT_MS <= this.#now()
    return { holder: textIn(result, 'holder'), hasEnded, seen }
  }

  /** Frees this lease alone, once. After the manager is closed it ends by itself. */
  #releaseOf(key: Key, seen: Seen): () => Promise<void> {
    let released: Promise<void> | undefined
    const release = async (): Promise<void> => {
      if (this.#isClosed) return
      const write = new Write(this.#service, this.#newDeadline())
      await tryUntil(write.deadline, () => write.commit({ delete: key, ...baseOf(seen) }))
    }
    return () => (released ??= release())
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#waiting.add(wake)
    })
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease } from '../../src/namespace-manager.js'
import { timerMs } from '../../src/timer-ms.js'

/** One try to take a lease: its version, or `undefined` when it is another's. */
type Take = (key: string, leaseMs: number) => Promise<string | undefined>
type Drop = (key: string, version: string) => Promise<unknown>

/** In ms, between two tries, on average at most half of it. */
const LONGEST_WAIT = 64

/** Advisory leases: items that end by themselves, made where there is none, and removed by their version. */
export class Leases {
  readonly #take: Take
  readonly #drop: Drop
  readonly #held = new Set<() => Promise<void>>()
  readonly #locking = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(take: Take, drop: Drop) {
    this.#take = take
    this.#drop = drop
  }

  /** Tries for `patienceMs`, once at least. */
  async lock(key: string, leaseMs: number, patienceMs: number): Promise<Lease | undefined> {
    const locking = this.#lock(key, leaseMs, performance.now() + patienceMs)
    this.#locking.add(locking)
    try {
      return await locking
    } finally {
      this.#locking.delete(locking)
    }
  }

  /** Who waits gets nothing, and what is held is let go. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#locking)
    await Promise.allSettled([...this.#held].map((release) => release()))
  }

  async #lock(key: string, leaseMs: number, end: number): Promise<Lease | undefined> {
    for (let wait = 2; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
      const version = await this.#take(key, leaseMs)
      if (version !== undefined) return this.#leaseOf(key, version, leaseMs)
      const left = end - performance.now()
      if (left <= 0 || !(await this.#pause(Math.min(Math.random() * wait, left)))) return undefined
    }
  }

  #leaseOf(key: string, version: string, leaseMs: number): Lease {
    const release = async (): Promise<void> => {
      clearTimeout(end)
      if (this.#held.delete(release)) await this.#drop(key, version)
    }
    const end = setTimeout(() => this.#held.delete(release), timerMs(leaseMs)).unref()
    this.#held.add(release)
    return { release }
  }

  /** `false` when the manager is closed. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#closing
    await sleep(ms, undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }
}

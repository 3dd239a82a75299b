import type { Lease } from '../../src/namespace-manager.js'
import { timerMs } from '../../src/timer-ms.js'

interface Held {
  readonly timer: NodeJS.Timeout
  readonly waiting: Set<Waiter>
}

interface Waiter {
  readonly grant: () => void
  readonly refuse: (error: Error) => void
}

/** Exclusive leases inside this process, with a queue for each key: first come, first served. */
export class LeaseQueue {
  readonly #held = new Map<string, Held>()

  /**
   * `undefined` when the key was not free within `waitMs`. Both times are measured by timers and not by a clock, so
   * that a clock that is set neither ends a lease early nor keeps one for ever.
   */
  async lock(key: string, leaseMs: number, waitMs: number): Promise<Lease | undefined> {
    const held = this.#held.get(key)
    if (held === undefined) return this.#grant(key, leaseMs, new Set())
    if (waitMs <= 0) return undefined
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        held.waiting.delete(waiter)
      }
      const waiter: Waiter = {
        grant: () => {
          settle()
          resolve(this.#grant(key, leaseMs, held.waiting))
        },
        refuse: (error) => {
          settle()
          reject(error)
        },
      }
      const timer = setTimeout(() => {
        settle()
        resolve(undefined)
      }, timerMs(waitMs))
      held.waiting.add(waiter)
    })
  }

  /** Ends every lease; whoever waits is refused. */
  close(error: Error): void {
    for (const { timer, waiting } of this.#held.values()) {
      clearTimeout(timer)
      for (const waiter of waiting) waiter.refuse(error)
    }
    this.#held.clear()
  }

  #grant(key: string, leaseMs: number, waiting: Set<Waiter>): Lease {
    const end = (): void => {
      // Whoever holds it by now is another, and keeps it.
      if (this.#held.get(key) !== held) return
      clearTimeout(held.timer)
      this.#held.delete(key)
      const [next] = waiting
      next?.grant()
    }
    const held: Held = { timer: setTimeout(end, timerMs(leaseMs)).unref(), waiting }
    this.#held.set(key, held)
    return { release: async () => end() }
  }
}

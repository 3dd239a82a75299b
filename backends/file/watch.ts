import { readFileSync } from 'node:fs'

/**
 * Times calls that keep the whole process waiting. After one that took over 5 ms they are not `isQuick` for 10 s; then one is tried again.
 * Time for which the thread was ready and had no processor does not count: that is no fault of the disk, and the pool would need more.
 */
export class Watch {
  readonly #now: () => number
  readonly #starvedMs: () => number
  #starvedBefore: number
  #slowUntil = -Infinity

  constructor(now: () => number = () => performance.now(), starvedMs: () => number = threadStarvedMs) {
    this.#now = now
    this.#starvedMs = starvedMs
    this.#starvedBefore = starvedMs()
  }

  get isQuick(): boolean {
    return this.#slowUntil === -Infinity || this.#now() >= this.#slowUntil
  }

  time<T>(call: () => T): T {
    const began = this.#now()
    try {
      return call()
    } finally {
      const took = this.#now() - began
      if (took > slowMs) this.#judge(took)
    }
  }

  /** All that the thread waited for a processor since the last time is taken for this call's: a disk that is slow is so more than once. */
  #judge(took: number): void {
    const starved = this.#starvedMs()
    const waited = took - (starved - this.#starvedBefore)
    this.#starvedBefore = starved
    if (waited > slowMs) this.#slowUntil = this.#now() + restMs
  }
}

const slowMs = 5
const restMs = 10_000

/** For how long this thread was ready to run and did not, as Linux counts it (the second number there, in ns); else 0. */
const threadStarvedMs = (): number => {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

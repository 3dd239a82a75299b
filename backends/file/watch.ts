import { readFileSync } from 'node:fs'

export interface Clocks {
  /** In ms. */
  now(): number
  /** For how long this thread was ready to run and had no processor, in ms. */
  starvedMs(): number
  /** Calls back when everybody has had their turn of the event loop. */
  nextTurn(begin: () => void): void
}

/**
 * Times calls that keep the whole process waiting, and tells whether there may be another one:
 *
 * - not in this turn of the event loop when they took 20 ms of it: saving in a loop, which waits for nothing, would let nobody else run;
 * - not for 10 s when they waited for more than a tenth of the time, or for 50 ms at once: the disk is slow. Then they are tried again.
 *
 * Time without a processor is no fault of the disk, and the thread pool would need still more of it.
 */
export class Watch {
  readonly #clocks: Clocks
  #starvedBefore: number
  #spentInTurn = 0
  /** What was waited, less a tenth of the time since. */
  #debt = 0
  #debtAt = 0
  #slowUntil = -Infinity

  constructor(clocks: Clocks = realClocks) {
    this.#clocks = clocks
    this.#starvedBefore = clocks.starvedMs()
  }

  get isQuick(): boolean {
    return this.#spentInTurn < turnMs && (this.#slowUntil === -Infinity || this.#clocks.now() >= this.#slowUntil)
  }

  time<T>(call: () => T): T {
    const began = this.#clocks.now()
    try {
      return call()
    } finally {
      const now = this.#clocks.now()
      this.#spend(now - began)
      if (now - began > noticedMs) this.#count(now - began, now)
    }
  }

  #spend(took: number): void {
    if (this.#spentInTurn === 0) this.#clocks.nextTurn(() => void (this.#spentInTurn = 0))
    this.#spentInTurn += took
  }

  /** All that the thread was starved since the last time is taken off: a disk that is slow is so more than once. */
  #count(took: number, now: number): void {
    const starved = this.#clocks.starvedMs()
    const waited = Math.max(0, took - (starved - this.#starvedBefore))
    this.#starvedBefore = starved
    this.#debt = Math.max(0, this.#debt - (now - this.#debtAt) * allowedShare) + waited
    this.#debtAt = now
    if (this.#debt <= allowedMs) return
    this.#debt = 0
    this.#slowUntil = now + restMs
  }
}

const turnMs = 20
const noticedMs = 1
const allowedMs = 50
const allowedShare = 0.1
const restMs = 10_000

const realClocks: Clocks = {
  now: () => performance.now(),
  /** As Linux counts it: the second number there, in ns. 0 elsewhere. */
  starvedMs: () => {
    try {
      return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6
    } catch {
      return 0
    }
  },
  nextTurn: begin => void setImmediate(begin).unref()
}

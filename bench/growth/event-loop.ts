import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'

/** Watches how long a turn of the event loop takes: turns follow each other without rest, so that a gap is a pause. */
export class EventLoopWatch {
  longest = 0
  collecting = 0
  readonly #observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) this.collecting = Math.max(this.collecting, duration)
  })
  #isOver = false
  readonly #turning: Promise<void>

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] })
    this.#turning = this.#turn()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#turning
    await turn() // entries are told a turn later
    this.#observer.disconnect()
  }

  async #turn(): Promise<void> {
    let before = performance.now()
    while (!this.#isOver) {
      await turn()
      const now = performance.now()
      this.longest = Math.max(this.longest, now - before)
      before = now
    }
  }
}

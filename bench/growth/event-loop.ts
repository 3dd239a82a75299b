import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'

interface Span {
  readonly from: number
  readonly to: number
}

/** What is no longer than this is not looked at, in milliseconds. */
const SHORT = 1

/** Watches how long a turn of the event loop takes: turns follow each other without rest, so that a gap is a pause. */
export class EventLoopWatch {
  readonly #pauses: Span[] = []
  readonly #collections: Span[] = []
  readonly #observer = new PerformanceObserver((list) => {
    for (const { startTime: from, duration } of list.getEntries()) this.#collections.push({ from, to: from + duration })
  })
  #shortest = 0
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

  /** In milliseconds: the longest pause, the longest without the garbage collection in it, and the longest collection. */
  longest(): { readonly longest: number; readonly working: number; readonly collecting: number } {
    const most = (lengths: readonly number[], least: number): number => lengths.reduce((a, b) => Math.max(a, b), least)
    const working = this.#pauses.map((pause) => this.#collections.reduce((rest, collection) => rest - overlap(pause, collection), pause.to - pause.from))
    return {
      longest: most(this.#pauses.map(lengthOf), this.#shortest),
      working: most(working, this.#shortest),
      collecting: most(this.#collections.map(lengthOf), 0),
    }
  }

  async #turn(): Promise<void> {
    let from = performance.now()
    while (!this.#isOver) {
      await turn()
      const to = performance.now()
      if (to - from > SHORT) this.#pauses.push({ from, to })
      else this.#shortest = Math.max(this.#shortest, to - from)
      from = to
    }
  }
}

const lengthOf = ({ from, to }: Span): number => to - from

const overlap = (a: Span, b: Span): number => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from))

import { readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'

interface Span {
  readonly from: number
  readonly to: number
}

interface Pause extends Span {
  /** Without what this thread waited for a core that others had, and not more than the CPU time that all threads of the process took. */
  readonly own: number
}

/** What is no longer than this is not looked at, in milliseconds. */
const SHORT = 1

/** Watches how long a turn of the event loop takes: turns follow each other without rest, so that a gap is a pause. */
export class EventLoopWatch {
  readonly #pauses: Pause[] = []
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

  /** The longest in milliseconds: on the clock; of it, what the process itself took; that without garbage collection; and of collection alone. */
  longest(): { readonly longest: number; readonly own: number; readonly working: number; readonly collecting: number } {
    const most = (lengths: readonly number[], least: number): number => lengths.reduce((a, b) => Math.max(a, b), least)
    const own = this.#pauses.map((pause) => pause.own)
    const working = this.#pauses.map((pause) => this.#collections.reduce((rest, collection) => rest - overlap(pause, collection), pause.own))
    return {
      longest: most(this.#pauses.map(lengthOf), this.#shortest),
      own: most(own, this.#shortest),
      working: most(working, this.#shortest),
      collecting: most(this.#collections.map(lengthOf), 0),
    }
  }

  async #turn(): Promise<void> {
    let [from, waited, cpu] = [performance.now(), waitedForCore(), cpuTime()]
    while (!this.#isOver) {
      await turn()
      const [to, spent] = [performance.now(), cpuTime()]
      if (to - from <= SHORT) this.#shortest = Math.max(this.#shortest, to - from)
      else {
        const now = waitedForCore()
        this.#pauses.push({ from, to, own: Math.min(to - from - (now - waited), spent - cpu) })
        waited = now
      }
      ;[from, cpu] = [to, spent]
    }
  }
}

/** Of all threads, in milliseconds so far. */
const cpuTime = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** How long this thread was ready to run while others ran, in milliseconds so far, as Linux counts it; else 0. */
const waitedForCore = (): number => {
  try {
    return Number(readFileSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

const lengthOf = ({ from, to }: Span): number => to - from

const overlap = (a: Span, b: Span): number => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from))

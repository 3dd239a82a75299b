import { timerMs } from './timer-ms.js'

/** A timer that fires this many milliseconds late was kept waiting by this process. */
const BUSY_MS = 20

/** Milliseconds more for an answer, once, when this process was busy as its time ran out. */
const GRACE_MS = 200

/**
 * Waits for an answer, and calls `late` after `ms` without one. Time in which this process was busy with something else is not the fault of
 * who answers: what has come meanwhile is looked at first, and what may not have left before gets a moment. Keeps the process alive. Longer than
 * 24.8 days nobody waits.
 */
export class Patience {
  readonly #late: () => void
  readonly #dueAt: number
  #timer: NodeJS.Timeout
  #isOver = false

  constructor(ms: number, late: () => void) {
    this.#late = late
    const most = timerMs(ms)
    this.#dueAt = performance.now() + most
    this.#timer = setTimeout(() => this.#expire(), most)
  }

  /** Keeps no process alive. */
  unref(): void {
    this.#timer.unref()
  }

  /** The answer is there. Tells whether it is the first, and not late. */
  end(): boolean {
    const wasOver = this.#isOver
    this.#isOver = true
    clearTimeout(this.#timer)
    return !wasOver
  }

  #expire(): void {
    if (performance.now() - this.#dueAt < BUSY_MS) return this.#look()
    const hasRef = this.#timer.hasRef()
    this.#timer = setTimeout(() => this.#look(), GRACE_MS)
    if (!hasRef) this.#timer.unref()
  }

  /** Timers go before what came. */
  #look(): void {
    setImmediate(() => {
      if (this.end()) this.#late()
    })
  }
}

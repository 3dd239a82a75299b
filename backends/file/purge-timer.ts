import { timerMs } from '../../src/timer-ms.js'

/**
 * Purges from time to time, never two at once, at moments that differ between processes. It keeps no process alive.
 *
 * A round is left out when the clock was set by more than a minute since the last: what looks dead may then not be.
 */
export class PurgeTimer {
  readonly #intervalMs: number
  readonly #now: () => number
  readonly #purge: () => Promise<unknown>
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #offset: number

  constructor(intervalSeconds: number, now: () => number, purge: () => Promise<unknown>) {
    this.#intervalMs = intervalSeconds * 1000
    this.#now = now
    this.#purge = purge
    this.#offset = this.#clockOffset()
  }

  /** May be called any number of times. An interval of 0 never purges. */
  start(): void {
    if (this.#timer !== undefined || this.#isStopped || this.#intervalMs === 0) return
    const delay = this.#intervalMs * (0.5 + Math.random())
    this.#timer = setTimeout(() => void this.#run(), timerMs(delay)).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    if (!this.#wasClockSet()) await this.#purge()
    this.#timer = undefined
    this.start()
  }

  #wasClockSet(): boolean {
    const before = this.#offset
    this.#offset = this.#clockOffset()
    return Math.abs(this.#offset - before) > 60_000
  }

  /** Constant as long as nobody sets the clock. */
  #clockOffset(): number {
    return this.#now() - performance.now()
  }
}

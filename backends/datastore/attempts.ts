import { setTimeout as sleep } from 'node:timers/promises'
import { CODE, Failure } from './failure.js'

/** Milliseconds, at most, from the first try to the second; the next ones double, to `LONGEST`. */
const FIRST = 20
const LONGEST = 250

/** Until it succeeds, is refused for good, or the time is spent: then with the last that was said. Who lost to others waits at random. */
export const tryUntil = async <T>(deadline: number, work: () => Promise<T>, mayTryAgain: () => boolean = () => true): Promise<T> => {
  let said: Failure | undefined
  for (let tries = 1; ; tries++) {
    const start = performance.now()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (said === undefined || error.code !== CODE.DEADLINE_EXCEEDED) said = error // that the time was over is not worth telling
      const now = performance.now()
      const wait = Math.random() * Math.min(LONGEST, FIRST * 2 ** tries)
      const hasTime = now + wait + 2 * (now - start) < deadline // else another would likely not be answered
      if (!hasTime || !error.isWorthTry(tries) || !mayTryAgain()) throw said
      await sleep(wait)
    }
  }
}

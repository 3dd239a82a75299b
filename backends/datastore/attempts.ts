import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from './failure.js'

/** Milliseconds, at most, from the first try to the second; the next ones double, to `LONGEST`. */
const FIRST = 20
const LONGEST = 250

/** Until it succeeds, is refused for good, or the time is spent: then with the last failure. Who lost to others waits at random. */
export const tryUntil = async <T>(deadline: number, work: () => Promise<T>, mayTryAgain: (failure: Failure) => boolean = () => true): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const wait = Math.random() * Math.min(LONGEST, FIRST * 2 ** tries)
      if (!(error instanceof Failure) || !error.isWorthTry(tries) || !mayTryAgain(error) || performance.now() + wait >= deadline) throw error
      await sleep(wait)
    }
  }
}

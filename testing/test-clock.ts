/** A clock that stands still until it is told to move. */
export interface TestClock {
  /** Epoch milliseconds: for the setting `now`. */
  readonly now: () => number
  /** Moves it by this many seconds. */
  advance(seconds: number): void
}

/** By default it starts at the real time: browsers and cookie jars that read `Expires` have a clock of their own. */
export const testClock = (startAt: number = Date.now()): TestClock => {
  let at = startAt
  return {
    now: () => at,
    advance(seconds) {
      at += seconds * 1000
    },
  }
}

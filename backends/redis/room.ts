import { NotSent } from './errors.js'
import type { Command } from './ioredis.js'

/**
 * Calls under way: those that wait for a connection, and those that were sent and may still be answered. A server answers some tens of
 * thousands a second, so these are as many as it could answer in time.
 */
export const MOST_CALLS = 10_000

/** Characters that they may send, all together. */
const MOST_CHARS = 64 * 1024 * 1024

/** Bounds what is under way, in calls and in size. */
export class Room {
  #calls = 0
  #chars = 0

  /** Throws `NotSent` when there is none for a call that sends so many characters. */
  check(chars: number): void {
    if (this.#calls >= MOST_CALLS || this.#chars + chars > MOST_CHARS) throw new NotSent(`${this.#calls} calls wait for the server already`)
  }

  /** A call takes room until this is settled. */
  hold<T>(chars: number, wait: () => Promise<T>): Promise<T> {
    this.#calls += 1
    this.#chars += chars
    const over = (): void => {
      this.#calls -= 1
      this.#chars -= chars
    }
    const waiting = wait()
    void waiting.then(over, over)
    return waiting
  }
}

export const charsIn = (command: Command): number => {
  let chars = 0
  for (const word of command) chars += typeof word === 'string' ? word.length : 8
  return chars
}

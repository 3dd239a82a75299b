/**
 * First come, first served, one at a time for each name. The waiters of this process stand here, so that only the first of them polls for
 * a lock that another process holds.
 */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>()

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name)
    const turn = before === undefined ? work() : before.then(work)
    const tail = turn.catch(() => {})
    this.#tails.set(name, tail)
    try {
      return await turn
    } finally {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}

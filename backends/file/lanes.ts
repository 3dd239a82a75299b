/** What those in a lane tell those behind them. */
export interface Lane {
  /** The version that was last made by work before this one, if any was since this one was asked for. */
  readonly madeMeanwhile: string | undefined
  /** Tells which version was made. */
  made(version: string): void
}

interface Queue {
  tail: Promise<unknown>
  last: { readonly version: string } | undefined
}

/**
 * First come, first served, one at a time for each name. The waiters of this process stand here, so that only the first of them
 * polls for a lock that another process holds.
 */
export class Lanes {
  readonly #queues = new Map<string, Queue>()

  async run<T>(name: string, work: (lane: Lane) => Promise<T>): Promise<T> {
    const before = this.#queues.get(name)
    const queue = before ?? { tail: Promise.resolve(), last: undefined }
    this.#queues.set(name, queue)
    const lane = laneOf(queue)
    const result = before === undefined ? work(lane) : queue.tail.then(() => work(lane))
    const tail = (queue.tail = result.catch(() => {}))
    try {
      return await result
    } finally {
      if (queue.tail === tail) this.#queues.delete(name)
    }
  }
}

const laneOf = (queue: Queue): Lane => {
  const { last } = queue
  return {
    get madeMeanwhile() {
      return queue.last === last ? undefined : queue.last?.version
    },
    made: version => void (queue.last = { version })
  }
}

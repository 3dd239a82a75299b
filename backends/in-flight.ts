/** Counts what is under way, so that closing can wait for it. */
export class InFlight {
  #count = 0
  #whenNone: (() => void)[] = []

  run<T>(work: () => Promise<T>): Promise<T> {
    this.#count++
    const over = (): void => {
      if (--this.#count === 0) for (const resolve of this.#whenNone.splice(0)) resolve()
    }
    const working = work()
    void working.then(over, over)
    return working
  }

  async none(): Promise<void> {
    if (this.#count > 0) await new Promise<void>(resolve => this.#whenNone.push(resolve))
  }
}

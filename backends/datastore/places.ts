/** So many at a time; the others wait in order. */
export class Places {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** Whether there was one in time. Who got one gives it back with `free`. */
  async take(deadline: number): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1
      return true
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(enter)
        resolve(false)
      }, Math.max(0, deadline - performance.now()))
      const enter = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(enter)
        resolve(true)
      }
      this.#waiting.add(enter)
    })
  }

  free(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#free += 1
    else next()
  }
}

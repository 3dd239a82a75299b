/** A Map of what was asked for lately: at least `size` entries, at most twice as many. What is used stays; what is not goes, half of all at once. */
export class Recent<V extends {}> {
  readonly #size: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  constructor(size: number) {
    this.#size = size
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}

/** To be remembered: a slice would hold on to the text that it is of, here to all cookies of a request. `text` is of ASCII. */
export const copied = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

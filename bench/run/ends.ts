/** What has to be undone at the end of a run, the last first; also when it is interrupted. */
export class Ends {
  readonly #ends: (() => unknown)[] = []

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void this.run().finally(() => process.exit(130)))
  }

  teardown(end: () => unknown): void {
    this.#ends.push(end)
  }

  async run(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
  }
}

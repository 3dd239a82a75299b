import type { HeaderEdits } from './header-edits.js'

/** The slice of the response gate that a carrier needs. */
export interface Outlet {
  /** The response waits for the promise. */
  hold(promise: Promise<unknown>): void
  /** The error becomes the answer. */
  fail(error: Error): void
  readonly headersSent: boolean
  /** The response is complete. */
  readonly finished: boolean
}

/** The part of a carrier that concerns the response: it asks for its outlet once, and not before something is to be said to it. */
export abstract class OutletCarrier {
  readonly #open: () => Outlet
  #outlet: Outlet | undefined
  #isUsed = false

  constructor(open: () => Outlet) {
    this.#open = open
  }

  /** What the gate adds to the head when it leaves. */
  abstract headerEdits(): HeaderEdits

  /** What takes the id of a session that was to be ended back from the client: of what was prepared, it alone goes out with an error answer. */
  abstract failureEdits(): HeaderEdits

  hold(promise: Promise<unknown>): void {
    this.#reach().hold(promise)
  }

  fail(error: Error): void {
    this.#reach().fail(error)
  }

  used(): void {
    this.#isUsed = true
    this.#reach()
  }

  protected get isUsed(): boolean {
    return this.#isUsed
  }

  get headersSent(): boolean {
    return this.#reach().headersSent
  }

  get finished(): boolean {
    return this.#reach().finished
  }

  #reach(): Outlet {
    return (this.#outlet ??= this.#open())
  }
}

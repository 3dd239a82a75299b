import type { Calls, Sender } from './calls.js'
import type { ConfirmedWrites } from './confirmed-writes.js'

/** Those who have the records: one server, whoever is the master, or a cluster. */
export interface Servers extends Sender {
  /** For writes that count when replicas have them; absent when none are waited for. */
  readonly confirmed?: Sender | undefined
  /** Several have a share of the keys each. */
  readonly isSpread?: boolean
  /** All who have a share of the keys. */
  masters(deadline: number): Promise<readonly Sender[]>
  /** Takes no more commands, lets those under way come to their end, and lets go of the connections. */
  close(): Promise<void>
}

/** One server, or whoever is the master: a way for everything, and another for writes that wait for replicas. */
export class OneServer implements Servers {
  readonly #calls: Calls
  readonly confirmed: ConfirmedWrites | undefined
  readonly #onClose: () => void

  constructor(calls: Calls, confirmed?: ConfirmedWrites, onClose: () => void = () => {}) {
    this.#calls = calls
    this.confirmed = confirmed
    this.#onClose = onClose
  }

  /** Rejects with `NotSent` when it is not connected to at the deadline. */
  async ready(deadline: number): Promise<void> {
    await Promise.all([this.#calls.ready(deadline), this.confirmed?.ready(deadline)])
  }

  send(...sending: Parameters<Sender['send']>): Promise<unknown> {
    return this.#calls.send(...sending)
  }

  masters(deadline: number): Promise<readonly Sender[]> {
    return this.#calls.masters(deadline)
  }

  async close(): Promise<void> {
    await Promise.all([this.#calls.close(), this.confirmed?.close()])
    this.#onClose()
  }
}

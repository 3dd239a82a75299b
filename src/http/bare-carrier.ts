import type { Carrier } from '../carrier.js'
import { HeadersSentError } from '../errors.js'
import { slotName } from './cookie-slots.js'

/**
 * Carries the session of a request that has no response: a WebSocket's upgrade. It reads the same id, and is in all else
 * like a carrier whose headers have left, for as long as somebody keeps it: an existing session is loaded and saved, and
 * what cannot do without a cookie (a new session, a new id) throws `HeadersSentError`.
 */
export class BareCarrier implements Carrier {
  readonly headersSent = true
  readonly finished = false
  readonly #name: string
  readonly #read: (slot: string | undefined) => readonly string[]

  /** `read` answers what came under the name. */
  constructor(name: string, read: (slot: string | undefined) => readonly string[]) {
    this.#name = name
    this.#read = read
  }

  name(slot?: string): string {
    return slotName(this.#name, slot)
  }

  read(slot?: string): readonly string[] {
    return this.#read(slot)
  }

  write(): void {
    throw new HeadersSentError('There is no response that could carry a cookie')
  }

  expire(): void {
    this.write()
  }

  /** Nothing is ever waiting to be sent, held, or kept by a cache. */
  forget(): void {}
  hold(): void {}
  fail(): void {}
  used(): void {}
}

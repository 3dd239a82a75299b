import type { Carrier, CookieAttributes } from '../carrier.js'
import { HeadersSentError } from '../errors.js'
import { readSlot, slotName } from './cookie-slots.js'
import type { HeaderEdits } from './header-edits.js'
import { OutletCarrier } from './outlet-carrier.js'
import type { Outlet } from './outlet-carrier.js'
import type { ConnectedRequest } from './secure-request.js'
import { expireCookie, setCookie, type CookieMoment } from './set-cookie.js'

/** The same for all requests of a manager. */
export interface CookieCarrierOptions {
  /** The cookie's name; its slots are `name-slot`. */
  readonly name: string
  /** The clock, in epoch milliseconds. */
  readonly now: () => number
  /** Decides `secure: 'auto'`; see `secureRequests`. */
  readonly isEncrypted: (request: ConnectedRequest) => boolean
}

/** Carries a session's id in a cookie. Reading needs the request alone; what concerns the response asks for its outlet, once. */
export class CookieCarrier extends OutletCarrier implements Carrier {
  readonly #request: ConnectedRequest
  readonly #options: CookieCarrierOptions
  readonly #lines = new Map<string, string>()
  /** What takes the session back, once it was to be ended, whatever was written since; a slot that a shorter one does without is no end. */
  readonly #ending = new Map<string, string>()

  constructor(request: ConnectedRequest, openOutlet: () => Outlet, options: CookieCarrierOptions) {
    super(openOutlet)
    this.#request = request
    this.#options = options
  }

  name(slot?: string): string {
    return slotName(this.#options.name, slot)
  }

  read(slot?: string): readonly string[] {
    return readSlot(this.#request, this.#options.name, slot)
  }

  write(value: string, attributes: CookieAttributes, slot?: string): void {
    this.#put(attributes, slot, (name, moment) => setCookie(name, value, attributes, moment))
  }

  expire(attributes: CookieAttributes, slot?: string): void {
    const name = this.#put(attributes, slot, (name, moment) => expireCookie(name, attributes, moment))
    if (slot === undefined || this.#ending.size > 0) this.#ending.set(name, this.#lines.get(name)!)
  }

  forget(): void {
    this.#lines.clear()
    this.#ending.clear()
  }

  failureEdits(): HeaderEdits {
    return { cookies: this.#ending, vary: undefined, noStore: this.#ending.size > 0 }
  }

  headerEdits(): HeaderEdits {
    const setsCookie = this.#lines.size > 0
    return { cookies: new Map(this.#lines), vary: this.isUsed || setsCookie ? 'Cookie' : undefined, noStore: setsCookie }
  }

  #put({ secure }: CookieAttributes, slot: string | undefined, line: (name: string, moment: CookieMoment) => string): string {
    const name = this.name(slot)
    if (this.headersSent) throw new HeadersSentError(`The headers have left: the cookie ${name} cannot be sent any more`)
    const encrypted = secure === 'auto' && this.#options.isEncrypted(this.#request)
    this.#lines.set(name, line(name, { encrypted, now: this.#options.now() }))
    return name
  }
}

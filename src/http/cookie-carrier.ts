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
  /** What is to be sent, by the cookie's name. Most responses send nothing. */
  #due: Map<string, string> | undefined
  /** What takes the session back, once it was to be ended, whatever was written since; a slot that a shorter one does without is no end. */
  #ending: Map<string, string> | undefined

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

  write(value: string, attributes: CookieAttributes, slot?: string, isSealed?: boolean): void {
    this.#put(attributes, slot, (name, moment) => setCookie(name, value, attributes, moment, isSealed))
  }

  expire(attributes: CookieAttributes, slot?: string): void {
    const name = this.#put(attributes, slot, (name, moment) => expireCookie(name, attributes, moment))
    if (slot === undefined || this.#ending !== undefined) (this.#ending ??= new Map()).set(name, this.#due!.get(name)!)
  }

  forget(): void {
    this.#due = this.#ending = undefined
  }

  failureEdits(): HeaderEdits {
    return this.#ending === undefined ? NOT_LOOKED_AT : { cookies: this.#ending, vary: undefined, noStore: true }
  }

  headerEdits(): HeaderEdits {
    if (this.#due === undefined) return this.isUsed ? LOOKED_AT : NOT_LOOKED_AT
    return { cookies: new Map(this.#due), vary: 'Cookie', noStore: true }
  }

  #put({ secure }: CookieAttributes, slot: string | undefined, lineOf: (name: string, moment: CookieMoment) => string): string {
    const name = this.name(slot)
    if (this.headersSent) throw new HeadersSentError(`The headers have left: the cookie ${name} cannot be sent any more`)
    const encrypted = secure === 'auto' && this.#options.isEncrypted(this.#request)
    const line = lineOf(name, { encrypted, now: this.#options.now() })
    ;(this.#due ??= new Map()).set(name, line)
    return name
  }
}

const NONE: ReadonlyMap<string, string> = new Map()
const LOOKED_AT: HeaderEdits = { cookies: NONE, vary: 'Cookie', noStore: false }
const NOT_LOOKED_AT: HeaderEdits = { cookies: NONE, vary: undefined, noStore: false }

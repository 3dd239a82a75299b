import type { IncomingHttpHeaders } from 'node:http'
import type { Carrier } from '../carrier.js'
import { HeadersSentError } from '../errors.js'
import type { HeaderEdits } from './header-edits.js'
import { OutletCarrier } from './outlet-carrier.js'
import type { Outlet } from './outlet-carrier.js'

/** Where a request without cookies has its session's id. */
export interface IdPlace {
  /** The header that it comes in, and goes out in when it is new; absent: the application hands it out itself. */
  readonly header: string | undefined
  /** What the request says. */
  read(request: object): readonly string[]
}

/** The id in a header, or wherever the application finds it with a function of its own. */
export const idPlace = (header: string | undefined, find: ((request: object, name: string) => string | undefined) | undefined, name: string): IdPlace => ({
  header,
  read(request) {
    const value = find === undefined ? (request as { headers: IncomingHttpHeaders }).headers[header!.toLowerCase()] : find(request, name)
    if (value === undefined || value === '') return []
    return Array.isArray(value) ? value : String(value).split(',').map((one) => one.trim()) // several headers of a name come joined
  },
})

/** Carries a session's id without a cookie. */
export class HeaderCarrier extends OutletCarrier implements Carrier {
  readonly #request: object
  readonly #place: IdPlace
  #value: string | undefined

  constructor(request: object, open: () => Outlet, place: IdPlace) {
    super(open)
    this.#request = request
    this.#place = place
  }

  read(slot?: string): readonly string[] {
    return slot === undefined ? this.#place.read(this.#request) : []
  }

  write(value: string): void {
    if (this.headersSent) throw new HeadersSentError('the headers have left: the id of the session cannot be sent any more')
    this.#value = value
  }

  /** An empty header: the client has no session any more. */
  expire(): void {
    this.write('')
  }

  forget(): void {
    this.#value = undefined
  }

  failureEdits(): HeaderEdits {
    const fields = this.#value === '' ? this.#fields() : {}
    return { cookies: new Map(), fields: new Map(Object.entries(fields)), vary: undefined, noStore: this.#value === '' }
  }

  headerEdits(): HeaderEdits {
    const tells = this.#value !== undefined
    return {
      cookies: new Map(), fields: new Map(Object.entries(this.#fields())),
      vary: this.isUsed || tells ? this.#place.header ?? '*' : undefined, noStore: tells,
    }
  }

  #fields(): Record<string, string> {
    const { header } = this.#place
    return header === undefined || this.#value === undefined ? {} : { [header]: this.#value }
  }
}

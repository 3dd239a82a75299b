import type { ServerResponse } from 'node:http'
import type { CookieAttributes, ReadCookieOptions, RequestCookies, WriteCookieOptions } from '../carrier.js'
import { HeadersSentError } from '../errors.js'
import type { Sealer } from '../namespace-manager.js'
import { readCookies } from './cookie-header.js'
import { isSessions } from './cookie-slots.js'
import type { CookieRequest } from './cookie-slots.js'
import type { HeaderEdits } from './header-edits.js'
import { ResponseGate } from './response-gate.js'
import type { ConnectedRequest } from './secure-request.js'
import { expireCookie, setCookie } from './set-cookie.js'
import type { CookieMoment } from './set-cookie.js'

export interface RequestCookiesOptions {
  /** The clock, in epoch milliseconds. */
  readonly now: () => number
  readonly isEncrypted: (request: ConnectedRequest) => boolean
  /** The session's cookie, … */
  readonly cookieName: string
  /** … and its attributes, for what is not said of a cookie. */
  readonly attributes: CookieAttributes
  readonly sealer: Sealer
}

/** Of one name, where each costs an opening. A client sends one. */
const MOST_CANDIDATES = 8

/** A cookie that is to be sent. */
interface Pending {
  readonly line: string
  /** It belongs to the answer to a failure, and not to what the handler prepared. */
  readonly isLate: boolean
  /** Absent: the client is to forget it. */
  readonly written?: { readonly value: unknown; readonly format: WriteCookieOptions['format'] }
}

/** What makes the cookies of each request. */
export const requestCookies = (options: RequestCookiesOptions) =>
  (req: ConnectedRequest & CookieRequest, res: ServerResponse | undefined): RequestCookies => new Cookies(req, res, options)

class Cookies implements RequestCookies {
  readonly #req: ConnectedRequest & CookieRequest
  readonly #res: ServerResponse | undefined
  readonly #options: RequestCookiesOptions
  readonly #pending = new Map<string, Pending>()
  #gate: ResponseGate | undefined

  constructor(req: ConnectedRequest & CookieRequest, res: ServerResponse | undefined, options: RequestCookiesOptions) {
    this.#req = req
    this.#res = res
    this.#options = options
  }

  get(name: string, { format = 'plain', maxAge }: ReadCookieOptions = {}): unknown {
    checkAge(name, maxAge)
    const pending = this.#pending.get(name)
    if (pending !== undefined) return pending.written?.format === format ? pending.written.value : undefined
    const texts = readCookies(this.#req.headers.cookie, name)
    if (format === 'signed') return texts.length > MOST_CANDIDATES ? undefined : parsed(onlyOne(texts.map((text) => this.#opened(name, text, maxAge))))
    return format === 'json' ? parsed(decoded(onlyOne(texts))) : onlyOne(texts)
  }

  set(name: string, value: unknown, { format = 'plain', maxAge, ...attributes }: WriteCookieOptions = {}): void {
    checkAge(name, maxAge)
    const moment = this.#moment(attributes)
    const expiresAt = maxAge === undefined ? undefined : moment.now + maxAge * 1000
    const text = format === 'plain' ? textOf(name, value) : format === 'json' ? encodeURIComponent(jsonOf(name, value)) : this.#sealed(name, value, moment)
    this.#put(name, { line: setCookie(name, text, { ...this.#attributes(attributes), expiresAt }, moment), written: { value, format } })
  }

  delete(name: string, attributes: Partial<CookieAttributes> = {}): void {
    this.#put(name, { line: expireCookie(name, this.#attributes(attributes), this.#moment(attributes)) })
  }

  unset(name: string): void {
    this.#pending.delete(name)
  }

  #put(name: string, pending: Omit<Pending, 'isLate'>): void {
    if (isSessions(name, this.#options.cookieName)) throw new TypeError(`the cookie ${name} is the session's: change the session`)
    const gate = this.#reach()
    if (gate === undefined || gate.headersSent) throw new HeadersSentError(`the cookie ${name} cannot be sent: the headers have left, or there is no response`)
    this.#pending.set(name, { ...pending, isLate: gate.failing })
  }

  /** One that is `undefined` is not said. */
  #attributes(said: Partial<CookieAttributes>): CookieAttributes {
    return { ...this.#options.attributes, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) }
  }

  #moment({ secure = this.#options.attributes.secure }: Partial<CookieAttributes>): CookieMoment {
    return { now: this.#options.now(), encrypted: secure === 'auto' && this.#options.isEncrypted(this.#req) }
  }

  /** The time is sealed with the value: what a client keeps for longer than it was told is too old all the same. */
  #sealed(name: string, value: unknown, { now }: CookieMoment): string {
    return this.#options.sealer.seal('cookie', name, `${now} ${jsonOf(name, value)}`)
  }

  #opened(name: string, text: string, maxAge: number | undefined): string | undefined {
    const sealed = this.#options.sealer.open('cookie', name, text)?.text
    if (sealed === undefined) return undefined
    const end = sealed.indexOf(' ')
    const age = this.#options.now() - Number(sealed.slice(0, end))
    return maxAge !== undefined && age > maxAge * 1000 ? undefined : sealed.slice(end + 1)
  }

  #reach(): ResponseGate | undefined {
    if (this.#res === undefined) return undefined
    return (this.#gate ??= new ResponseGate(this.#res, {
      beforeHead: () => undefined,
      beforeEnd: () => undefined,
      headers: () => [this.#edits(false)],
      failureHeaders: () => [this.#edits(true)],
      answer: () => undefined,
      over: () => {},
    }, { budgetMs: 0 }))
  }

  #edits(isFailure: boolean): HeaderEdits {
    const sent = [...this.#pending].filter(([, { isLate }]) => isLate || !isFailure)
    return { cookies: new Map(sent.map(([name, { line }]) => [name, line])), vary: undefined, noStore: false }
  }
}

const checkAge = (name: string, maxAge: unknown): void => {
  if (maxAge === undefined || (typeof maxAge === 'number' && maxAge >= 0)) return
  throw new TypeError(`the cookie ${name}: maxAge is a number of seconds, 0 or more`)
}

const textOf = (name: string, value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError(`the cookie ${name}: a plain value is a string; choose the format json or signed for others`)
  return value
}

const jsonOf = (name: string, value: unknown): string => {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new TypeError(`the cookie ${name}: its value has no JSON`)
  return text
}

/** Which of several is ours cannot be told: others plant cookies too. */
const onlyOne = (texts: readonly (string | undefined)[]): string | undefined => {
  const different = new Set(texts.filter((text) => text !== undefined))
  return different.size === 1 ? [...different][0] : undefined
}

const decoded = (text: string | undefined): string | undefined => {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** `undefined` for what is no JSON. */
const parsed = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

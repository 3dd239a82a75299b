import type { CookieAttributes } from '../carrier.js'
import type { RecordMeta } from '../record/record.js'
import type { CookieLife } from './session-context.js'

/** What browsers keep a cookie for at most: 400 days (RFC 6265bis, section 5.5). */
const LONGEST_SECONDS = 34_560_000

/** A life in seconds begins anew each time the cookie is sent. */
export const isRolling = (life: CookieLife): boolean => typeof life === 'number'

/**
 * The session's cookie, for this session alone. `domain` and `path` are kept with the session; the others hold for this request.
 * What was assigned is sent with the next save.
 */
export class SessionCookie {
  readonly #defaults: CookieAttributes
  readonly #check: (attributes: CookieAttributes) => void
  readonly #keep: (change: { domain?: string | undefined; path?: string | undefined }) => void
  readonly #meta: () => RecordMeta
  readonly #now: () => number
  #own: { -readonly [K in keyof CookieAttributes]?: CookieAttributes[K] } = {}
  #life: CookieLife
  #hasOwn = false
  #changed = false

  constructor(options: {
    readonly defaults: CookieAttributes
    readonly life: CookieLife
    readonly now: () => number
    readonly meta: () => RecordMeta
    readonly check: (attributes: CookieAttributes) => void
    readonly keep: (change: { domain?: string | undefined; path?: string | undefined }) => void
  }) {
    this.#defaults = options.defaults
    this.#life = options.life
    this.#now = options.now
    this.#meta = options.meta
    this.#check = options.check
    this.#keep = options.keep
  }

  get domain(): string | undefined {
    return this.#meta().domain ?? this.#defaults.domain
  }

  set domain(domain: string | undefined) {
    this.#check({ ...this.attributes(), domain })
    this.#keep({ domain })
    this.#changed = true
  }

  get path(): string {
    return this.#meta().path ?? this.#defaults.path
  }

  set path(path: string) {
    this.#check({ ...this.attributes(), path })
    this.#keep({ path })
    this.#changed = true
  }

  get secure(): boolean | 'auto' {
    return this.attributes().secure
  }

  set secure(secure: boolean | 'auto') {
    this.#set({ secure })
  }

  get httpOnly(): boolean {
    return this.attributes().httpOnly
  }

  set httpOnly(httpOnly: boolean) {
    this.#set({ httpOnly })
  }

  get sameSite(): 'strict' | 'lax' | 'none' {
    return this.attributes().sameSite
  }

  set sameSite(sameSite: 'strict' | 'lax' | 'none') {
    this.#set({ sameSite })
  }

  get partitioned(): boolean {
    return this.attributes().partitioned
  }

  set partitioned(partitioned: boolean) {
    this.#set({ partitioned })
  }

  /** When the browser forgets it; `undefined`: when it closes. */
  get expires(): Date | undefined {
    const { expiresAt } = this.attributes()
    return expiresAt === undefined ? undefined : new Date(expiresAt)
  }

  set expires(expires: Date | undefined) {
    if (expires !== undefined && !(expires instanceof Date && Number.isFinite(expires.getTime()))) throw new TypeError('expires is a valid Date, or undefined')
    this.#life = expires === undefined ? true : new Date(expires)
    this.#changed = true
  }

  /** Seconds from now; `undefined`: until the browser closes. */
  get maxAge(): number | undefined {
    const { expiresAt } = this.attributes()
    return expiresAt === undefined ? undefined : Math.round((expiresAt - this.#now()) / 1000)
  }

  set maxAge(seconds: number | undefined) {
    if (seconds !== undefined && !(Number.isSafeInteger(seconds) && seconds > 0 && seconds <= LONGEST_SECONDS)) {
      throw new TypeError(`maxAge is whole seconds, 1 to ${LONGEST_SECONDS}, or undefined`)
    }
    this.#life = seconds ?? true
    this.#changed = true
  }

  /** Something was assigned in this request, and not sent yet. */
  get isChanged(): boolean {
    return this.#changed
  }

  /** It is on its way, as it is now. */
  sent(): void {
    this.#changed = false
  }

  get isRolling(): boolean {
    return isRolling(this.#life)
  }

  /** The settings' own, the same object each time, where this session has none of its own. */
  attributes(): CookieAttributes {
    const { domain, path } = this.#meta()
    if (this.#life === true && !this.#hasOwn && domain === undefined && path === undefined) return this.#defaults
    return { ...this.#defaults, ...this.#own, domain: this.domain, path: this.path, expiresAt: this.#expiresAt() }
  }

  #set(change: Partial<CookieAttributes>): void {
    this.#check({ ...this.attributes(), ...change })
    Object.assign(this.#own, change)
    this.#hasOwn = true
    this.#changed = true
  }

  #expiresAt(): number | undefined {
    const life = this.#life
    if (life === true) return undefined
    if (life instanceof Date) return life.getTime()
    return this.#now() + (life === false ? LONGEST_SECONDS : life) * 1000
  }
}

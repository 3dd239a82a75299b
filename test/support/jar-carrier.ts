import type { Carrier, CookieAttributes } from '../../src/carrier.js'

export const plainAttributes: CookieAttributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax', partitioned: false }

interface Cookie {
  readonly name: string
  readonly value: string
  readonly domain: string | undefined
  readonly path: string
  readonly expiresAt: number | undefined
}

/** A client that keeps cookies as RFC 6265bis says: by name, domain and path. It sends all of them, whatever their path. */
export class Jar {
  cookies: readonly Cookie[] = []
  /** The client's clock. */
  now: () => number = Date.now

  /** The next request, with the session's cookie of this name. */
  request(name = 'phial'): JarCarrier {
    return new JarCarrier(this, name)
  }

  values(name: string): string[] {
    return this.cookies.filter(cookie => cookie.name === name && this.#isAlive(cookie)).map(({ value }) => value)
  }

  get names(): string[] {
    return this.cookies.filter(cookie => this.#isAlive(cookie)).map(({ name }) => name).sort()
  }

  /** Keeps a cookie in the place of the one it replaces, and drops it if it is over already, or too large. */
  keep(name: string, value: string, { domain, path, expiresAt }: Partial<CookieAttributes> = {}): void {
    const cookie: Cookie = { name, value, domain, path: path ?? '/', expiresAt }
    const others = this.cookies.filter(other => other.name !== name || other.domain !== domain || other.path !== cookie.path)
    this.cookies = this.#isAlive(cookie) && name.length + value.length <= 4096 ? [...others, cookie] : others
  }

  drop(name: string): void {
    this.cookies = this.cookies.filter(cookie => cookie.name !== name)
  }

  #isAlive({ expiresAt }: Cookie): boolean {
    return expiresAt === undefined || expiresAt > this.now()
  }
}

/** One request of a jar, and its response, which the jar gets with `respond`. */
export class JarCarrier implements Carrier {
  headersSent = false
  finished = false
  reads = 0
  readonly #jar: Jar
  readonly #name: string
  readonly #sent = new Map<string, { value: string; attributes: CookieAttributes }>()

  constructor(jar: Jar, name: string) {
    this.#jar = jar
    this.#name = name
  }

  name(slot?: string): string {
    return slot === undefined ? this.#name : `${this.#name}-${slot}`
  }

  read(slot?: string): readonly string[] {
    this.reads++
    return this.#jar.values(this.name(slot))
  }

  write(value: string, attributes: CookieAttributes, slot?: string): void {
    if (!/^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/.test(value)) throw new Error(`not a cookie's value: ${value}`)
    this.#sent.set(this.name(slot), { value, attributes })
  }

  expire(attributes: CookieAttributes, slot?: string): void {
    this.#sent.set(this.name(slot), { value: '', attributes: { ...attributes, expiresAt: 0 } })
  }

  forget(): void {
    this.#sent.clear()
  }

  hold(): void {}

  fail(): void {}

  used(): void {}

  /** The names of the cookies that the response sets or expires. */
  get sentNames(): string[] {
    return [...this.#sent.keys()].sort()
  }

  sent(slot?: string): { value: string; attributes: CookieAttributes } | undefined {
    return this.#sent.get(this.name(slot))
  }

  respond(): void {
    this.headersSent = this.finished = true
    for (const [name, { value, attributes }] of this.#sent) this.#jar.keep(name, value, attributes)
  }
}

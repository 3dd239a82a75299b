/** What a session needs of the thing that carries its id to the client and back. Implemented by `http/` for cookies. */
export interface Carrier {
  /**
   * The raw values that came under the session's name, in the order they came; none when nothing came.
   * A slot is a further cookie beside it, named with a suffix (the cookie backend's chunks and its touch).
   */
  read(slot?: string): readonly string[]
  /**
   * Sends the value with the response; the last of several writes to one slot counts. Throws `HeadersSentError` once the headers have left.
   * What `isSealed`, by the library's own sealer, is of cookie octets, and not looked through for others.
   */
  write(value: string, attributes: CookieAttributes, slot?: string, isSealed?: boolean): void
  /** The name under which the client keeps a slot's value, where it has one: its octets count, and a seal is bound to it. */
  name?(slot?: string): string
  /** Asks the client to forget the value. Throws like `write`. */
  expire(attributes: CookieAttributes, slot?: string): void
  /** Forgets what `write` and `expire` were asked and not yet sent. */
  forget(): void
  /** The response is held until the promise is settled. One that rejects, and whose failure nobody took, becomes the error answer. */
  hold(promise: Promise<unknown>): void
  /** The exchange failed: the error becomes the answer if the headers have not left, else the connection is destroyed. */
  fail(error: Error): void
  /** The session's data was looked at: the response depends on it. */
  used(): void
  readonly headersSent: boolean
  /** The exchange is over: the response is complete. */
  readonly finished: boolean
}

export interface CookieAttributes {
  readonly domain?: string | undefined
  readonly path: string
  /** `auto`: on a connection that is, or that a trusted proxy says is, encrypted. */
  readonly secure: boolean | 'auto'
  readonly httpOnly: boolean
  readonly sameSite: 'strict' | 'lax' | 'none'
  readonly partitioned: boolean
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** When the client may forget it, in epoch milliseconds; absent: when it closes. */
  readonly expiresAt?: number | undefined
}

/** The application's own cookies, readable and changeable until the headers leave. */
export interface RequestCookies {
  /**
   * What `set` was given in this request, else what the client sent; `undefined` for none, for a forged or too old one, and where several differ:
   * of signed ones, several that are good.
   */
  get(name: string, options?: ReadCookieOptions): any
  /** One of a name is sent: the last one that was set. Throws `HeadersSentError`, `TooLargeError`, or `TypeError` for a value that no cookie can hold and for the name of a session's. */
  set(name: string, value: unknown, options?: WriteCookieOptions): void
  /** Asks the client to forget it. `path` and `domain` are those that it was set with. Throws like `set`. */
  delete(name: string, options?: Partial<CookieAttributes>): void
  /** Takes back what `set` or `delete` asked in this request. */
  unset(name: string): void
}

export interface ReadCookieOptions {
  /** How the value was written; of one that this request set otherwise there is none. Default `plain`. */
  readonly format?: 'plain' | 'json' | 'signed'
  /** For `signed`: seconds after which it is too old; absent: it lasts as long as the secrets. */
  readonly maxAge?: number
}

export interface WriteCookieOptions extends Partial<Omit<CookieAttributes, 'expiresAt'>> {
  /** `plain`: text of visible ASCII. `json`: any JSON value. `signed`: any JSON value, bound to the cookie's name and dated; not encrypted. Default `plain`. */
  readonly format?: 'plain' | 'json' | 'signed'
  /** Seconds that the client may keep it; absent: until it closes. */
  readonly maxAge?: number
}

/** Who is told when a response is about to leave, and when the exchange is over. */
export interface ExchangeListener {
  /** The head is about to leave with this status; it waits for what is answered. Called once. */
  beforeHead(status: number): Promise<unknown> | undefined
  /** The end is about to leave; it waits for what is answered. Called once, after `beforeHead`. */
  beforeEnd(status: number): Promise<unknown> | undefined
  /** What the response waited for is done, and nothing of it failed: what is to be saved at the last; it waits for that too. May be called again. */
  beforeRelease(): Promise<unknown> | undefined
  /** So is that, of all sessions of the response: what is only to be done for a response that leaves. May be called again. */
  afterSaves(): Promise<unknown> | undefined
  /** The handler's promise, where it answered one: until it settles, the handler may still let a failure through. */
  working?(): Promise<unknown> | undefined
  /** `finish`: the response is complete. `abort`: its connection closed before. `failed`: an error became the answer. */
  over(how: 'finish' | 'abort' | 'failed'): void
}

/** An id that a client presented and that proved to be ours. */
export interface PresentedId {
  readonly id: string
  /** It was signed or sealed with an older secret: it is sent again when the session is next written. */
  readonly stale: boolean
  /** Under which its record is stored, where that is known without asking. */
  readonly key?: string | undefined
}

/** Where a session's id comes from and goes to: a signed cookie, or the cookie backend, whose cookie holds all. */
export interface IdSource {
  /** The one id that verifies, or `undefined`: none came, none is ours, or several distinct ones are. */
  readId(): PresentedId | undefined
  writeId(id: string, attributes: CookieAttributes): void
  expireId(attributes: CookieAttributes): void
}

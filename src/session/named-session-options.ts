/** How a named session differs from the settings of the default one. Durations are seconds. */
export interface NamedSessionOptions {
  /** A name in `session.backends`, or `cookie`; absent: the default session's backend. */
  readonly backend?: string
  readonly timeout?: number | false
  readonly lifetime?: number | false
  /** Default: the default session's, a dot and the name. */
  readonly cookieName?: string
  /** A date is not one of a kind of sessions: give it to `session.cookie.expires`. */
  readonly cookieExpires?: boolean | number
  readonly cookieDomain?: string
  readonly cookiePath?: string
  readonly secure?: boolean | 'auto'
  readonly httpOnly?: boolean
  readonly sameSite?: 'strict' | 'lax' | 'none'
  readonly partitioned?: boolean
  readonly priority?: 'low' | 'medium' | 'high'
  readonly forceCookie?: boolean
  readonly auto?: boolean
}

/** The same text for the same options, in whatever order they are written. */
export const writtenOptions = (options: object): string =>
  JSON.stringify(Object.entries(options).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)))

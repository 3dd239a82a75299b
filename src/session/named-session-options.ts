/** How a named session differs from the settings of the default one. Durations are seconds. */
export interface NamedSessionOptions {
  /** A name in `session.backends`, or `cookie`; absent: the default session's backend. */
  readonly backend?: string
  readonly timeout?: number | false
  readonly lifetime?: number | false
  /** Default: the default session's, a dot and the name. */
  readonly cookieName?: string
  readonly cookieExpires?: boolean | number | Date
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

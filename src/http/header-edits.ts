/** What a session adds to the head of the response, at the moment the head leaves. */
export interface HeaderEdits {
  /** `Set-Cookie` lines by the cookie's name: never two of one name in a response. */
  readonly cookies: ReadonlyMap<string, string>
  /** The session was looked at: `Vary: Cookie` is appended. */
  readonly varyCookie: boolean
  /** A cookie is set or expired: nobody may keep this response for others. */
  readonly noStore: boolean
}

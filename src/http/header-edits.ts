/** What a session adds to the head of the response, at the moment the head leaves. */
export interface HeaderEdits {
  /** `Set-Cookie` lines by the cookie's name: never two of one name in a response. */
  readonly cookies: ReadonlyMap<string, string>
  /** Other headers, by name. */
  readonly fields?: ReadonlyMap<string, string>
  /** The session was looked at: this is appended to `Vary`, the header that its id came in. */
  readonly vary: string | undefined
  /** An id is given out or taken back: nobody may keep this response for others. */
  readonly noStore: boolean
}

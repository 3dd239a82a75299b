import type { Carrier, CookieAttributes, IdSource } from '../carrier.js'
import type { Lockable } from '../namespace-manager.js'
import type { Budget } from '../record/budget.js'
import type { DataCodec } from '../record/codec.js'
import type { Owners } from '../record/owners.js'
import type { SealedStore } from '../record/sealed-store.js'
import type { StoreCalls } from '../record/store-call.js'
import type { TimeRules } from '../record/time-rules.js'
import type { Writer } from '../record/writer.js'

/** `true`: until the browser closes. `false`: as long as browsers keep it. Seconds from each sending, or a date. */
export type CookieLife = boolean | number | Date

/** What all sessions of a manager have in common. */
export interface SessionPolicy {
  readonly auto: boolean
  readonly forceCookie: boolean
  readonly cookie: CookieAttributes
  readonly cookieLife: CookieLife
  /** Throws `ConfigError` for attributes that the cookie's name does not allow. */
  readonly checkCookie: (attributes: CookieAttributes) => void
  /** How long an id that was renewed still reads, in seconds. */
  readonly regenerateGrace: number
  /** The client keeps the record: each write sends it. */
  readonly clientKeeps: boolean
}

/** What one session works with: its exchange with a client, and the store behind it. */
export interface SessionContext {
  readonly policy: SessionPolicy
  readonly carrier: Carrier
  readonly ids: IdSource
  readonly budget: Budget
  readonly records: SealedStore
  readonly writer: Writer
  readonly owners: Owners
  readonly locks: Lockable | undefined
  readonly calls: StoreCalls
  readonly codec: DataCodec
  readonly rules: TimeRules
  /** Where the record of an id is. */
  readonly keyOf: (id: string) => string
  /** What names the session of an id to `list` and `revoke`. */
  readonly refOf: (id: string) => string
  readonly isClosed: () => boolean
  /** A write has begun: closing the manager waits for it. */
  readonly began: (write: Promise<unknown>) => void
}

import type { Touch } from '../namespace-manager.js'

/** A clock that runs this far ahead of another is normal; a record from further in the future counts as expired. */
const CLOCK_SKEW_MS = 60_000

export interface TimeSettings {
  /** Idle, in seconds. */
  readonly timeout: number | undefined
  /** Absolute, in seconds. */
  readonly lifetime: number | undefined
  readonly touchInterval: number
  readonly saveAccessedTime: boolean
  readonly now: () => number
}

/** The times that are sealed in a record, in epoch milliseconds. */
export interface Dated {
  readonly createdAt: number
  /** When the user last proved who they are: the absolute end counts from here. */
  readonly authenticatedAt?: number | undefined
}

/**
 * The one model of time. The idle end is the store's expiry, which touches move; the absolute end follows from times
 * that are sealed in the record, so that no touch and no store can prolong it.
 */
export class TimeRules {
  readonly now: () => number
  readonly #idleMs: number | undefined
  readonly #lifetimeMs: number | undefined
  readonly #intervalMs: number
  readonly #touches: boolean

  constructor(settings: TimeSettings) {
    this.now = () => Math.floor(settings.now())
    this.#idleMs = settings.timeout === undefined ? undefined : settings.timeout * 1000
    this.#lifetimeMs = settings.lifetime === undefined ? undefined : settings.lifetime * 1000
    this.#intervalMs = settings.touchInterval * 1000
    this.#touches = settings.saveAccessedTime && settings.timeout !== undefined
  }

  /** When the session ends however much it is used. */
  lifetimeEnd(record: Dated): number {
    return (record.authenticatedAt ?? record.createdAt) + (this.#lifetimeMs ?? Infinity)
  }

  /** The expiry to give a record that is written now: the idle end, or the absolute one if that is nearer. */
  storeExpiry(record: Dated): number {
    return Math.min(this.now() + (this.#idleMs ?? Infinity), this.lifetimeEnd(record))
  }

  /** How long an owner's index keeps the key of a record that is written or touched now: no less than touches may prolong the record. */
  indexExpiry(record: Dated): number {
    const end = this.lifetimeEnd(record)
    return end === Infinity ? this.now() + 2 * this.#idleMs! : end
  }

  /** Why the record is dead whatever the store says, if it is. */
  verdict(record: Dated): 'lifetime' | 'future' | undefined {
    const now = this.now()
    if (record.createdAt > now + CLOCK_SKEW_MS) return 'future'
    return this.lifetimeEnd(record) <= now ? 'lifetime' : undefined
  }

  /** What a read does to the expiry. It is blind to the absolute end, which `verdict` judges from the record itself. */
  readTouch(): Touch | undefined {
    if (!this.#touches) return undefined
    const expiresAt = this.now() + this.#idleMs!
    return { expiresAt, ifBefore: expiresAt - this.#intervalMs }
  }

  /** Whether a record that ends at `expiresAt` is to be touched now. */
  touchIsDue(record: Dated, expiresAt: number): boolean {
    return this.#touches && expiresAt < this.storeExpiry(record) - this.#intervalMs
  }

  /** True to `touch_interval`; without an idle timeout the last save is the last that is known. */
  lastAccessedAt(savedAt: number, expiresAt: number | undefined): number {
    if (this.#idleMs === undefined || expiresAt === undefined) return savedAt
    return Math.max(savedAt, expiresAt - this.#idleMs)
  }
}

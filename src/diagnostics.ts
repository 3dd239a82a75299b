import { channel, type Channel } from 'node:diagnostics_channel'

/**
 * What phial tells on `node:diagnostics_channel`, each on a channel of its own: `phial:created`, `phial:gone`, …
 * No event ever carries an id, a secret or data of a session. The error of a `store-error` may name a file, whose name is a hash.
 */
export interface PhialEvents {
  created: { backend: string }
  regenerated: { backend: string }
  destroyed: { backend: string; reason: 'destroy' | 'invalidate' | 'revoke' }
  /** A record was there, past its absolute end or from the future. Past its idle end it is not there: `unknown-id`. */
  expired: { backend: string; reason: 'lifetime' | 'future' }
  /** A well-formed id that verified, whose record is not there (any more). */
  'unknown-id': { backend: string }
  /** An id that was not believed; the store was not asked. */
  'rejected-id': { reason: 'malformed' | 'bad-signature' | 'ambiguous' | 'too-many' }
  /** A record that could not be read; `invalidate_corrupt` decides what becomes of it. */
  corrupt: { backend: string; reason: string }
  /** A write met a newer record and was applied to that. */
  conflict: { backend: string; tries: number }
  /** A write met a record that was gone. */
  gone: { backend: string; operation: string }
  'store-error': { backend: string; operation: string; error: unknown }
  'store-recovered': { backend: string }
  /** A write was stored, and the cache before the store could not be told: others may read the older record for `cache_ttl`. */
  'cache-stale': { backend: string; operation: string }
  /** A request was refused with `CsrfError`. */
  'csrf-refused': { reason: 'cross-site' | 'no-token' | 'no-session' | 'bad-token' }
  /** A request ended with changes that nobody saved. */
  dropped: { reason: 'not-saved' | 'response-failed' | 'aborted'; keys: number }
  /** A cookie that was due was not sent. */
  'cookie-skipped': { reason: 'headers-sent' | 'gone' }
  /** `public` or `s-maxage` on a response that sets the session's cookie was overridden. */
  'cache-overridden': { value: string }
  evicted: { backend: string; reason: 'count' | 'bytes' }
  'lock-compromised': { backend: string }
  /** The application's `onError` threw, and the library answered. */
  'hook-failed': { hook: 'onError'; error: unknown }
}

export type PhialEvent = keyof PhialEvents

const channels = new Map<PhialEvent, Channel>()

const channelOf = (event: PhialEvent): Channel => {
  let found = channels.get(event)
  if (found === undefined) channels.set(event, (found = channel(`phial:${event}`)))
  return found
}

/** Publishes an event. Costs a map look-up when nobody listens. */
export const emit = <E extends PhialEvent>(event: E, fields: PhialEvents[E]): void => {
  const target = channelOf(event)
  if (target.hasSubscribers) target.publish(fields)
}

/** Whether anybody listens: what only an event needs to know is then not found out. */
export const isHeard = (event: PhialEvent): boolean => channelOf(event).hasSubscribers

const warned = new Set<string>()

/** A process warning, once a process for each code. */
export const warnOnce = (code: string, message: string): void => {
  if (warned.has(code)) return
  warned.add(code)
  process.emitWarning(message, { type: 'PhialWarning', code })
}

import type { Entity, EntityResult, Key, MutationResult, Timestamp, Value } from './client.js'
import { Failure } from './failure.js'

/** The end of the year 9999: no timestamp is later. */
export const LATEST = 253_402_300_799_999

/** Something that is there, as it was read or written last. */
export interface Seen {
  /** Datastore's version: any write changes it, a touch too. Empty where a server does not tell it. */
  readonly native: string
  readonly expiresAt: number | undefined
}

export const seenIn = ({ entity, version }: EntityResult): Seen => ({ native: nativeOf(version), expiresAt: timeIn(entity?.properties?.['expires']) })

/** What a write asks for that may only change what was seen. */
export const baseOf = ({ native }: Seen): { readonly baseVersion: string } => {
  if (native === '') throw Failure.broken(new Error('the server tells no versions: it is no Datastore, or an old emulator'))
  return { baseVersion: native }
}

export const seenAfter = ({ version }: MutationResult, expiresAt: number): Seen => ({ native: nativeOf(version), expiresAt })

/** What is not indexed may be long, and is no hot spot for writes. */
export const entityOf = (key: Key, texts: Readonly<Record<string, string>>, expiresAt: number): Entity => {
  const at = Math.min(Math.max(Math.round(expiresAt), 0), LATEST)
  const properties: Record<string, Value> = {
    expires: { timestampValue: { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 }, excludeFromIndexes: true },
    purge: { stringValue: purgeMark(nameOf(key)[0] ?? '', at) },
  }
  for (const [name, text] of Object.entries(texts)) properties[name] = { stringValue: text, excludeFromIndexes: true }
  return { key, properties }
}

export const textIn = ({ entity }: EntityResult, name: string): string | undefined => entity?.properties?.[name]?.stringValue ?? undefined

export const nameOf = (key: Key | null | undefined): string => key?.path?.[0]?.name ?? ''

/**
 * By what the dead are found: the hour in which they die, in UTC, behind the first digit of their name. An index on the expiry
 * itself would rise without end, and its end would be a hot spot; so the writes of an hour go to sixteen places.
 */
export const purgeMark = (shard: string, at: number): string => `${shard}:${new Date(at).toISOString().slice(0, 'yyyy-mm-ddThh'.length)}`

export const millisOf = ({ seconds, nanos }: Timestamp): number => Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6

const timeIn = (value: Value | undefined): number | undefined => (value?.timestampValue ? Math.round(millisOf(value.timestampValue)) : undefined)

export const nativeOf = (version: EntityResult['version']): string => {
  const text = String(version ?? 0)
  return text === '0' ? '' : text
}

import { emit } from '../diagnostics.js'
import { CodecError, StoreError, StoreUnavailableError } from '../errors.js'
import { isId, keyOf, nonce } from '../record/id.js'
import { destroyRecord } from '../record/lifecycle.js'
import type { Owners } from '../record/owners.js'
import { isMoved } from '../record/record.js'
import type { RecordForm } from '../record/record.js'
import { REFUSED } from '../record/sealed-store.js'
import type { Found, SealedStore } from '../record/sealed-store.js'
import type { TimeRules } from '../record/time-rules.js'
import { Session } from './session.js'

/** What is known of a session without opening it to anybody: no id, no data. Times are epoch milliseconds. */
export interface SessionSummary {
  /** Names the session (`session.ref`) for `revoke`; opens nothing. */
  readonly ref: string
  readonly createdAt: number
  readonly authenticatedAt: number | undefined
  readonly lastAccessedAt: number
  readonly expiresAt: number | undefined
}

/** Which sessions to end: all of an owner, all but one, one of an owner's, or the one of an id. */
export type Revocation =
  | { readonly owner: string; readonly except?: string | Session<any> | undefined }
  | { readonly owner: string; readonly ref: string }
  | { readonly id: string }

/** Revoking gives up when lists keep filling for this long, in milliseconds. */
const MOST_MS = 10_000

/** The sessions of an owner, from outside of any request: they are seen and ended, never opened. */
export class OwnedSessions {
  readonly #records: SealedStore
  readonly #owners: Owners
  readonly #rules: TimeRules

  constructor(records: SealedStore, owners: Owners, rules: TimeRules) {
    this.#records = records
    this.#owners = owners
    this.#rules = rules
  }

  async list(owner: string): Promise<SessionSummary[]> {
    assertText(owner, 'an owner')
    this.#assertListable()
    const deadline = performance.now() + MOST_MS
    const sessions = new Map<string, SessionSummary>() // an id that was renewed may be listed under both keys
    const generation = await this.#owners.generation(owner, deadline)
    for (const key of await this.#owners.list(owner, deadline)) {
      const found = await this.#follow(key, deadline)
      if (found?.record.meta.owner === owner && isOf(found.record, generation)) sessions.set(found.key, this.#summaryOf(found))
    }
    return [...sessions.values()]
  }

  async revoke(which: Revocation): Promise<number | undefined> {
    const deadline = performance.now() + MOST_MS
    if ('id' in which) return assertText(which.id, 'an id') && isId(which.id) && (await this.#end(keyOf(which.id), deadline)) ? 1 : 0
    assertText(which.owner, 'an owner')
    if ('ref' in which) return assertText(which.ref, 'a ref') && (await this.#endOwned(which.owner, which.ref, undefined, deadline)) ? 1 : 0
    return this.#endAll(which.owner, keyOfExcept(which.except), deadline)
  }

  /**
   * Begins another generation, which alone tells where nothing can be listed, then ends what is listed. What fails keeps nothing else from
   * being ended, and is told then.
   */
  async #endAll(owner: string, except: string | undefined, deadline: number): Promise<number | undefined> {
    const generation = nonce()
    if (except !== undefined) await this.#spare(owner, except, generation, deadline)
    const failures: StoreError[] = []
    await noting(failures, this.#owners.beginGeneration(owner, generation, deadline))
    const ended = this.#owners.canList ? await this.#endListed(owner, except, deadline, failures) : undefined
    if (failures[0] !== undefined) throw failures[0]
    return ended
  }

  /** The record names the generation to come before that one counts, so that the session lives throughout; renewed ids are followed. */
  async #spare(owner: string, except: string, generation: string, deadline: number): Promise<void> {
    for (;;) {
      const found = await this.#follow(except, deadline)
      if (found?.record.meta.owner !== owner) return
      const { meta, payload } = found.record
      const now = await this.#owners.generation(owner, deadline)
      if (!isOf(found.record, now)) return
      const form = { meta: { ...meta, generations: [generation, ...(now === undefined ? meta.generations ?? [] : [now])] }, payload }
      if ((await this.#records.replace(found.key, form, found.version, deadline)) !== REFUSED) return
      this.#checkTime(deadline)
    }
  }

  /**
   * Lists and ends until a pass finds nothing to end. An entry without a record is left: it may be that of a log-in on its
   * way, which comes after this.
   */
  async #endListed(owner: string, except: string | undefined, deadline: number, failures: StoreError[]): Promise<number> {
    for (let ended = 0, before = -1; ; ) {
      if (ended === before) return ended
      before = ended
      for (const key of await this.#owners.list(owner, deadline)) {
        if (!(await noting(failures, this.#endOwned(owner, key, except, deadline)))) continue
        ended++
        await this.#owners.remove(owner, key, deadline)
      }
      this.#checkTime(deadline)
    }
  }

  #checkTime(deadline: number): void {
    if (performance.now() >= deadline) throw new StoreUnavailableError('sessions keep appearing or changing', { backend: this.#records.backend, operation: 'revoke' })
  }

  /** The entry of an id that was renewed leads to the record under its new key. */
  async #endOwned(owner: string, key: string, except: string | undefined, deadline: number): Promise<boolean> {
    const found = await this.#follow(key, deadline)
    if (found?.record.meta.owner !== owner || found.key === except) return false
    return this.#end(key, deadline)
  }

  async #end(key: string, deadline: number): Promise<boolean> {
    const ended = await destroyRecord(this.#records, key, deadline)
    if (ended) emit('destroyed', { backend: this.#records.backend, reason: 'revoke' })
    return ended
  }

  async #follow(key: string, deadline: number): Promise<Listed | undefined> {
    const found = await readable(this.#records.read(key, deadline))
    if (found === undefined) return undefined
    const { record } = found
    if (isMoved(record)) return this.#follow(record.movedTo, deadline)
    return this.#rules.verdict(record.meta) === undefined ? { ...found, record, key } : undefined
  }

  #summaryOf({ key, record, expiresAt }: Listed): SessionSummary {
    const { meta } = record
    return {
      ref: key,
      createdAt: meta.createdAt,
      authenticatedAt: meta.authenticatedAt,
      lastAccessedAt: this.#rules.lastAccessedAt(meta.savedAt, expiresAt),
      expiresAt: expiresAt === undefined ? undefined : Math.min(expiresAt, this.#rules.lifetimeEnd(meta)),
    }
  }

  #assertListable(): void {
    if (!this.#owners.canList) throw new TypeError(`the ${this.#records.backend} backend cannot list an owner's sessions`)
  }
}

interface Listed extends Found<RecordForm> {
  readonly key: string
}

/** A generation that was lost says nothing against a session that an index knows. */
const isOf = ({ meta }: RecordForm, generation: string | undefined): boolean =>
  generation === undefined || meta.generations === undefined || meta.generations.includes(generation)

/** A session that cannot be told must not be taken for none: then all would end. */
const keyOfExcept = (except: string | Session<any> | undefined): string | undefined => {
  if (except === undefined) return undefined
  if (except instanceof Session) return except.ref
  if (typeof except === 'string' && isId(except)) return keyOf(except)
  throw new TypeError('except: expected a loaded session or its id')
}

const assertText = (value: unknown, what: string): true => {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${what} is a string that is not empty`)
  return true
}

/** `undefined` for what failed. */
const noting = <T>(failures: StoreError[], work: Promise<T>): Promise<T | undefined> =>
  work.catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error
    failures.push(error)
    return undefined
  })

/** A record that cannot be read belongs to nobody. */
const readable = (reading: Promise<Found | undefined>): Promise<Found | undefined> =>
  reading.catch((error: unknown) => {
    if (error instanceof CodecError) return undefined
    throw error
  })

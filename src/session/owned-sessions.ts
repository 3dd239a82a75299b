import { orElse } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import { emit } from '../diagnostics.js'
import { CodecError, StoreError, StoreUnavailableError } from '../errors.js'
import { isId, nonce } from '../record/id.js'
import type { KeySpace } from '../record/id.js'
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

/** So many sessions are ended side by side. */
const AT_A_TIME = 32

/** Revoking gives up when lists keep filling for this long, in milliseconds. */
const MOST_MS = 10_000

/** The sessions of an owner, from outside of any request: they are seen and ended, never opened. */
export class OwnedSessions {
  readonly #records: SealedStore
  readonly #owners: Owners
  readonly #rules: TimeRules
  readonly #keys: KeySpace

  constructor(records: SealedStore, owners: Owners, rules: TimeRules, keys: KeySpace) {
    this.#records = records
    this.#owners = owners
    this.#rules = rules
    this.#keys = keys
  }

  async list(owner: string): Promise<SessionSummary[]> {
    assertText(owner, 'an owner')
    this.#assertListable()
    const deadline = performance.now() + MOST_MS
    const sessions = new Map<string, SessionSummary>() // an id that was renewed may be listed under both keys
    const generation = (await this.#owners.generation(owner, deadline))?.value ?? ''
    for (const key of await this.#owners.list(owner, deadline)) {
      const found = await this.#follow(key, deadline)
      if (found?.record.meta.owner === owner && isOf(found.record, generation)) sessions.set(found.key, this.#summaryOf(found))
    }
    return [...sessions.values()]
  }

  async revoke(which: Revocation): Promise<number | undefined> {
    const deadline = performance.now() + MOST_MS
    if ('id' in which) return assertText(which.id, 'an id') && isId(which.id) && (await this.#end(this.#keys.keyOf(which.id), deadline)) ? 1 : 0
    assertText(which.owner, 'an owner')
    if ('ref' in which) return assertText(which.ref, 'a ref') && (await this.#endOwned(which.owner, which.ref, undefined, deadline)) ? 1 : 0
    return this.#endAll(which.owner, this.#keyOfExcept(which.except), deadline)
  }

  /**
   * Begins another generation, which ends them all, then removes what is listed. What fails keeps nothing else from being ended, and is
   * told then.
   */
  async #endAll(owner: string, except: string | undefined, deadline: number): Promise<number | undefined> {
    const failures: StoreError[] = []
    let generation = ''
    await noting(failures, (async () => {
      for (;;) {
        const base = await this.#owners.generation(owner, deadline)
        generation = nonce()
        if (except !== undefined && base !== undefined) await this.#spare(owner, except, [generation, base.value], deadline)
        if (await this.#owners.renewGeneration(owner, generation, base, deadline)) return
        this.#checkTime(deadline)
      }
    })())
    const ended = this.#owners.canList ? await this.#endListed(owner, generation, deadline, failures) : undefined
    if (failures[0] !== undefined) throw failures[0]
    return ended
  }

  /** The record names the generation to come before that one counts, so that the session lives throughout; renewed ids are followed. */
  async #spare(owner: string, except: string, generations: readonly [next: string, now: string], deadline: number): Promise<void> {
    for (;;) {
      const found = await this.#follow(except, deadline)
      if (found?.record.meta.owner !== owner || !isOf(found.record, generations[1])) return
      const form = { meta: { ...found.record.meta, generations }, payload: found.record.payload }
      if ((await this.#records.replace(found.key, form, found.version, deadline)) !== REFUSED) return
      this.#checkTime(deadline)
    }
  }

  /** All that is listed but those of `generation`: the one that was spared, and who logged in since. */
  async #endListed(owner: string, generation: string, deadline: number, failures: StoreError[]): Promise<number> {
    const keys = await this.#owners.list(owner, deadline)
    let ended = 0
    for (let at = 0; at < keys.length; at += AT_A_TIME) {
      this.#checkTime(deadline)
      const some = keys.slice(at, at + AT_A_TIME)
      const ends = await Promise.all(some.map((key) => noting(failures, this.#endOwned(owner, key, generation, deadline))))
      ended += ends.filter(Boolean).length
    }
    return ended
  }

  #checkTime(deadline: number): void {
    if (performance.now() < deadline) return
    throw new StoreUnavailableError('not all of them could be ended in time', { backend: this.#records.backend, operation: 'revoke' })
  }

  /** The entry of an id that was renewed leads to the record under its new key. */
  async #endOwned(owner: string, key: string, generation: string | undefined, deadline: number): Promise<boolean> {
    const found = await this.#follow(key, deadline)
    if (found?.record.meta.owner !== owner || (generation !== undefined && isOf(found.record, generation))) return false
    const ended = await this.#end(key, deadline)
    if (ended) this.#owners.remove(owner, key, Infinity).catch(() => {}) // to tidy the index is nobody's waiting
    return ended
  }

  async #end(key: string, deadline: number): Promise<boolean> {
    const ended = await destroyRecord(this.#records, key, deadline)
    if (ended) emit('destroyed', { backend: this.#records.backend, reason: 'revoke' })
    return ended
  }

  async #follow(key: string, deadline: number): Promise<Listed | undefined> {
    const found = await readable(() => this.#records.read(key, deadline))
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

  /** A session that cannot be told must not be taken for none: then all would end. */
  #keyOfExcept(except: string | Session<any> | undefined): string | undefined {
    if (except === undefined) return undefined
    if (except instanceof Session) return except.ref
    if (typeof except === 'string' && isId(except)) return this.#keys.keyOf(except)
    throw new TypeError('except: expected a loaded session or its id')
  }

  #assertListable(): void {
    if (!this.#owners.canList) throw new TypeError(`the ${this.#records.backend} backend cannot list an owner's sessions`)
  }
}

interface Listed extends Found<RecordForm> {
  readonly key: string
}

const isOf = ({ meta }: RecordForm, generation: string): boolean => meta.generations?.includes(generation) ?? false

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
const readable = (read: () => Awaitable<Found | undefined>): Awaitable<Found | undefined> =>
  orElse(read, (error) => {
    if (error instanceof CodecError) return undefined
    throw error
  })

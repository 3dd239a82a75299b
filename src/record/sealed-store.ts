import { Buffer } from 'node:buffer'
import { andThen, orElse } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import { CodecError, StoreError, StoreOutcomeUnknownError, StoreTimeoutError, TooLargeError } from '../errors.js'
import type { AtOnce, NamespaceManager, Sealer, StoredRecord, Touch } from '../namespace-manager.js'
import { nonce } from './id.js'
import { promptCalls } from './prompt-calls.js'
import { formatMoved, formatRecord, isMoved, parseRecord, withWrite } from './record.js'
import type { MovedRecord, RecordForm } from './record.js'
import type { StoreCalls } from './store-call.js'
import type { TimeRules } from './time-rules.js'

export interface SealedStoreOptions {
  readonly store: NamespaceManager
  readonly backend: string
  readonly calls: StoreCalls
  readonly rules: TimeRules
  /** Absent: records are stored as they are. */
  readonly sealer: Sealer | undefined
  readonly maxBytes: number
}

/** A record as it is in the store. */
export interface Found<R = RecordForm | MovedRecord> {
  readonly record: R
  readonly version: string
  readonly expiresAt?: number | undefined
  readonly touched: boolean
}

/** A record ready to be written: sealed, measured, with a nonce that no other write has. */
interface Prepared {
  readonly form: RecordForm
  readonly value: string
  readonly expiresAt: number
}

/** How long the sign under a renewed id stays at least, for those who still hold it to learn what happened. */
const SIGN_MS = 60_000

/** Said of a write that met another version: what is there now, if anything. */
export const REFUSED: unique symbol = Symbol('refused')

/**
 * Records in and out of a namespace manager: formatted, sealed, measured, each call with its deadline, and a write
 * whose answer was lost followed up until it is known what became of it.
 */
export class SealedStore {
  readonly backend: string
  readonly rules: TimeRules
  readonly #store: NamespaceManager
  /** Without a promise where the store has such calls. */
  readonly #prompt: Required<AtOnce>
  readonly #calls: StoreCalls
  readonly #sealer: Sealer | undefined
  readonly #maxBytes: number
  /** What is sealed shows damage itself. */
  readonly #isVerified: boolean

  constructor(options: SealedStoreOptions) {
    this.backend = options.backend
    this.rules = options.rules
    this.#store = options.store
    this.#prompt = promptCalls(options.store)
    this.#calls = options.calls
    this.#sealer = options.sealer
    this.#isVerified = options.sealer !== undefined || options.store.supports.verified === true
    this.#maxBytes = Math.min(options.maxBytes, options.store.supports.maxValueBytes)
  }

  /** Rejects with `CodecError` when what is there cannot be read. */
  read(key: string, deadline: number, touch?: Touch): Awaitable<Found | undefined> {
    return andThen(this.#get(key, deadline, touch), (stored) => stored === undefined ? undefined : this.#open(key, stored))
  }

  /** `undefined` when a live record is there already. */
  create(key: string, form: RecordForm, deadline: number): Awaitable<Found<RecordForm> | undefined> {
    const prepared = this.#prepare(key, form)
    const { value, expiresAt } = prepared
    const create = () => this.#prompt.create(key, value, expiresAt)
    const created = orElse(() => this.#calls.runAtOnce('create', deadline, create), (error) => {
      if (!isUnknown(error)) throw error
      return this.#followCreate(key, prepared, deadline, error)
    })
    return andThen(created, (version) => version === undefined ? undefined : found(prepared, this.#version('create', version)))
  }

  /** `REFUSED`, changing nothing, when the record is gone or has another version. */
  replace(key: string, form: RecordForm, version: string, deadline: number): Awaitable<Found<RecordForm> | typeof REFUSED> {
    const prepared = this.#prepare(key, form)
    const { value, expiresAt } = prepared
    const replace = () => this.#prompt.replace(key, value, version, expiresAt)
    const send = () => this.#calls.runAtOnce('replace', deadline, replace)
    const judged = () => andThen(send(), (written) => written === undefined ? REFUSED : found(prepared, this.#version('replace', written)))
    return orElse<Found<RecordForm> | typeof REFUSED>(judged, (error) => {
      if (!isUnknown(error)) throw error
      return this.#followReplace(key, prepared, version, deadline, async () => send(), error)
    })
  }

  /** Leaves a sign under an id that was renewed. `false` when the record is gone or has another version. */
  async move(key: string, moved: MovedRecord, version: string, deadline: number): Promise<boolean> {
    const value = this.#seal(key, formatMoved(key, moved))
    const expiresAt = Math.max(moved.until, this.rules.now() + SIGN_MS)
    const send = () => this.#calls.run('replace', deadline, () => this.#store.replace(key, value, version, expiresAt, 'moved'))
    try {
      return (await send()) !== undefined
    } catch (error) {
      if (!isUnknown(error)) throw error
      const now = await this.#reread(key, deadline, error)
      if (now?.value === value) {
        await send() // it has landed; whether all copies of the former record are gone is still to be confirmed
        return true
      }
      return now?.version === version ? (await send()) !== undefined : false
    }
  }

  /** Whether the record of that version is gone by this call. A lost answer is followed by another try: deleting twice is deleting once. */
  async delete(key: string, version: string, deadline: number): Promise<boolean> {
    const send = () => this.#calls.run('delete', deadline, () => this.#store.delete(key, version))
    try {
      return await send()
    } catch (error) {
      if (!isUnknown(error)) throw error
      return send()
    }
  }

  /** Removes whatever is there. */
  async discard(key: string, deadline: number): Promise<void> {
    await this.#calls.run('delete', deadline, () => this.#store.delete(key))
  }

  #get(key: string, deadline: number, touch?: Touch): Awaitable<StoredRecord | undefined> {
    return this.#calls.runAtOnce('get', deadline, () => this.#prompt.get(key, touch))
  }

  #open(key: string, stored: StoredRecord): Found {
    const { value, version, expiresAt, touched = false } = stored ?? {}
    if (typeof value !== 'string' || typeof version !== 'string') throw this.#noAnswer('get', 'record')
    return { record: parseRecord(key, this.#unseal(key, value), this.#isVerified), version, expiresAt, touched }
  }

  /** A store that answers anything else has not said that it wrote. */
  #version(operation: string, answer: string): string {
    if (typeof answer !== 'string') throw this.#noAnswer(operation, 'version')
    return answer
  }

  #noAnswer(operation: string, what: string): StoreError {
    return new StoreError(`${this.backend}: ${operation} answered what is no ${what}`, { backend: this.backend, operation })
  }

  #prepare(key: string, form: RecordForm): Prepared {
    const { now } = this.rules
    const stamped = { meta: withWrite(form.meta, nonce(), now()), payload: form.payload }
    const value = this.#seal(key, formatRecord(key, stamped, !this.#isVerified))
    const size = Buffer.byteLength(value)
    if (size > this.#maxBytes) throw new TooLargeError(`the session takes ${size} bytes, ${this.#maxBytes} are allowed`, size, this.#maxBytes)
    return { form: stamped, value, expiresAt: this.rules.storeExpiry(stamped.meta) }
  }

  #seal(key: string, text: string): string {
    return this.#sealer === undefined ? text : this.#sealer.seal('record', key, text)
  }

  #unseal(key: string, value: string): string {
    if (this.#sealer === undefined) return value
    const opened = this.#sealer.open('record', key, value)
    if (opened === undefined) throw new CodecError('the record was not sealed by one of our keys', '')
    return opened.text
  }

  /**
   * A `create` whose answer was lost is not sent again: the first one might then still land after the session was ended. What may
   * come of it is removed behind the request's back, and its id is told to nobody.
   */
  async #followCreate(key: string, { value }: Prepared, deadline: number, cause: unknown): Promise<string> {
    const now = await orElse(() => this.#get(key, deadline), () => undefined)
    if (now?.value === value) return now.version
    this.discard(key, Infinity).catch(() => {})
    throw this.#unknown('create', cause)
  }

  /** Every value is one of its kind, so what is there now tells what became of the write. */
  async #followReplace(
    key: string, prepared: Prepared, version: string, deadline: number, send: () => Promise<string | undefined>, cause: unknown,
  ): Promise<Found<RecordForm> | typeof REFUSED> {
    const now = await this.#reread(key, deadline, cause)
    if (now === undefined) return REFUSED
    if (now.value === prepared.value) return found(prepared, now.version)
    if (now.version === version) {
      const written = await send().catch((error: unknown) => {
        throw isUnknown(error) ? this.#unknown('replace', error) : error
      })
      return written === undefined ? this.#judge(key, prepared, deadline, cause) : found(prepared, written)
    }
    return this.#judge(key, prepared, deadline, cause)
  }

  /** Another's record is there: the nonces it remembers tell whether ours came before it or was refused for it. */
  async #judge(key: string, { form }: Prepared, deadline: number, cause: unknown): Promise<Found<RecordForm> | typeof REFUSED> {
    const stored = await this.#reread(key, deadline, cause)
    const now = stored && this.#open(key, stored)
    if (now === undefined || isMoved(now.record)) return REFUSED
    const [own, base] = form.meta.writes
    const { writes } = now.record.meta
    if (writes.includes(own!)) return { ...now, record: now.record }
    if (base !== undefined && writes.includes(base)) return REFUSED
    throw this.#unknown('replace', cause)
  }

  async #reread(key: string, deadline: number, cause: unknown): Promise<StoredRecord | undefined> {
    try {
      return await this.#get(key, deadline)
    } catch {
      throw this.#unknown('replace', cause)
    }
  }

  #unknown(operation: string, cause: unknown): StoreOutcomeUnknownError {
    const message = `${this.backend}: whether the ${operation} took effect could not be learnt`
    return new StoreOutcomeUnknownError(message, { backend: this.backend, operation, cause })
  }
}

const found = ({ form, expiresAt }: Prepared, version: string): Found<RecordForm> => ({ record: form, version, expiresAt, touched: false })

const isUnknown = (error: unknown): boolean => error instanceof StoreTimeoutError || error instanceof StoreOutcomeUnknownError

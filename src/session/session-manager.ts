import { setTimeout as sleep } from 'node:timers/promises'
import { andThen, orElse } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import type { Carrier, ExchangeListener, IdSource, PresentedId, RequestCookies } from '../carrier.js'
import { emit } from '../diagnostics.js'
import { CodecError, ConfigError, SessionClosedError, SessionGoneError, StoreError, StoreUnavailableError } from '../errors.js'
import type { Lockable, Manifest, NamespaceManager, Purgeable, RequestNamespace, Sealer } from '../namespace-manager.js'
import { CallBudget, RequestBudget } from '../record/budget.js'
import type { DataCodec } from '../record/codec.js'
import { isId, keySpace, newId } from '../record/id.js'
import type { KeySpace } from '../record/id.js'
import { Owners } from '../record/owners.js'
import { Content } from '../record/content.js'
import { isMoved } from '../record/record.js'
import type { MovedRecord, RecordForm } from '../record/record.js'
import { SealedStore } from '../record/sealed-store.js'
import type { Found } from '../record/sealed-store.js'
import { StoreCalls } from '../record/store-call.js'
import type { TimeRules } from '../record/time-rules.js'
import { Writer } from '../record/writer.js'
import { showAs } from '../show.js'
import { observe } from '../write-promise.js'
import { detachedCarrier } from './detached-carrier.js'
import { writtenOptions } from './named-session-options.js'
import type { NamedSessionOptions } from './named-session-options.js'
import { OwnedSessions } from './owned-sessions.js'
import type { Revocation, SessionSummary } from './owned-sessions.js'
import { Session } from './session.js'
import type { SessionOrigin } from './session-storage.js'
import type { SessionContext, SessionPolicy } from './session-context.js'
import { SessionObject } from './session-object.js'
import type { SessionOpener } from './session-object.js'

const MANAGER_BRAND = Symbol.for('phial.manager')

/** Managers are recognised by a brand, also across two copies of the library in one process. */
export const isSessionManager = (value: unknown): value is SessionManager<any> =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MANAGER_BRAND] === true

export interface SessionManagerOptions {
  /** Of the sessions, if they are not the default ones: what is theirs is stored under keys of their own. */
  readonly name?: string | undefined
  /** The backend's type, for errors and events. */
  readonly backend: string
  readonly store: NamespaceManager | RequestNamespace
  /** Seals records at rest; absent: they are stored as they are. */
  readonly sealer: Sealer | undefined
  readonly codec: DataCodec
  readonly rules: TimeRules
  readonly policy: SessionPolicy
  readonly maxBytes: number
  readonly operationTimeout: number
  readonly requestBudget: number
  readonly onOutage: 'fail' | 'anonymous'
  readonly invalidateCorrupt: boolean
  readonly requestKey: string
  readonly cookieName: string
  /** That one, and those of its slots. */
  readonly cookieNames: readonly string[]
  /** Reads the id out of what the carrier brings, and writes it. */
  readonly idSource: (carrier: Carrier) => IdSource
  /** Carries ids for a request, and asks the listener at the response's turning points. */
  readonly carrierFor: (req: any, res: any, listener: ExchangeListener) => Carrier
  readonly cookiesFor: (req: any, res: any) => RequestCookies
  /** The namespace manager of a name in `session.backends`; without one, `store`. */
  readonly backendNamed: (name: string | undefined) => NamespaceManager | RequestNamespace
  /** What makes the sessions of a name. Throws `ConfigError`. */
  readonly named: (name: string, options: object) => SessionManagerOptions
}

/** So many kinds of named sessions there may be: their options are meant to be written in the program, not made of what comes. */
const MOST_NAMED = 100

/** How long `close()` waits for what is pending, and then for the store to let go, in milliseconds. */
const CLOSE_MS = 5_000

/** All sessions of one namespace: makes them, finds them, ends them. May serve many handlers. */
export class SessionManager<T extends object = Record<string, any>> {
  readonly #options: SessionManagerOptions
  /** Of a named one, the manager that made it, and whose the stores are; else itself. */
  readonly #main: SessionManager<any>
  readonly #keys: KeySpace
  readonly #calls: StoreCalls
  readonly #shared: Stored | undefined
  readonly #opener: SessionOpener<T>
  readonly #writes = new Set<Promise<unknown>>()
  readonly #named = new Map<string, SessionManager>()
  /** What was asked for by name: it is closed with the rest. */
  readonly #lent = new Set<NamespaceManager>()
  #isClosed = false
  #closing: Promise<void> | undefined

  /** Use `createManager` of `phial`. */
  constructor(options: SessionManagerOptions, main?: SessionManager<any>) {
    this.#options = options
    this.#main = main ?? this
    this.#keys = keySpace(options.name)
    this.#calls = new StoreCalls(options.backend, options.operationTimeout, isPerRequest(options.store) ? false : options.store.isSpread)
    this.#opener = { carrierFor: options.carrierFor, load: (carrier, isRequest) => this.#load(carrier, isRequest), family: this }
    this.#shared = isPerRequest(options.store) ? undefined : this.#storedIn(options.store)
  }

  /** The backend's type. */
  get backend(): string {
    return this.#options.backend
  }

  /** What the backend is able to do. */
  get supports(): Manifest {
    return this.#options.store.supports
  }

  get cookieName(): string {
    return this.#options.cookieName
  }

  /** Those that its sessions may have: more than one where the client keeps them. */
  get cookieNames(): readonly string[] {
    return this.#options.cookieNames
  }

  /** Where on a request the session is. */
  get requestKey(): string {
    return this.#options.requestKey
  }

  /**
   * A new session without a client: hand out its `id` yourself. Nothing is stored before `save()`. Rejects with `TypeError` where
   * the client would have to keep it.
   */
  create(): Promise<Session<T>> {
    return this.#guarded(async () => {
      this.#assertStored()
      return new Session<T>(this.#contextFor(detachedCarrier, false), { id: newId() })
    })
  }

  /** The session of an id, or `undefined` when there is none. Does not count as use: no touch. */
  getById(id: string): Promise<Session<T> | undefined> {
    return this.#guarded(async () => {
      if (typeof id !== 'string') throw new TypeError('an id is a string')
      if (!isId(id)) return undefined
      const context = this.#contextFor(detachedCarrier, false)
      const key = context.keyOf(id)
      const found = await this.#find(context, key, false)
      return found === undefined ? undefined : new Session<T>(context, { id, key, ...found })
    })
  }

  /**
   * The session of a request: of one that has its session already, that one. Without a response (a WebSocket upgrade, a worker) it can be
   * read and saved; a cookie cannot be set. The response may be given later, to a session that was not used yet: else it throws `ConfigError`.
   */
  open(req: object, res?: object): SessionObject<T> {
    const { requestKey } = this.#options
    const there = (req as Record<string, unknown>)[requestKey]
    if (there === undefined) {
      const object = new SessionObject<T>(this.#opener, req, res)
      ;(req as Record<string, unknown>)[requestKey] = object
      return object
    }
    if (there instanceof SessionObject && there.isOf(this.#opener)) {
      if (res === undefined || there.respondWith(res)) return there
      throw new ConfigError(`req.${requestKey} was used before its response was known: give that to open() too`)
    }
    throw new ConfigError(`req.${requestKey} is taken: give one of the two managers another request_key`, { setting: 'request_key' })
  }

  /**
   * The manager of the sessions of a name, which have a cookie of their own and, if `options` say so, a backend and times of their own; asked of a
   * named one, the same as asked of the one that made that. It is closed with this one. Throws `ConfigError`.
   */
  named(name: string, options: NamedSessionOptions = {}): SessionManager {
    this.#assertOpen()
    if (this.#main !== this) return this.#main.named(name, options)
    const written = `${name} ${writtenOptions(options)}`
    const there = this.#named.get(written)
    if (there !== undefined) return there
    if (this.#named.size >= MOST_NAMED) throw new ConfigError(`more than ${MOST_NAMED} kinds of named sessions: are their options made of what comes?`)
    const made = new SessionManager(this.#options.named(name, options), this)
    this.#named.set(written, made)
    return made
  }

  /** Beside a request's default session. */
  openBeside(main: SessionObject<any>): SessionObject<T> {
    return main.beside(this.#opener)
  }

  backendNamed(name: string | undefined): NamespaceManager | RequestNamespace {
    const store = this.#options.backendNamed(name)
    if (!isPerRequest(store)) this.#main.#lent.add(store)
    return store
  }

  cookiesFor(req: object, res: object | undefined): RequestCookies {
    return this.#options.cookiesFor(req, res)
  }

  /** The owner's live sessions. Rejects with `TypeError` where the backend cannot list them. */
  list({ owner }: { readonly owner: string }): Promise<SessionSummary[]> {
    return this.#guarded(() => this.#owned().list(owner))
  }

  /**
   * Ends sessions: all of an owner, all but one, or a single one. Resolves to how many were ended (`undefined` for an owner's where the
   * backend cannot list them); from then on no request in flight brings one of them back. Rejects with `TypeError` where the backend keeps none.
   */
  revoke(which: Revocation): Promise<number | undefined> {
    return this.#guarded(() => this.#owned().revoke(which))
  }

  /** Removes expired records now, where the backend does not do it by itself. Resolves to how many. */
  purgeExpired(): Promise<number> {
    return this.#guarded(async () => {
      const store = this.#options.store
      return store.supports.purgeable ? (store as NamespaceManager & Purgeable).purgeExpired() : 0
    })
  }

  /** For health probes: resolves when the store answers; rejects with `StoreError` and kin, or `SessionClosedError`. */
  check(): Promise<void> {
    return this.#guarded(async () => {
      await this.#shared?.records.read(this.#keys.keyOf(newId()), Infinity)
    })
  }

  /**
   * Writes what is pending, for 5 seconds at most, and lets go of the store, for as long. Later requests get `SessionClosedError`. The managers of
   * names are closed with it; one of those closes itself alone, and leaves the store to the others. May be called twice.
   */
  close(): Promise<void> {
    this.#isClosed = true
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const all: readonly SessionManager<any>[] = [this, ...this.#named.values()]
    for (const manager of all) manager.#isClosed = true
    await atMost(CLOSE_MS, Promise.all(all.map((manager) => manager.#drained())))
    if (this.#main !== this) return
    const stores = new Set([...all.map((manager) => manager.#options.store), ...this.#lent])
    await atMost(CLOSE_MS, Promise.all(Array.from(stores, (store) => store.close())))
  }

  async #drained(): Promise<void> {
    while (this.#writes.size > 0) await Promise.allSettled(this.#writes)
  }

  #load(carrier: Carrier, isRequest: boolean): Awaitable<Session<T>> {
    this.#assertOpen()
    carrier.used()
    const context = this.#contextFor(carrier, isRequest)
    const presented = context.ids.readId()
    if (presented === undefined) return new Session<T>(context)
    const key = presented.key ?? context.keyOf(presented.id)
    const begun = (found: Origin | undefined): Session<T> => found === undefined ? new Session<T>(context) : new Session<T>(context, foundBy(presented, key, found))
    return orElse(() => andThen(this.#find(context, key, true), begun), (error) => {
      if (!(error instanceof StoreError) || this.#options.onOutage === 'fail') throw error
      const readOnly = new StoreUnavailableError('the store is down: this session is read-only', { backend: this.#options.backend, operation: 'get', cause: error })
      return new Session<T>(context, { readOnly })
    })
  }

  /** The live record of an id's key, judged by its own times. */
  #find(context: SessionContext, key: string, touches: boolean): Awaitable<Origin | undefined> {
    const { records, rules, policy } = context
    return andThen(this.#read(context, key, touches), (read) => {
      if (read === undefined) return undefined
      if (!isMoved(read)) return this.#confirmed(context, key, read)
      if (policy.regenerateGrace === 0 || read.until <= rules.now()) return void emit('unknown-id', { backend: records.backend })
      return this.#renewed(context, read.movedTo)
    })
  }

  #renewed(context: SessionContext, recordKey: string): Awaitable<Origin | undefined> {
    const readOnly = new SessionGoneError('this id was renewed: it can be read for a moment, not written')
    const confirmed = andThen(this.#read(context, recordKey, false), (read) =>
      read === undefined || isMoved(read) ? undefined : this.#confirmed(context, recordKey, read))
    return andThen(confirmed, (origin) => origin && { ...origin, recordKey, readOnly })
  }

  /** A session of somebody may have been revoked. */
  #confirmed(context: SessionContext, key: string, origin: Origin): Awaitable<Origin | undefined> {
    const { record: { meta }, touched } = origin.found
    if (meta.owner === undefined) return origin
    const { owners, budget, records } = context
    return andThen(budget.spend(owners.confirm(meta, key, budget.deadline, touched)), (stands) =>
      stands ? origin : void emit('gone', { backend: records.backend, operation: 'get' }))
  }

  #read(context: SessionContext, key: string, touches: boolean): Awaitable<Origin | MovedRecord | undefined> {
    const { records, rules, budget } = context
    const read = (): Awaitable<Origin | MovedRecord | undefined> => {
      const found = budget.spend(records.read(key, budget.deadline, touches ? rules.readTouch() : undefined))
      return andThen(found, (there) => there === undefined ? void emit('unknown-id', { backend: records.backend }) : this.#origin(context, there))
    }
    return orElse(read, (error) => {
      if (!(error instanceof CodecError)) throw error
      emit('corrupt', { backend: records.backend, reason: error.message })
      if (!this.#options.invalidateCorrupt) throw error
      return undefined
    })
  }

  #origin(context: SessionContext, { record, version, expiresAt, touched }: Found): Origin | MovedRecord | undefined {
    if (isMoved(record)) return record
    if (!this.#isLive(record, context)) return undefined
    return { found: { record, version, expiresAt, touched }, content: Content.decode(context.codec, record) }
  }

  #isLive(record: RecordForm, { rules, records }: SessionContext): boolean {
    const verdict = rules.verdict(record.meta)
    if (verdict !== undefined) emit('expired', { backend: records.backend, reason: verdict })
    return verdict === undefined
  }

  #contextFor(carrier: Carrier, isRequest: boolean): SessionContext {
    const { store, policy, codec, rules, requestBudget } = this.#options
    const ms = requestBudget * 1000
    const budget = isRequest ? new RequestBudget(ms, carrier) : new CallBudget(ms)
    const own = isPerRequest(store) ? store.forRequest(carrier) : undefined
    const { records, writer, owners, locks, calls } = own === undefined ? this.#shared! : this.#storedIn(own)
    const refOf = this.#keys.keyOf
    const [ids, keyOf] = own === undefined ? [this.#options.idSource(carrier), refOf] : [own, itself]
    // Field by field: to spread objects into it would take longer than all that a session of this process's own costs else.
    return { policy, carrier, ids, budget, records, writer, owners, locks, calls, codec, rules, keyOf, refOf, isClosed: this.#hasClosed, began: this.#began }
  }

  readonly #hasClosed = (): boolean => this.#isClosed

  #storedIn(store: NamespaceManager): Stored {
    const { backend, rules, sealer, maxBytes, codec } = this.#options
    const records = new SealedStore({ store, backend, calls: this.#calls, rules, sealer, maxBytes })
    const locks = store.supports.lockable ? (store as NamespaceManager & Lockable) : undefined
    return { records, writer: new Writer(records, codec), owners: new Owners(store, records, this.#calls, this.#keys), locks, calls: this.#calls }
  }

  #owned(): OwnedSessions {
    const { records, owners } = this.#assertStored()
    return new OwnedSessions(records, owners, this.#options.rules, this.#keys)
  }

  #assertStored(): Stored {
    if (this.#shared !== undefined) return this.#shared
    throw new TypeError(`the ${this.#options.backend} backend keeps sessions with their clients: they cannot be reached from here`)
  }

  readonly #began = (write: Promise<unknown>): void => {
    this.#writes.add(write)
    const over = (): void => void this.#writes.delete(write)
    observe(write, over, over)
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new SessionClosedError('the session manager is closed')
  }

  async #guarded<R>(work: () => Promise<R>): Promise<R> {
    this.#assertOpen()
    return work()
  }
}

showAs<SessionManager>(SessionManager, (manager) => `SessionManager { backend: ${manager.backend} }`)
Object.defineProperty(SessionManager.prototype, MANAGER_BRAND, { value: true })

const atMost = async (ms: number, work: Promise<unknown>): Promise<void> => {
  const timer = new AbortController()
  await Promise.race([work, sleep(ms, undefined, { signal: timer.signal }).catch(() => {})]).finally(() => timer.abort())
}

/** What is the same for all sessions behind one namespace manager. */
type Stored = Pick<SessionContext, 'records' | 'writer' | 'owners' | 'locks' | 'calls'>
type Origin = Required<Pick<SessionOrigin, 'found' | 'content'>> & Pick<SessionOrigin, 'readOnly' | 'recordKey'> & { readonly found: Found<RecordForm>; readonly content: Content }

const foundBy = ({ id, stale }: PresentedId, key: string, { found, content, readOnly, recordKey }: Origin): SessionOrigin => ({ id, stale, key, found, content, readOnly, recordKey })

const isPerRequest = (store: NamespaceManager | RequestNamespace): store is RequestNamespace => store.supports.scope === 'request'

const itself = (id: string): string => id

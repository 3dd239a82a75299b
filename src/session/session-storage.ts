import { andThen, orElse } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import { emit } from '../diagnostics.js'
import {
  HeadersSentError, LockTimeoutError, SessionClosedError, SessionError, SessionGoneError, StoreError,
  StoreOutcomeUnknownError,
} from '../errors.js'
import type { Lease } from '../namespace-manager.js'
import type { OpenRecord } from '../record/change-log.js'
import { newId } from '../record/id.js'
import { destroyRecord, renewRecord } from '../record/lifecycle.js'
import { isMoved } from '../record/record.js'
import type { Content } from '../record/content.js'
import type { RecordForm, RecordMeta } from '../record/record.js'
import type { Found } from '../record/sealed-store.js'
import type { Written } from '../record/writer.js'
import { writePromise } from '../write-promise.js'
import { isRolling, SessionCookie } from './session-cookie.js'
import type { SessionContext } from './session-context.js'
import { SessionData } from './session-data.js'
import type { Snapshot } from './session-data.js'
import type { Update } from './update.js'

/** How a session came to be. */
export interface SessionOrigin {
  /** The id that was presented, or chosen for a session without a client. */
  readonly id?: string | undefined
  /** That of the id, where it is known. */
  readonly key?: string | undefined
  /** It was signed with an older secret. */
  readonly stale?: boolean
  readonly found?: Found<RecordForm> | undefined
  /** What the found record holds. */
  readonly content?: Content | undefined
  /** Why nothing can be saved: the id was renewed a moment ago, or the store is down. */
  readonly readOnly?: SessionError | undefined
  /** Where the record is, when the id was renewed. */
  readonly recordKey?: string | undefined
}

const NOBODY = {}

/** How many ids are tried when the random source names one that is taken. */
const MOST_IDS = 3

/**
 * How one session gets into the store and its id to the client. What is asked takes effect at once for whoever looks at the
 * session, and in its turn in the store.
 */
export class SessionStorage {
  readonly data: SessionData
  readonly #context: SessionContext
  readonly #readOnly: SessionError | undefined
  readonly #recordKey: string | undefined
  #cookie: SessionCookie | undefined
  #id: string | undefined
  /** The id whose key is known, and that: a hash, to be made once. */
  #keyedId: string | undefined
  #keyOfId = ''
  #stale: boolean
  #found: Found<RecordForm> | undefined
  #ended: 'destroyed' | 'invalidated' | undefined
  /** How often the record is to be ended, or could not be: nothing more is written to it. */
  #endings = 0
  /** The record under this id is gone: another is drawn for the next. */
  #isIdDead = false
  #endFailure: SessionError | undefined
  /** A cookie is due whose session is to be confirmed before the head leaves. */
  #isRenewalDue: boolean
  #cookieSent = false
  /** What the owner's admission answered last. */
  #admitted: Pick<RecordMeta, 'owner' | 'generations'> = NOBODY
  /** The last of what is on its way to the store. */
  #tail: Promise<unknown> | undefined
  /** Something runs that has not answered yet, not even with a promise; and whom to tell when it is done. */
  #isWorking = false
  #onWorked: (() => void) | undefined

  constructor(context: SessionContext, origin: SessionOrigin) {
    const { policy, rules, codec } = context
    this.#context = context
    this.#id = origin.id
    if (origin.key !== undefined) this.#knowKey(origin.id!, origin.key)
    this.#stale = origin.stale ?? false
    this.#found = origin.found
    this.#readOnly = origin.readOnly
    this.#recordKey = origin.recordKey
    this.data = new SessionData(codec, rules.now(), origin.found?.record, origin.content)
    const isRead = this.#found !== undefined && this.#readOnly === undefined
    const isTouched = isRead && this.#found!.touched
    this.#isRenewalDue = isRead && (policy.forceCookie || (isTouched && this.#isRolling))
    if (isTouched && policy.clientKeeps) this.#sendCookie()
  }

  get id(): string {
    return (this.#id ??= newId())
  }

  get cookie(): SessionCookie {
    return (this.#cookie ??= this.#ownCookie())
  }

  /** The key of the record that is shown. */
  get recordKey(): string {
    return this.#recordKey ?? this.#key
  }

  /** There is a record, and it is not about to be ended. */
  get isStored(): boolean {
    return this.#found !== undefined && this.#endings === 0
  }

  get isReadOnly(): boolean {
    return this.#readOnly !== undefined
  }

  get isDestroyed(): boolean {
    return this.#ended === 'destroyed'
  }

  get isInvalidated(): boolean {
    return this.#ended === 'invalidated'
  }

  get isRenewalDue(): boolean {
    return this.#isRenewalDue && this.isStored
  }

  /** The browser has one whose attributes are not those that were assigned. */
  get isCookieDue(): boolean {
    return this.isStored && this.#isCookieChanged
  }

  /** When it ends if it is not used again; for one that is not saved yet: if it were saved now. */
  get expiresAt(): number {
    const { rules } = this.#context
    const known = this.#found?.touched ? undefined : this.#found?.expiresAt
    return Math.min(known ?? rules.storeExpiry(this.data.meta), rules.lifetimeEnd(this.data.meta))
  }

  assertOpen(): void {
    if (this.#context.isClosed()) throw new SessionClosedError('the session manager is closed')
  }

  assertWritable(): void {
    this.assertOpen()
    if (this.isDestroyed) throw new SessionGoneError('the session was destroyed')
    if (this.#readOnly !== undefined) throw this.#readOnly
  }

  /** A change that could never be kept is refused when it is made. */
  assertChangeable(): void {
    if (this.#context.carrier.finished) throw new SessionClosedError('the request that this session belongs to is over')
    this.assertHeaders()
  }

  assertHeaders(needsCookie: boolean = !this.isStored || this.#context.policy.clientKeeps): void {
    if (needsCookie && this.#context.carrier.headersSent) throw new HeadersSentError('this needs a cookie, and the headers have left')
  }

  /** The promise of a write: the response is held for it. `work` begins at once, and may throw. */
  write<R>(work: () => Awaitable<R>): Promise<R> {
    const outcome = orElse(work, (error) => Promise.reject(error))
    if (!(outcome instanceof Promise)) return Promise.resolve(outcome)
    const promise = writePromise(() => outcome)
    this.#context.carrier.hold(promise)
    this.#context.began(promise)
    return promise
  }

  /** Runs what reaches the store, after everything that was asked before. */
  queue<R>(work: () => Awaitable<R>): Awaitable<R> {
    if (this.#isWorking) this.#tail ??= new Promise<void>((resolve) => { this.#onWorked = resolve })
    return this.#tail === undefined ? this.#workNow(work) : this.#follow(this.#tail.then(work))
  }

  /** Stores what a snapshot holds. What could not be stored is unsaved again. */
  store(snapshot: Snapshot): Awaitable<void> {
    return this.#writing(snapshot, () => this.#found === undefined ? this.#create(snapshot) : this.#replace(this.#found, snapshot))
  }

  /** Stores what a snapshot holds under a new id. */
  renew(snapshot: Snapshot): Awaitable<void> {
    return this.#writing(snapshot, () => this.#found === undefined ? this.#create(snapshot, newId()) : this.#renew(this.#found, snapshot))
  }

  /** Writes one change by itself, what is unsaved left unsaved. */
  async apply(update: Pick<Update, 'apply' | 'life' | 'folded'>): Promise<void> {
    try {
      this.#assertNotBroken()
      const written = this.#found === undefined ? await this.#createWith(update.apply) : await this.#applyTo(this.#found, update.apply)
      this.data.updated(written.record, update.life, update.folded)
    } catch (error) {
      throw this.#noted(error)
    }
  }

  /** Moves the expiry, if that is due, or if a cookie is to be sent: never that of a session which is gone. */
  async touch(): Promise<void> {
    const { rules, policy } = this.#context
    const found = this.#found
    this.#assertNotBroken()
    if (found === undefined || this.#endings > 0) return
    const wantsCookie = policy.forceCookie || this.#stale || this.#isCookieChanged || this.#isRenewalDue
    if (!wantsCookie && !rules.touchIsDue(found.record.meta, this.expiresAt)) return
    this.#isRenewalDue = false
    await this.#confirm(found)
    this.#resendCookie()
  }

  /** At the end of a request: whoever only read is not to be bothered when it fails. The cookie is not sent then. */
  async renewAtEnd(): Promise<void> {
    await this.touch().catch((error: unknown) => {
      if (!(error instanceof SessionError)) throw error
      this.#isRenewalDue = false
    })
  }

  /** Reads the record again, dropping what is not saved. */
  async reload(): Promise<void> {
    this.assertOpen()
    if (this.#found === undefined && this.#ended === undefined) throw new SessionGoneError('the session was not stored yet: there is nothing to read again')
    const found = this.#found && (await this.#spend((deadline) => this.#context.records.read(this.#key, deadline)))
    if (found === undefined || isMoved(found.record)) throw this.#gone('get')
    const { meta } = found.record
    if (!(await this.#spend((deadline) => this.#context.owners.confirm(meta, this.#key, deadline)))) throw this.#gone('get')
    this.#found = { ...found, record: found.record }
    this.data.reload(found.record)
  }

  /** Ends the session as it is now. May be asked again after it failed. */
  end(how: 'destroyed' | 'invalidated'): Awaitable<void> {
    if (this.#readOnly !== undefined) throw this.#readOnly
    const attributes = this.cookie.attributes()
    this.data.startOver(this.#context.rules.now())
    this.#ended = how
    this.#endings++
    return this.queue(async () => {
      const found = this.#found
      if (found === undefined) return void this.#endings--
      if (this.#context.carrier.headersSent) emit('cookie-skipped', { reason: 'headers-sent' })
      else this.#context.ids.expireId(attributes)
      await this.#end(found, how === 'destroyed' ? 'destroy' : 'invalidate')
    })
  }

  /** A lease on the session's key. Rejects with `TypeError` for what are no seconds. */
  async lock(leaseSeconds: number, waitSeconds: number): Promise<Lease> {
    const { locks, records, rules, calls } = this.#context
    if (locks === undefined) throw new TypeError(`the ${records.backend} backend has no locks`)
    for (const [name, seconds] of Object.entries({ lease: leaseSeconds, wait: waitSeconds })) {
      if (!Number.isFinite(seconds) || seconds < 0) throw new TypeError(`${name}: expected seconds, 0 or more; got ${seconds}`)
    }
    this.assertOpen()
    const lease = await calls.runWaiting('lock', waitSeconds * 1000, () =>
      locks.lock(this.#key, leaseSeconds * 1000, rules.now() + waitSeconds * 1000))
    if (lease === undefined) throw new LockTimeoutError(`the session's lock was not free within ${waitSeconds} s`)
    return lease
  }

  #ownCookie(): SessionCookie {
    const { policy, rules } = this.#context
    return new SessionCookie({
      defaults: policy.cookie, life: policy.cookieLife, check: policy.checkCookie,
      now: rules.now, meta: () => this.data.meta, keep: (change) => this.#keepCookie(change),
    })
  }

  get #isCookieChanged(): boolean {
    return this.#cookie?.isChanged ?? false
  }

  get #isRolling(): boolean {
    return this.#cookie?.isRolling ?? isRolling(this.#context.policy.cookieLife)
  }

  get #key(): string {
    const { id } = this
    if (this.#keyedId !== id) this.#knowKey(id, this.#context.keyOf(id))
    return this.#keyOfId
  }

  #knowKey(id: string, key: string): void {
    this.#keyedId = id
    this.#keyOfId = key
  }

  /** What is asked from inside of it, by who hears of an event, or by a function given to `update`, comes after it. */
  #workNow<R>(work: () => Awaitable<R>): Awaitable<R> {
    this.#isWorking = true
    try {
      const turn = work()
      if (!(turn instanceof Promise)) return turn
      if (this.#onWorked === undefined) return this.#follow(turn)
      void turn.then(this.#onWorked, this.#onWorked)
      this.#onWorked = undefined
      return turn
    } finally {
      this.#isWorking = false
      this.#onWorked?.()
      this.#onWorked = undefined
    }
  }

  /** What is asked next waits for it. */
  #follow<R>(turn: Promise<R>): Promise<R> {
    const over = (): void => {
      if (this.#tail === tail) this.#tail = undefined
    }
    const tail = turn.then(over, over)
    this.#tail = tail
    return turn
  }

  #spend<R>(call: (deadline: number) => Awaitable<R>): Awaitable<R> {
    const { budget } = this.#context
    return budget.spend(call(budget.deadline))
  }

  /** A record that could not be ended is not written to, by what was asked meanwhile either. */
  #assertNotBroken(): void {
    if (this.#endFailure !== undefined) throw this.#endFailure
  }

  #writing(snapshot: Snapshot, write: () => Awaitable<void>): Awaitable<void> {
    const work = (): Awaitable<void> => {
      this.#assertNotBroken()
      return write()
    }
    return orElse(work, (error) => {
      this.data.failed(snapshot)
      throw this.#noted(error)
    })
  }

  #create(snapshot: Snapshot, id?: string): Awaitable<void> {
    return andThen(this.#createRecord(snapshot.form, id), (record) => {
      this.data.landed(snapshot, record, snapshot.lineage === this.data.lineage)
      emit('created', { backend: this.#context.records.backend })
    })
  }

  async #createWith(apply: (record: OpenRecord) => void): Promise<Found<RecordForm>> {
    const empty = new SessionData(this.#context.codec, this.#context.rules.now())
    apply(empty.open)
    await this.#createRecord(empty.look().form)
    emit('created', { backend: this.#context.records.backend })
    return this.#found!
  }

  /** A session begins when it is first stored. An id whose `create` has an unknown outcome is not used again. */
  #createRecord({ meta, payload }: RecordForm, id?: string): Awaitable<RecordForm> {
    if (id !== undefined || this.#isIdDead) this.#id = id ?? newId()
    return this.#createFree({ meta: { ...meta, createdAt: this.#context.rules.now() }, payload }, MOST_IDS)
  }

  #createFree(form: RecordForm, ids: number): Awaitable<RecordForm> {
    if (ids === 0) throw this.#noFreeId()
    const { records } = this.#context
    const create = (): Awaitable<Found<RecordForm> | undefined> =>
      andThen(this.#indexed(form, this.#key), (owned) => this.#spend((deadline) => records.create(this.#key, owned, deadline)))
    const created = orElse(create, (error) => {
      if (error instanceof StoreOutcomeUnknownError) this.#id = newId()
      throw error
    })
    return andThen(created, (found) => {
      if (found !== undefined) return this.#began(found)
      this.#id = newId()
      return this.#createFree(form, ids - 1)
    })
  }

  #began(found: Found<RecordForm>): RecordForm {
    this.#found = found
    this.#isIdDead = false
    this.#sendCookie()
    return found.record
  }

  /** What is written while nobody else wrote is the record as the session shows it; else its changes are made on the newer one. */
  #replace(base: Found<RecordForm>, snapshot: Snapshot): Awaitable<void> {
    const whole = this.#directly(base, snapshot)
    const written = andThen(this.#indexed(whole ?? snapshot.form, this.#key), (owned) =>
      this.#write(base, (record) => this.data.replay(snapshot, record), whole && owned))
    return andThen(written, ({ record, isDirect }) => {
      this.data.landed(snapshot, record, isDirect)
      this.#resendCookie()
    })
  }

  #directly(base: Found<RecordForm>, { form, lineage }: Snapshot): RecordForm | undefined {
    return lineage === this.data.lineage ? { meta: { ...form.meta, writes: base.record.meta.writes }, payload: form.payload } : undefined
  }

  async #applyTo(base: Found<RecordForm>, apply: (record: OpenRecord) => void): Promise<Found<RecordForm>> {
    await this.#indexed(base.record, this.#key)
    // One that goes along with an unsaved clear().
    if (this.data.meta.owner !== base.record.meta.owner) await this.#indexed({ meta: this.data.meta, payload: '' }, this.#key)
    const written = await this.#write(base, apply)
    this.#resendCookie()
    return written
  }

  /** `direct` is what to write if nobody else wrote meanwhile. */
  #write(base: Found<RecordForm>, change: (record: OpenRecord) => void, direct?: RecordForm): Awaitable<Written> {
    const apply = (record: OpenRecord): void => {
      change(record)
      if (record.meta.owner === this.#admitted.owner) record.meta.generations ??= this.#admitted.generations
    }
    return andThen(this.#spend((deadline) => this.#context.writer.write(this.#key, { base, deadline, direct, apply })), (written) =>
      andThen(this.#assertNotRevoked(base, written.record, this.#key), () => (this.#found = written)))
  }

  async #renew(base: Found<RecordForm>, snapshot: Snapshot): Promise<void> {
    const { records, keyOf, policy } = this.#context
    const oldKey = this.#key
    const direct = this.#directly(base, snapshot)
    const first = direct ?? this.data.merge(snapshot, base.record)
    for (let ids = 0; ids < MOST_IDS; ids++) {
      const id = newId()
      const newKey = keyOf(id)
      const begun = await this.#indexed(first, newKey)
      let form = begun
      const merge = async (newer: RecordForm): Promise<RecordForm> => (form = await this.#indexed(this.data.merge(snapshot, newer), newKey))
      const renewed = await this.#spend((deadline) =>
        renewRecord(records, { oldKey, newKey, base, form: begun, graceMs: policy.regenerateGrace * 1000, merge }, deadline))
      if (renewed === undefined) continue
      this.#forgetOwner(base.record.meta.owner, renewed === 'gone' ? newKey : oldKey)
      if (renewed === 'gone') throw this.#gone('replace')
      await this.#assertNotRevoked(base, renewed.record, newKey)
      this.#id = id
      this.#found = renewed
      this.data.landed(snapshot, renewed.record, direct !== undefined && form === begun)
      this.#sendCookie()
      return emit('regenerated', { backend: records.backend })
    }
    throw this.#noFreeId()
  }

  /** The record is there, and is the session's: a sign under a renewed id is not. */
  async #confirm(found: Found<RecordForm>): Promise<void> {
    const { rules, records } = this.#context
    const { meta } = found.record
    const expiresAt = rules.storeExpiry(meta)
    const live = await this.#spend((deadline) => records.read(this.#key, deadline, { expiresAt, ifBefore: expiresAt }))
    if (live === undefined || isMoved(live.record)) throw this.#noted(this.#gone('touch'))
    await this.#indexed(found.record, this.#key)
    this.#found = { ...found, expiresAt: live.touched ? expiresAt : live.expiresAt, touched: false }
  }

  async #end(found: Found<RecordForm>, reason: 'destroy' | 'invalidate'): Promise<void> {
    const { records } = this.#context
    const key = this.#key
    try {
      await this.#spend((deadline) => destroyRecord(records, key, deadline, found))
    } catch (error) {
      this.#endings--
      this.#endFailure = error as SessionError
      throw error
    }
    this.#found = undefined
    this.#isIdDead = true
    this.#endings--
    this.#endFailure = undefined
    this.#forgetOwner(found.record.meta.owner, key)
    emit('destroyed', { backend: records.backend, reason })
  }

  /** The owner's index knows the key before the record names the owner, and the record says of which of their generations it is. */
  #indexed(form: RecordForm, key: string): Awaitable<RecordForm> {
    return form.meta.owner === undefined ? form : this.#admit(form, form.meta.owner, key)
  }

  async #admit(form: RecordForm, owner: string, key: string): Promise<RecordForm> {
    const generations = await this.#spend((deadline) => this.#context.owners.admit(form.meta, key, deadline, this.#key))
    if (generations === undefined) throw this.#gone('replace')
    this.#admitted = { owner, generations }
    return { ...form, meta: { ...form.meta, generations } }
  }

  /** A session that leaves its owner must not slip past a revocation. */
  #assertNotRevoked({ record: { meta } }: Found<RecordForm>, written: RecordForm, key: string): Awaitable<void> {
    return meta.owner === written.meta.owner ? undefined : this.#assertStanding(meta, key)
  }

  async #assertStanding(meta: RecordMeta, key: string): Promise<void> {
    const { owners, records } = this.#context
    if (await this.#spend((deadline) => owners.confirm(meta, key, deadline))) return
    await this.#spend(() => records.discard(key, Infinity)) // also when the request's time is spent
    throw this.#gone('replace')
  }

  /** Only of a key that no record will ever have again. To tidy the index is nobody's waiting: it may hold more than it need. */
  #forgetOwner(owner: string | undefined, key: string): void {
    this.#context.owners.remove(owner, key, Infinity).catch(() => {})
  }

  #noFreeId(): StoreError {
    return new StoreError('every id that was tried is taken: is the random source broken?', { backend: this.#context.records.backend, operation: 'create' })
  }

  #gone(operation: string): SessionGoneError {
    emit('gone', { backend: this.#context.records.backend, operation })
    return new SessionGoneError('the session ended while this request held it')
  }

  /** A session that is gone sets no cookie: the browser may already hold the new one. */
  #noted(error: unknown): unknown {
    if (error instanceof SessionGoneError) {
      this.#context.carrier.forget()
      if (this.#cookieSent || this.#isRenewalDue) emit('cookie-skipped', { reason: 'gone' })
      this.#cookieSent = this.#isRenewalDue = false
    }
    return error
  }

  #keepCookie({ domain, path }: { domain?: string | undefined; path?: string | undefined }): void {
    this.assertChangeable()
    if (path !== undefined) this.data.edit(({ meta }) => void (meta.path = path), 'path')
    else this.data.edit(({ meta }) => void (meta.domain = domain), 'domain')
  }

  /** After a write: when it is not as the browser has it, or its life counts from each sending. */
  #resendCookie(): void {
    const { forceCookie, clientKeeps } = this.#context.policy
    if (clientKeeps || forceCookie || this.#stale || this.#isCookieChanged || this.#isRolling) this.#sendCookie()
  }

  #sendCookie(): void {
    this.#isRenewalDue = false
    if (this.#context.carrier.headersSent) return emit('cookie-skipped', { reason: 'headers-sent' })
    this.#context.ids.writeId(this.id, this.cookie.attributes())
    this.#cookie?.sent()
    this.#stale = false
    this.#cookieSent = true
  }
}

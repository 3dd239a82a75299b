import { emit } from '../diagnostics.js'
import { HeadersSentError, LockTimeoutError, SessionClosedError, SessionGoneError, StoreError } from '../errors.js'
import type { SessionError } from '../errors.js'
import type { Lease } from '../namespace-manager.js'
import type { OpenRecord } from '../record/change-log.js'
import { newId } from '../record/id.js'
import { destroyRecord, renewRecord } from '../record/lifecycle.js'
import { isMoved } from '../record/record.js'
import type { Content, RecordForm } from '../record/record.js'
import type { Found } from '../record/sealed-store.js'
import type { Written } from '../record/writer.js'
import { writePromise } from '../write-promise.js'
import { SessionCookie } from './session-cookie.js'
import type { SessionContext } from './session-context.js'
import { SessionData } from './session-data.js'
import type { Snapshot } from './session-data.js'

/** How a session came to be. */
export interface SessionOrigin {
  /** The id that was presented, or chosen for a session without a client. */
  readonly id?: string | undefined
  /** It was signed with an older secret. */
  readonly stale?: boolean
  readonly found?: Found<RecordForm> | undefined
  /** What the found record holds. */
  readonly content?: Content | undefined
  /** Why nothing can be saved: the id was renewed a moment ago, or the store is down. */
  readonly readOnly?: SessionError | undefined
}

/** How many ids are tried when the random source names one that is taken. */
const MOST_IDS = 3
/** How one session gets into the store and its id to the client: the calls that reach either, in the order made. */
export class SessionStorage {
  readonly data: SessionData
  readonly cookie: SessionCookie
  readonly #context: SessionContext
  #id: string | undefined
  #stale: boolean
  #found: Found<RecordForm> | undefined
  #readOnly: SessionError | undefined
  #ended: 'destroyed' | 'invalidated' | undefined
  #cookieSent = false
  #tail: Promise<unknown> = Promise.resolve()

  constructor(context: SessionContext, origin: SessionOrigin) {
    const { policy, rules, codec } = context
    this.#context = context
    this.#id = origin.id
    this.#stale = origin.stale ?? false
    this.#found = origin.found
    this.#readOnly = origin.readOnly
    this.data = new SessionData(codec, rules.now(), origin.found?.record, origin.content)
    this.cookie = new SessionCookie({
      defaults: policy.cookie, life: policy.cookieLife, check: policy.checkCookie,
      now: rules.now, meta: () => this.data.meta, keep: (change) => this.#keepCookie(change),
    })
    if (this.#found !== undefined && this.#readOnly === undefined) this.#renewCookie(this.#found.touched)
  }

  get id(): string {
    return (this.#id ??= newId())
  }

  get found(): Found<RecordForm> | undefined {
    return this.#found
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

  assertHeaders(needsCookie: boolean = this.#found === undefined || this.#context.policy.clientKeeps): void {
    if (needsCookie && this.#context.carrier.headersSent) throw new HeadersSentError('this needs a cookie, and the headers have left')
  }

  /** The promise of a write: the response is held for it. `work` begins at once, and may throw. */
  write<R>(work: () => Promise<R>): Promise<R> {
    const promise = writePromise(async () => work())
    this.#context.carrier.hold(promise)
    this.#context.began(promise)
    return promise
  }

  /** Runs what reaches the store, after everything that was asked before. */
  queue<R>(work: () => Promise<R>): Promise<R> {
    const turn = this.#tail.then(work)
    this.#tail = turn.catch(() => {})
    return turn
  }

  /** Stores what a snapshot holds. What could not be stored is unsaved again. */
  async store(snapshot: Snapshot): Promise<void> {
    try {
      if (this.#found === undefined) await this.#create(snapshot.form, 'save')
      else await this.#replace(this.#found, snapshot)
    } catch (error) {
      this.data.log.putBack(snapshot.changes)
      throw this.#noted(error)
    }
  }

  /** Stores what a snapshot holds under a new id. */
  async renew(snapshot: Snapshot): Promise<void> {
    const { records, owners, rules, keyOf, policy } = this.#context
    try {
      const base = this.#found
      if (base === undefined) return await this.#create(snapshot.form, 'regenerate')
      const oldKey = this.#key
      const graceMs = policy.regenerateGrace * 1000
      for (let ids = 0; ids < MOST_IDS; ids++) {
        const id = newId()
        const newKey = keyOf(id)
        const form = { ...snapshot.form, meta: { ...snapshot.form.meta, writes: base.record.meta.writes } }
        const renewed = await this.#spend(async (deadline) => {
          const indexed = async (form: RecordForm): Promise<RecordForm> => {
            await owners.add(form.meta.owner, newKey, rules.storeExpiry(form.meta), deadline)
            return form
          }
          const merge = (newer: RecordForm): Promise<RecordForm> => indexed(this.data.merge(snapshot, newer))
          return renewRecord(records, { oldKey, newKey, base, form: await indexed(form), graceMs, merge }, deadline)
        })
        if (renewed === undefined) continue
        this.#forgetOwner(base.record.meta.owner, renewed === 'gone' ? newKey : oldKey)
        if (renewed === 'gone') throw this.#gone('replace')
        this.#id = id
        if (renewed.record.payload === form.payload) this.#wrote(renewed)
        else this.#adopt({ ...renewed, merged: true })
        this.#sendCookie()
        emit('regenerated', { backend: records.backend })
        return
      }
      throw new StoreError('every id that was tried is taken: is the random source broken?', { backend: records.backend, operation: 'create' })
    } catch (error) {
      this.data.log.putBack(snapshot.changes)
      throw this.#noted(error)
    }
  }

  /** Writes one change by itself, what is unsaved left unsaved. */
  async apply(apply: (record: OpenRecord) => void, own: () => readonly string[]): Promise<void> {
    try {
      if (this.#found === undefined) {
        const empty = new SessionData(this.#context.codec, this.data.meta.createdAt)
        apply({ meta: empty.meta, content: empty.content })
        await this.#create(empty.snapshot().form, 'save')
        this.data.merged(this.#found!.record, own())
        return
      }
      const base = this.#found
      const written = await this.#spend((deadline) => this.#context.writer.write(this.#key, { base, apply, deadline }))
      this.#found = written
      this.data.merged(written.record, own())
      this.#resendCookie()
    } catch (error) {
      throw this.#noted(error)
    }
  }

  /** Moves the expiry, if that is due. */
  async touch(): Promise<void> {
    const { rules, records, owners, policy } = this.#context
    const found = this.#found
    if (found === undefined) return
    const { meta } = found.record
    const expiresAt = this.expiresAt
    if (rules.touchIsDue(meta, expiresAt)) {
      const touched = await this.#spend((deadline) => records.touch(this.#key, rules.storeExpiry(meta), deadline))
      if (touched === undefined) throw this.#noted(this.#gone('touch'))
      await this.#spend((deadline) => owners.add(meta.owner, this.#key, touched, deadline))
      this.#found = { ...found, expiresAt: touched, touched: false }
      this.#resendCookie()
    } else if (policy.forceCookie || this.#stale || this.cookie.isChanged) this.#sendCookie()
  }

  /** Reads the record again, dropping what is not saved. */
  async reload(): Promise<void> {
    this.assertOpen()
    const found = this.#found && (await this.#spend((deadline) => this.#context.records.read(this.#key, deadline)))
    if (found === undefined || isMoved(found.record)) throw this.#gone('get')
    this.#found = { ...found, record: found.record }
    this.data.reset(found.record)
  }

  /** Ends the session as it is now, at once for whoever looks at it, in its turn in the store. */
  end(how: 'destroyed' | 'invalidated'): Promise<void> {
    this.data.startOver(this.#context.rules.now())
    this.#ended = how
    return this.queue(() => this.#end(how === 'destroyed' ? 'destroy' : 'invalidate'))
  }

  /** A lease on the session's key. */
  async lock(leaseSeconds: number, waitSeconds: number): Promise<Lease> {
    const { locks, records, rules } = this.#context
    if (locks === undefined) throw new TypeError(`the ${records.backend} backend has no locks`)
    this.assertOpen()
    const lease = await locks.lock(this.#key, leaseSeconds * 1000, rules.now() + waitSeconds * 1000)
    if (lease === undefined) throw new LockTimeoutError(`the session's lock was not free within ${waitSeconds} s`)
    return lease
  }

  get #key(): string {
    return this.#context.keyOf(this.id)
  }

  #spend<R>(call: (deadline: number) => Promise<R>): Promise<R> {
    const { budget } = this.#context
    return budget.spend(call(budget.deadline))
  }

  async #create(form: RecordForm, why: 'save' | 'regenerate'): Promise<void> {
    const { records, owners, rules } = this.#context
    for (let ids = 0; ids < MOST_IDS; ids++) {
      if (ids > 0 || this.#ended === 'invalidated' || why === 'regenerate') this.#id = newId()
      await this.#spend((deadline) => owners.add(form.meta.owner, this.#key, rules.storeExpiry(form.meta), deadline))
      const found = await this.#spend((deadline) => records.create(this.#key, form, deadline))
      if (found === undefined) continue
      this.#wrote(found)
      this.#sendCookie()
      emit('created', { backend: records.backend })
      return
    }
    throw new StoreError('every id that was tried is taken: is the random source broken?', { backend: records.backend, operation: 'create' })
  }

  async #replace(base: Found<RecordForm>, snapshot: Snapshot): Promise<void> {
    const { owners, rules, writer } = this.#context
    const { form } = snapshot
    const formerOwner = base.record.meta.owner
    await this.#spend((deadline) => owners.add(form.meta.owner, this.#key, rules.storeExpiry(form.meta), deadline))
    const written = await this.#spend((deadline) => writer.write(this.#key, {
      base, deadline,
      direct: snapshot.lineage === this.data.lineage ? { meta: { ...form.meta, writes: base.record.meta.writes }, payload: form.payload } : undefined,
      apply: (record) => this.data.replay(snapshot, record),
    }))
    this.#adopt(written)
    if (formerOwner !== written.record.meta.owner) this.#forgetOwner(formerOwner, this.#key)
    this.#resendCookie()
  }

  /** Kills the record. */
  async #end(reason: 'destroy' | 'invalidate'): Promise<void> {
    const { records } = this.#context
    const found = this.#found
    if (found === undefined) return
    const key = this.#key
    this.#expireCookie()
    try {
      await this.#spend((deadline) => destroyRecord(records, key, deadline, found))
    } catch (error) {
      this.#readOnly = error as SessionError // what could not be ended is not written to either
      throw error
    }
    this.#found = undefined
    this.#forgetOwner(found.record.meta.owner, key)
    emit('destroyed', { backend: records.backend, reason })
  }

  #wrote(found: Found<RecordForm>): void {
    this.#found = found
    this.data.written(found.record)
  }

  #adopt(written: Written): void {
    if (!written.merged) return this.#wrote(written)
    this.#found = written
    this.data.merged(written.record)
  }

  /** The index may hold more than it need: to tidy it is nobody's waiting. */
  #forgetOwner(owner: string | undefined, key: string): void {
    this.#context.owners.remove(owner, key, Infinity).catch(() => {})
  }

  #gone(operation: string): SessionGoneError {
    emit('gone', { backend: this.#context.records.backend, operation })
    return new SessionGoneError('the session ended while this request held it')
  }

  /** A session that is gone sets no cookie: the browser may already hold the new one. */
  #noted(error: unknown): unknown {
    if (error instanceof SessionGoneError) {
      this.#context.carrier.forget()
      if (this.#cookieSent) emit('cookie-skipped', { reason: 'gone' })
      this.#cookieSent = false
    }
    return error
  }

  #keepCookie({ domain, path }: { domain?: string | undefined; path?: string | undefined }): void {
    this.assertChangeable()
    if (path !== undefined) this.data.edit(({ meta }) => void (meta.path = path), 'path')
    else this.data.edit(({ meta }) => void (meta.domain = domain), 'domain')
  }

  /** On reading: a cookie whose life counts from each sending is sent again once the touch is confirmed. */
  #renewCookie(touched: boolean): void {
    const { forceCookie, clientKeeps } = this.#context.policy
    if (forceCookie || (touched && (clientKeeps || this.cookie.isRolling))) this.#sendCookie()
  }

  /** After a write: when it is not as the browser has it, or its life counts from each sending. */
  #resendCookie(): void {
    const { forceCookie, clientKeeps } = this.#context.policy
    if (clientKeeps || forceCookie || this.#stale || this.cookie.isChanged || this.cookie.isRolling) this.#sendCookie()
  }

  #sendCookie(): void {
    if (this.#context.carrier.headersSent) return emit('cookie-skipped', { reason: 'headers-sent' })
    this.#context.ids.writeId(this.id, this.cookie.attributes())
    this.#stale = false
    this.#cookieSent = true
  }

  #expireCookie(): void {
    const { carrier, ids } = this.#context
    if (carrier.headersSent) emit('cookie-skipped', { reason: 'headers-sent' })
    else ids.expireId(this.cookie.attributes())
  }
}

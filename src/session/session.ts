import { isThenable } from '../awaitable.js'
import { isWellFormed } from '../record/well-formed.js'
import { showAs } from '../show.js'
import { handled } from '../write-promise.js'
import { Flashes } from './flash.js'
import type { Flash, FlashOptions } from './flash.js'
import { refuseCallback } from './refuse-callback.js'
import type { SessionContext } from './session-context.js'
import type { SessionCookie } from './session-cookie.js'
import { checkKey } from './session-data.js'
import type { SessionData } from './session-data.js'
import { SessionFields } from './session-fields.js'
import { SessionStorage } from './session-storage.js'
import type { SessionOrigin } from './session-storage.js'
import { Update } from './update.js'

/** A lease on a session. Advisory: it stops those who also ask for it, and nobody else. */
export interface SessionLock {
  /** May be called twice, and after the lease has ended. */
  release(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface LockOptions {
  /** How long the lease lasts if nobody releases it, in seconds. Default 30. */
  readonly lease?: number
  /** How long to wait for it, in seconds. Default 2. */
  readonly wait?: number
}

export interface RegenerateOptions {
  /** The user has just proved who they are: the absolute `lifetime` begins anew, and `authenticatedAt` says when. */
  readonly authenticated?: boolean
}

/** What the tools around a session keep in its record: for those of this folder, and not for its users. */
export let fieldsOf: (session: Session<any>) => SessionFields

/**
 * A session: a dict with synchronous access, and the few calls that reach the store. What is changed is kept by `save()`, or
 * at the end of the request with `auto`; what is not saved is dropped.
 *
 * Calls that write take effect in the order made. Their promises may be left alone: the response waits for them, and
 * a failure that nobody took becomes the error answer.
 */
export class Session<T extends object = Record<string, any>> {
  static {
    fieldsOf = (session) => new SessionFields(session.#storage, session.#data)
  }

  readonly #context: SessionContext
  readonly #storage: SessionStorage
  readonly #data: SessionData
  #ownFlashes: Flashes | undefined
  readonly #beganHere: boolean
  readonly #lastAccessedAt: number

  /** Sessions are made by the manager; see `SessionObject.load`, `SessionManager.create` and `getById`. */
  constructor(context: SessionContext, origin: SessionOrigin = {}) {
    this.#context = context
    this.#storage = new SessionStorage(context, origin)
    this.#data = this.#storage.data
    this.#beganHere = origin.found === undefined
    this.#lastAccessedAt = context.rules.lastAccessedAt(this.#data.meta.savedAt, origin.found?.expiresAt)
    Object.preventExtensions(this) // a value that is set as a property would be lost without a word
  }

  // The dict

  /** The value, or `undefined`, or the fallback when the key is missing. */
  get<K extends keyof T & string>(key: K): T[K] | undefined
  get<K extends keyof T & string, F>(key: K, fallback: F): T[K] | F
  get(key: string, fallback?: unknown): unknown {
    return this.#data.has(key) ? this.#data.lend(key) : fallback
  }

  has(key: keyof T & string): boolean {
    return this.#data.has(key)
  }

  /** Throws `HeadersSentError` when it would need a cookie and the headers have left, as all that change do. */
  set<K extends keyof T & string>(key: K, value: T[K]): this {
    this.#storage.assertChangeable()
    this.#data.set(key, value)
    return this
  }

  /** The value that is there, or else the one given, which is then set. */
  setDefault<K extends keyof T & string>(key: K, value: T[K]): T[K] {
    if (!this.has(key)) this.set(key, value)
    return this.get(key) as T[K]
  }

  /** Whether any of them was there. */
  delete(...keys: (keyof T & string)[]): boolean {
    this.#storage.assertChangeable()
    return keys.map((key) => this.#data.delete(key)).includes(true)
  }

  /** Removes the key and answers what it held. */
  pop<K extends keyof T & string>(key: K): T[K] | undefined
  pop<K extends keyof T & string, F>(key: K, fallback: F): T[K] | F
  pop(key: keyof T & string, fallback?: unknown): unknown {
    const value = this.get(key, fallback)
    this.delete(key)
    return value
  }

  /** Empties data, flashes and owner. Saved, it removes all keys of the newest record, others' new ones too. */
  clear(): this {
    this.#storage.assertChangeable()
    this.#flashes.clear()
    this.#data.clear()
    return this
  }

  assign(values: Partial<T>): this {
    this.#storage.assertChangeable()
    for (const [key, value] of Object.entries(values)) this.#data.set(key, value)
    return this
  }

  keys(): (keyof T & string)[] {
    return this.#data.content.keys() as (keyof T & string)[]
  }

  values(): T[keyof T][] {
    return Object.values(this.#data.lendAll()) as T[keyof T][]
  }

  entries(): [keyof T & string, T[keyof T]][] {
    return Object.entries(this.#data.lendAll()) as [keyof T & string, T[keyof T]][]
  }

  [Symbol.iterator](): IterableIterator<[keyof T & string, T[keyof T]]> {
    return this.entries()[Symbol.iterator]()
  }

  get size(): number {
    return this.keys().length
  }

  /** The data, as `JSON.stringify` wants it. */
  toJSON(): T {
    return { ...this.#data.lendAll() } as T
  }

  /** The plain object itself, for those who like properties. Changes in it are noticed by `save()`. */
  get data(): T {
    return this.#data.lendAll() as T
  }

  // Facts

  /** What the cookie carries. Guard it like a password: never log it. */
  get id(): string {
    return this.#storage.id
  }

  /** Names the session to `manager.list` and `manager.revoke`; opens nothing. */
  get ref(): string {
    return this.#context.refOf(this.id)
  }

  /** The session began in this request; still true after it was saved. */
  get isNew(): boolean {
    return this.#beganHere || this.#storage.isInvalidated
  }

  /** Epoch milliseconds. */
  get createdAt(): number {
    return this.#data.meta.createdAt
  }

  /** When the user last proved who they are (`regenerateId({ authenticated: true })`), in epoch milliseconds. */
  get authenticatedAt(): number | undefined {
    return this.#data.meta.authenticatedAt
  }

  /** When an earlier request last used it, in epoch milliseconds, true to `touch_interval`. */
  get lastAccessedAt(): number {
    return this.#lastAccessedAt
  }

  /** When it ends if it is not used again, in epoch milliseconds. For one that is not saved yet: if it were saved now. */
  get expiresAt(): number {
    return this.#storage.expiresAt
  }

  /** Something was changed that is not saved. */
  get dirty(): boolean {
    return this.#data.isDirty
  }

  /** Nothing can be saved: the store is down (`on_outage = anonymous`), or the id was renewed a moment ago. */
  get isReadOnly(): boolean {
    return this.#storage.isReadOnly
  }

  /** The user it belongs to: what `manager.list` and `manager.revoke` go by. Kept by `save()`; `clear()` removes it. */
  get owner(): string | undefined {
    return this.#data.meta.owner
  }

  set owner(owner: string | undefined) {
    if (owner !== undefined && (typeof owner !== 'string' || owner === '' || !isWellFormed(owner))) {
      throw new TypeError('an owner is a string of well-formed Unicode that is not empty, or undefined')
    }
    this.#storage.assertChangeable()
    this.#data.edit(({ meta }) => Object.assign(meta, { owner, generations: undefined }), 'owner')
  }

  /** The cookie, for this session alone. */
  get cookie(): SessionCookie {
    return this.#storage.cookie
  }

  // Once-read messages

  /** Keeps a message for the next page that reads it: that is a change, so save it. With `now` it is this request's alone, and nothing to be saved. */
  flash(value: unknown, options: FlashOptions = {}): this {
    if (!options.now) this.#storage.assertChangeable()
    this.#flashes.add(value, options)
    return this
  }

  /** The messages, which are thereby used up: their removal is written at the end of the request, even without `save()`, unless the response failed. */
  flashes(key?: string): Flash[] {
    return this.#flashes.read(key)
  }

  /** The messages that are not used up, left as they are. */
  peekFlashes(key?: string): Flash[] {
    return this.#flashes.peek(key)
  }

  /** What this request read of them stays for the next one. */
  keepFlashes(key?: string): this {
    this.#flashes.keep(key)
    return this
  }

  // The store

  /**
   * Stores what has changed since the session was loaded or last saved, as it is at the call. Unchanged: a touch. New and
   * empty: creates it. Stored when it resolves.
   *
   * Rejects with `CodecError`, `TooLargeError`, `HeadersSentError`, `SessionGoneError`, `SessionConflictError`, `StoreError` and kin.
   */
  save(): Promise<void>
  save(callback?: unknown): Promise<void> {
    refuseCallback('save', callback)
    return this.#storage.write(() => {
      this.#storage.assertWritable()
      const isWriteDue = this.dirty || (this.#context.policy.clientKeeps && this.#storage.isCookieDue) // a touch sends no record
      if (this.#storage.isStored && !isWriteDue) return this.#storage.queue(() => this.#storage.touch())
      this.#storage.assertHeaders()
      const snapshot = this.#data.snapshot()
      return this.#storage.queue(() => this.#storage.store(snapshot))
    })
  }

  /**
   * Changes one key of the newest record, atomically: `await session.update('visits', (n = 0) => n + 1)`. `fn` is
   * synchronous and may run again; what it answers is written now (`undefined` removes the key), and nothing else is.
   * It sees this session's unsaved changes; one of its key, or a `clear()`, goes along with it. Resolves to what was written. Rejects
   * like `save()`.
   */
  update<K extends keyof T & string>(key: K, fn: (value: T[K] | undefined) => T[K]): Promise<T[K]>
  /** Changes a draft of all data, atomically. Only the keys that `fn` changed are written. */
  update(fn: (draft: T) => void): Promise<void>
  update(key: string | ((draft: T) => void), fn?: (value: any) => unknown): Promise<any> {
    if (typeof key === 'function') return this.#update((draft) => void synchronous(key(draft as T)))
    if (typeof fn !== 'function') throw new TypeError('update takes a key and a function, or a function')
    checkKey(key)
    return this.#update((draft) => {
      const value = synchronous(fn(Object.hasOwn(draft, key) ? draft[key] : undefined))
      if (value === undefined) delete draft[key]
      else draft[key] = value
    }, key)
  }

  /** Drops what is not saved. */
  revert(): void {
    this.#ownFlashes?.keepAll()
    this.#data.revert()
  }

  /** Reads the session again, dropping what is not saved. Rejects with `SessionGoneError` when it is not there any more. */
  reload(): Promise<void>
  reload(callback?: unknown): Promise<void> {
    refuseCallback('reload', callback)
    this.#ownFlashes?.keepAll()
    this.#data.revert()
    return handled(Promise.resolve(this.#storage.queue(() => this.#storage.reload())))
  }

  /** An advisory lease on this session. Rejects with `LockTimeoutError`, or `TypeError` on a backend that has none and for what are no seconds. */
  lock({ lease = 30, wait = 2 }: LockOptions = {}): Promise<SessionLock> {
    return handled(this.#storage.lock(lease, wait).then((held) => {
      const release = (): Promise<void> => held.release()
      return { release, [Symbol.asyncDispose]: release }
    }))
  }

  // Identity

  /**
   * Saves everything, the current changes included, under a new id; the old id is dead. Call it whenever a user logs in.
   * Rejects like `save()`.
   */
  regenerateId(options: RegenerateOptions = {}): Promise<void> {
    refuseCallback('regenerateId', options)
    const { authenticated = false } = options
    return this.#storage.write(() => {
      this.#storage.assertWritable()
      this.#storage.assertHeaders(true)
      const now = this.#context.rules.now()
      if (authenticated) this.#data.edit(({ meta }) => void (meta.authenticatedAt = now), 'authenticated')
      const snapshot = this.#data.snapshot()
      return this.#storage.queue(() => this.#storage.renew(snapshot))
    })
  }

  /** Kills the record now. The session goes on, empty, and gets a new id when it is saved. */
  invalidate(): Promise<void>
  invalidate(callback?: unknown): Promise<void> {
    refuseCallback('invalidate', callback)
    return this.#storage.write(() => {
      this.#storage.assertWritable()
      this.#ownFlashes?.keepAll()
      return this.#storage.end('invalidated')
    })
  }

  /** Kills the record now and expires the cookie. A later `save()` rejects with `SessionGoneError`. May be called twice. */
  destroy(): Promise<void>
  destroy(callback?: unknown): Promise<void> {
    refuseCallback('destroy', callback)
    return this.#storage.write(() => {
      this.#storage.assertOpen()
      this.#ownFlashes?.keepAll()
      return this.#storage.end('destroyed')
    })
  }

  /**
   * What the end of the request does: with `auto` a changed session, or one whose cookie was changed, is saved and an unchanged one touched; without,
   * it is touched. Flashes that were read are used up.
   */
  persist(): Promise<void> {
    return this.#storage.write(async () => {
      if (!this.#isAlive) return
      const saves = this.isSaveDue
      if (saves) await this.save()
      await this.#storage.queue(() => this.#removeFlashes())
      if (!saves) await this.#storage.queue(() => this.#storage.renewAtEnd())
    })
  }

  /** Whether anything was changed that is not stored, or assigned to the cookie of a stored session and not sent. */
  get needsSaving(): boolean {
    return this.dirty || this.#storage.isCookieDue
  }

  /** The response is about to go on, and this is to be saved first. */
  get isSaveDue(): boolean {
    return this.#isAlive && this.#context.policy.auto && this.needsSaving
  }

  /** The same of what is done when nothing can fail any more: `settle()`. */
  isSettlingDue(isEnd: boolean): boolean {
    return this.#isAlive && (this.#areFlashesDue(isEnd) || this.#storage.isRenewalDue)
  }

  /** Uses up the flashes that were read, and sends the cookie that is due. Whoever only read is not to be bothered when it fails. */
  settle(isEnd: boolean): Promise<void> {
    return this.#storage.write(async () => {
      if (this.#areFlashesDue(isEnd)) await this.#storage.queue(() => this.#removeFlashes())
      if (this.#storage.isRenewalDue) await this.#storage.queue(() => this.#storage.renewAtEnd())
    })
  }

  /** How many keys were changed and not saved. */
  get unsavedKeys(): number {
    return this.#data.changedKeys
  }

  /** The same but for objects that were changed in depth: to find these takes as long as to read the session. */
  get unsavedCalls(): number {
    return this.#data.log.size
  }

  /** Most requests have nothing to do with them. */
  get #flashes(): Flashes {
    return (this.#ownFlashes ??= new Flashes(this.#data, this.#context.codec))
  }

  get #areFlashesRead(): boolean {
    return this.#ownFlashes?.areRead ?? false
  }

  get #isAlive(): boolean {
    return !this.#storage.isDestroyed && !this.#storage.isReadOnly
  }

  /** Until its end a response may still fail. Only what the client keeps has to go with the head. */
  #areFlashesDue(isEnd: boolean): boolean {
    return this.#areFlashesRead && (isEnd || this.#context.policy.clientKeeps)
  }

  #update(run: (draft: Record<string, unknown>) => void, key?: string): Promise<unknown> {
    return this.#storage.write(() => {
      this.#storage.assertWritable()
      this.#storage.assertChangeable()
      const update = new Update(this.#data, run, key)
      return this.#storage.queue(async () => {
        await this.#storage.apply(update)
        return update.result()
      })
    })
  }

  /** A removal that fails leaves the messages for the next page: that is not worth an error answer. */
  async #removeFlashes(): Promise<void> {
    if (!this.#areFlashesRead || !this.#storage.isStored) return
    const removal = { apply: this.#flashes.takeRemoval(), life: this.#data.life, folded: { seen: [], names: undefined } }
    await this.#storage.apply(removal).catch(() => {})
  }
}

showAs<Session>(Session, (session) => `Session { ${session.keys().join(', ')} }`)

const synchronous = <V>(value: V): V => {
  if (isThenable(value)) throw new TypeError('the function given to update is synchronous; it may run again')
  return value
}

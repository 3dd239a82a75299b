import { orElse } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import { emit, isHeard, warnOnce } from '../diagnostics.js'
import type { Carrier, ExchangeListener, RequestCookies } from '../carrier.js'
import type { NamespaceManager, RequestNamespace } from '../namespace-manager.js'
import { showAs } from '../show.js'
import type { Flash, FlashOptions } from './flash.js'
import type { LockOptions, RegenerateOptions, Session, SessionLock } from './session.js'
import { Reading } from './reading.js'
import { refuseCallback } from './refuse-callback.js'
import { handled, writePromise } from '../write-promise.js'

/** What the object asks of the manager that made it. */
export interface SessionOpener<T extends object> {
  carrierFor(req: object, res: object | undefined, listener: ExchangeListener): Carrier
  /** `isRequest`: its waiting is bounded by a request's budget, not call by call. */
  load(carrier: Carrier, isRequest: boolean): Awaitable<Session<T>>
  readonly family: SessionFamily
}

/** The sessions that a request may have beside this one. */
export interface SessionFamily {
  readonly requestKey: string
  /** The cookie's, and those of its slots. */
  readonly cookieNames: readonly string[]
  /** The family of the sessions of a name. */
  named(name: string, options: object): SessionFamily
  /** Opens one of them beside a request's default session. */
  openBeside(main: SessionObject<any>): SessionObject<any>
  backendNamed(name: string | undefined): NamespaceManager | RequestNamespace
  cookiesFor(req: object, res: object | undefined): RequestCookies
}

/**
 * The lazy session on a request. Making it reads nothing; the first access, and only that, loads the session.
 *
 * It has the methods of `Session`, each answering a promise; they take effect in the order made. For more than one access
 * `load()` it once and use the real session's synchronous ones.
 */
export class SessionObject<T extends object = Record<string, any>> implements ExchangeListener {
  readonly #opener: SessionOpener<T>
  readonly #req: object
  /** Of the default session; the others have that one's. */
  #ownRes: object | undefined
  /** The default session of the request that this one is beside. */
  readonly #main: SessionObject<any> | undefined
  #carrier: Carrier | undefined
  /** A session of this exchange was used: with or without a response, that is settled. */
  #isBegun = false
  #isHandled = false
  #loading: Promise<Session<T>> | undefined
  #loaded: Session<T> | undefined
  /** The last call that was made, and how many are under way. */
  #tail: Promise<unknown> | undefined
  #underWay = 0
  #working: Promise<unknown> | undefined
  #isEnding = false
  /** What was due when the response was about to go on, once what was asked before is done. */
  #isSaveDue = false
  #isSettlingDue = false

  /** Made by the manager; see `SessionManager.open`. */
  constructor(opener: SessionOpener<T>, req: object, res: object | undefined, main?: SessionObject<any>) {
    this.#opener = opener
    this.#req = req
    this.#ownRes = res
    this.#main = main
    Object.preventExtensions(this) // a value that is set as a property would be lost without a word
  }

  /** Whether it was made by the manager that this opener is of. */
  isOf(opener: SessionOpener<any>): boolean {
    return this.#opener === opener
  }

  /** Another session of the same exchange. */
  beside<O extends object>(opener: SessionOpener<O>): SessionObject<O> {
    return new SessionObject<O>(opener, this.#req, undefined, this)
  }

  /**
   * The response, where the session was opened before there was one; another than the one that it has is not taken. `false`, when a session of
   * this exchange was used without one.
   */
  respondWith(res: object): boolean {
    if (this.#ownRes === undefined && this.#isBegun) return false
    this.#ownRes ??= res
    return true
  }

  /** `true` for whoever asks first: the outermost handler, whose failures are the session's to answer. */
  handle(): boolean {
    const isFirst = !this.#isHandled
    this.#isHandled = true
    return isFirst
  }

  get family(): SessionFamily {
    return this.#opener.family
  }

  openCookies(): RequestCookies {
    this.#isBegun = true
    return this.family.cookiesFor(this.#req, this.#res)
  }

  /**
   * The real session. Parallel first calls share one reading of the store; one that failed is not remembered.
   * Rejects with `StoreError` and kin, `SessionClosedError`, or `CodecError` for a corrupt record with `invalidate_corrupt` off.
   */
  load(): Promise<Session<T>> {
    const loading = this.#load()
    return this.#underWay === 0 ? loading : this.#inOrder((session) => session)
  }

  #load(): Promise<Session<T>> {
    return this.#loading ?? this.#loadNow()
  }

  /** Whether the session was asked for in this request. Loads nothing. */
  get accessed(): boolean {
    return this.#loading !== undefined
  }

  /** Whether something was changed that is not saved. Loads nothing. */
  get dirty(): boolean {
    return this.#loaded?.dirty ?? false
  }

  get<K extends keyof T & string>(key: K): Promise<T[K] | undefined>
  get<K extends keyof T & string, F>(key: K, fallback: F): Promise<T[K] | F>
  get(key: keyof T & string, fallback?: unknown): Promise<unknown> {
    return this.#read('get', (session) => session.get(key, fallback))
  }

  has(key: keyof T & string): Promise<boolean> {
    return this.#read('has', (session) => session.has(key))
  }

  keys(): Promise<(keyof T & string)[]> {
    return this.#read('keys', (session) => session.keys())
  }

  values(): Promise<T[keyof T][]> {
    return this.#read('values', (session) => session.values())
  }

  entries(): Promise<[keyof T & string, T[keyof T]][]> {
    return this.#read('entries', (session) => session.entries())
  }

  set<K extends keyof T & string>(key: K, value: T[K]): Promise<Session<T>> {
    return this.#write(async (session) => session.set(key, value))
  }

  setDefault<K extends keyof T & string>(key: K, value: T[K]): Promise<T[K]> {
    return this.#write(async (session) => session.setDefault(key, value))
  }

  delete(...keys: (keyof T & string)[]): Promise<boolean> {
    return this.#write(async (session) => session.delete(...keys))
  }

  pop<K extends keyof T & string>(key: K): Promise<T[K] | undefined>
  pop<K extends keyof T & string, F>(key: K, fallback: F): Promise<T[K] | F>
  pop(key: keyof T & string, fallback?: unknown): Promise<unknown> {
    return this.#write(async (session) => session.pop(key, fallback))
  }

  clear(): Promise<Session<T>> {
    return this.#write(async (session) => session.clear())
  }

  assign(values: Partial<T>): Promise<Session<T>> {
    return this.#write(async (session) => session.assign(values))
  }

  flash(value: unknown, options?: FlashOptions): Promise<Session<T>> {
    return this.#write(async (session) => session.flash(value, options))
  }

  flashes(key?: string): Promise<Flash[]> {
    return this.#read('flashes', (session) => session.flashes(key))
  }

  peekFlashes(key?: string): Promise<Flash[]> {
    return this.#read('peekFlashes', (session) => session.peekFlashes(key))
  }

  keepFlashes(key?: string): Promise<Session<T>> {
    return this.#write(async (session) => session.keepFlashes(key))
  }

  save(): Promise<void>
  save(callback?: unknown): Promise<void> {
    refuseCallback('save', callback)
    return this.#write((session) => session.save())
  }

  update<K extends keyof T & string>(key: K, fn: (value: T[K] | undefined) => T[K]): Promise<T[K]>
  update(fn: (draft: T) => void): Promise<void>
  update(...args: [any, any?]): Promise<any> {
    return this.#write((session) => session.update(...(args as Parameters<Session<T>['update']>)))
  }

  revert(): Promise<void> {
    return this.#write(async (session) => session.revert())
  }

  reload(): Promise<void>
  reload(callback?: unknown): Promise<void> {
    refuseCallback('reload', callback)
    return this.#write((session) => session.reload())
  }

  lock(options?: LockOptions): Promise<SessionLock> {
    return this.#read('lock', (session) => session.lock(options))
  }

  regenerateId(options?: RegenerateOptions): Promise<void> {
    refuseCallback('regenerateId', options)
    return this.#write((session) => session.regenerateId(options))
  }

  invalidate(): Promise<void>
  invalidate(callback?: unknown): Promise<void> {
    refuseCallback('invalidate', callback)
    return this.#write((session) => session.invalidate())
  }

  destroy(): Promise<void>
  destroy(callback?: unknown): Promise<void> {
    refuseCallback('destroy', callback)
    return this.#write((session) => session.destroy())
  }

  /** Saves what the calls made so far change, the cookie too. A session that nobody asked for is left alone. */
  saveChanges(): Promise<void> {
    if (!this.accessed) return Promise.resolve()
    return this.#write(async (session) => {
      if (session.needsSaving) await session.save()
    })
  }

  /** What the end of the request does; see `Session.persist`. A session that nobody asked for is left alone. */
  persist(): Promise<void> {
    if (!this.accessed) return Promise.resolve()
    return this.#write((session) => session.persist())
  }

  /**
   * The response is about to leave with this status: what is to be waited for first, if anything. A 5xx answer saves nothing
   * and uses up no flashes; nor does one that a failure is about to replace, which shows when the handler's own writes are done.
   */
  beforeHead(status: number): Promise<unknown> | undefined {
    return this.#before(false, status)
  }

  /** A session stored already may still be changed after the head has left; `auto` keeps that too. */
  beforeEnd(status: number): Promise<unknown> | undefined {
    return this.#before(true, status)
  }

  /** The writes that the response waited for are done. */
  beforeRelease(): Promise<unknown> | undefined {
    if (!this.#isSaveDue) return undefined
    this.#isSaveDue = false
    return this.#loaded!.isSaveDue ? this.#loaded!.save() : undefined
  }

  /** So are those of all sessions that `beforeRelease` asked for. */
  afterSaves(): Promise<unknown> | undefined {
    if (!this.#isSettlingDue) return undefined
    this.#isSettlingDue = false
    return this.#loaded!.isSettlingDue(this.#isEnding) ? this.#loaded!.settle(this.#isEnding) : undefined
  }

  /** The handler failed with one of phial's errors: it becomes the answer. */
  fail(error: Error): void {
    this.#reach().fail(error)
  }

  /** What a tool around the session writes, by calls of its own: the response waits for it, and a failure that nobody took becomes the answer. */
  writing<R>(work: () => Promise<R>): Promise<R> {
    const promise = writePromise(work)
    this.#reach().hold(promise)
    return promise
  }

  /** The handler answered a promise: until that settles it may still let a failure through. */
  handledBy(promise: Promise<unknown>): void {
    this.#working = promise
  }

  working(): Promise<unknown> | undefined {
    return this.#main === undefined ? this.#working : this.#main.working()
  }

  /** The exchange is over: what was changed and not saved is dropped, and that is said. */
  over(how: 'finish' | 'abort' | 'failed'): void {
    const keys = this.#loaded === undefined ? 0 : unsavedKeys(this.#loaded)
    if (keys === 0) return
    emit('dropped', { reason: REASONS[how], keys })
    if (how === 'finish') warnOnce('PHIAL_NOT_SAVED', 'a request ended with changes to its session that are not stored: call save(), or switch auto on')
  }

  #before(isEnd: boolean, status: number): Promise<unknown> | undefined {
    if (status >= 500 || this.#loading === undefined) return undefined
    if (this.#underWay > 0) return this.#tail!.then(() => this.#before(isEnd, status))
    this.#isEnding ||= isEnd
    this.#isSaveDue = this.#loaded?.isSaveDue ?? false
    this.#isSettlingDue = this.#loaded?.isSettlingDue(this.#isEnding) ?? false
    return this.#isSaveDue || this.#isSettlingDue ? Promise.resolve() : undefined
  }

  #loadNow(): Promise<Session<T>> {
    let settle!: (loaded: Awaitable<Session<T>>) => void
    // Before it begins: who hears of an event of it, and asks for the session, is given this load and no other.
    const loading = (this.#loading = new Promise<Session<T>>((resolve) => { settle = resolve }))
    const loaded = orElse(() => this.#opener.load(this.#reach(), this.#res !== undefined), (error) => Promise.reject(error))
    if (loaded instanceof Promise) {
      settle(this.#loadedLater(loaded))
      return handled(loading)
    }
    settle((this.#loaded = loaded))
    return loading
  }

  async #loadedLater(loading: Promise<Session<T>>): Promise<Session<T>> {
    try {
      return (this.#loaded = await loading)
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }

  #reach(): Carrier {
    return (this.#carrier ??= this.#begin())
  }

  #begin(): Carrier {
    ;(this.#main ?? this).#isBegun = true
    return this.#opener.carrierFor(this.#req, this.#res, this)
  }

  get #res(): object | undefined {
    return (this.#main ?? this).#ownRes
  }

  #read<R>(method: string, work: (session: Session<T>) => R | Promise<R>): Promise<R> {
    return Reading.of(method, this.#inOrder(work))
  }

  #write<R>(work: (session: Session<T>) => Promise<R>): Promise<R> {
    return this.writing(() => this.#inOrder(work))
  }

  /** Calls take effect in the order made, awaited or not: each waits for the one before it. */
  #inOrder<R>(work: (session: Session<T>) => R | Promise<R>): Promise<R> {
    const loading = this.#load()
    this.#underWay++
    const turn = (this.#tail === undefined ? loading : this.#tail.then(() => loading)).then(work).finally(() => this.#underWay--)
    this.#tail = turn.catch(() => {})
    return turn
  }
}

showAs<SessionObject>(SessionObject, (object) => (object.accessed ? 'SessionObject { accessed }' : 'SessionObject { not accessed }'))

const isProduction = process.env['NODE_ENV'] === 'production'

/** Objects that were changed in depth and not saved are looked for where somebody wants to know. */
const looksDeep = (): boolean => !isProduction || isHeard('dropped')

/** Data that nobody will store may be anything: a getter that throws, a proxy that was revoked. */
const unsavedKeys = (session: Session<any>): number => {
  try {
    return looksDeep() ? session.unsavedKeys : session.unsavedCalls
  } catch {
    return 1
  }
}

const REASONS = { finish: 'not-saved', abort: 'aborted', failed: 'response-failed' } as const

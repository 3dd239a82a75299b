import { StoreTimeoutError } from '../errors.js'
import { observe, WritePromise } from '../write-promise.js'
import { drainOf } from './drain.js'
import { failureAnswer } from './failure-answer.js'
import type { GateHooks } from './gate-hooks.js'
import type { GatedResponse } from './gated-response.js'
import { mergeHead } from './head.js'
import type { HeaderEdits } from './header-edits.js'
import { callBack, gatedMethods, HeldCalls, type GatedMethod } from './held-calls.js'
import { onceOver } from './once-over.js'
import { cut, replaceAnswer } from './replacement.js'

/** On the response itself: an entry in a `WeakMap` costs as much as all else here, in garbage collection. */
const kCore: unique symbol = Symbol('phial.gate')

type Gated = GatedResponse & { [kCore]?: GateCore }

/** A response has one, however many gates are put on it. */
export const gateCoreOf = (res: Gated): GateCore => res[kCore] ??= new GateCore(res)

/** The same functions for all responses: to make some for each would be most of what a gate costs. */
const gates = Object.fromEntries(gatedMethods.map((method) => [method, function (this: Gated, ...args: unknown[]): unknown {
  return this[kCore]!.call(method, args)
}]))

/** What the gates of one response have in common: the calls that pass through it, wait, are made, or are swallowed. */
export class GateCore {
  readonly #res: GatedResponse
  readonly #gates: GateHooks[] = []
  /** The methods that were found on the response itself: other wrappers'. */
  #wrappers: Map<string, Method> | undefined
  readonly #emitDrain: () => void
  #budgetMs = 0
  #pending = 0
  #failures: Failure[] = []
  #held: HeldCalls | undefined
  #deadline: NodeJS.Timeout | undefined
  #isHeadAnnounced: boolean
  #isEndAnnounced = false
  /** A real method is at work: what it, or a wrapper below it, calls on the response is not the handler's. */
  #isInside = false
  #isFailing = false
  /** What the callbacks of lost calls are told: nothing, when another answer is given in their place. */
  #loss: Error | undefined
  #isOver = false
  /** To be called when a handler that may still let a failure through is done. */
  readonly #handlers: (() => void)[] = []

  constructor(res: GatedResponse) {
    this.#res = res
    this.#isHeadAnnounced = res.headersSent
    this.#emitDrain = drainOf(res)
    for (const method of gatedMethods) this.#wrap(method, gates[method]!)
    onceOver(res, () => this.#end())
  }

  join(hooks: GateHooks, budgetMs: number): void {
    this.#gates.push(hooks)
    this.#budgetMs = Math.max(this.#budgetMs, budgetMs)
  }

  get headersSent(): boolean {
    return this.#held?.headersSent ?? this.#res.headersSent
  }

  get over(): boolean {
    return this.#isOver
  }

  get failing(): boolean {
    return this.#isFailing
  }

  get finished(): boolean {
    return this.#isOver && this.#res.writableFinished
  }

  hold(promise: Promise<unknown>, hooks: GateHooks): void {
    this.#pending++
    const settle = (): void => this.#settle()
    observe(promise, settle, (reason) => {
      this.#failures.push({ promise, reason, hooks })
      // Not at once: whoever was handed the failure answers it first, or lets it through to `fail`.
      setImmediate(() => this.#afterHandler(promise, hooks, settle))
    })
  }

  /** A handler that was handed the failure after it had called `end` can only let it through, when it is done. */
  #afterHandler(promise: Promise<unknown>, hooks: GateHooks, settle: () => void): void {
    const working = this.#held && this.#isEndAnnounced && isTaken(promise) ? hooks.working?.() : undefined
    if (working === undefined) return settle()
    let isSettled = false
    const once = (): void => {
      if (!isSettled) settle()
      isSettled = true
    }
    this.#handlers.push(once)
    const later = (): void => void setImmediate(once)
    observe(working, later, later)
  }

  /** The budget is spent. If nothing but a handler is waited for, which may itself wait for its response, that goes out. */
  #expire(): void {
    const waiting = this.#handlers.splice(0)
    for (const settle of waiting) settle()
    if (this.#held !== undefined) this.fail(overBudget(), this.#gates[0]!)
  }

  fail(error: Error, hooks: GateHooks): void {
    if (this.#isOver || this.#isFailing || this.#isEnded) return
    this.#isFailing = true
    this.#loss = this.headersSent ? streamDestroyed() : undefined
    this.#letGo()?.drop(this.#loss)
    if (this.#loss) return cut(this.#res)
    // The handler knows of nothing and may go on; a `setHeader`, now too late, would throw.
    for (const method of headMethods) {
      this.#wrap(method, (...args) => this.#isInside ? this.#pass(method, args) : this.#swallow(method, args))
    }
    replaceAnswer(this.#raw(), (raw) => hooks.answer(error, raw), failureAnswer(error))
  }

  /** `end` has truly been called. */
  get #isEnded(): boolean {
    return this.#held === undefined && this.#res.writableEnded
  }

  #wrap(method: string, wrapper: Method): void {
    const members = this.#res as unknown as Record<string, Method | undefined>
    const found = members[method]
    if (found === undefined) return
    if (Object.hasOwn(members, method)) (this.#wrappers ??= new Map()).set(method, found)
    members[method] = wrapper
  }

  #real(method: string): Method {
    return this.#wrappers?.get(method) ?? Object.getPrototypeOf(this.#res)[method]
  }

  /** The response on which calls are made, for whoever answers in the handler's stead. */
  #raw(): GatedResponse {
    const call = (method: string) => (...args: unknown[]): unknown => {
      const result = this.#pass(method, args)
      return result === this.#res ? raw : result // so that `writeHead(…).end(…)` is not taken for the handler's
    }
    const calls = new Map<PropertyKey, Method>(ourMethods.filter((method) => method in this.#res).map((method) => [method, call(method)]))
    const raw: GatedResponse = new Proxy(this.#res, { get: (res, key) => calls.get(key) ?? Reflect.get(res, key) })
    return raw
  }

  /** A call of the handler, or of a wrapper below. */
  call(method: GatedMethod, args: unknown[]): unknown {
    if (this.#isInside) return this.#pass(method, args)
    if (this.#isFailing) return this.#swallow(method, args)
    if (this.#isOver || this.#isEnded) return this.#pass(method, args)
    if (method === 'addTrailers') return this.#held ? this.#keep(method, args) : this.#pass(method, args)
    this.#announce(method, args)
    if (this.#pending > 0) return this.#keep(method, args)
    if (this.#failOnLoss()) return this.#swallow(method, args)
    return this.#pass(method, args)
  }

  #announce(method: GatedMethod, args: unknown[]): void {
    if (!this.#isHeadAnnounced) {
      this.#isHeadAnnounced = true
      const status = isWriteHead(method) ? Number(args[0]) : this.#res.statusCode
      for (const hooks of this.#gates) this.#holdIfDue(hooks, hooks.beforeHead(status))
    }
    if (method === 'end' && !this.#isEndAnnounced) {
      this.#isEndAnnounced = true
      for (const hooks of this.#gates) this.#holdIfDue(hooks, hooks.beforeEnd())
    }
  }

  #holdIfDue(hooks: GateHooks, promise: Promise<unknown> | undefined): void {
    if (promise !== undefined) this.hold(promise, hooks)
  }

  /** Makes the call. */
  #pass(method: string, args: unknown[]): unknown {
    const wasInside = this.#isInside
    this.#isInside = true
    try {
      return this.#real(method).apply(this.#res, isWriteHead(method) ? this.#withEdits(args) : args)
    } finally {
      this.#isInside = wasInside
    }
  }

  #withEdits(args: unknown[]): unknown[] {
    if (this.#isOver || this.#res.headersSent) return args
    // Most responses have one: `flatMap` takes half a microsecond.
    const edits = this.#gates.length === 1 ? this.#editsOf(this.#gates[0]!) : this.#gates.flatMap((hooks) => this.#editsOf(hooks))
    return mergeHead(this.#res, args, edits)
  }

  #editsOf(hooks: GateHooks): readonly HeaderEdits[] {
    return this.#isFailing ? hooks.failureHeaders?.() ?? [] : hooks.headers()
  }

  /** Holds the call. If it throws, and nothing was held before, nothing is. */
  #keep(method: GatedMethod, args: unknown[]): unknown {
    const held = this.#held ?? new HeldCalls(this.#res, this.#emitDrain)
    const result = held.add(method, args)
    if (this.#held === undefined) {
      this.#held = held
      // It keeps the process alive, for this long at most: a client waits for the answer.
      this.#deadline = setTimeout(() => this.#expire(), this.#budgetMs)
    }
    return result
  }

  #letGo(): HeldCalls | undefined {
    const held = this.#held
    this.#held = undefined
    clearTimeout(this.#deadline)
    return held
  }

  #settle(): void {
    this.#pending--
    if (this.#pending > 0 || this.#held === undefined || this.#failOnLoss()) return
    for (const hooks of this.#gates) this.#holdIfDue(hooks, hooks.beforeRelease?.())
    if (this.#pending === 0) for (const hooks of this.#gates) this.#holdIfDue(hooks, hooks.afterSaves?.())
    if (this.#pending > 0) return
    try {
      this.#letGo()?.release((method, args) => this.#pass(method, args))
    } catch (error) {
      this.fail(asError(error), this.#gates[0]!)
    }
  }

  /** Whether a failure that nobody took has become the answer. */
  #failOnLoss(): boolean {
    const lost = this.#failures.find(({ promise }) => !isTaken(promise))
    this.#failures = []
    if (lost !== undefined) this.fail(asError(lost.reason), lost.hooks)
    return lost !== undefined
  }

  /** A call of the handler after its answer was replaced: it looks done, so that nobody waits for it. */
  #swallow(method: string, args: unknown[]): unknown {
    callBack(args, this.#loss)
    return method === 'write' ? true : this.#res
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#letGo()?.drop(streamDestroyed())
    // A stream of HTTP/2 that was cancelled before anything was written counts as finished.
    const isComplete = this.#res.writableEnded && this.#res.writableFinished
    const how = this.#isFailing ? 'failed' : isComplete ? 'finish' : 'abort'
    for (const hooks of this.#gates) hooks.over(how)
  }
}

const isTaken = (promise: Promise<unknown>): boolean => promise instanceof WritePromise && promise.taken

type Method = (...args: unknown[]) => unknown

interface Failure {
  readonly promise: Promise<unknown>
  readonly reason: unknown
  readonly hooks: GateHooks
}

/** How an application still at work may come to change a head that is gone. */
const headMethods = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader']

const ourMethods: readonly string[] = [...gatedMethods, ...headMethods]

const isWriteHead = (method: string): boolean => method === 'writeHead' || method === 'writeHeader'

const asError = (reason: unknown): Error => reason instanceof Error ? reason : new Error(String(reason))

const overBudget = (): Error =>
  new StoreTimeoutError("A write was still pending when the request's budget was spent", { backend: 'any', operation: 'write' })

/** Node's own error for calls on a response that is gone. It never calls the callback of `end` then; we do. */
const streamDestroyed = (): Error =>
  Object.assign(new Error('The connection was closed before this could be sent'), { code: 'ERR_STREAM_DESTROYED' })

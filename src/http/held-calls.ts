import type { GatedResponse } from './gated-response.js'
import { standInFor } from './stand-in.js'

/** The calls that send something. `writeHeader` is an old name of `writeHead`, in HTTP/1 alone. */
export const gatedMethods = ['writeHead', 'writeHeader', 'flushHeaders', 'write', 'addTrailers', 'end'] as const
export type GatedMethod = typeof gatedMethods[number]

/**
 * Calls of one response that wait, in their order, and look done: while they wait, a stand-in answers for the response.
 * What Node refuses (a second `writeHead`, a number as a chunk) throws at the call, as ever, and does not wait.
 */
export class HeldCalls {
  /** Whether the head had left before the first of them. */
  readonly headersSent: boolean
  readonly #res: GatedResponse
  readonly #standIn: Record<string, unknown>
  readonly #calls: [method: GatedMethod, args: unknown[]][] = []
  readonly #undo: (() => void)[] = []
  /** What was assigned meanwhile, such as a status: too late for the head, which is prepared, but it can be read again. */
  readonly #assigned: Record<string, unknown> = {}
  readonly #emitDrain: () => void
  #owesDrain = false

  constructor(res: GatedResponse, emitDrain: () => void) {
    this.#emitDrain = emitDrain
    this.headersSent = res.headersSent
    this.#res = res
    this.#standIn = standInFor(res) as unknown as Record<string, unknown>
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0
  }

  add(method: GatedMethod, args: unknown[]): unknown {
    const standIn = this.#standIn as Record<GatedMethod, (...args: unknown[]) => unknown>
    const result = standIn[method](...args.filter((arg) => !isCallback(arg)))
    if (this.isEmpty) this.#pretend()
    this.#calls.push([method, args])
    if (method === 'write' && result === false) this.#owesDrain = true
    return result === standIn ? this.#res : result
  }

  /** Makes the calls. Should one of them throw, this does, and the later ones are not made. */
  release(call: (method: GatedMethod, args: unknown[]) => unknown): void {
    this.#tellTruth()
    for (const [method, args] of this.#calls) {
      // Where the real `write` answers false, Node itself emits the `drain`.
      if (call(method, args) === false && method === 'write') this.#owesDrain = false
    }
    Object.assign(this.#res, this.#assigned)
    if (!this.#res.writableEnded) this.#drain()
  }

  /** Forgets the calls. Their callbacks are called all the same; without an error the calls look done, so `drain` follows too. */
  drop(error?: Error): void {
    this.#tellTruth()
    for (const [, args] of this.#calls) callBack(args, error)
    if (error === undefined) this.#drain()
  }

  #drain(): void {
    if (this.#owesDrain) process.nextTick(this.#emitDrain)
  }

  #pretend(): void {
    const names = this.headersSent ? bodyMembers : [...headMembers, ...bodyMembers]
    for (const name of names) if (name in this.#res) this.#pretendOne(name)
  }

  #pretendOne(name: string): void {
    const own = Object.getOwnPropertyDescriptor(this.#res, name)
    this.#undo.push(() => own ? Object.defineProperty(this.#res, name, own) : Reflect.deleteProperty(this.#res, name))
    Object.defineProperty(this.#res, name, {
      configurable: true,
      get: () => {
        const value = this.#standIn[name]
        return typeof value === 'function' ? value.bind(this.#standIn) : value
      },
      set: (value) => {
        this.#assigned[name] = this.#standIn[name] = value
      }
    })
  }

  #tellTruth(): void {
    for (const undo of this.#undo.splice(0)) undo()
  }
}

/** Calls the callback among a call's arguments, if there is one, when Node would: in the next tick. */
export const callBack = (args: readonly unknown[], error?: Error): void => {
  for (const callback of args.filter(isCallback)) process.nextTick(callback, error)
}

const isCallback = (arg: unknown): arg is (error?: Error) => void => typeof arg === 'function'

/** The members by which a response gives away whether its head has left … */
const headMembers = [
  'headersSent', '_header', 'statusCode', 'statusMessage', 'sendDate', 'getHeader', 'getHeaders', 'getHeaderNames', 'getRawHeaderNames',
  'hasHeader', 'setHeader', 'setHeaders', 'appendHeader', 'removeHeader'
]

/** … and how far its body is. */
const bodyMembers = ['finished', 'writableEnded', 'writableFinished', 'writableLength', 'writableNeedDrain']

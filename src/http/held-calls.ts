import { isHttp1, type GatedResponse } from './gated-response.js'
import { kNeedDrain } from './node-symbols.js'
import { Pretence } from './pretence.js'
import { standInFor } from './stand-in.js'

/** The calls that send something. `writeHeader` is an old name of `writeHead`, in HTTP/1 alone. */
export const gatedMethods = ['writeHead', 'writeHeader', 'flushHeaders', 'write', 'addTrailers', 'end'] as const
export type GatedMethod = typeof gatedMethods[number]

/**
 * Calls of one response that wait, in their order, and look done: each is tried on a stand-in, and the response pretends to
 * be as far as that one is. What Node refuses (a second `writeHead`, a number as a chunk) throws at the call, as ever, and
 * does not wait.
 */
export class HeldCalls {
  /** Whether the head had left before the first of them. */
  readonly headersSent: boolean
  readonly #res: GatedResponse
  readonly #standIn: GatedResponse
  readonly #calls: [method: GatedMethod, args: unknown[]][] = []
  readonly #pretence: Pretence
  readonly #emitDrain: () => void
  #owesDrain = false

  constructor(res: GatedResponse, emitDrain: () => void) {
    this.headersSent = res.headersSent
    this.#res = res
    this.#standIn = standInFor(res)
    this.#pretence = new Pretence(res, this.#standIn)
    this.#emitDrain = emitDrain
  }

  add(method: GatedMethod, args: unknown[]): unknown {
    const members = this.#standIn as unknown as Record<GatedMethod, (...args: unknown[]) => unknown>
    const result = members[method](...args.filter((arg) => !isCallback(arg)))
    this.#calls.push([method, args])
    this.#pretence.update()
    if (method === 'write' && result === false) this.#owesDrain = true
    return result === this.#standIn ? this.#res : result
  }

  /** Makes the calls. Should one of them throw, this does, and the later ones are not made. */
  release(call: (method: GatedMethod, args: unknown[]) => unknown): void {
    const late = this.#pretence.end()
    this.#takeLostDrain()
    for (const [method, args] of this.#calls) {
      // Where the real `write` answers false, Node itself emits the `drain`.
      if (call(method, args) === false && method === 'write') this.#owesDrain = false
    }
    Object.assign(this.#res, late)
    if (!this.#res.writableEnded) this.#drain()
  }

  /** Forgets the calls. Their callbacks are called all the same; without an error the calls look done, so `drain` follows too. */
  drop(error?: Error): void {
    this.#pretence.end()
    for (const [, args] of this.#calls) callBack(args, error)
    if (error === undefined) this.#drain()
  }

  /** Since Node 24 no `drain` is emitted on a response with a length, and it had that of the held calls: this is for a write before them. */
  #takeLostDrain(): void {
    if (!isHttp1(this.#res) || !this.#res.writableNeedDrain || this.#res.writableLength > 0) return
    Object.assign(this.#res, { [kNeedDrain]: false })
    this.#owesDrain = true
  }

  #drain(): void {
    if (this.#owesDrain) process.nextTick(this.#emitDrain)
  }
}

/** Calls the callback among a call's arguments, if there is one, when Node would: in the next tick. */
export const callBack = (args: readonly unknown[], error?: Error): void => {
  for (const callback of args.filter(isCallback)) process.nextTick(callback, error)
}

const isCallback = (arg: unknown): arg is (error?: Error) => void => typeof arg === 'function'

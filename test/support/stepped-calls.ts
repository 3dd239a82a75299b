import type { NamespaceManager } from '../../src/namespace-manager.js'

export type Method = 'get' | 'create' | 'replace' | 'touch' | 'delete'

/** A call on its way: it has yet to reach the server, or its answer has yet to come back. */
export interface SteppedCall {
  readonly server: NamespaceManager
  readonly method: Method
  readonly args: readonly any[]
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  answer?: Promise<unknown>
  isGivenUp?: boolean
}

/** `lost`: never arrives. `unanswered`: does, and its answer does not. `late`: arrives when nobody waits for it any more. */
export type SteppedFault = 'lost' | 'unanswered' | 'late'

export interface SteppedHooks {
  readonly faultOf: (call: SteppedCall) => SteppedFault | undefined
  readonly failure: (call: SteppedCall, fault: SteppedFault) => Error
  /** What the server answers. */
  readonly arrive: (call: SteppedCall) => Promise<unknown>
}

/**
 * Connections to servers whose calls take two steps each, to arrive and to be answered, in an order of the test's choosing. A call takes effect
 * at one moment, so that this makes every order that a network could make.
 */
export class SteppedCalls {
  readonly #calls: SteppedCall[] = []
  readonly #hooks: SteppedHooks

  constructor(hooks: Partial<SteppedHooks> = {}) {
    this.#hooks = { faultOf: () => undefined, failure: (_, fault) => new Error(fault), arrive: arrived, ...hooks }
  }

  get size(): number {
    return this.#calls.length
  }

  /** `sent` is told of each call. */
  connection(server: NamespaceManager, sent: (call: SteppedCall) => void = () => {}): NamespaceManager {
    const send = (method: Method) => (...args: any[]): Promise<any> => new Promise((resolve, reject) => {
      const call = { server, method, args, resolve, reject }
      this.#calls.push(call)
      sent(call)
    })
    const methods = { get: send('get'), create: send('create'), replace: send('replace'), touch: send('touch'), delete: send('delete') }
    return { supports: server.supports, ...methods, close: async () => {} }
  }

  /** Lets one of the calls take its next step. */
  forward(index: number): void {
    const call = this.#calls[index]!
    const fault = call.isGivenUp ? 'unanswered' : this.#hooks.faultOf(call)
    const isArriving = call.answer === undefined
    if (isArriving && fault !== 'lost' && fault !== 'late') call.answer = this.#hooks.arrive(call)
    if (isArriving && fault === undefined) return
    if (fault === 'late') call.isGivenUp = true
    else this.#calls.splice(index, 1)
    if (fault === undefined) call.resolve(call.answer)
    else call.reject(this.#hooks.failure(call, fault))
  }
}

/** What a server answers to a call that has reached it. */
export const arrived = ({ server, method, args }: SteppedCall): Promise<unknown> => (server[method] as (...args: any[]) => Promise<unknown>).call(server, ...args)

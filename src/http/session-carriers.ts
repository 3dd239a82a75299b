import type { ServerResponse } from 'node:http'
import type { Carrier, ExchangeListener } from '../carrier.js'
import { emit, warnOnce } from '../diagnostics.js'
import type { OnError } from '../settings.js'
import { BareCarrier } from './bare-carrier.js'
import { CookieCarrier } from './cookie-carrier.js'
import type { CookieCarrierOptions } from './cookie-carrier.js'
import { readSlot } from './cookie-slots.js'
import { failureAnswer } from './failure-answer.js'
import type { FailureAnswer } from './failure-answer.js'
import type { GateHooks } from './gate-hooks.js'
import type { GatedResponse } from './gated-response.js'
import type { HeaderEdits } from './header-edits.js'
import { HeaderCarrier } from './header-carrier.js'
import type { IdPlace } from './header-carrier.js'
import type { OutletCarrier } from './outlet-carrier.js'
import { ResponseGate } from './response-gate.js'
import type { ConnectedRequest } from './secure-request.js'

export interface SessionCarrierOptions extends CookieCarrierOptions {
  /** How long a response is held at most, in milliseconds. */
  readonly budgetMs: number
  readonly onError: OnError | undefined
  /** Where the id is if not in a cookie. */
  readonly idPlace: IdPlace | undefined
}

/** What makes a carrier for each request: over its id and the gate on its response, or without a response over its id alone. */
export const sessionCarriers = (options: SessionCarrierOptions) =>
  (req: ConnectedRequest, res: ServerResponse | undefined, listener: ExchangeListener): Carrier => {
    const { idPlace: place, name } = options
    if (res === undefined) return new BareCarrier(name, place === undefined ? (slot) => readSlot(req, name, slot) : () => place.read(req))
    const open = (): ResponseGate => gateOn(res, listener, carrier, req, options)
    const carrier = place === undefined ? new CookieCarrier(req, open, options) : new HeaderCarrier(req, open, place)
    return carrier
  }

const gateOn = (res: ServerResponse, listener: ExchangeListener, carrier: OutletCarrier, req: object, options: SessionCarrierOptions): ResponseGate =>
  new ResponseGate(res, new SessionHooks(res, listener, carrier, req, options.onError), options)

class SessionHooks implements GateHooks {
  readonly #res: ServerResponse
  readonly #listener: ExchangeListener
  readonly #carrier: OutletCarrier
  readonly #req: object
  readonly #onError: OnError | undefined

  constructor(res: ServerResponse, listener: ExchangeListener, carrier: OutletCarrier, req: object, onError: OnError | undefined) {
    this.#res = res
    this.#listener = listener
    this.#carrier = carrier
    this.#req = req
    this.#onError = onError
  }

  beforeHead(status: number): Promise<unknown> | undefined {
    return this.#listener.beforeHead(status)
  }

  beforeEnd(): Promise<unknown> | undefined {
    return this.#listener.beforeEnd(this.#res.statusCode)
  }

  beforeRelease(): Promise<unknown> | undefined {
    return this.#listener.beforeRelease()
  }

  afterSaves(): Promise<unknown> | undefined {
    return this.#listener.afterSaves()
  }

  headers(): readonly HeaderEdits[] {
    return [this.#carrier.headerEdits()]
  }

  failureHeaders(): readonly HeaderEdits[] {
    return [this.#carrier.failureEdits()]
  }

  answer(error: Error, raw: GatedResponse): Promise<FailureAnswer | undefined> {
    return answerFor(error, this.#onError, this.#req, raw)
  }

  working(): Promise<unknown> | undefined {
    return this.#listener.working?.()
  }

  over(how: 'finish' | 'abort' | 'failed'): void {
    this.#listener.over(how)
  }
}

/** The application's own answer, if it gives one, else the library's. */
const answerFor = async (error: Error, onError: OnError | undefined, req: object, raw: any): Promise<FailureAnswer | undefined> => {
  if (onError !== undefined) {
    try {
      await onError(error, req, raw)
    } catch (failure) {
      emit('hook-failed', { hook: 'onError', error: failure })
    }
    if (raw.writableEnded) return undefined
  }
  const answer = failureAnswer(error)
  if (answer.status === 500) warnOnce('PHIAL_SERVER_ERROR', `a request was answered with 500: ${error.name}: ${error.message}`)
  return answer
}

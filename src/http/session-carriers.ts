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
  new ResponseGate(res, {
    beforeHead: (status) => listener.beforeHead(status),
    beforeEnd: () => listener.beforeEnd(res.statusCode),
    beforeRelease: () => listener.beforeRelease(),
    afterSaves: () => listener.afterSaves(),
    headers: () => [carrier.headerEdits()],
    failureHeaders: () => [carrier.failureEdits()],
    answer: (error, raw) => answerFor(error, options.onError, req, raw),
    working: () => listener.working?.(),
    over: (how) => listener.over(how),
  }, options)

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

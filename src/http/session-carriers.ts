import type { ServerResponse } from 'node:http'
import type { Carrier, ExchangeListener } from '../carrier.js'
import { emit, warnOnce } from '../diagnostics.js'
import type { OnError } from '../settings.js'
import { BareCarrier } from './bare-carrier.js'
import { CookieCarrier } from './cookie-carrier.js'
import type { CookieCarrierOptions } from './cookie-carrier.js'
import { failureAnswer } from './failure-answer.js'
import type { FailureAnswer } from './failure-answer.js'
import { ResponseGate } from './response-gate.js'
import type { ConnectedRequest } from './secure-request.js'

export interface SessionCarrierOptions extends CookieCarrierOptions {
  /** How long a response is held at most, in milliseconds. */
  readonly budgetMs: number
  readonly onError: OnError | undefined
}

/** What makes a carrier for each request: over its cookies and the gate on its response, or without a response over its cookies alone. */
export const sessionCarriers = (options: SessionCarrierOptions) =>
  (req: ConnectedRequest, res: ServerResponse | undefined, listener: ExchangeListener): Carrier => {
    if (res === undefined) return new BareCarrier(req, options.name)
    const carrier = new CookieCarrier(req, () => gateOn(res, listener, carrier, req, options), options)
    return carrier
  }

const gateOn = (res: ServerResponse, listener: ExchangeListener, carrier: CookieCarrier, req: object, options: SessionCarrierOptions): ResponseGate =>
  new ResponseGate(res, {
    beforeHead: (status) => listener.beforeHead(status),
    beforeEnd: () => listener.beforeEnd(res.statusCode),
    beforeRelease: () => listener.beforeRelease(),
    headers: () => [carrier.headerEdits()],
    answer: (error, raw) => answerFor(error, options.onError, req, raw, carrier),
    working: () => listener.working?.(),
    over: (how) => listener.over(how),
  }, options)

/** The application's own answer, if it gives one, else the library's. A session that was to be ended loses its cookie either way. */
const answerFor = async (error: Error, onError: OnError | undefined, req: object, raw: any, carrier: CookieCarrier): Promise<FailureAnswer | undefined> => {
  const expiring = carrier.expiringLines()
  if (onError !== undefined) {
    if (expiring.length > 0) raw.setHeader('Set-Cookie', expiring)
    try {
      await onError(error, req, raw)
    } catch (failure) {
      emit('hook-failed', { hook: 'onError', error: failure })
    }
    if (raw.writableEnded) return undefined
  }
  const { status, headers, body } = failureAnswer(error)
  if (status === 500) warnOnce('PHIAL_SERVER_ERROR', `a request was answered with 500: ${error.name}: ${error.message}`)
  return { status, body, headers: expiring.length > 0 ? { ...headers, 'Set-Cookie': expiring } : headers }
}

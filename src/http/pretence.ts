import { isHttp1, type GatedResponse } from './gated-response.js'
import { kOutHeaders } from './node-symbols.js'

/**
 * Makes a response look as far as its stand-in is. It changes the few members that tell how far a response is; the others derive
 * from these: where there is a head, `headersSent` is true and `setHeader` throws.
 */
export class Pretence {
  readonly #res: GatedResponse
  readonly #standIn: GatedResponse
  readonly #undo: (() => void)[] = []
  /** What the head is going to be made of … */
  readonly #prepared: Settings
  /** … and what can be read since it seems to have left. */
  #shown: Settings | undefined

  constructor(res: GatedResponse, standIn: GatedResponse) {
    this.#res = res
    this.#standIn = standIn
    this.#prepared = settingsOf(res)
  }

  /** To be called after each call on the stand-in. */
  update(): void {
    if (this.#shown === undefined) this.#showHead()
    const res = this.#res
    if (!isHttp1(res)) this.#show(res.stream, ['headersSent'])
    this.#show(res, isHttp1(res) ? http1Members : http2Members)
  }

  /** The response is as it was. Returns what was assigned meanwhile (`res.statusCode = …`): too late for the head, not lost. */
  end(): Settings {
    for (const undo of this.#undo.toReversed()) undo()
    const late = Object.entries(settingsOf(this.#res)).filter(([name, value]) => value !== this.#shown?.[name])
    Object.assign(this.#res, this.#prepared)
    return Object.fromEntries(late)
  }

  /** `writeHead` sets the status, and headers. */
  #showHead(): void {
    if (!isHttp1(this.#res)) setHeaders(this.#res, this.#standIn)
    Object.assign(this.#res, settingsOf(this.#standIn))
    this.#shown = settingsOf(this.#res)
  }

  #show(owner: object, names: readonly PropertyKey[]): void {
    for (const name of names) {
      const value: unknown = Reflect.get(this.#standIn, name)
      if (Reflect.get(owner, name) !== value) this.#showOne(owner, name, value)
    }
  }

  #showOne(owner: object, name: PropertyKey, value: unknown): void {
    const own = Object.getOwnPropertyDescriptor(owner, name)
    this.#undo.push(() => own ? Object.defineProperty(owner, name, own) : Reflect.deleteProperty(owner, name))
    Object.defineProperty(owner, name, { value, writable: true, enumerable: true, configurable: true })
  }
}

const setHeaders = (res: GatedResponse, standIn: GatedResponse): void => {
  for (const name of standIn.getHeaderNames()) {
    const value = standIn.getHeader(name)!
    if (value !== res.getHeader(name) && !name.startsWith(':')) res.setHeader(name, value)
  }
}

/**
 * Since Node 22 `writeHead` moves the headers of a raw array to the end. To do so by `removeHeader` and `setHeader` would leave traces
 * in the head that is still to leave.
 */
const http1Members = [kOutHeaders, '_header', 'finished', 'writableFinished', 'writableLength', 'writableNeedDrain']
const http2Members = ['finished', 'writableEnded', 'writableLength']

type Settings = Readonly<Record<string, unknown>>

/** The status message of HTTP/2 is always empty, and warns whoever reads it. */
const settingsOf = (res: GatedResponse): Settings => {
  const { statusCode, sendDate } = res
  return isHttp1(res) ? { statusCode, sendDate, statusMessage: res.statusMessage } : { statusCode, sendDate }
}

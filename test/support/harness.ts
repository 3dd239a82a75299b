import { IdKeys } from '../../src/record/id-keys.js'
import { keyOf, SignedIds } from '../../src/record/id.js'
import { makeCodec } from '../../src/record/codec.js'
import { TimeRules } from '../../src/record/time-rules.js'
import type { TimeSettings } from '../../src/record/time-rules.js'
import type { Carrier, CookieAttributes, ExchangeListener } from '../../src/carrier.js'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import { SessionManager } from '../../src/session/session-manager.js'
import type { SessionManagerOptions } from '../../src/session/session-manager.js'
import type { SessionObject } from '../../src/session/session-object.js'
import type { SessionPolicy } from '../../src/session/session-context.js'
import { HeadersSentError } from '../../src/errors.js'
import { memoryBackend } from '../../backends/memory.js'

/** A clock that moves when it is told to. */
export class Clock {
  #now = Date.UTC(2030, 0, 1)
  readonly now = (): number => this.#now
  advance(ms: number): void {
    this.#now += ms
  }
}

export interface SentCookie {
  readonly value: string | undefined
  readonly attributes: CookieAttributes
}

/** One exchange, without HTTP: what came, what was sent, and the moments of its end, in the test's hands. */
export class Exchange implements Carrier {
  readonly sent: Map<string, SentCookie> = new Map()
  readonly held: Promise<unknown>[] = []
  readonly failures: Error[] = []
  readonly req: object = {}
  headersSent = false
  finished = false
  usedTimes = 0
  readonly #cookies: Map<string, string>

  constructor(cookies: Map<string, string>) {
    this.#cookies = cookies
  }

  read(slot = ''): readonly string[] {
    const value = this.#cookies.get(slot)
    return value === undefined ? [] : [value]
  }

  write(value: string, attributes: CookieAttributes, slot = ''): void {
    if (this.headersSent) throw new HeadersSentError('headers left')
    this.sent.set(slot, { value, attributes })
  }

  expire(attributes: CookieAttributes, slot = ''): void {
    if (this.headersSent) throw new HeadersSentError('headers left')
    this.sent.set(slot, { value: undefined, attributes })
  }

  forget(): void {
    this.sent.clear()
  }

  hold(promise: Promise<unknown>): void {
    this.held.push(promise)
  }

  fail(error: Error): void {
    this.failures.push(error)
  }

  used(): void {
    this.usedTimes++
  }
}

/** A browser: keeps the cookies of its exchanges. */
export class Browser {
  readonly cookies: Map<string, string> = new Map()

  begin(): Exchange {
    return new Exchange(this.cookies)
  }

  keep({ sent }: Exchange): void {
    for (const [slot, { value }] of sent) {
      if (value === undefined) this.cookies.delete(slot)
      else this.cookies.set(slot, value)
    }
  }

  /** Another browser that holds the same cookies now. */
  copy(): Browser {
    const other = new Browser()
    for (const [slot, value] of this.cookies) other.cookies.set(slot, value)
    return other
  }
}

export const SECRET = 'W9v-3kqT_0zYb7Lr5nXc2mPd8sHf6gJa'

const COOKIE: CookieAttributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax', partitioned: false }

export interface HarnessOptions {
  readonly store?: NamespaceManager
  readonly clock?: Clock
  readonly time?: Partial<TimeSettings>
  readonly policy?: Partial<SessionPolicy>
  readonly manager?: Partial<SessionManagerOptions>
}

export interface Harness {
  readonly manager: SessionManager
  readonly store: NamespaceManager
  readonly clock: Clock
  readonly browser: Browser
  /** One request of the browser: the handler's work, then the end of the response with this status. */
  visit<R>(work: (session: SessionObject, exchange: Exchange) => Promise<R>, browser?: Browser, status?: number): Promise<R>
  open(exchange: Exchange): SessionObject
}

export const memoryStore = (now: () => number): NamespaceManager =>
  memoryBackend.open({ namespace: 'test', now, options: { maxSessions: 100_000, maxTotalBytes: 1e9, purgeInterval: 60 } as never, maxBytes: 262_144, sealer: undefined as never }) as NamespaceManager

const notHere = (): never => {
  throw new Error('this is shown with HTTP')
}

/** A whole session manager over a store, without HTTP. */
export const harness = (options: HarnessOptions = {}): Harness => {
  const clock = options.clock ?? new Clock()
  const store = options.store ?? memoryStore(clock.now)
  const keys = new IdKeys([SECRET], 'phial', keyOf)
  const carriers = new WeakMap<object, Exchange>()
  const listeners = new WeakMap<Exchange, ExchangeListener>()
  const manager = new SessionManager({
    backend: 'memory', store, sealer: undefined, codec: makeCodec('json'),
    rules: new TimeRules({ timeout: 3600, lifetime: 86_400, touchInterval: 60, saveAccessedTime: true, now: clock.now, ...options.time }),
    policy: { auto: false, forceCookie: false, cookie: COOKIE, cookieLife: true, checkCookie: () => {}, regenerateGrace: 0, clientKeeps: false, ...options.policy },
    maxBytes: 262_144, operationTimeout: 1, requestBudget: 2, onOutage: 'fail', invalidateCorrupt: true, requestKey: 'session', cookieName: 'phial', cookieNames: ['phial'],
    idSource: (carrier) => new SignedIds(carrier, keys),
    carrierFor: (req, _res, listener) => {
      const exchange = carriers.get(req)!
      listeners.set(exchange, listener)
      return exchange
    },
    cookiesFor: notHere, named: notHere, backendNamed: () => store,
    ...options.manager,
  })
  const browser = new Browser()
  const open = (exchange: Exchange): SessionObject => {
    carriers.set(exchange.req, exchange)
    return manager.open(exchange.req, exchange)
  }
  const visit = async <R>(work: (session: SessionObject, exchange: Exchange) => Promise<R>, by = browser, status = 200): Promise<R> => {
    const exchange = by.begin()
    const object = open(exchange)
    const result = await work(object, exchange)
    await object.beforeHead(status)
    await Promise.allSettled(exchange.held)
    await object.beforeRelease()
    await object.afterSaves()
    exchange.headersSent = true
    await object.beforeEnd(status)
    await object.beforeRelease()
    await object.afterSaves()
    exchange.finished = true
    object.over('finish')
    by.keep(exchange)
    return result
  }
  return { manager, store, clock, browser, visit, open }
}

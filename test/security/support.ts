import type { ExecutionContext } from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CookieJar } from 'tough-cookie'
import { fileBackend } from '../../backends/file.js'
import { memoryBackend } from '../../backends/memory.js'
import { IdKeys } from '../../src/record/id-keys.js'
import { keyOf, SignedIds } from '../../src/record/id.js'
import type { PhialEvent, SessionRequest, SettingsInput } from '../../src/index.js'
import type { Enumerable, NamespaceManager, OwnerIndex, Purgeable } from '../../src/namespace-manager.js'
import { serve } from '../support/app.js'
import type { App } from '../support/app.js'
import { detachedCarrier } from '../../src/session/detached-carrier.js'
import { SECRET } from '../support/harness.js'

export type Handler = (req: SessionRequest, res: ServerResponse) => unknown

/** One way of keeping sessions that this release has. */
export interface Mode {
  readonly name: string
  /** The records are kept by the server, and not by the client. */
  readonly isStored: boolean
  settings(t: ExecutionContext): SettingsInput
}

export const ENCRYPT_KEY = 'u7Tq_2RkZ9wXb4Vn8sLc1mHy6dFg3pJe'

/** On a busy machine a file takes its time: what is tested here is not how long. */
const PATIENT = { operationTimeout: 30, requestBudget: 60 }

const memory: Mode = { name: 'memory', isStored: true, settings: () => ({ type: 'memory', ...PATIENT }) }
const file: Mode = {
  name: 'file', isStored: true, settings: (t) => ({ type: 'file', dataDir: directory(t), file: { sync: false }, ...PATIENT }),
}
const signed: Mode = { name: 'cookie, signed', isStored: false, settings: () => ({ type: 'cookie' }) }
const encrypted: Mode = {
  name: 'cookie, encrypted', isStored: false, settings: () => ({ type: 'cookie', encryptKey: ENCRYPT_KEY }),
}

export const STORED: readonly Mode[] = [memory, file]
export const COOKIES: readonly Mode[] = [signed, encrypted]
export const MODES: readonly Mode[] = [...STORED, ...COOKIES]

/**
 * How often a loop runs: what the variable of the environment says, else what fits into every test run. The variables are
 * PHIAL_INTERLEAVINGS, PHIAL_REQUESTS, PHIAL_ROUNDS, PHIAL_OPERATIONS and PHIAL_FUZZ; PHIAL_SEED repeats a random run.
 */
export const countOf = (variable: string, usual: number): number => Number(process.env[variable] ?? usual)

/** A directory of the test's own. */
export const directory = (t: ExecutionContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'phial-security-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export const serveIn = (t: ExecutionContext, mode: Mode, handler: Handler, settings: SettingsInput = {}): Promise<App> =>
  serve(t, handler, { ...PATIENT, ...mode.settings(t), ...settings })

export type Store = NamespaceManager & Enumerable & Purgeable & OwnerIndex

/** A stored mode's namespace manager, for a test that stands between it and the session manager. */
export const openStore = (t: ExecutionContext, mode: Mode, now: () => number = Date.now, dataDir: string = directory(t)): Store => {
  const common = { namespace: 'test', now, maxBytes: 262_144, sealer: undefined as never }
  const store = mode === file
    ? fileBackend.open({ ...common, dataDir, options: { sync: false, disk: 'auto', purgeInterval: 3600 } })
    : memoryBackend.open({ ...common, options: { maxSessions: 1_000_000, maxTotalBytes: 1e9, purgeInterval: 3600 } })
  t.teardown(() => store.close())
  return store as Store
}

/** The store with some of its methods replaced. */
export const withMethods = (store: NamespaceManager, methods: Partial<NamespaceManager & OwnerIndex>): NamespaceManager => {
  const bound = Object.fromEntries([...CORE, ...ABILITIES].map((name) => [name, (store as any)[name]?.bind(store)]))
  return { ...bound, supports: store.supports, ...methods } as unknown as NamespaceManager
}

const CORE = ['get', 'create', 'replace', 'touch', 'delete', 'close'] as const
const ABILITIES = ['keys', 'purgeExpired', 'lock', 'addOwned', 'removeOwned', 'listOwned'] as const

export const keysOf = async (store: Enumerable): Promise<string[]> => {
  const keys: string[] = []
  for await (const key of store.keys()) keys.push(key)
  return keys
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly setCookies: readonly string[]
  readonly body: string
}

type Headers = Record<string, string | string[]>

const agent = new Agent({ keepAlive: true })

/** One request with exactly these headers, without a jar. */
export const ask = (port: number, path = '/', headers: Headers = {}, method = 'GET', body = ''): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, method, headers, agent }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => { text += chunk })
      res.on('end', () => {
        resolve({ status: res.statusCode!, headers: res.headers, setCookies: res.headers['set-cookie'] ?? [], body: text })
      })
      res.on('error', reject)
    })
    sent.on('error', reject)
    sent.setTimeout(20_000, () => sent.destroy(new Error('no answer came')))
    sent.end(body)
  })

/** A browser: a cookie jar, and requests that use it. */
export class Visitor {
  readonly port: number
  readonly jar: CookieJar

  constructor(port: number, jar: CookieJar = new CookieJar()) {
    this.port = port
    this.jar = jar
  }

  async ask(path = '/', headers: Headers = {}, method = 'GET', body = ''): Promise<Reply> {
    const cookie = await this.cookies()
    const reply = await ask(this.port, path, cookie === '' ? headers : { cookie, ...headers }, method, body)
    for (const line of reply.setCookies) await this.jar.setCookie(line, this.#url)
    return reply
  }

  async body(path = '/'): Promise<string> {
    return (await this.ask(path)).body
  }

  cookies(): Promise<string> {
    return this.jar.getCookieString(this.#url)
  }

  /** The id that the cookie carries, of a stored mode. */
  async id(): Promise<string> {
    return /phial=([\w-]{43})\./.exec(await this.cookies())![1]!
  }

  /** Another browser that holds the same cookies now. */
  copy(): Visitor {
    return new Visitor(this.port, this.jar.cloneSync()!)
  }

  get #url(): string {
    return `http://127.0.0.1:${this.port}/`
  }
}

/** The cookie that a server with this secret would have sent for the id. */
export const cookieFor = (id: string, name = 'phial', secret: string = SECRET): string => {
  let sent = ''
  new SignedIds({ ...detachedCarrier, write: (value) => { sent = value } }, new IdKeys([secret], name, keyOf)).writeId(id, {} as never)
  return `${name}=${sent}`
}

/** What a visitor does, by the path: `/set?k=v`, `/get?k`, `/login?user`, `/logout`, … The answer is the data, without the id. */
export const acts: Handler = async (req, res) => {
  const { pathname, searchParams } = new URL(req.url!, 'http://host')
  const session = await req.session.load()
  const act = pathname.slice(1)
  if (act === 'set') await session.assign(Object.fromEntries(searchParams)).save()
  if (act === 'change') session.assign(Object.fromEntries(searchParams))
  if (act === 'save') await session.save()
  if (act === 'add') await session.update('n', (n = 0) => n + 1)
  if (act === 'login') {
    const user = searchParams.get('user')!
    session.owner = user
    session.set('user', user)
    await session.regenerateId({ authenticated: true })
  }
  if (act === 'renew') await session.regenerateId()
  if (act === 'invalidate') await session.invalidate()
  if (act === 'logout') await session.destroy()
  res.end(JSON.stringify(session))
}

export interface Told {
  readonly event: PhialEvent
  readonly fields: Record<string, unknown>
}

export const EVENTS: readonly PhialEvent[] = [
  'created', 'regenerated', 'destroyed', 'expired', 'unknown-id', 'rejected-id', 'corrupt', 'conflict', 'gone', 'store-error',
  'store-recovered', 'cache-stale',
  'csrf-refused', 'dropped', 'cookie-skipped', 'cache-overridden', 'evicted', 'lock-compromised', 'hook-failed',
]

/** Every event from now to the test's end. For serial tests: others' events cannot be told apart. */
export const record = (t: ExecutionContext): Told[] => {
  const told: Told[] = []
  for (const event of EVENTS) {
    const listener = (fields: unknown): void => { told.push({ event, fields: fields as Record<string, unknown> }) }
    subscribe(`phial:${event}`, listener)
    t.teardown(() => unsubscribe(`phial:${event}`, listener))
  }
  return told
}

/** A number source that a failing run can be repeated with. */
export const random = (seed: number): (() => number) => () => {
  seed = (seed + 0x6D2B79F5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

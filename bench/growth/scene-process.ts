// A process that keeps one scene and does what it is asked over the channel to its parent.
import { once } from 'node:events'
import { createServer, IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createManager, withSession } from '../../src/index.js'
import type { Session, SessionManager, SettingsInput } from '../../src/index.js'
import { makeCodec } from '../../src/record/codec.js'
import { IdKeys } from '../../src/record/id-keys.js'
import { keyOf } from '../../src/record/id.js'
import { Content } from '../../src/record/content.js'
import { formatRecord } from '../../src/record/record.js'
import { EventLoopWatch } from './event-loop.js'
import { BODY } from './http-load.js'
import type { Asks, Call, Cost, MemoryPerSession, Pause, SceneSpec } from './scene.js'
import { sessionData } from './session-data.js'

const SECRET = 'growth-is-measured-with-a-secret-that-is-no-secret'
const COOKIE = 'phial'
const ID_CHARS = 43
const KEYS = new IdKeys([SECRET], COOKIE, keyOf)

/** Milliseconds that sessions live without a read, and by how much the first of them are older. */
const LIFE = 86_400_000
const OLDER = LIFE / 2

class SceneProcess {
  readonly #spec: SceneSpec
  readonly #manager: SessionManager
  /** How far the clock of the sessions is ahead. */
  #ahead = 0
  /** The ids in a row, outside of the heap; of the cookie store, where the client keeps all, what it sends. */
  readonly #ids: Buffer
  readonly #kept: string[] = []
  readonly #server: Server

  constructor(spec: SceneSpec) {
    this.#spec = spec
    this.#ids = Buffer.alloc(spec.store === 'cookie' ? 0 : spec.count * ID_CHARS, 'x')
    this.#manager = createManager(this.#settings({ timeout: LIFE / 1000 }))
    this.#server = createServer(withSession(async (req, res) => {
      expectData(await req.session.load())
      res.end(BODY)
    }, this.#manager))
  }

  /** Resolves when all sessions are there, to what they take of this process. */
  async seed(): Promise<MemoryPerSession> {
    const { count, expiring, size, store } = this.#spec
    await this.#create(this.#manager, 0) // what is made once for all is no growth
    const before = memory()
    await this.#each(1, expiring, (index) => this.#create(this.#manager, index))
    if (store !== 'redis') this.#ahead += OLDER
    await this.#each(Math.max(1, expiring), count, (index) => this.#create(this.#manager, index))
    const after = memory()
    return {
      heap: (after.heap - before.heap) / (count - 1),
      external: (after.external - before.external) / (count - 1),
      rss: (after.rss - before.rss) / (count - 1),
      record: recordBytes(size),
    }
  }

  round(call: Call, ms: number): Promise<Cost> {
    return this.#measured(call, ms)
  }

  /** How long the event loop stands still while sessions are read, and while those that have ended are removed. */
  async pause(what: 'reading' | 'purging', ms: number): Promise<Pause> {
    const cookies = this.#requests(Math.min(1_000, this.#spec.count))
    const ending = what === 'purging' ? await this.#endSome(ms) : undefined
    const watch = new EventLoopWatch()
    const began = performance.now()
    let isOver = false
    let slowestRead = 0
    const reader = async (): Promise<void> => {
      for (let index = 0; !isOver; index = (index + 1) % cookies.length) {
        const from = performance.now()
        await this.#read(cookies[index]!)
        slowestRead = Math.max(slowestRead, performance.now() - from)
        await turn()
      }
    }
    const reading = [reader(), reader()]
    const purged = ending === undefined ? await sleep(ms, 0) : await ending()
    isOver = true
    await Promise.all(reading)
    await watch.stop()
    return { ...watch.longest(), slowestRead, lastedMs: performance.now() - began, purged }
  }

  async serve(): Promise<Asks['serve']['answer']> {
    if (!this.#server.listening) await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return { port: (this.#server.address() as AddressInfo).port, cookies: this.#requests(BATCH) }
  }

  async cpu(): Promise<number> {
    const { user, system } = process.cpuUsage()
    return user + system
  }

  async close(): Promise<null> {
    this.#server.close()
    await this.#manager.close()
    return null
  }

  #settings(own: SettingsInput): SettingsInput {
    const { store, place } = this.#spec
    return {
      type: store, ...place, ...own, touchInterval: LIFE / 10_000, secret: SECRET, secure: false, cookieName: COOKIE, namespace: 'growth', maxBytes: 2 ** 20, operationTimeout: 60, requestBudget: 60,
      now: () => Date.now() + this.#ahead,
      ...(store === 'memory' && { memory: { maxSessions: 2 ** 31, maxTotalBytes: 2 ** 40 } }),
      ...(store === 'file' && { file: { sync: false, purgeInterval: 0 } }),
    }
  }

  async #create(manager: SessionManager, index: number): Promise<void> {
    const data = sessionData(this.#spec.size, index)
    if (this.#spec.store === 'cookie') {
      this.#kept[index] = await this.#sent(async (session) => session.assign(data).save(), '')
      return
    }
    const session = await manager.create()
    if (this.#spec.owned) session.owner = `owner ${index}`
    await session.assign(data).save()
    this.#ids.write(session.id, index * ID_CHARS, 'latin1')
  }

  /** Many at once where there is something to wait for; tells how far it is. */
  async #each(from: number, to: number, work: (index: number) => Promise<void>): Promise<void> {
    let next = from
    let told = performance.now()
    const lane = async (): Promise<void> => {
      while (next < to) {
        await work(next++)
        if (performance.now() - told < 5_000) continue
        told = performance.now()
        process.send?.({ progress: `${next.toLocaleString('en')} of ${this.#spec.count.toLocaleString('en')} sessions` })
      }
    }
    await Promise.all(Array.from({ length: this.#inFlight }, lane))
  }

  get #inFlight(): number {
    return this.#spec.inFlight ?? { memory: 1, cookie: 1, file: 16, redis: 32, memcache: 32 }[this.#spec.store]
  }

  /** For `ms` milliseconds: what is needed for it is made before. */
  async #measured(call: Call, ms: number): Promise<Cost> {
    let us = 0
    let cpuUs = 0
    let operations = 0
    for (const end = performance.now() + 4 * ms; us < 1000 * ms && performance.now() < end;) {
      const requests = call === 'read by id' ? this.#someIds(BATCH) : this.#requests(BATCH)
      const cpu = process.cpuUsage()
      const from = performance.now()
      operations += await this.#batch(requests, call, from + ms)
      us += (performance.now() - from) * 1000
      const { user, system } = process.cpuUsage(cpu)
      cpuUs += user + system
    }
    return { us: us / operations, cpuUs: cpuUs / operations, operations }
  }

  /** How many it was done for when the time was over. */
  async #batch(requests: readonly string[], call: Call, end: number): Promise<number> {
    let next = 0
    const work = this.#work(call)
    const lane = async (): Promise<void> => {
      while (next < requests.length && performance.now() < end) await work(requests[next++]!)
    }
    await Promise.all(Array.from({ length: this.#inFlight }, lane))
    return next
  }

  #work(call: Call): (request: string) => Promise<unknown> {
    if (call === 'read') return (cookie) => this.#read(cookie)
    if (call === 'read and save') return (cookie) => this.#save(cookie)
    return async (id) => expectData(await this.#manager.getById(id))
  }

  async #read(cookie: string): Promise<void> {
    expectData(await this.#manager.open(requestWith(cookie)).load())
  }

  async #save(cookie: string): Promise<void> {
    const change = async (session: Session): Promise<void> => session.set('n', 100_000 + (expectData(session) + 1) % 100_000).save()
    if (this.#spec.store === 'cookie') await this.#sent(change, cookie)
    else await change(await this.#manager.open(requestWith(cookie)).load())
  }

  /** The `Cookie` header with which the client comes back. The response is a real one that goes nowhere. */
  async #sent(change: (session: Session) => Promise<void>, cookie: string): Promise<string> {
    const req = new IncomingMessage(new Socket())
    req.headers.cookie = cookie
    const res = new ServerResponse(req)
    await change(await this.#manager.open(req, res).load())
    res.writeHead(204).end()
    return [res.getHeader('set-cookie') ?? []].flat().map((line) => String(line).split(';', 1)[0]).join('; ')
  }

  #someIds(many: number): string[] {
    const { count, expiring } = this.#spec
    return Array.from({ length: many }, () => this.#idOf(expiring + Math.floor(Math.random() * (count - expiring))))
  }

  #idOf(index: number): string {
    return this.#ids.toString('latin1', index * ID_CHARS, (index + 1) * ID_CHARS)
  }

  /** `Cookie` headers of clients whose sessions stay. */
  #requests(many: number): string[] {
    const { cookies, store } = this.#spec
    const others = othersCookies(cookies - 1)
    if (store === 'cookie') return Array.from({ length: many }, (_, index) => this.#kept[index % this.#kept.length]! + others)
    return this.#someIds(many).map((id) => `${COOKIE}=${KEYS.sign(id)}${others}`)
  }

  /** Makes the first sessions end; what it answers removes them, or waits while the server does. */
  async #endSome(ms: number): Promise<() => Promise<number>> {
    const { expiring, store, place } = this.#spec
    if (store !== 'redis') {
      this.#ahead += LIFE - OLDER + 120_000
      return () => this.#manager.purgeExpired()
    }
    const redis = new Redis(place.url!)
    const ends = Array.from({ length: expiring }, (_, index) => redis.pexpire(`growth:${keyOf(this.#idOf(index))}`, 1 + Math.floor(Math.random() * ms)))
    await Promise.all(ends)
    redis.disconnect()
    return () => sleep(ms, expiring)
  }
}

/** Of requests that are made ahead. */
const BATCH = 2_000

const requestWith = (cookie: string): object => ({ headers: { cookie } })

const expectData = (session: Session | undefined): number => {
  const n: unknown = session?.get('n')
  if (typeof n === 'number') return n
  throw new Error('a session is missing')
}

/** As an application with analytics and preferences has them; as many octets as a header may have, at most. */
const othersCookies = (many: number): string => Array.from({ length: many }, (_, n) => `; _other_${n}=${'v'.repeat(40)}${n}`).join('')

const recordBytes = (size: number): number => {
  const now = Date.now()
  const payload = new Content(makeCodec('json'), sessionData(size, 1)).encode()
  return Buffer.byteLength(formatRecord('0'.repeat(64), { meta: { createdAt: now, savedAt: now, writes: ['x'.repeat(16)] }, payload }, false))
}

const memory = (): { heap: number; external: number; rss: number } => {
  for (let round = 0; round < 3; round++) gc!()
  const { heapUsed: heap, external, rss } = process.memoryUsage()
  return { heap, external, rss }
}

const scene = new SceneProcess(JSON.parse(process.argv[2]!) as SceneSpec)

process.on('disconnect', () => process.exit())
process.on('message', ({ ask, args }: { ask: keyof Asks; args: unknown[] }) => {
  const asked = scene[ask] as (...args: unknown[]) => Promise<unknown>
  asked.apply(scene, args).then(
    (answer) => process.send!({ answer }),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.stack : String(error) }),
  )
})

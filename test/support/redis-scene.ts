import type { ExecutionContext } from 'ava'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionRequest, SettingsInput } from '../../src/index.js'
import { serve } from './app.js'
import type { App, Client } from './app.js'
import { FaultProxy } from './fault-proxy.js'
import { RedisServer } from './redis-server.js'
import type { RedisServerOptions } from './redis-server.js'

/** What came of one request. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly cookies: readonly string[]
  readonly retryAfter: string | null
  /** Milliseconds. */
  readonly ms: number
  /** What the handler was handed. */
  readonly error: unknown
}

export interface Story {
  readonly app: App
  /** One with a session in which `a` is 1. */
  readonly browser: Client
  /** Of its session. */
  id(): Promise<string>
  ask(path: string, browser?: Client): Promise<Answer>
  /** Milliseconds that each request so far took, by the application's watch: on a busy machine the client's own part is long. */
  readonly took: number[]
  /** Milliseconds until a request succeeds again. */
  recovers(path?: string, browser?: Client): Promise<number>
}

export interface Scene extends Story {
  readonly server: RedisServer
  /** Between the application and the server. */
  readonly proxy: FaultProxy
}

export interface SceneOptions extends RedisServerOptions {
  readonly settings?: SettingsInput
  /** One that runs already, in place of another. */
  readonly server?: RedisServer
  /** The server is not running when the application starts. */
  readonly isDown?: boolean
}

/** An application with deadlines as they are by default, before a proxy, before a redis server. */
export const redisScene = async (t: ExecutionContext, { settings = {}, isDown = false, ...options }: SceneOptions = {}): Promise<Scene> => {
  t.timeout(120_000)
  const server = options.server ?? (await RedisServer.start(t, options))
  if (isDown) await server.kill()
  const proxy = await FaultProxy.start(server.port)
  t.teardown(() => proxy.close())
  return { server, proxy, ...(await storyAt(t, `redis://127.0.0.1:${proxy.port}`, settings, isDown)) }
}

/** An application with deadlines as they are by default, before the servers that are named. */
export const storyAt = async (t: ExecutionContext, url: string, settings: SettingsInput = {}, isDown = false): Promise<Story> => {
  const errors = new Map<string, unknown>()
  const took: number[] = []
  const app = await serve(t, async (req, res) => {
    const begun = performance.now()
    res.once('finish', () => took.push(performance.now() - begun))
    try {
      await story(req, res)
    } catch (error) {
      errors.set(String(req.headers['x-ask']), error)
      throw error
    }
  }, { type: 'redis', url, namespace: 'app', ...settings } as SettingsInput)
  const browser = app.client()
  let asked = 0
  const ask = async (path: string, by = browser): Promise<Answer> => {
    const number = `${asked++}`
    const begun = performance.now()
    const response = await by.get(path, { headers: { 'x-ask': number } })
    const text = await response.text()
    const ms = performance.now() - begun
    return { status: response.status, text, cookies: response.headers.getSetCookie(), retryAfter: response.headers.get('retry-after'), ms, error: errors.get(number) }
  }
  const recovers = async (path = '/', by = browser): Promise<number> => {
    const begun = performance.now()
    while ((await ask(path, by)).status !== 200) {
      if (performance.now() - begun > 20_000) throw new Error('it did not recover')
      await sleep(20)
    }
    return performance.now() - begun
  }
  const id = async (): Promise<string> => decodeURIComponent((await browser.cookies()).split('=')[1]!).split('.')[0]!
  // Twice: a server has to be told a script before it knows it.
  for (let times = isDown ? 2 : 0; times < 2; times++) t.like(await ask('/set/a/1'), { status: 200, error: undefined })
  return { app, browser, id, ask, took, recovers }
}

/** `/verb/key/value`: what a request does with its session. */
const story = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  const [, verb, key = '', value] = req.url!.split('/')
  if (verb === 'none') return void res.end('none')
  const session = await req.session.load()
  if (verb === 'set') await session.set(key, value).save()
  if (verb === 'add') await session.update('n', (n = 0) => n + 1)
  if (verb === 'logout') await session.destroy()
  if (verb === 'renew') await session.regenerateId()
  if (verb === 'login') {
    session.owner = key
    await session.regenerateId({ authenticated: true })
  }
  res.end(JSON.stringify(session.data))
}

/** Over what is promised, for a machine that has other things to do. */
const SLACK_MS = 400

/** That a request was answered with 503 in time, without a cookie, and its handler handed this error. */
export const isRefused = (t: ExecutionContext, answer: Answer, expected: object, withinMs = 1_000): void => {
  t.is(answer.status, 503)
  t.is(answer.retryAfter, '1')
  t.deepEqual(answer.cookies, [])
  t.like(answer.error, { backend: 'redis', ...expected })
  t.true(answer.ms < withinMs + SLACK_MS, `took ${answer.ms} ms`)
}

/** That the first success comes within 2 s of the healing. */
export const isBack = async (t: ExecutionContext, scene: Story, path?: string): Promise<void> => {
  const ms = await scene.recovers(path)
  t.log(`first success after ${Math.round(ms)} ms`)
  t.true(ms < 2_000 + SLACK_MS, `took ${ms} ms`)
}

export const unavailable = { code: 'PHIAL_STORE_UNAVAILABLE', retryable: true }
export const timedOut = { code: 'PHIAL_STORE_TIMEOUT', retryable: true }
export const unknown = { code: 'PHIAL_STORE_OUTCOME_UNKNOWN' }
export const lasting = { code: 'PHIAL_STORE', retryable: false }

import anyTest from 'ava'
import type { ExecutionContext } from 'ava'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionRequest, SettingsInput } from '../../src/index.js'
import { listen, serve } from '../support/app.js'
import type { App, Client } from '../support/app.js'
import { freshNamespace, hasMemcached, proxyTo, startMemcached } from '../support/memcache-store.js'
import type { MemcachedServer } from '../support/memcached-server.js'

// One after the other: how long an answer takes is part of what is asserted.
const test = hasMemcached() ? anyTest.serial : anyTest.serial.skip

/** The two seconds of a request, and what a busy machine adds. */
const BUDGET = 2_600

const handler = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  const [, verb, key = ''] = req.url!.split('/')
  if (verb === 'untouched') return void res.end('untouched')
  const session = await req.session.load()
  if (verb === 'set') await session.set(key, 1).save()
  if (verb === 'add') await session.update('n', (n = 0) => n + 1)
  if (verb === 'large') await session.set('large', 'x'.repeat(Number(key))).save()
  if (verb === 'fill') await session.set('filling', 'x'.repeat(1_000)).save()
  if (verb === 'logout') await session.destroy()
  res.end(JSON.stringify(session))
}

const start = (t: ExecutionContext, url: string, settings: SettingsInput = {}): Promise<App> =>
  serve(t, handler, { type: 'memcache', url, namespace: freshNamespace(), ...settings })

/** A browser that has a session with `{"a":1}`. */
const withSession = async ({ client }: App): Promise<Client> => {
  const browser = client()
  for (let tries = 0; tries < 100 && (await browser.get('/set/a')).status !== 200; tries++) await sleep(50)
  return browser
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly setsCookie: boolean
  readonly ms: number
}

const answerTo = async (browser: Client, path: string): Promise<Answer> => {
  const since = performance.now()
  const response = await browser.get(path)
  return { status: response.status, text: await response.text(), setsCookie: response.headers.getSetCookie().length > 0, ms: performance.now() - since }
}

const isRefused = (t: ExecutionContext, { status, setsCookie, ms }: Answer): void => {
  t.is(status, 503)
  t.false(setsCookie)
  t.true(ms < BUDGET, `${ms} ms`)
}

/** How long after now the first request succeeds. */
const recovers = async (t: ExecutionContext, browser: Client): Promise<void> => {
  const since = performance.now()
  while ((await browser.get('/read')).status !== 200 && performance.now() - since < 20_000) await sleep(20)
  const ms = performance.now() - since
  t.log(`first success after ${Math.round(ms)} ms`)
  t.true(ms < 2_000, `${ms} ms`)
}

test('commands counted at the server: untouched 0, a visitor without a session 0, read 1, read and save 2', async (t) => {
  const server = await startMemcached(t)
  const app = await start(t, server.url)
  const browser = await withSession(app)
  const cost = async (path: string, by: Client = browser): Promise<number> => {
    const before = await total(server)
    await by.get(path)
    return (await total(server)) - before
  }
  t.is(await cost('/untouched'), 0)
  t.is(await cost('/read', app.client()), 0)
  t.is(await cost('/read'), 1)
  t.is(await cost('/set/b'), 2)
  t.is(await cost('/add'), 2)
  t.is(await cost('/set/a', app.client()), 1)
  t.is(await cost('/logout'), 2)
})

const total = async (server: MemcachedServer): Promise<number> => Object.values(await server.commands()).reduce((sum, count) => sum + count, 0)

test('a session with a rolling cookie is touched once an interval, and only then does its cookie come again', async (t) => {
  const server = await startMemcached(t)
  let now = Date.now()
  const app = await start(t, server.url, { timeout: 600, touchInterval: 60, cookieExpires: 600, now: () => now })
  const browser = await withSession(app)
  const touches: boolean[] = []
  for (let step = 0; step < 9; step++) {
    now += 25_000
    touches.push((await answerTo(browser, '/read')).setsCookie)
  }
  t.deepEqual(touches, [false, false, true, false, false, true, false, false, true])
})

test('M01: down: 503 without a cookie, untouched requests and visitors go on, and a server back with nothing is a clean anonymous', async (t) => {
  const server = await startMemcached(t)
  const app = await start(t, server.url)
  const browser = await withSession(app)
  await server.kill()
  const times: number[] = []
  for (const path of ['/read', '/set/b', '/add', '/logout']) {
    const answer = await answerTo(browser, path)
    isRefused(t, answer)
    times.push(answer.ms)
  }
  t.log(`503 after ${times.map(Math.round).join(', ')} ms`)
  isRefused(t, await answerTo(app.client(), '/set/a'))
  t.is((await answerTo(browser, '/untouched')).status, 200)
  t.is((await answerTo(app.client(), '/read')).status, 200)
  await server.start()
  await recovers(t, browser)
  t.is(await browser.text('/read'), '{}')
})

test('M01: hung: 503 in time, and the session is there when it goes on', async (t) => {
  const server = await startMemcached(t)
  const app = await start(t, server.url)
  const browser = await withSession(app)
  await server.hang()
  const times: number[] = []
  for (const path of ['/read', '/set/b', '/add', '/read', '/read', '/read']) {
    const answer = await answerTo(browser, path)
    isRefused(t, answer)
    times.push(answer.ms)
  }
  t.log(`503 after ${times.map(Math.round).join(', ')} ms`)
  server.wake()
  await recovers(t, browser)
  t.is(JSON.parse(await browser.text('/read')).a, 1)
})

test('M01: hung in the middle of saves: each takes effect once or not at all, and 200 means that it did', async (t) => {
  const server = await startMemcached(t)
  const app = await start(t, server.url)
  const browser = await withSession(app)
  let confirmed = 0
  let sent = 0
  for (let round = 0; round < 3; round++) {
    const adding = Array.from({ length: 10 }, async () => {
      sent += 1
      if ((await browser.get('/add')).status === 200) confirmed += 1
    })
    await server.hang()
    await Promise.all(adding)
    server.wake()
    await recovers(t, browser)
  }
  const { n = 0 } = JSON.parse(await browser.text('/read'))
  t.true(n >= confirmed && n <= sent, `${confirmed} confirmed, ${n} counted, ${sent} sent`)
})

test('M01: hung with 1,000 requests at once: all are answered in time', async (t) => {
  const server = await startMemcached(t)
  const app = await start(t, server.url)
  const browser = await withSession(app)
  const taken: number[] = []
  app.server.on('request', (_req, res) => {
    const since = performance.now()
    res.on('close', () => taken.push(performance.now() - since))
  })
  await server.hang()
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => answerTo(browser, '/read')))
  t.true(answers.every(({ status, setsCookie }) => status === 503 && !setsCookie))
  const slowest = Math.max(...taken)
  t.log(`slowest ${Math.round(slowest)} ms`)
  t.true(slowest < 2 * BUDGET, `${slowest} ms`) // a thousand clients and their server are one process here
  server.wake()
  await recovers(t, browser)
})

test('M23: a black hole, and then none: 503 in time, the write that vanished is not made later', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const app = await start(t, `127.0.0.1:${proxy.port}`)
  const browser = await withSession(app)
  await proxy.set({ kind: 'black-hole' })
  isRefused(t, await answerTo(browser, '/set/b'))
  isRefused(t, await answerTo(browser, '/read'))
  await proxy.heal()
  await recovers(t, browser)
  t.is(await browser.text('/read'), '{"a":1}')
})

test('M23: the answer to a save is lost, and the save is found to have been made: 200', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const app = await start(t, `127.0.0.1:${proxy.port}`)
  const browser = await withSession(app)
  await browser.get('/add')
  const before = (await server.commands()).set
  for (let round = 1; round <= 8; round++) {
    await proxy.heal()
    await browser.get('/read')
    await proxy.set({ kind: 'reset', direction: 'reply', after: proxy.seen('reply') + 1 }) // one byte into what comes after the read
    const { status, text } = await answerTo(browser, '/add')
    t.deepEqual([status, text], [200, JSON.stringify({ a: 1, n: round + 1 })])
    t.is((await server.commands()).set, before + round)
  }
})

test('M02: an evicted session is anonymous, without an error', async (t) => {
  const server = await startMemcached(t, '-m', '2')
  const app = await start(t, server.url)
  const browser = await withSession(app)
  await browser.get('/fill') // memcached evicts by size
  for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 50 }, () => app.client().get('/fill')))
  t.true((await server.stats()).get('evictions')! > 0)
  t.is((await answerTo(browser, '/read')).text, '{}')
  t.is((await answerTo(browser, '/set/a')).status, 200)
})

test('M03: a session that gets too large is refused, and the stored one stays', async (t) => {
  const server = await startMemcached(t)
  const app = await start(t, server.url, { maxBytes: 4_000_000 })
  const browser = await withSession(app)
  t.is((await answerTo(browser, '/large/1100000')).status, 500)
  t.is((await answerTo(browser, '/read')).text, '{"a":1}')
  t.is((await answerTo(browser, '/large/1000000')).status, 200)
})

test('M07: no room and no evictions (-M): new sessions are 503 without a cookie, and those that are there go on', async (t) => {
  const server = await startMemcached(t, '-m', '2', '-M')
  const app = await start(t, server.url)
  const browser = await withSession(app)
  let refused: Answer | undefined
  while (refused === undefined) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => answerTo(app.client(), '/fill')))
    refused = answers.find(({ status }) => status !== 200)
  }
  isRefused(t, refused)
  t.is((await answerTo(browser, '/read')).text, '{"a":1}')
})

test('M12: flush_all: everybody is anonymous, and nobody gets an error', async (t) => {
  const server = await startMemcached(t)
  const app = await start(t, server.url)
  const browser = await withSession(app)
  await server.flush()
  const { status, text } = await answerTo(browser, '/read')
  t.deepEqual([status, text], [200, '{}'])
  t.is((await answerTo(browser, '/set/b')).text, '{"b":1}')
})

test('M16: an HTTP server on the port: 503 at once', async (t) => {
  const other = await listen(t, (_req, res) => res.end())
  const app = await start(t, `127.0.0.1:${other.port}`)
  const answer = await answerTo(app.client(), '/set/a')
  isRefused(t, answer)
  t.true(answer.ms < 500, `${answer.ms} ms`)
})

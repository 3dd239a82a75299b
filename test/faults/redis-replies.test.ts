import test from 'ava'
import type { ExecutionContext } from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { ReplyShape } from '../../backends/redis/reply-guard.js'
import type { RedisManager } from '../../backends/redis/manager.js'
import { redisProgram, RedisServer, tellMissing } from '../support/redis-server.js'
import { redisScene } from '../support/redis-scene.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'
import { scriptedRedis } from '../support/scripted-redis.js'

const testOn = redisProgram === undefined ? test.skip : test.serial
if (redisProgram === undefined) tellMissing('damage at a redis server\'s keys is', 'redis-server')

/** Events of a session's record that could not be read, while the test runs. */
const corruptions = (t: ExecutionContext): unknown[] => {
  const seen: unknown[] = []
  const note = (event: unknown): void => void seen.push(event)
  subscribe('phial:corrupt', note)
  t.teardown(() => unsubscribe('phial:corrupt', note))
  return seen
}

const garbage: Readonly<Record<string, readonly [string, ...(string | number)[]][]>> = {
  'one byte': [['set', 'KEY', 'x']],
  'as many bytes as a version has': [['set', 'KEY', 'x'.repeat(22)]],
  'a number': [['set', 'KEY', 42]],
  'bytes that are no text': [['setbit', 'KEY', 7, 1], ['setrange', 'KEY', 40, '\u00ff\u0000']],
  'a record of something else': [['set', 'KEY', JSON.stringify({ user: 'root' })]],
  'a list': [['rpush', 'KEY', 'x']],
  'a hash': [['hset', 'KEY', 'v', 'x']],
  'a sorted set': [['zadd', 'KEY', 1, 'x']],
  '100 MB': [['setrange', 'KEY', 100_000_000, 'x']],
}

for (const [what, commands] of Object.entries(garbage)) {
  testOn(`R26: ${what} at the key of a session is a session that cannot be read, and the next one is a new one`, async (t) => {
    const seen = corruptions(t)
    const { ask, server } = await redisScene(t)
    const [name] = (await server.run('keys', 'app:*')) as [string]
    await server.run('del', name)
    for (const [command, ...args] of commands) await server.run(command, ...args.map((arg) => (arg === 'KEY' ? name : arg)))
    const { status, text, cookies } = await ask('/')
    t.deepEqual([status, text, cookies], [200, '{}', []])
    t.is(seen.length, 1)
    const next = await ask('/set/b/2')
    t.deepEqual([next.status, next.text, next.cookies.length], [200, '{"b":"2"}', 1])
    t.is((await ask('/')).text, '{"b":"2"}')
  })

  testOn(`R26: ${what} at a record's key is not written over, and is removed when it is deleted`, async (t) => {
    const server = await RedisServer.start(t)
    const store = newRedis(t, { url: server.url })
    const key = newKey()
    const name = `app:${key}`
    for (const [command, ...args] of commands) await server.run(command, ...args.map((arg) => (arg === 'KEY' ? name : arg)))
    const before = await server.run('dump', name)
    t.true(Buffer.byteLength((await store.get(key))!.value) < 100)
    t.is(await store.replace(key, 'taken', 'z'.repeat(22), inAnHour()), undefined)
    t.is(await store.delete(key, 'y'.repeat(22)), false)
    t.is(await store.create(key, 'taken', inAnHour()), undefined)
    t.deepEqual(await server.run('dump', name), before)
    await store.delete(key)
    t.is(await store.get(key), undefined)
  })
}

testOn('R26: 100 MB at a record\'s key do not come, nor keep the event loop', async (t) => {
  const server = await RedisServer.start(t)
  const store = newRedis(t, { url: server.url })
  const key = newKey()
  await store.get(key)
  await server.run('setrange', `app:${key}`, 100_000_000, 'x')
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const times = []
  for (let round = 0; round < 5; round++) {
    await sleep(10)
    delay.reset()
    t.like(await store.get(key), { value: '' })
    await sleep(5)
    times.push(delay.max / 1e6)
  }
  t.log(`${times.map((ms) => ms.toFixed(1)).join(', ')} ms`)
  t.true(Math.min(...times) < 50)
})

testOn('R26: garbage where an owner\'s sessions are indexed is told, and loses nobody else', async (t) => {
  const server = await RedisServer.start(t)
  const store = newRedis(t, { url: server.url })
  const [ann, bob] = [newKey(), newKey()]
  await server.run('set', `app:owner.${ann}`, 'x')
  await t.throwsAsync(store.listOwned(ann), { code: 'PHIAL_STORE', message: /WRONGTYPE/ })
  await t.throwsAsync(store.addOwned(ann, newKey(), inAnHour()), { code: 'PHIAL_STORE' })
  await store.addOwned(bob, ann, inAnHour())
  t.deepEqual(await store.listOwned(bob), [ann])
})

testOn('R27: a record whose expiry was taken away is read, ends by its own times, and gets one again by the next touch', async (t) => {
  let ahead = 0
  const { ask, server } = await redisScene(t, { settings: { lifetime: 100, timeout: 50, touchInterval: 5, now: () => Date.now() + ahead } as never })
  const [name] = (await server.run('keys', 'app:*')) as [string]
  await server.run('persist', name)
  t.is((await ask('/')).text, '{"a":"1"}')
  t.true(Number(await server.run('pttl', name)) > 0)
  await server.run('persist', name)
  ahead = 101_000
  t.is((await ask('/')).text, '{}')
})

const scripted = async (t: ExecutionContext, answer: Parameters<typeof scriptedRedis>[1]): Promise<{ store: RedisManager }> =>
  ({ store: newRedis(t, { url: `redis://127.0.0.1:${await scriptedRedis(t, answer)}`, operationTimeout: 0.5 }) })

const wellFormed = `*3\r\n$27\r\n${'v'.repeat(22)}value\r\n:1000\r\n:0\r\n`

/** What comes in place of the reply to a read, or behind it. */
const hostile: Readonly<Record<string, string | Buffer>> = {
  'arrays in arrays, 20,000 deep': '*1\r\n'.repeat(20_000),
  'arrays in arrays that never end': '*9\r\n'.repeat(5),
  'a string that says to have 99 GB': '$99999999999\r\nabc',
  'a string that says to have 500 MB': '$500000000\r\nabc',
  'an array that says to have 4 billion elements': '*4294967295\r\n',
  'an array of less than nothing': '*-7\r\n',
  'a length that is no number': '$abc\r\n',
  'a line that never ends': `+${'x'.repeat(100_000)}`,
  'a null that nobody asked for': `${wellFormed}$-1\r\n`,
  'a null array that nobody asked for': `${wellFormed}*-1\r\n`,
  'a reply that nobody asked for': `${wellFormed}+MORE\r\n`,
  'an error that nobody asked for': `${wellFormed}-ERR go away\r\n`,
  'a null of RESP3': '_\r\n',
  'a push of RESP3': '>1\r\n_\r\n',
  'a push of a subscription': '>1\r\n$9\r\nsubscribe\r\n',
  'a map with __proto__': '%1\r\n+__proto__\r\n%1\r\n+polluted\r\n+yes\r\n',
  'an attribute': `|1\r\n+a\r\n+b\r\n${wellFormed}`,
  'a page of HTTP': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'bytes': Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 7) % 256)),
  'zeros': Buffer.alloc(1_000),
}

for (const [what, reply] of Object.entries(hostile)) {
  test(`R40: ${what}: an error in time, and the process goes on`, async (t) => {
    let isHostile = false
    const { store } = await scripted(t, (command) => (command === 'ping' ? '+PONG\r\n' : isHostile ? reply : wellFormed))
    t.like(await store.get(newKey()), { value: 'value', version: 'v'.repeat(22) })
    isHostile = true
    for (let round = 0; round < 3; round++) {
      const begun = performance.now()
      const outcome = await store.get(newKey()).catch((error: { code: string }) => error)
      if (!String(reply).startsWith(wellFormed) || outcome === undefined) t.like(outcome, { backend: 'redis', operation: 'get' })
      t.true(performance.now() - begun < 1_000)
    }
    await sleep(30) // an exception out of the parser would come now
    t.is(({} as { polluted?: unknown }).polluted, undefined)
    isHostile = false
    const healed = performance.now()
    while ((await store.get(newKey()).catch(() => undefined)) === undefined) await sleep(10)
    t.true(performance.now() - healed < 2_400)
  })
}

/** Replies that are well-formed, and none to what was asked. */
const wrong: Readonly<Record<string, string>> = {
  'a line': '+OK\r\n', 'a number': ':1\r\n', 'nothing': '$-1\r\n', 'an empty array': '*0\r\n', 'a string': '$3\r\nabc\r\n',
  'a refusal without a word': '-\r\n', 'MOVED': '-MOVED 1 127.0.0.1:1\r\n', 'MOVED to nowhere': '-MOVED __proto__ x\r\n', 'ASK': '-ASK 1 127.0.0.1:1\r\n',
}

for (const [what, reply] of Object.entries(wrong)) {
  test(`R40: ${what} as the answer to a read is an error, not a missing session`, async (t) => {
    const { store } = await scripted(t, (command) => (command === 'ping' ? '+PONG\r\n' : reply))
    t.regex((await t.throwsAsync(store.get(newKey())))!.name, /^Store/)
    t.is((Object.prototype as { [key: string]: unknown })['0'], undefined)
  })
}

test('R40: a server that answers nothing but what was not asked is what a person must mend', async (t) => {
  const { store } = await scripted(t, () => '>2\r\n+a\r\n_\r\n')
  await sleep(50)
  t.like(await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE' }), { retryable: false })
})

test('R40: a server that speaks before it is asked', async (t) => {
  const server = createServer((socket) => socket.on('error', () => undefined).write('$-1\r\n>1\r\n_\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const store = newRedis(t, { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, operationTimeout: 0.5 })
  t.regex((await t.throwsAsync(store.get(newKey())))!.name, /^Store/)
  await sleep(100)
})

// The guard itself

const accepts = (text: string, due: number, step = text.length): boolean => {
  const shape = new ReplyShape()
  const bytes = Buffer.from(text)
  for (let at = 0, left = due; at < bytes.length; at += step, left = shape.repliesDue) {
    if (!shape.accepts(bytes.subarray(at, at + step), left)) return false
  }
  return shape.repliesDue === 0
}

test('replies are followed however they are cut', (t) => {
  const replies = ['+OK\r\n', ':-12\r\n', '$5\r\na\r\nbc\r\n', '$0\r\n\r\n', '$-1\r\n', '*-1\r\n', '*0\r\n', '*2\r\n*1\r\n:1\r\n*0\r\n', '-ERR no\r\n', '*3\r\n$1\r\n€\r\n'.replace('$1', '$3').replace('*3', '*1')]
  const all = replies.join('')
  for (let step = 1; step < 12; step++) {
    t.true(accepts(all, replies.length, step), `${step}`)
    t.false(accepts(all, replies.length - 1, step), `${step}: one too many`)
  }
})

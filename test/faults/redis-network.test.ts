import test from 'ava'
import type { ExecutionContext } from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisManager } from '../../backends/redis/manager.js'
import type { StoredRecord } from '../../src/namespace-manager.js'
import { FaultProxy } from '../support/fault-proxy.js'
import type { Direction, Fault } from '../support/fault-proxy.js'
import { serve } from '../support/app.js'
import { redisProgram, RedisServer, tellMissing } from '../support/redis-server.js'
import { isBack, isRefused, redisScene, timedOut, unknown } from '../support/redis-scene.js'
import type { Scene } from '../support/redis-scene.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'

const testOn = redisProgram === undefined ? test.skip : test.serial
if (redisProgram === undefined) tellMissing('faults of the network before a redis server are', 'redis-server')

for (const ms of [50, 200]) {
  testOn(`R18: a latency of ${ms} ms is borne`, async (t) => {
    const { ask, proxy } = await redisScene(t)
    await proxy.set({ kind: 'latency', ms })
    const read = await ask('/')
    t.deepEqual([read.status, read.text], [200, '{"a":"1"}'])
    const saved = await ask('/set/b/2')
    t.deepEqual([saved.status, saved.text], [200, '{"a":"1","b":"2"}'])
    t.log(`read ${Math.round(read.ms)} ms, read and save ${Math.round(saved.ms)} ms`)
  })
}

testOn('R18: a latency of 900 ms is borne, as far as the machine is in time', async (t) => {
  const { ask, proxy } = await redisScene(t)
  await proxy.set({ kind: 'latency', ms: 900 })
  const answers = []
  do answers.push(await ask('/'))
  while (answers.at(-1)!.status !== 200 && answers.length < 10)
  const last = answers.pop()!
  t.deepEqual([last.status, last.text], [200, '{"a":"1"}'])
  for (const answer of answers) isRefused(t, answer, timedOut)
  t.log(`read in ${Math.round(last.ms)} ms, after ${answers.length} that were late`)
})

testOn('R18: a latency of 1,100 ms is told as a time-out, and the connection, which lives, is kept', async (t) => {
  const scene = await redisScene(t)
  const { ask, proxy } = scene
  await proxy.set({ kind: 'latency', ms: 1_100 })
  const before = proxy.accepted
  for (let round = 0; round < 3; round++) isRefused(t, await ask('/'), timedOut)
  await sleep(400)
  t.is(proxy.accepted, before)
  await proxy.heal()
  await isBack(t, scene)
})

testOn('R19: replies that drip, a byte every 20 ms, are told as a time-out', async (t) => {
  const scene = await redisScene(t)
  const { ask, proxy } = scene
  await proxy.set({ kind: 'drip', ms: 20 })
  isRefused(t, await ask('/'), timedOut)
  isRefused(t, await ask('/add'), { retryable: true }, 2_000)
  await proxy.heal()
  await isBack(t, scene)
})

testOn('R20: a black hole: errors in time, and another connection when it is over', async (t) => {
  const scene = await redisScene(t)
  const { ask, proxy } = scene
  await proxy.set({ kind: 'black-hole' })
  isRefused(t, await ask('/'), timedOut)
  isRefused(t, await ask('/set/b/2'), { retryable: true })
  for (let round = 0; round < 4; round++) isRefused(t, await ask('/'), { retryable: true })
  await proxy.heal()
  await isBack(t, scene)
  t.is((await ask('/')).text, '{"a":"1"}')
})

testOn('R21: replies that are swallowed: the answer is not confirmed, and the write was made once', async (t) => {
  const scene = await redisScene(t)
  const { app, proxy } = scene
  const session = (await app.manager.getById(await scene.id()))!
  session.set('b', 2)
  await proxy.set({ kind: 'half-open' })
  const begun = performance.now()
  await t.throwsAsync(session.save(), unknown)
  t.true(performance.now() - begun < 2_400)
  await proxy.heal()
  await isBack(t, scene)
  t.is((await scene.ask('/')).text, '{"a":"1","b":2}')
})

testOn('R21: a log-out whose answer is swallowed is a 503, and holds', async (t) => {
  const scene = await redisScene(t)
  const { app, ask, proxy, server } = scene
  const other = app.client()
  await ask('/set/b/2', other)
  await ask('/logout', other) // else the server would have to be told the script first
  const [name] = (await server.run('keys', '*')) as [string]
  await proxy.set({ kind: 'latency', ms: 100 }) // the read comes through, the rest does not
  const leaving = ask('/logout')
  while (proxy.seen('reply') === 0) await sleep(2)
  await sleep(50)
  await proxy.set({ kind: 'half-open' })
  const { status } = await leaving
  t.is(status, 503)
  t.is(await server.run('exists', name), 0)
  await proxy.heal()
  await isBack(t, scene)
  t.is((await ask('/')).text, '{}')
})

const read = async (store: RedisManager, key: string): Promise<StoredRecord | undefined> => {
  try {
    return await store.get(key)
  } catch {
    return read(store, key)
  }
}

/** Bytes of one save over this store's connection. */
const sizesOf = async (proxy: FaultProxy, save: () => Promise<unknown>): Promise<Record<Direction, number>> => {
  await proxy.heal()
  await save()
  return { request: proxy.seen('request'), reply: proxy.seen('reply') }
}

for (const kind of ['reset', 'close'] as const) {
  testOn(`R23: a save cut by a ${kind} after each of its bytes takes effect once or not at all, and is told truly`, async (t) => {
    t.timeout(240_000)
    const server = await RedisServer.start(t)
    const proxy = await FaultProxy.start(server.port)
    t.teardown(() => proxy.close())
    const direct = newRedis(t, { url: server.url })
    const store = newRedis(t, { url: `redis://127.0.0.1:${proxy.port}` })
    const key = newKey()
    let version = (await store.create(key, 'value 0', inAnHour()))!
    const warm = await store.replace(key, 'value 1', version, inAnHour())
    version = warm!
    const sizes = await sizesOf(proxy, async () => { version = (await store.replace(key, 'value 2', version, inAnHour()))! })
    const outcomes = new Map<string, number>()
    for (const [direction, size] of Object.entries(sizes) as [Direction, number][]) {
      for (let after = 0; after <= size; after++) {
        const value = `value ${direction} ${after}`.padEnd(7)
        // The first call finds a new connection, which has proved itself before the fault is set.
        t.like(await read(store, key), { version })
        await proxy.set({ kind, direction, after } satisfies Fault)
        const told = await store.replace(key, value, version, inAnHour()).catch((error: { code: string }) => error)
        const now = (await direct.get(key))!
        const isWhole = direction === 'reply' || after >= proxy.seen('request')
        if (typeof told === 'string') t.deepEqual([now.value, now.version], [value, told])
        else {
          t.like(told, unknown, `${direction} ${after}`)
          t.is(now.value === value, isWhole, `${direction} ${after} of ${proxy.seen('request')}`)
        }
        const outcome = `${typeof told === 'string' ? 'told' : 'unknown'}, ${now.value === value ? 'made' : 'not made'}`
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        version = now.version
        await proxy.heal()
      }
    }
    t.log([...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join('; '))
    t.true(outcomes.get('unknown, not made')! >= sizes.request - 1)
  })
}

testOn('R23: an update cut after each of its bytes: 200 is true, 503 is not confirmed, and nothing counts twice', async (t) => {
  const scene = await redisScene(t)
  const { ask, proxy, server } = scene
  t.timeout(240_000)
  const direct = await serve(t, async (req, res) => {
    res.end(String((await req.session.load()).get('n')))
  }, { type: 'redis', url: server.url, namespace: 'app' } as never)
  const n = async (): Promise<number> => Number(await direct.client(scene.browser.jar).text('/'))
  await ask('/add')
  const sizes = await sizesOf(proxy, () => ask('/add'))
  const outcomes = new Map<string, number>()
  for (const [direction, size] of Object.entries(sizes) as [Direction, number][]) {
    for (let after = 0; after <= size; after++) {
      const before = await n()
      await proxy.set({ kind: 'reset', direction, after })
      const answer = await ask('/add')
      t.deepEqual(answer.cookies, [])
      const counted = (await n()) - before
      if (answer.status === 200) t.is(counted, 1)
      else isRefused(t, answer, {}, 2_000)
      t.true(counted === 0 || counted === 1)
      const outcome = `${answer.status}, counted ${counted}`
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      await proxy.heal()
      await scene.recovers()
    }
  }
  t.log([...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join('; '))
})

const corrupting = async (t: ExecutionContext, faultAt: (after: number) => Fault): Promise<Map<string, number>> => {
  t.timeout(240_000)
  const scene = await redisScene(t, { settings: { encryptKey: 'pR4-yB8_nK2wV6tJ0sM5hD9fL3gZ7cXq' } as never })
  const { app, ask, proxy } = scene
  const other = app.client()
  await ask('/set/b/2', other)
  const size = (await sizesOf(proxy, () => ask('/'))).reply
  const outcomes = new Map<string, number>()
  for (let after = 0; after < size; after++) {
    await proxy.set(faultAt(after))
    const both = await Promise.all([ask('/'), ask('/', other)])
    for (const [index, { status, text, cookies }] of both.entries()) {
      t.deepEqual(cookies, [])
      // What arrives damaged is a session that cannot be read, or none at all: never another value, nor another's session.
      t.true(status === 503 || text === '{}' || text === ['{"a":"1"}', '{"b":"2"}'][index], `${after}: ${status} ${text}`)
      const outcome = status === 503 ? '503' : text === '{}' ? 'not readable' : 'right'
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    await proxy.heal()
    await isHealed(t, scene)
    t.is((await ask('/', other)).text, '{"b":"2"}')
  }
  t.log(`${size} bytes: ${[...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join('; ')}`)
  return outcomes
}

const isHealed = async (t: ExecutionContext, { ask }: Scene): Promise<void> => {
  const begun = performance.now()
  while ((await ask('/')).text !== '{"a":"1"}') {
    t.true(performance.now() - begun < 2_400)
    await sleep(10)
  }
}

testOn('R24: a reply with any one byte damaged is never another value, nor another\'s session', async (t) => {
  t.true((await corrupting(t, (after) => ({ kind: 'corrupt', direction: 'reply', after }))).size > 0)
})

testOn('R24: a reply that is cut, its connection open or closed, is never another value', async (t) => {
  const scene = await redisScene(t)
  const { ask, proxy } = scene
  const size = (await sizesOf(proxy, () => ask('/'))).reply
  for (const kind of ['truncate', 'close'] as const) {
    for (const after of [0, 1, 5, Math.floor(size / 2), size - 3]) {
      await proxy.set({ kind, direction: 'reply', after })
      isRefused(t, await ask('/'), { retryable: true })
      await isBack(t, scene)
      t.is((await ask('/')).text, '{"a":"1"}')
    }
  }
})

testOn('a slow network under load loses nothing', async (t) => {
  const { ask, proxy } = await redisScene(t, { settings: { requestBudget: 20 } as never })
  await proxy.set({ kind: 'latency', ms: 30 })
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask('/add')))
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  t.is(JSON.parse((await ask('/')).text).n, 30)
})

testOn('a connection that stalls and goes on makes no write twice, and none that was given up over a newer one', async (t) => {
  const scene = await redisScene(t)
  const { ask, proxy } = scene
  await proxy.set({ kind: 'stall', direction: 'request' })
  const answer = await ask('/add')
  isRefused(t, answer, { retryable: true })
  await proxy.heal() // what was sent arrives now
  await isBack(t, scene, '/add')
  t.is(JSON.parse((await ask('/')).text).n, 1)

})

import test from 'ava'
import type { ExecutionContext } from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultProxy } from '../support/fault-proxy.js'
import { until } from '../support/redis-node.js'
import { redisProgram, RedisServer, tellMissing, valkeyProgram } from '../support/redis-server.js'
import { isRefused, redisScene, unavailable } from '../support/redis-scene.js'
import type { Scene } from '../support/redis-scene.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'

/** That the replica has all that the master has, and says so at once: one that has just come may need a second to say it first. */
const keptUp = async (master: RedisServer): Promise<void> => {
  for (let times = 0; times < 5; times++) {
    await master.run('set', 'kept-up', performance.now())
    if (Number(await master.run('wait', 1, 200)) < 1) times = -1
  }
}

interface Pair extends Scene {
  readonly replica: RedisServer
  /** Between the master and its replica. */
  readonly link: FaultProxy
  /** The master dies, the replica takes its place, and the application is led to it. */
  failOver(): Promise<void>
}

/** A master, a replica over a link of its own, and an application whose writes wait for it. */
const pair = async (t: ExecutionContext, waitReplicas: number, program: string | undefined): Promise<Pair> => {
  const server = await RedisServer.start(t, { program })
  const link = await FaultProxy.start(server.port)
  t.teardown(() => link.close())
  const replica = await RedisServer.start(t, { program, args: ['--replicaof', `127.0.0.1 ${link.port}`] })
  await keptUp(server)
  const front = await redisScene(t, { server, settings: { redis: { waitReplicas } } as never })
  const failOver = async (): Promise<void> => {
    await front.server.kill()
    await replica.run('replicaof', 'no', 'one')
    front.proxy.targetPort = replica.port
    front.proxy.drop()
    await front.recovers()
  }
  return { ...front, replica, link, failOver }
}

for (const [name, program] of Object.entries({ redis: redisProgram, valkey: valkeyProgram })) {
  const testOn = program === undefined ? test.skip : test.serial
  if (program === undefined) tellMissing(`waiting for replicas of ${name} is`, `${name}-server`)

  testOn(`R35: ${name}: a write that the replica does not have is not acknowledged, and one that it has is`, async (t) => {
    const { app, ask, link, recovers, replica, server } = await pair(t, 1, program)
    t.is((await ask('/set/b/2')).status, 200)
    const [name] = (await replica.run('keys', 'app:*')) as [string]
    t.regex(String(await replica.run('get', name)), /\["1","2"\]$/)
    await link.set({ kind: 'black-hole' })
    const begun = performance.now()
    for (const path of ['/set/c/3', '/login/ann']) {
      const answer = await ask(path)
      isRefused(t, answer, unavailable, 1_500)
      t.regex((answer.error as Error).message, /not confirmed by replicas/)
    }
    const ended = await ask('/logout')
    t.deepEqual([ended.status, ended.cookies.length], [503, 1], 'who wanted to leave has no cookie any more')
    t.like(ended.error, unavailable)
    const visitor = app.client()
    isRefused(t, await ask('/set/a/1', visitor), { ...unavailable, operation: 'create' })
    t.is(await visitor.cookies(), '')
    t.log(`4 refusals in ${Math.round(performance.now() - begun)} ms`)
    await link.heal()
    link.drop()
    await keptUp(server)
    await recovers('/set/d/4', visitor)
  })

  testOn(`R35: ${name}: without wait_replicas an acknowledged log-out can be lost with the master, as the documentation says`, async (t) => {
    const scene = await pair(t, 0, program)
    const { ask, app, browser, failOver, link } = scene
    const thief = app.client(browser.jar.cloneSync()!)
    await keptUp(scene.server)
    await link.set({ kind: 'black-hole' })
    t.is((await ask('/logout')).status, 200)
    await failOver()
    t.is((await ask('/', thief)).text, '{"a":"1"}')
  })

  testOn(`R35: ${name}: with it an acknowledged log-out, renewal and save outlive the crash of the master`, async (t) => {
    const { app, ask, browser, failOver } = await pair(t, 1, program)
    const people = await Promise.all(['b', 'c', 'd'].map(async (key) => {
      const person = app.client()
      t.is((await ask(`/set/${key}/1`, person)).status, 200)
      return { person, thief: app.client(person.jar.cloneSync()!) }
    }))
    const [leaving, renewing, saving] = people as [typeof people[0], typeof people[0], typeof people[0]]
    const answers = await Promise.all([ask('/logout', leaving!.person), ask('/renew', renewing!.person), ask('/set/last/1', saving!.person)])
    t.deepEqual(answers.map(({ status }) => status), [200, 200, 200])
    await failOver()
    t.is((await ask('/', leaving!.thief)).text, '{}')
    t.is((await ask('/', renewing!.thief)).text, '{}')
    t.is((await ask('/', renewing!.person)).text, '{"c":"1"}')
    t.is((await ask('/', saving!.person)).text, '{"d":"1","last":"1"}')
    t.is((await ask('/', browser)).text, '{"a":"1"}')
  })

  testOn(`R35: ${name}: the master is killed while sessions are ended and saved: what was acknowledged holds`, async (t) => {
    const { app, ask, failOver } = await pair(t, 1, program)
    const people = await Promise.all(Array.from({ length: 40 }, async (_, n) => {
      const person = app.client()
      await ask(`/set/n/${n}`, person)
      return { person, thief: app.client(person.jar.cloneSync()!) }
    }))
    let isOver = false
    const lost: string[] = []
    const ended = people.map(async ({ person, thief }, n) => {
      await sleep(n * 10)
      const { status } = await ask('/logout', person)
      return { status, thief }
    })
    const counted = (async () => {
      const counter = app.client()
      await ask('/add', counter)
      let confirmed = 1
      while (!isOver) if ((await ask('/add', counter)).status === 200) confirmed += 1
      return { counter, confirmed }
    })()
    await sleep(200)
    await failOver()
    const outcomes = await Promise.all(ended)
    isOver = true
    const { counter, confirmed } = await counted
    for (const { status, thief } of outcomes) {
      t.true([200, 503].includes(status))
      const { text } = await ask('/', thief)
      if (status === 200 && text !== '{}') lost.push(text)
    }
    const { n } = JSON.parse((await ask('/', counter)).text) as { n: number }
    t.log(`${outcomes.filter(({ status }) => status === 200).length} of 40 log-outs acknowledged, ${lost.length} lost; ${confirmed} counts confirmed, ${n} there`)
    t.deepEqual(lost, [])
    t.true(n >= confirmed)
  })

  testOn(`${name}: an end that was told as not confirmed is not confirmed by asking again while the replica is away`, async (t) => {
    const { link, server, replica } = await pair(t, 1, program)
    const store = newRedis(t, { url: server.url, options: { waitReplicas: 1 } })
    const key = newKey()
    const version = (await store.create(key, 'value', inAnHour()))!
    await link.set({ kind: 'black-hole' })
    await t.throwsAsync(store.delete(key, version), { code: 'PHIAL_STORE_UNAVAILABLE', message: /not confirmed/ })
    t.is(await replica.run('exists', `app:${key}`), 1)
    // It is gone at the master: nothing is left to be written, and yet this is no confirmation.
    await t.throwsAsync(store.delete(key, version), { code: 'PHIAL_STORE_UNAVAILABLE', message: /not confirmed/ })
    await t.throwsAsync(store.delete(key), { code: 'PHIAL_STORE_UNAVAILABLE', message: /not confirmed/ })
    await link.heal()
    link.drop()
    await until('it is confirmed', async () => store.delete(key).then(() => true))
    t.is(await replica.run('exists', `app:${key}`), 0)
  })

  testOn(`${name}: reads do not wait behind writes that wait for replicas, and writes share their waiting`, async (t) => {
    const { link, server } = await pair(t, 1, program)
    const store = newRedis(t, { url: server.url, options: { waitReplicas: 1 } })
    const key = newKey()
    await store.create(key, 'value', inAnHour())
    const seen = await server.commands(t)
    const writes = await Promise.all(Array.from({ length: 100 }, () => store.create(newKey(), 'value', inAnHour())))
    t.is(writes.filter((version) => version !== undefined).length, 100)
    await server.run('echo', 'end')
    await until('all is seen', () => seen.some(([name]) => name === 'echo'))
    const waits = seen.filter(([name]) => name === 'wait').length
    t.true(waits >= 1 && waits < 20, `${waits} waits for 100 writes`)
    await link.set({ kind: 'latency', ms: 300, direction: 'request' })
    const slow = store.create(newKey(), 'value', inAnHour())
    await sleep(20)
    const begun = performance.now()
    for (let n = 0; n < 10; n++) t.like(await store.get(key), { value: 'value' })
    const readMs = performance.now() - begun
    t.truthy(await slow)
    t.log(`100 writes, ${waits} waits; 10 reads in ${Math.round(readMs)} ms while a write waited ${Math.round(performance.now() - begun)} ms`)
    t.true(readMs < 250)
  })

  testOn(`${name}: more replicas than there are: every write is refused in time, and every read answered`, async (t) => {
    const { server } = await pair(t, 1, program)
    const store = newRedis(t, { url: server.url, options: { waitReplicas: 2 } })
    const begun = performance.now()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.create(newKey(), 'value', inAnHour()).catch(({ code }: { code: string }) => code)))
    t.deepEqual([...new Set(outcomes)], ['PHIAL_STORE_UNAVAILABLE'])
    t.true(performance.now() - begun < 1_400)
    t.is(await store.get(newKey()), undefined)
  })
}

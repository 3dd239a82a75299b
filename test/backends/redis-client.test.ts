import test from 'ava'
import type { ExecutionContext } from 'ava'
import { Cluster, Redis } from 'ioredis'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { makeClient } from '../../backends/redis/client.js'
import type { Client, Ioredis } from '../../backends/redis/ioredis.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { borrowCluster } from '../support/redis-cluster.js'
import { borrowSentinels } from '../support/redis-sentinel.js'
import { borrowRedis, redisProgram, RedisServer, tellMissing } from '../support/redis-server.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'

const testOn = redisProgram === undefined ? test.skip : test
if (redisProgram === undefined) tellMissing('tests of the client of redis are', 'redis-server')

const ioredis = { Redis, Cluster } as unknown as Ioredis

const setup = async (t: ExecutionContext) => {
  const server = await RedisServer.start(t)
  const proxy = await FaultProxy.start(server.port)
  t.teardown(() => proxy.close())
  const client = makeClient(ioredis, { kind: 'server', server: { host: '127.0.0.1', port: proxy.port }, isTls: false, db: 0 }, { connectTimeout: 500, tls: {} })
  client.on('error', () => undefined)
  t.teardown(() => client.disconnect())
  return { server, proxy, client }
}

const ends = (client: Client): Promise<unknown> => new Promise((resolve) => client.on('end', resolve))

testOn('what is asked of a client while it connects is refused, and not done later', async (t) => {
  const { server, client } = await setup(t)
  const connected = client.connect()
  await t.throwsAsync(client.call('incr', 'n'))
  await connected
  t.is(await client.call('ping'), 'PONG')
  t.is(await server.run('get', 'n'), null)
})

testOn('a command whose answer is lost is done once, is told at once, and is the last of this client', async (t) => {
  const { server, proxy, client } = await setup(t)
  await client.connect()
  await proxy.set({ kind: 'reset', direction: 'reply', after: 0 })
  const ended = ends(client)
  await t.throwsAsync(client.call('incr', 'n'))
  await ended
  t.is(client.status, 'end')
  await t.throwsAsync(client.call('incr', 'n'))
  t.is(await server.run('get', 'n'), '1')
  t.is(proxy.accepted, 1)
})

testOn('commands that were sent over a connection that is given up end with it', async (t) => {
  const { server, proxy, client } = await setup(t)
  await client.connect()
  await proxy.set({ kind: 'black-hole' })
  const begun = performance.now()
  const lost = t.throwsAsync(client.call('incr', 'n'))
  client.disconnect()
  await lost
  t.true(performance.now() - begun < 500)
  await proxy.heal()
  t.is(await server.run('get', 'n'), null)
})

testOn('AUTH that is not answered: told in time, and another connection when it is over', async (t) => {
  const server = await RedisServer.start(t, { args: ['--requirepass', 'a-password'] })
  const proxy = await FaultProxy.start(server.port)
  t.teardown(() => proxy.close())
  await proxy.set({ kind: 'black-hole' })
  const store = newRedis(t, { url: `redis://:a-password@127.0.0.1:${proxy.port}` })
  for (let round = 0; round < 3; round++) {
    const begun = performance.now()
    await t.throwsAsync(store.create(newKey(), 'value', inAnHour()), { code: 'PHIAL_STORE_UNAVAILABLE' })
    t.true(performance.now() - begun < 1_400)
  }
  await proxy.heal()
  const healed = performance.now()
  while (await store.create(newKey(), 'value', inAnHour()).then(() => false, () => true));
  t.true(performance.now() - healed < 2_400)
})

/** Milliseconds that a process lives which runs this, and closes nothing. */
const lifeOf = async (t: ExecutionContext, url: string, work: string): Promise<number> => {
  const code = `import { redisBackend } from ${JSON.stringify(new URL('../../backends/redis.js', import.meta.url).href)}
    const store = redisBackend.open({ namespace: 'app', now: Date.now, url: '${url}', options: { waitReplicas: 0 }, operationTimeout: 10, maxBytes: 1e5 })
    ${work}
    console.log('done')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const begun = performance.now()
  const [status] = (await once(child, 'exit')) as [number]
  t.is(status, 0)
  return performance.now() - begun
}

const key = 'a'.repeat(64)

for (const [what, borrow] of Object.entries({ 'a server': borrowRedis, 'a master and its sentinels': borrowSentinels, 'a cluster': borrowCluster })) {
  testOn(`idle connections to ${what} keep no process alive`, async (t) => {
    const { url } = await borrow(t)
    t.true((await lifeOf(t, url, `await store.get('${key}')`)) < 3_000)
  })
}

testOn('an operation under way does', async (t) => {
  const server = await RedisServer.start(t)
  await server.run('client', 'pause', 3_000)
  t.true((await lifeOf(t, server.url, `setImmediate(() => store.get('${key}'))`)) > 300)
})

for (const url of ['redis://127.0.0.1:1', 'redis+sentinel://127.0.0.1:1,127.0.0.1:2/mymaster', 'redis+cluster://127.0.0.1:1,127.0.0.1:2']) {
  test(`looking for servers that are not there keeps no process alive: ${url}`, async (t) => {
    t.true((await lifeOf(t, url, `setTimeout(() => {}, 1_000)`)) < 4_000)
  })
}

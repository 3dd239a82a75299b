import test from 'ava'
import type { ExecutionContext } from 'ava'
import { Cluster, Redis } from 'ioredis'
import { ConfigError } from '../../src/errors.js'
import { RedisCluster } from '../support/redis-cluster.js'
import { borrowRedis, redisProgram, RedisServer, tellMissing } from '../support/redis-server.js'
import { inAnHour, newKey, newRedis, openRedis } from '../support/redis-store.js'

const testOn = redisProgram === undefined ? test.skip : test
if (redisProgram === undefined) tellMissing('tests of ready redis clients are', 'redis-server')

const ready = async (t: ExecutionContext, options: object): Promise<Redis> => {
  const server = await borrowRedis(t)
  const client = new Redis({ port: server.port, host: '127.0.0.1', maxRetriesPerRequest: 0, ...options })
  client.on('error', () => undefined)
  t.teardown(() => client.disconnect())
  return client
}

testOn('a ready client is used, and left open', async (t) => {
  for (const options of [{}, { lazyConnect: true }, { stringNumbers: true }, { enableAutoPipelining: true }, { protocol: 2 }, { replyMapping: 'resp3' }]) {
    const client = await ready(t, options)
    const store = newRedis(t, { namespace: `ready-${newKey().slice(0, 8)}`, options: { client } })
    const key = newKey()
    const version = (await store.create(key, 'one', inAnHour()))!
    const next = await store.replace(key, 'two', version, inAnHour())
    t.like(await store.get(key, { expiresAt: inAnHour() * 2, ifBefore: inAnHour() * 2 }), { value: 'two', version: next, touched: true })
    t.true(await store.touch(key, inAnHour()))
    const keys: string[] = []
    for await (const each of store.keys()) keys.push(each)
    t.deepEqual(keys, [key])
    t.true(await store.delete(key, next!))
    await store.close()
    t.is(client.status, 'ready')
    t.is(await client.ping(), 'PONG')
  }
})

testOn('a ready client that is not ready is waited for, no longer than a call may take', async (t) => {
  const client = await ready(t, { port: 1 })
  const store = newRedis(t, { options: { client }, operationTimeout: 0.3 })
  const begun = performance.now()
  await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE_UNAVAILABLE' })
  t.true(performance.now() - begun < 700)
})

testOn('a ready client that would break a promise is refused', async (t) => {
  const refused: readonly [object, RegExp][] = [
    [await ready(t, { maxRetriesPerRequest: 20 }), /maxRetriesPerRequest is 20/],
    [await ready(t, { maxRetriesPerRequest: null }), /maxRetriesPerRequest is null/],
    [await ready(t, { keyPrefix: 'x:' }), /keyPrefix/],
    [{}, /expected a Redis or a Cluster/],
    [new Map(), /expected a Redis or a Cluster/],
  ]
  for (const [client, message] of refused) {
    const error = t.throws(() => openRedis({ options: { client } }), { instanceOf: ConfigError, message })
    t.is((error as ConfigError).setting, 'redis.client')
  }
  t.throws(() => openRedis({ url: 'redis://127.0.0.1', options: { client: refused[0]![0] } }), { instanceOf: ConfigError })
})

testOn('a copy made as the message says is taken', async (t) => {
  const client = (await ready(t, { maxRetriesPerRequest: 20 })).duplicate({ maxRetriesPerRequest: 0 })
  t.teardown(() => client.disconnect())
  const store = newRedis(t, { namespace: newKey().slice(0, 8), options: { client } })
  t.truthy(await store.create(newKey(), 'value', inAnHour()))
})

testOn('a ready client with wait_replicas: the writes have a copy of it, which ends with the sessions', async (t) => {
  const server = await RedisServer.start(t)
  const client = new Redis({ port: server.port, host: '127.0.0.1', maxRetriesPerRequest: 0 })
  t.teardown(() => client.disconnect())
  const store = newRedis(t, { options: { client, waitReplicas: 1 } })
  await t.throwsAsync(store.create(newKey(), 'value', inAnHour()), { code: 'PHIAL_STORE_UNAVAILABLE', message: /not confirmed/ })
  const clients = async (): Promise<number> => String(await client.client('LIST')).trim().split('\n').length
  t.is(await clients(), 2)
  await store.close()
  while ((await clients()) > 1);
  t.is(client.status, 'ready')
})

testOn('a ready Cluster is used, where it repeats nothing', async (t) => {
  const cluster = await RedisCluster.start({ replicas: 0 })
  t.teardown(() => cluster.stop())
  const nodes = cluster.nodes.map(({ port }) => ({ port, host: '127.0.0.1' }))
  const made = (options: object): Cluster => {
    const client = new Cluster(nodes, options)
    client.on('error', () => undefined)
    t.teardown(() => client.disconnect())
    return client
  }
  const careful = { retryDelayOnFailover: 0, redisOptions: { maxRetriesPerRequest: 0 } }
  const refused: readonly [object, number, RegExp][] = [
    [{}, 0, /maxRetriesPerRequest/],
    [{ ...careful, retryDelayOnFailover: 100 }, 0, /retryDelayOnFailover/],
    [{ ...careful, scaleReads: 'slave' }, 0, /scaleReads/],
    [{ ...careful, keyPrefix: 'x:' }, 0, /keyPrefix/],
    [{ ...careful, redisOptions: { maxRetriesPerRequest: 0, keyPrefix: 'x:' } }, 0, /keyPrefix/],
    [careful, 1, /wait for replicas/],
  ]
  for (const [options, waitReplicas, message] of refused) {
    t.throws(() => openRedis({ options: { client: made(options), waitReplicas } }), { instanceOf: ConfigError, message })
  }
  const store = newRedis(t, { namespace: 'ready', options: { client: made(careful) } })
  const keys = Array.from({ length: 30 }, newKey)
  for (const key of keys) {
    const version = (await store.create(key, 'one', inAnHour()))!
    t.truthy(await store.replace(key, 'two', version, inAnHour()))
    t.like(await store.get(key), { value: 'two' })
    await store.addOwned(key, key, inAnHour())
  }
  const found: string[] = []
  for await (const key of store.keys()) found.push(key)
  t.deepEqual(found.toSorted(), keys.toSorted())
})

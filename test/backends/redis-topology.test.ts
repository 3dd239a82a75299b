import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../../src/errors.js'
import { borrowCluster, RedisCluster } from '../support/redis-cluster.js'
import type { RedisNode } from '../support/redis-node.js'
import { borrowSentinels, SentinelSet } from '../support/redis-sentinel.js'
import { redisProgram, RedisServer, tellMissing } from '../support/redis-server.js'
import { inAnHour, keyOf, newKey, newRedis, openRedis } from '../support/redis-store.js'
import { scriptedRedis } from '../support/scripted-redis.js'

const testOn = redisProgram === undefined ? test.skip : test
if (redisProgram === undefined) tellMissing('tests of redis Sentinel and Cluster are', 'redis-server')

test('options that say nothing to the servers of the url are refused', (t) => {
  const refused = (url: string, options: Parameters<typeof openRedis>[0]['options'], setting: string): void =>
    void t.is(t.throws(() => openRedis({ url, options: options! }), { instanceOf: ConfigError })!.setting, setting)
  refused('redis://127.0.0.1', { natMap: 'a:1=b:2' }, 'redis.nat_map')
  refused('unix:///run/redis.sock', { natMap: 'a:1=b:2' }, 'redis.nat_map')
  refused('redis+cluster://127.0.0.1', { natMap: 'a=b' }, 'redis.nat_map')
  refused('redis+cluster://127.0.0.1', { sentinelPassword: 'x' }, 'redis.sentinel_password')
  refused('redis://127.0.0.1', { sentinelUsername: 'x' }, 'redis.sentinel_username')
  refused('redis+sentinel://127.0.0.1/m', { sentinelUsername: 'x' }, 'redis.sentinel_password')
})

/** How often each of these commands came from a client; what a replica or a script repeats of them is not counted here. */
const calls = async (nodes: readonly RedisNode[], command: string): Promise<number> => {
  const stats = await Promise.all(nodes.map((node) => node.ask('INFO', 'commandstats')))
  return stats.reduce<number>((sum, text) => sum + Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(String(text))?.[1] ?? 0), 0)
}

testOn('reading is one command to one master, and so is saving', async (t) => {
  const [sentinels, cluster] = [await SentinelSet.start(), await RedisCluster.start()]
  t.teardown(() => Promise.all([sentinels.stop(), cluster.stop()]))
  for (const [group, nodes] of [[sentinels, sentinels.servers], [cluster, cluster.nodes]] as const) {
    const store = newRedis(t, { url: group.url })
    const keys = Array.from({ length: 20 }, newKey)
    const versions = await Promise.all(keys.map((key) => store.create(key, 'x', inAnHour())))
    for (const key of keys) await store.get(key)
    for (const [index, key] of keys.entries()) await store.replace(key, 'y', versions[index]!, inAnHour())
    const before = [await calls(nodes, 'evalsha'), await calls(nodes, 'eval')]
    for (const key of keys) t.like(await store.get(key, { expiresAt: inAnHour(), ifBefore: 0 }), { value: 'y' })
    t.deepEqual([await calls(nodes, 'evalsha'), await calls(nodes, 'eval')], [before[0]! + 20, before[1]])
    for (const key of keys) await store.replace(key, 'z', (await store.get(key))!.version, inAnHour())
    t.deepEqual([await calls(nodes, 'evalsha'), await calls(nodes, 'eval')], [before[0]! + 60, before[1]])
  }
})

/** What the backend's commands and scripts do, without what finding the servers takes. */
const RIGHTS = '-@all +ping +info +eval +evalsha +get +getrange +strlen +set +del +exists +pttl +pexpire +time +zadd +zrem +zrange +zremrangebyscore +scan'.split(' ')

testOn('the least rights: a role at a master, the slots and ASKING in a cluster', async (t) => {
  const [sentinels, cluster] = [await SentinelSet.start({ replicas: 1 }), await RedisCluster.start({ replicas: 0 })]
  t.teardown(() => Promise.all([sentinels.stop(), cluster.stop()]))
  for (const [group, nodes, rights] of [[sentinels, sentinels.servers, ['+role']], [cluster, cluster.nodes, ['+cluster|slots', '+asking']]] as const) {
    for (const node of nodes) await node.ask('ACL', 'SETUSER', 'app', 'on', '>p@ss/word', '~app:*', ...RIGHTS, ...rights)
    const url = group.url.replace('//', `//app:${encodeURIComponent('p@ss/word')}@`)
    const store = newRedis(t, { url })
    const [key, owner] = [newKey(), keyOf('ann')]
    const version = await store.create(key, 'x', inAnHour())
    await store.addOwned(owner, key, inAnHour())
    t.deepEqual(await store.listOwned(owner), [key])
    t.is(typeof (await store.replace(key, 'y', version!, inAnHour())), 'string')
    t.true(await store.touch(key, inAnHour() + 1000))
    const lease = await store.lock(key, 1000, Date.now())
    await lease!.release()
    const keys = []
    for await (const each of store.keys()) keys.push(each)
    t.deepEqual(keys, [key])
    await store.delete(key)
    await store.removeOwned(owner, key)
    for (const node of nodes) t.deepEqual(await node.ask('ACL', 'LOG'), [])
    for (const node of nodes) await node.ask('ACL', 'SETUSER', 'app', `-${rights[0].slice(1)}`)
    t.like(await t.throwsAsync(newRedis(t, { url }).get(key)), { code: 'PHIAL_STORE', retryable: false })
    const wrong = await t.throwsAsync(newRedis(t, { url: url.replace('p%40ss', 'other') }).get(key))
    t.like(wrong, { code: 'PHIAL_STORE', retryable: false })
  }
})

testOn('an owner\'s index and the records are anywhere in a cluster', async (t) => {
  const cluster = await borrowCluster(t)
  const store = newRedis(t, { url: cluster.url, namespace: newKey() })
  const owner = keyOf('ann')
  const keys = Array.from({ length: 40 }, newKey).sort()
  for (const key of keys) {
    await store.addOwned(owner, key, inAnHour())
    await store.create(key, 'x', inAnHour())
  }
  t.deepEqual((await store.listOwned(owner)).sort(), keys)
  const found: string[] = []
  for await (const key of store.keys()) found.push(key)
  t.deepEqual(found.sort(), keys)
})

/** What a sentinel says to those who subscribed, in place of a message. */
const hostile = ['$-1\r\n', '*-1\r\n', '*0\r\n', '*1\r\n$-1\r\n', '*3\r\n$-1\r\n$-1\r\n$-1\r\n', '*3\r\n$7\r\nmessage\r\n$-1\r\n$-1\r\n', '>3\r\n+message\r\n_\r\n_\r\n', ':1\r\n', '+X\r\n', '_\r\n', '*2\r\n+message\r\n+x\r\n', '-ERR x\r\n']

test('R40: whatever a sentinel says unasked, the process goes on', async (t) => {
  for (const words of hostile) {
    let subscribed = 0
    const port = await scriptedRedis(t, (command, socket) => {
      if (command === 'ping') return '+PONG\r\n'
      if (command !== 'subscribe') return '*-1\r\n'
      subscribed++
      setTimeout(() => socket.write(words), 5)
      return ['+failover-state-send-slaveof-noone', '+promoted-slave', '+switch-master'].map((name, index) => `*3\r\n$9\r\nsubscribe\r\n$${name.length}\r\n${name}\r\n:${index + 1}\r\n`).join('')
    })
    const store = openRedis({ url: `redis+sentinel://127.0.0.1:${port}/mymaster`, operationTimeout: 0.3 })
    t.regex((await t.throwsAsync(store.get(newKey())))!.name, /^Store/, words)
    while (subscribed === 0) await sleep(5)
    await sleep(30) // an exception out of the parser would come now
    await store.close()
  }
})

testOn('a sentinel that answers SUBSCRIBE with something else does no harm', async (t) => {
  const server = await RedisServer.start(t)
  for (const answer of ['+OK\r\n', ':1\r\n', '$-1\r\n', '*0\r\n', '-NOPERM no\r\n']) {
    const address = `*2\r\n$9\r\n127.0.0.1\r\n$${String(server.port).length}\r\n${server.port}\r\n`
    let asked = 0
    const port = await scriptedRedis(t, (command) => (command === 'ping' ? '+PONG\r\n' : command === 'subscribe' ? answer : asked++ % 3 === 0 ? address : '*0\r\n'))
    const store = newRedis(t, { url: `redis+sentinel://127.0.0.1:${port}/mymaster` })
    t.is(await store.get(newKey()), undefined, answer)
    await sleep(30)
  }
})

testOn('a client that is closed while it looks for its servers lets go of everything', async (t) => {
  const [sentinels, cluster] = [await borrowSentinels(t), await borrowCluster(t)]
  for (const url of [sentinels.url, cluster.url, 'redis+sentinel://127.0.0.1:1/m', 'redis+cluster://127.0.0.1:1']) {
    for (const ms of [0, 1, 3, 10, 30, 100]) {
      const store = openRedis({ url, operationTimeout: 0.3 })
      const answer = store.get(newKey()).then(() => 'an answer', (error: { code: string }) => error.code)
      await sleep(ms)
      await store.close()
      t.true(['an answer', 'PHIAL_STORE_UNAVAILABLE', 'PHIAL_CLOSED'].includes(await answer), await answer)
      await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_CLOSED' })
    }
  }
})

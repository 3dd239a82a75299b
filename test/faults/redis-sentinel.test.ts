import test from 'ava'
import type { ExecutionContext } from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { failOver, holdsThrough, NOTHING, SLACK_MS } from '../support/failover.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { until } from '../support/redis-node.js'
import { isRefused, storyAt, unavailable } from '../support/redis-scene.js'
import { MASTER_NAME, SentinelSet } from '../support/redis-sentinel.js'
import { RedisServer, redisProgram, tellMissing } from '../support/redis-server.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'

const testOn = redisProgram === undefined ? test.skip : test.serial
if (redisProgram === undefined) tellMissing('faults of redis Sentinel are', 'redis-server')

let all: SentinelSet
if (redisProgram !== undefined) {
  test.before(async () => { all = await SentinelSet.start() })
  test.after.always(() => all?.stop())
}

/** Time-outs are longer than the promised ones only by what a busy machine takes. */
const within = (t: ExecutionContext, what: string, ms: number, promised: number): void => void t.true(ms < promised + SLACK_MS, `${what}: ${Math.round(ms)} ms`)

for (const waitReplicas of [0, 1]) {
  const how = waitReplicas === 0 ? '' : ', with wait_replicas'
  const settings = { redis: { waitReplicas } }

  testOn(`R31, R38: the master is killed while sessions are in use${how}`, async (t) => {
    const master = await all.master()
    const failover = await failOver(t, all, { settings, heirs: await all.replicas(), fault: () => master.kill() })
    holdsThrough(t, failover)
    within(t, 'errors after there was a master', failover.failedFor - failover.promotedAfter, 2_000)
    if (waitReplicas > 0) t.deepEqual(failover.ledger.lost, NOTHING)
  })

  testOn(`R32, R34: the master hangs, and comes back as one that believes to be the master${how}`, async (t) => {
    const master = await all.master()
    const afterwards = async (): Promise<void> => {
      master.wake()
      await sleep(2_000)
    }
    const failover = await failOver(t, all, { settings, heirs: await all.replicas(), fault: () => master.hang(), afterwards })
    holdsThrough(t, failover)
    within(t, 'errors after there was a master', failover.failedFor - failover.promotedAfter, 2_000)
    t.is(failover.ledger.lost.ends, 0)
    if (waitReplicas > 0) t.deepEqual(failover.ledger.lost, NOTHING)
  })

  testOn(`R33: a planned failover loses nothing${how}`, async (t) => {
    const failover = await failOver(t, all, { settings, heirs: await all.replicas(), fault: () => all.failover() })
    holdsThrough(t, failover)
    within(t, 'errors', failover.failedFor, waitReplicas === 0 ? 1_000 : 2_000)
    t.deepEqual(failover.ledger.lost, NOTHING)
  })
}

/** What is written now is acknowledged, and gets to no replica. */
const withoutReplication = async (work: () => Promise<void>): Promise<void> => {
  const [master, replicas] = [await all.master(), await all.replicas()]
  for (const replica of replicas) replica.hang()
  await master.ask('CLIENT', 'KILL', 'TYPE', 'replica')
  await work()
  await master.kill()
  for (const replica of replicas) replica.wake()
  // Not before: a master that comes back empty at once is still the master, and so empties the replicas.
  await until('another master', async () => (await all.master()) !== master)
  await all.heal()
}

testOn('R35: what was acknowledged and not replicated is lost with the master, log-outs too', async (t) => {
  const namespace = newKey()
  const manager = newRedis(t, { url: all.url, namespace })
  const [written, ended] = [newKey(), newKey()]
  const version = await manager.create(written, 'before', inAnHour())
  await manager.create(ended, 'x', inAnHour())
  await all.whole()
  await withoutReplication(async () => {
    t.is(typeof (await manager.replace(written, 'after', version!, inAnHour())), 'string')
    await manager.delete(ended)
  })
  t.is((await manager.get(written))?.value, 'before')
  t.is((await manager.get(ended))?.value, 'x')
})

testOn('R35: with wait_replicas such a write, or log-out, is an error, and nothing acknowledged is lost', async (t) => {
  const manager = newRedis(t, { url: all.url, namespace: newKey(), options: { waitReplicas: 1 } })
  const [written, ended] = [newKey(), newKey()]
  const version = await manager.create(written, 'before', inAnHour())
  await manager.create(ended, 'x', inAnHour())
  await withoutReplication(async () => {
    const refusals = [manager.replace(written, 'after', version!, inAnHour()), manager.delete(ended)]
    for (const refusal of refusals) t.like(await t.throwsAsync(refusal), { ...unavailable, backend: 'redis' })
  })
  t.is((await manager.get(written))?.value, 'before')
  await manager.delete(ended)
  t.is(await manager.get(ended), undefined)
})

testOn('R34: who was idle while the master hung and was replaced does not ask the old one when it wakes', async (t) => {
  const namespace = newKey()
  const [idle, other] = [newRedis(t, { url: all.url, namespace }), newRedis(t, { url: all.url, namespace })]
  const key = newKey()
  await other.create(key, 'x', inAnHour())
  t.is((await idle.get(key))?.value, 'x')
  const master = await all.master()
  await all.whole()
  master.hang()
  while ((await all.master().catch(() => master)) === master) await sleep(50)
  await other.delete(key)
  master.wake()
  // It believes to be the master for some ten seconds, and has the record.
  t.is(await master.info('role'), 'master')
  t.is(await master.ask('EXISTS', `${namespace}:${key}`), 1)
  for (const reader of [idle, newRedis(t, { url: all.url, namespace })]) t.is(await reader.get(key), undefined)
  await idle.create(newKey(), 'new', inAnHour())
  t.is(await (await all.master()).ask('DBSIZE'), await (await all.replicas()).find((one) => one !== master)!.ask('DBSIZE'))
  await all.heal()
})

testOn('R36: without sentinels sessions go on; without them and the connection they do when a sentinel is back', async (t) => {
  const scene = await storyAt(t, all.url, { namespace: newKey() })
  for (const sentinel of all.sentinels) await sentinel.kill()
  for (let round = 0; round < 5; round++) t.is((await scene.ask('/add')).status, 200)
  await all.servers.find(({ isRunning }) => isRunning)!.ask('PING')
  for (const server of all.servers) await server.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  isRefused(t, await scene.ask('/add'), unavailable)
  await all.sentinels[1]!.start()
  const ms = await scene.recovers('/add')
  t.log(`first success after ${Math.round(ms)} ms`)
  within(t, 'first success', ms, 2_000)
  await all.heal()
})

testOn('R37: sentinels that name another server are not believed against those that know of a failover, and none that is a replica is used', async (t) => {
  await all.heal()
  const impostor = await RedisServer.start(t)
  const replicaPort = (await all.replicas())[0]!.port
  for (const [what, port] of Object.entries({ 'a server of its own': impostor.port, 'a replica': replicaPort })) {
    const liar = await SentinelSet.sentinel(t, port)
    const namespace = newKey()
    const manager = newRedis(t, { url: all.url.replace('//', `//127.0.0.1:${liar.port},`), namespace })
    t.is(typeof (await manager.create(newKey(), 'x', inAnHour())), 'string', what)
  }
  t.is(await impostor.run('dbsize'), 0)
  const toReplica = await SentinelSet.sentinel(t, replicaPort)
  const misled = newRedis(t, { url: `redis+sentinel://127.0.0.1:${toReplica.port}/${MASTER_NAME}` })
  t.like(await t.throwsAsync(misled.get(newKey())), { ...unavailable, operation: 'get' })
})

testOn('a name that no sentinel knows is told at once, as what a person must mend', async (t) => {
  const manager = newRedis(t, { url: all.url.replace(MASTER_NAME, 'nobody') })
  const begun = performance.now()
  const error = await t.throwsAsync(manager.get(newKey()))
  t.like(error, { code: 'PHIAL_STORE', retryable: false, operation: 'get' })
  t.regex(error!.message, /know no master nobody/)
  within(t, 'told', performance.now() - begun, 500)
})

testOn('a sentinel that hangs costs a moment at the start, and nothing later', async (t) => {
  all.sentinels[0]!.hang()
  const scene = await storyAt(t, all.url, { namespace: newKey() })
  t.is((await scene.ask('/add')).status, 200)
  all.sentinels[0]!.wake()
})

testOn('R01: without a sentinel and a master the application starts, answers 503, and finds them when they come', async (t) => {
  for (const node of [...all.sentinels, ...all.servers]) await node.kill()
  const scene = await storyAt(t, all.url, { namespace: newKey() }, true)
  for (let round = 0; round < 2; round++) isRefused(t, await scene.ask('/set/a/1'), unavailable)
  for (const node of [...all.servers, ...all.sentinels]) await node.start()
  const ms = await scene.recovers('/set/a/1')
  t.log(`first success after ${Math.round(ms)} ms`)
  await all.heal()
})

testOn('a user at the sentinels needs three of their answers and to subscribe; a wrong password is told', async (t) => {
  for (const sentinel of all.sentinels) {
    await sentinel.ask('ACL', 'SETUSER', 'phial', 'on', '>p@ss', 'resetchannels', '&+*', '-@all', '+subscribe', '+ping', '+sentinel|get-master-addr-by-name', '+sentinel|master', '+sentinel|replicas')
  }
  const at = (sentinelPassword: string): ReturnType<typeof newRedis> => newRedis(t, { url: all.url, namespace: newKey(), options: { sentinelUsername: 'phial', sentinelPassword } })
  const manager = at('p@ss')
  await manager.create(newKey(), 'x', inAnHour())
  for (const sentinel of all.sentinels) {
    await until('it hears of failovers', async () => String(await sentinel.ask('CLIENT', 'LIST', 'TYPE', 'pubsub')).includes('user=phial'))
  }
  const error = await t.throwsAsync(at('wrong').get(newKey()))
  t.like(error, { code: 'PHIAL_STORE', retryable: false })
  t.false(JSON.stringify(error).includes('wrong'))
})

testOn('addresses are translated by nat_map', async (t) => {
  const master = await all.master()
  const proxy = await FaultProxy.start(master.port)
  t.teardown(() => proxy.close())
  const manager = newRedis(t, { url: all.url, namespace: newKey(), options: { natMap: `127.0.0.1:${master.port}=127.0.0.1:${proxy.port}` } })
  await manager.create(newKey(), 'x', inAnHour())
  t.is(proxy.connections, 1)
})

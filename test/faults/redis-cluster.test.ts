import test from 'ava'
import type { ExecutionContext } from 'ava'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { slotOf } from '../../backends/redis/slots.js'
import { failOver, holdsThrough, NOTHING, SLACK_MS } from '../support/failover.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { RedisCluster } from '../support/redis-cluster.js'
import { until } from '../support/redis-node.js'
import type { RedisNode } from '../support/redis-node.js'
import { isRefused, storyAt, unavailable } from '../support/redis-scene.js'
import { redisProgram, tellMissing } from '../support/redis-server.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'
import { freePorts } from '../support/server-process.js'
import { scriptedRedis } from '../support/scripted-redis.js'
import { SessionLoad } from '../support/session-load.js'

const testOn = redisProgram === undefined ? test.skip : test.serial
if (redisProgram === undefined) tellMissing('faults of a redis cluster are', 'redis-server')

let all: RedisCluster
if (redisProgram !== undefined) {
  test.before(async () => { all = await RedisCluster.start() })
  test.after.always(() => all?.stop())
}

const within = (t: ExecutionContext, what: string, ms: number, promised: number): void => void t.true(ms < promised + SLACK_MS, `${what}: ${Math.round(ms)} ms`)

/** A master and who would take its place. */
const pair = async (slot = 0): Promise<{ master: RedisNode; heirs: RedisNode[] }> => {
  const master = await all.masterOf(slot)
  return { master, heirs: await all.replicasOf(master) }
}

/** A key whose slot this node serves. */
const keyAt = async (node: RedisNode, namespace: string): Promise<string> => {
  for (;;) {
    const key = newKey()
    if ((await all.masterOf(slotOf(`${namespace}:${key}`))) === node) return key
  }
}

for (const waitReplicas of [0, 1]) {
  const how = waitReplicas === 0 ? '' : ', with wait_replicas'
  const settings = { redis: { waitReplicas } }

  testOn(`R48: a master is killed while sessions are in use${how}`, async (t) => {
    const { master, heirs } = await pair()
    const failover = await failOver(t, all, { settings, heirs, fault: () => master.kill(), afterwards: () => master.start() })
    holdsThrough(t, failover)
    if (waitReplicas === 0) within(t, 'errors after there was a master', failover.failedFor - failover.promotedAfter, 1_000)
    else t.deepEqual(failover.ledger.lost, NOTHING)
  })

  testOn(`R47: a master hangs while sessions are in use, and comes back${how}`, async (t) => {
    const { master, heirs } = await pair()
    const afterwards = async (): Promise<void> => {
      master.wake()
      await sleep(1_000)
    }
    const failover = await failOver(t, all, { settings, heirs, fault: () => master.hang(), afterwards })
    holdsThrough(t, failover)
    if (waitReplicas === 0) within(t, 'errors after there was a master', failover.failedFor - failover.promotedAfter, 1_000)
    else t.deepEqual(failover.ledger.lost, NOTHING)
    t.is(failover.ledger.lost.ends, 0)
  })

  testOn(`a planned failover loses nothing${how}`, async (t) => {
    const { heirs } = await pair()
    const failover = await failOver(t, all, { settings, heirs, fault: () => heirs[0]!.ask('CLUSTER', 'FAILOVER') })
    holdsThrough(t, failover)
    within(t, 'errors', failover.failedFor, 1_000)
    t.deepEqual(failover.ledger.lost, NOTHING)
  })

  testOn(`R41, R43: slots are moved while their sessions are in use${how}`, async (t) => {
    t.timeout(120_000)
    const before = await answers()
    const namespace = randomUUID()
    const load = await SessionLoad.begin({ type: 'redis', url: all.url, namespace, ...settings })
    t.teardown(() => load.close())
    const masters = await all.masters()
    const begun = performance.now()
    let moved = 0
    for (let round = 0; round < 5; round++) {
      for (const key of load.keys) {
        const slot = slotOf(`${namespace}:${key}`)
        await all.move(slot, masters[(masters.indexOf(await all.masterOf(slot)) + 1) % masters.length]!, 20)
        moved++
      }
    }
    await load.stop()
    await all.whole()
    const ledger = await load.ledger()
    const after = await answers()
    t.log(`${moved} slots moved in ${Math.round(performance.now() - begun)} ms; ${after.MOVED - before.MOVED} MOVED, ${after.ASK - before.ASK} ASK; ${load.failures.length} of ${load.calls} calls failed (${load.codes.join(', ') || 'none'}); `
      + `slowest call ${Math.round(load.slowestMs)} ms; acknowledged ${JSON.stringify(ledger.acknowledged)}, lost ${JSON.stringify(ledger.lost)}`)
    t.true(after.MOVED > before.MOVED && after.ASK > before.ASK)
    t.deepEqual(load.failures, [])
    t.deepEqual(ledger.lost, NOTHING)
    t.is(ledger.doubled, 0)
  })
}

/** How often the nodes have sent somebody on. */
const answers = async (): Promise<{ MOVED: number; ASK: number }> => {
  const count = { MOVED: 0, ASK: 0 }
  for (const node of all.nodes) {
    for (const [, kind, times] of String(await node.ask('INFO', 'errorstats')).matchAll(/errorstat_(MOVED|ASK):count=(\d+)/g)) count[kind as 'MOVED' | 'ASK'] += Number(times)
  }
  return count
}

/** Scripts that a node ran. A replica gets the effects of one, not the script. */
const scriptsRun = async (node: RedisNode): Promise<number> =>
  [...String(await node.ask('INFO', 'commandstats')).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)

testOn('R49: nodes are added, get sessions, lose them again and go', async (t) => {
  t.timeout(120_000)
  const namespace = randomUUID()
  const load = await SessionLoad.begin({ type: 'redis', url: all.url, namespace })
  t.teardown(() => load.close())
  const added = await all.add()
  const slots = load.keys.map((key) => slotOf(`${namespace}:${key}`))
  const home = await all.masterOf(slots[0]!)
  for (const slot of slots) await all.move(slot, added)
  const seen = await scriptsRun(added)
  await sleep(500)
  t.true((await scriptsRun(added)) > seen)
  for (const slot of slots) await all.move(slot, home)
  await all.remove(added)
  await all.whole()
  await sleep(500)
  await load.stop()
  t.deepEqual(load.failures, [])
  t.deepEqual((await load.ledger()).lost, NOTHING)
})

testOn('R51: a replica is never asked, also when its master is gone and nobody takes its place', async (t) => {
  const { master, heirs: [replica] } = await pair()
  const namespace = newKey()
  const store = newRedis(t, { url: all.url, namespace })
  const key = await keyAt(master, namespace)
  await store.create(key, 'x', inAnHour())
  await replica!.ask('CONFIG', 'SET', 'cluster-replica-no-failover', 'yes')
  const before = await scriptsRun(replica!)
  await master.kill()
  for (const end = performance.now() + 3_000; performance.now() < end; await sleep(50)) {
    const begun = performance.now()
    const error = await t.throwsAsync(store.get(key), { instanceOf: Error })
    t.true(['PHIAL_STORE_UNAVAILABLE', 'PHIAL_STORE_TIMEOUT'].includes((error as Error & { code: string }).code), String(error))
    within(t, 'an error', performance.now() - begun, 1_000)
  }
  t.is(await scriptsRun(replica!), before)
  await replica!.ask('CONFIG', 'SET', 'cluster-replica-no-failover', 'no')
  // A master that came back empty before would empty it.
  await until('it is the master', async () => (await replica!.info('role')) === 'master')
  await all.heal()
  t.is((await store.get(key))?.value, 'x')
})

testOn('R34: who was idle while a master hung and was replaced does not ask the old one when it wakes', async (t) => {
  const { master, heirs } = await pair()
  const namespace = newKey()
  const [idle, other] = [newRedis(t, { url: all.url, namespace }), newRedis(t, { url: all.url, namespace })]
  const key = await keyAt(master, namespace)
  await other.create(key, 'x', inAnHour())
  t.is((await idle.get(key))?.value, 'x')
  await all.whole()
  master.hang()
  while ((await heirs[0]!.info('role')) !== 'master') await sleep(20)
  await sleep(1_500) // it looks once a second
  while ((await other.delete(key).then(() => true, () => false)) === false) await sleep(20)
  master.wake()
  t.is(await idle.get(key), undefined)
  await all.heal()
})

testOn('R52: one seed that is up is enough, wherever it stands', async (t) => {
  const [dead] = await freePorts(1)
  const [port] = [(await all.masterOf(0)).port]
  for (const seeds of [[dead, port], [port, dead]]) {
    const begun = performance.now()
    const store = newRedis(t, { url: `redis+cluster://${seeds.map((each) => `127.0.0.1:${each}`).join(',')}`, namespace: newKey() })
    t.is(typeof (await store.create(newKey(), 'x', inAnHour())), 'string')
    within(t, 'the first answer', performance.now() - begun, 1_000)
  }
})

testOn('R52: a replica will do for a seed', async (t) => {
  const { heirs: [replica] } = await pair()
  const before = await scriptsRun(replica!)
  const store = newRedis(t, { url: `redis+cluster://127.0.0.1:${replica!.port}`, namespace: newKey() })
  for (let round = 0; round < 30; round++) t.is(await store.get(newKey()), undefined)
  t.is(await scriptsRun(replica!), before)
})

testOn('R01: while no node answers, each call is an error in time; the first success comes soon after they do', async (t) => {
  const scene = await storyAt(t, all.url, { namespace: newKey() })
  await scene.ask('/set/a/1')
  for (const node of all.nodes) node.hang()
  for (let round = 0; round < 4; round++) isRefused(t, await scene.ask('/'), { retryable: true })
  const late = await storyAt(t, all.url, { namespace: newKey(), operationTimeout: 3, requestBudget: 6 }, true)
  isRefused(t, await late.ask('/set/a/1'), unavailable, 3_000)
  for (const node of all.nodes) node.wake()
  await until('the cluster is up', async () => String(await (await all.masterOf(0)).ask('CLUSTER', 'INFO')).includes('cluster_state:ok'))
  const ms = await scene.recovers()
  t.log(`first success after ${Math.round(ms)} ms`)
  within(t, 'first success', ms, 2_000)
  within(t, 'first success', await late.recovers('/set/a/1'), 2_000)
  t.is((await scene.ask('/')).text, '{"a":"1"}')
  await all.heal()
})

/** One node that says to serve all slots. */
const allSlots = (port: number): string => `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$2\r\nid\r\n`

testOn('R50: a cluster that sends us round in circles is an error in time', async (t) => {
  for (const kind of ['MOVED', 'ASK']) {
    let asked = 0
    const port = await scriptedRedis(t, (command, _socket, own) => {
      if (command === 'ping') return '+PONG\r\n'
      if (command === 'cluster') return allSlots(own)
      if (command === 'asking') return '+OK\r\n'
      if (command === 'evalsha') asked++
      return `-${kind} 1 127.0.0.1:${own}\r\n`
    })
    const store = newRedis(t, { url: `redis+cluster://127.0.0.1:${port}` })
    const begun = performance.now()
    t.like(await t.throwsAsync(store.get(newKey())), { ...unavailable, operation: 'get' })
    within(t, kind, performance.now() - begun, 500)
    t.is(asked, 6)
  }
})

testOn('R50: a redirection to nowhere is an error in time, and changes no prototype', async (t) => {
  for (const to of ['MOVED __proto__ 127.0.0.1:1', 'MOVED 1 127.0.0.1:1', 'ASK 1 127.0.0.1:1', 'MOVED 1 nowhere']) {
    const port = await scriptedRedis(t, (command, _socket, own) => (command === 'ping' ? '+PONG\r\n' : command === 'cluster' ? allSlots(own) : `-${to}\r\n`))
    const store = newRedis(t, { url: `redis+cluster://127.0.0.1:${port}`, operationTimeout: 0.5 })
    const begun = performance.now()
    t.regex((await t.throwsAsync(store.get(newKey())))!.name, /^Store/)
    within(t, to, performance.now() - begun, 500)
  }
  t.is((Object.prototype as { [key: string]: unknown })['0'], undefined)
})

testOn('a server that is no cluster is told', async (t) => {
  const port = await scriptedRedis(t, (command) => (command === 'ping' ? '+PONG\r\n' : '-ERR This instance has cluster support disabled\r\n'))
  const error = await t.throwsAsync(newRedis(t, { url: `redis+cluster://127.0.0.1:${port}` }).get(newKey()))
  t.like(error, { code: 'PHIAL_STORE', retryable: false })
  t.regex(error!.message, /cluster support disabled/)
})

testOn('addresses are translated by nat_map', async (t) => {
  const masters = await all.masters()
  const proxies = await Promise.all(masters.map((master) => FaultProxy.start(master.port)))
  t.teardown(() => Promise.all(proxies.map((proxy) => proxy.close())))
  const natMap = proxies.map((proxy, index) => `127.0.0.1:${masters[index]!.port}=127.0.0.1:${proxy.port}`).join(', ')
  const store = newRedis(t, { url: `redis+cluster://127.0.0.1:${masters[0]!.port}`, namespace: newKey(), options: { natMap } })
  for (let round = 0; round < 30; round++) await store.create(newKey(), 'x', inAnHour())
  t.deepEqual(proxies.map(({ connections }) => connections), [1, 1, 1])
  let count = 0
  for await (const _key of store.keys()) count++
  t.is(count, 30)
})

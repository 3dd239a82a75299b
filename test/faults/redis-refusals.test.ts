import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { until } from '../support/redis-node.js'
import { redisProgram, RedisServer, tellMissing } from '../support/redis-server.js'
import { isBack, isRefused, lasting, redisScene, unavailable } from '../support/redis-scene.js'
import type { Scene } from '../support/redis-scene.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'
import { freePorts } from '../support/server-process.js'

const testOn = redisProgram === undefined ? test.skip : test.serial
if (redisProgram === undefined) tellMissing('refusals of a redis server are', 'redis-server')

const warnings: (Error & { code?: string })[] = []
process.on('warning', (warning) => warnings.push(warning))

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0
const testMounted = canMount ? testOn : test.skip

testMounted('R11: a disk that is full for the snapshot: writes are refused until a person mends it, reads go on (needs unshare -m)', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'phial-redis-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const wrapper = ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o size=16k tmpfs ${directory} && exec "$@"`, 'sh']
  const scene = await redisScene(t, { directory, wrapper, args: ['--save', '3600 1'] })
  const { ask, server } = scene
  await server.run('set', 'filling', 'x'.repeat(200_000).replaceAll('x', () => Math.random().toString(36)))
  await server.run('bgsave')
  await until('the snapshot has failed', async () => /rdb_last_bgsave_status:err/.test(String(await server.run('info', 'persistence'))))
  isRefused(t, await ask('/set/b/2'), { ...lasting, operation: 'replace' })
  t.is((await ask('/')).text, '{"a":"1"}')
  await server.run('config', 'set', 'stop-writes-on-bgsave-error', 'no')
  await isBack(t, scene, '/set/b/2')
})

testOn('R12: a server that wants a password, and is given none: told as what a person must mend, and found when that is done', async (t) => {
  const scene = await redisScene(t)
  const { ask, server, proxy } = scene
  await server.run('config', 'set', 'requirepass', 'hunter2-and-more')
  await server.run('auth', 'hunter2-and-more')
  proxy.drop()
  await sleep(50)
  for (let round = 0; round < 3; round++) isRefused(t, await ask('/'), { ...lasting, operation: 'get' }, 300)
  t.is((await ask('/none')).status, 200)
  await server.run('config', 'set', 'requirepass', '')
  await isBack(t, scene)
})

testOn('R12: a wrong password is told as what it is, also where a database is to be chosen', async (t) => {
  const server = await RedisServer.start(t)
  await server.run('config', 'set', 'requirepass', 'hunter2-and-more')
  const store = newRedis(t, { url: `redis://:wrong@127.0.0.1:${server.port}/3` })
  await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE', message: 'redis: get: there is no connection (NOAUTH)' })
})

testOn('R12: a wrong password is told as what a person must mend; it is shown nowhere, and needs no restart', async (t) => {
  const password = 'p@ss:w/ord-7f3a'
  const server = await RedisServer.start(t)
  await server.run('acl', 'setuser', 'app', 'on', '>other', '+@all', '~*')
  const store = newRedis(t, { url: `redis://app:${encodeURIComponent(password)}@127.0.0.1:${server.port}` })
  await sleep(100)
  const begun = performance.now()
  const error = await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE', message: /WRONGPASS/ })
  t.true(performance.now() - begun < 500)
  t.like(error, { retryable: false, operation: 'get' })
  const shown = inspect([error, store, warnings], { depth: 20, showHidden: true })
  for (const secret of [password, encodeURIComponent(password)]) t.false(shown.includes(secret))
  t.true(warnings.some(({ code }) => code === 'PHIAL_REDIS_REFUSED'), 'it is said once, when the application starts')
  await server.run('acl', 'setuser', 'app', `>${password}`)
  const healed = performance.now()
  await until('it is let in', async () => (await store.create(newKey(), 'value', inAnHour())) !== undefined)
  t.true(performance.now() - healed < 2_000)
})

testOn('R12: a user without the rights: told as what a person must mend, without a piece of the command', async (t) => {
  const scene = await redisScene(t)
  const { ask, server } = scene
  await server.run('acl', 'setuser', 'default', '-evalsha')
  const answer = await ask('/')
  isRefused(t, answer, lasting, 300)
  await server.run('acl', 'setuser', 'default', '+evalsha', '-set')
  const saved = await ask('/set/b/secret-data')
  isRefused(t, saved, lasting, 300)
  t.false(inspect([answer.error, saved.error], { depth: 20, showHidden: true }).includes('secret-data'))
  await server.run('acl', 'setuser', 'default', '+set')
  await isBack(t, scene, '/set/b/2')
})

testOn('a user that may do nothing, not even ping, is told the same', async (t) => {
  const scene = await redisScene(t)
  await scene.server.run('acl', 'setuser', 'default', '-@all', '+acl')
  scene.proxy.drop()
  await sleep(50)
  isRefused(t, await scene.ask('/'), lasting, 300)
  await scene.server.run('acl', 'setuser', 'default', '+@all')
  await isBack(t, scene)
})

testOn('a server whose commands have other names tells so, without a piece of what was sent', async (t) => {
  const server = await RedisServer.start(t, { args: ['--rename-command', 'SET', 'OTHER'] })
  const store = newRedis(t, { url: server.url })
  const error = await t.throwsAsync(store.create(newKey(), 'secret-data', inAnHour()), { code: 'PHIAL_STORE' })
  t.false(inspect(error, { depth: 20, showHidden: true }).includes('secret-data'))
})

testOn('R13: a script that does not end: told in time, and over when it is killed', async (t) => {
  const scene = await redisScene(t, { args: ['--busy-reply-threshold', '1500'] })
  const { ask, server } = scene
  const endless = new (await import('ioredis')).Redis(server.port, '127.0.0.1')
  t.teardown(() => endless.disconnect())
  endless.on('error', () => undefined)
  endless.eval('while true do end', 0).catch(() => undefined)
  await sleep(50)
  const codes = new Set<string>()
  for (let round = 0; round < 40 && codes.size < 2; round++) {
    const answer = await ask('/')
    isRefused(t, answer, { retryable: true })
    codes.add((answer.error as { code: string }).code)
    await sleep(200)
  }
  t.true(codes.has('PHIAL_STORE_TIMEOUT') && codes.has('PHIAL_STORE_UNAVAILABLE'), [...codes].join())
  await server.run('script', 'kill')
  await isBack(t, scene)
})

testOn('R14: no room for another client: unavailable until there is', async (t) => {
  const scene = await redisScene(t)
  const { ask, server, proxy } = scene
  await server.run('config', 'set', 'maxclients', 1)
  proxy.drop()
  await sleep(50)
  isRefused(t, await ask('/'), unavailable)
  isRefused(t, await ask('/add'), unavailable)
  t.true(proxy.accepted < 40, 'it is not asked all the time')
  await server.run('config', 'set', 'maxclients', 100)
  await isBack(t, scene)
})

testOn('R15: a replica that has lost its master and tells nothing old: unavailable', async (t) => {
  const scene = await redisScene(t, { args: ['--replica-serve-stale-data', 'no'] })
  const { ask, server } = scene
  await server.run('replicaof', '127.0.0.1', 1)
  isRefused(t, await ask('/'), { ...unavailable, operation: 'get' })
  isRefused(t, await ask('/add'), unavailable)
  await server.run('replicaof', 'no', 'one')
  await isBack(t, scene)
})

/** Reads go on, a touch that is due with them is refused and fails nothing; saves are 503, and no cookie is sent. */
const readsOnly = async (t: ExecutionContext, scene: Scene): Promise<void> => {
  const store = newRedis(t, { url: scene.server.url })
  const [name] = (await scene.server.run('keys', 'app:*')) as string[]
  const key = name!.slice(-64)
  const touch = { expiresAt: inAnHour() * 2, ifBefore: inAnHour() * 2 }
  t.like(await store.get(key, touch), { touched: false })
  t.is((await scene.ask('/')).text, '{"a":"1"}')
  const visitor = scene.app.client()
  isRefused(t, await scene.ask('/set/b/2'), { ...unavailable, operation: 'replace' })
  isRefused(t, await scene.ask('/set/b/2', visitor), { ...unavailable, operation: 'create' })
  t.is((await scene.ask('/')).text, '{"a":"1"}')
}

testOn('R16: too few replicas for a write: reads go on, saves are unavailable', async (t) => {
  const scene = await redisScene(t)
  await scene.server.run('config', 'set', 'min-replicas-to-write', 1)
  await readsOnly(t, scene)
  await scene.server.run('config', 'set', 'min-replicas-to-write', 0)
  await isBack(t, scene, '/set/b/2')
})

testOn('R10: a replica: reads with a touch that is due go on, saves are unavailable', async (t) => {
  const scene = await redisScene(t)
  await scene.server.run('replicaof', '127.0.0.1', 1)
  await readsOnly(t, scene)
})

testOn('a full memory: reads go on, saves are unavailable, sessions can be ended, and that makes room', async (t) => {
  const scene = await redisScene(t)
  const { server, ask } = scene
  await ask('/set/b/1', scene.app.client())
  await server.run('set', 'other', 'x'.repeat(500_000))
  await server.run('config', 'set', 'maxmemory', 1)
  const store = newRedis(t, { url: server.url })
  const [name] = (await server.run('keys', 'app:*')) as string[]
  t.truthy(await store.get(name!.slice(-64), { expiresAt: inAnHour() * 2, ifBefore: inAnHour() * 2 }))
  t.is((await ask('/')).text, '{"a":"1"}')
  isRefused(t, await ask('/set/b/2'), { ...unavailable, operation: 'replace' })
  t.is((await ask('/logout')).status, 200)
  t.is((await ask('/')).text, '{}')
  await server.run('config', 'set', 'maxmemory', 0)
  await isBack(t, scene, '/set/b/2')
})

testOn('a policy that gives up sessions in use is warned of, once', async (t) => {
  const server = await RedisServer.start(t, { args: ['--maxmemory-policy', 'allkeys-lru'] })
  const of = (): number => warnings.filter(({ code }) => code === 'PHIAL_REDIS_EVICTION').length
  t.is(of(), 0)
  for (let round = 0; round < 2; round++) {
    const store = newRedis(t, { url: server.url })
    await store.get(newKey())
  }
  await until('it is told', () => of() > 0)
  await sleep(50)
  t.is(of(), 1)
  t.regex(warnings.find(({ code }) => code === 'PHIAL_REDIS_EVICTION')!.message, /allkeys-lru/)
})

testOn('a database that the server does not have is refused, and nothing goes to another one', async (t) => {
  const server = await RedisServer.start(t, { args: ['--databases', '2'] })
  const store = newRedis(t, { url: `${server.url}/7` })
  for (let round = 0; round < 20; round++) {
    const error = await t.throwsAsync(store.create(newKey(), 'value', inAnHour()), { code: 'PHIAL_STORE' })
    t.like(error, { retryable: false })
    await sleep(10)
  }
  t.is(await server.run('dbsize'), 0)
  const other = newRedis(t, { url: `${server.url}/1` })
  await other.create(newKey(), 'value', inAnHour())
  t.is(await server.run('dbsize'), 0)
  await server.run('select', 1)
  t.is(await server.run('dbsize'), 1)
})

testOn('a server of another kind is what a person must mend', async (t) => {
  const http = createHttp((_req, res) => res.end('hello')).listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(() => http.close())
  const store = newRedis(t, { url: `redis://127.0.0.1:${(http.address() as AddressInfo).port}` })
  const error = await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE' })
  t.like(error, { retryable: false })
})

testOn('a host that nobody knows is unavailable', async (t) => {
  const store = newRedis(t, { url: 'redis://no-such-host.invalid:6379' })
  const begun = performance.now()
  await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE_UNAVAILABLE' })
  t.true(performance.now() - begun < 1_400)
})

testOn('a node of a cluster is no single server', async (t) => {
  const [busPort] = await freePorts(1) // the one that it takes by itself may be a connection's
  const server = await RedisServer.start(t, { args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)] })
  const store = newRedis(t, { url: server.url })
  await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE_UNAVAILABLE', message: /CLUSTERDOWN/ })
})

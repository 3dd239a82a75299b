import anyTest from 'ava'
import type { ExecutionContext } from 'ava'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Connection } from '../../backends/memcache/connection.js'
import type { MemcacheOptions } from '../../backends/memcache.js'
import { serversOf } from '../../backends/memcache/servers.js'
import { spreadOver } from '../../backends/memcache/spread.js'
import { OPCODE, STATUS } from '../../backends/memcache/wire.js'
import type { BackendContext } from '../../src/namespace-manager.js'
import { TooLargeError } from '../../src/errors.js'
import { freshNamespace, hasMemcached, key, later, managerOn, proxyTo, startMemcached } from '../support/memcache-store.js'
import type { MemcacheStore } from '../support/memcache-store.js'
import { PASSWORD, startWithSasl, USER } from '../support/memcached-sasl.js'
import { MemcachedServer } from '../support/memcached-server.js'

const test = hasMemcached() ? anyTest : anyTest.skip

let shared: MemcachedServer

anyTest.before(async () => {
  if (hasMemcached()) shared = await MemcachedServer.start()
})
anyTest.after.always(() => shared?.kill())

const start = startMemcached

/** A busy machine is not what is tested here. */
const open = (t: ExecutionContext, url: string = shared.url, context: Partial<BackendContext<any>> = {}): MemcacheStore =>
  managerOn(t, url, { operationTimeout: 10, ...context })

/** Several of one namespace, as several processes would be. */
const openSeveral = (t: ExecutionContext, count: number, url = shared.url): MemcacheStore[] => {
  const namespace = freshNamespace()
  return Array.from({ length: count }, () => open(t, url, { namespace }))
}

/** The commands on items that `work` costs the server. */
const costOf = async (server: MemcachedServer, work: () => Promise<unknown>): Promise<string> => {
  const before = await server.commands()
  await work()
  const after = await server.commands()
  return Object.entries(after).map(([name, count]) => [name, count - before[name as 'get']] as const)
    .filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`).join(', ')
}

// What it costs

test('each call is one command: reading, reading with a touch, creating, replacing, touching, removing', async (t) => {
  const server = await start(t)
  const [manager, other] = openSeveral(t, 2, server.url) as [MemcacheStore, MemcacheStore]
  let version: string | undefined
  t.is(await costOf(server, async () => (version = await manager.create(key(), 'value', later()))), '1 set')
  t.is(await costOf(server, () => manager.get(key())), '1 get')
  t.is(await costOf(server, async () => (version = await manager.replace(key(), 'next', version!, later()))), '1 set')
  t.is(await costOf(server, () => other.get(key(), { expiresAt: later(7200), ifBefore: later(7000) })), '1 touch')
  t.is(await costOf(server, async () => (version = await other.replace(key(), 'third', version!, later()))), '1 set')
  t.is(await costOf(server, () => other.touch(key(), later())), '1 touch')
  t.is(await costOf(server, () => other.delete(key(), version!)), '1 delete')
  t.is(await costOf(server, () => other.delete(key())), '1 delete')
})

// Touches

test('a process touches a session once an interval, whatever it reads, and says which read did', async (t) => {
  const server = await start(t)
  const [manager, other] = openSeveral(t, 2, server.url) as [MemcacheStore, MemcacheStore]
  const read = async (by: MemcacheStore, from: number): Promise<boolean | undefined> =>
    (await by.get(key(), { expiresAt: from + 3_600_000, ifBefore: from + 3_540_000 }))?.touched
  const now = Date.now()
  await manager.create(key(), 'value', now + 3_600_000)
  t.is(await costOf(server, async () => t.false(await read(manager, now + 59_000))), '1 get')
  t.is(await costOf(server, async () => t.true(await read(manager, now + 61_000))), '1 touch')
  t.is(await costOf(server, async () => t.false(await read(manager, now + 100_000))), '1 get')
  t.true(await read(other, now + 100_000), 'another process knows of no touch')
  t.false(await read(other, now + 110_000))
})

test('what another process has just written was not due to be touched', async (t) => {
  const [manager, other] = openSeveral(t, 2) as [MemcacheStore, MemcacheStore]
  await manager.create(key(), 'value', later())
  t.false((await other.get(key(), { expiresAt: later(), ifBefore: later(3540) }))?.touched)
})

test('a touch that was not due shortens no life', async (t) => {
  const [manager, other] = openSeveral(t, 2) as [MemcacheStore, MemcacheStore]
  await manager.create(key(), 'value', later(600))
  t.false((await other.get(key(), { expiresAt: later(4), ifBefore: later(3) }))?.touched)
  await sleep(6_500)
  t.is((await other.get(key()))?.value, 'value')
})

test('when a read record ends is not told, since memcached does not', async (t) => {
  const manager = open(t)
  await manager.create(key(), 'value', later())
  t.deepEqual(Object.keys((await manager.get(key()))!).sort(), ['touched', 'value', 'version'])
})

// Time

/** Two seconds, and what a busy machine adds to the server's clock and to ours. */
const BUSY = 6_000

test('M05: records end never early, and at most two seconds late', async (t) => {
  const manager = open(t)
  const lives = [1, 300, 999, 1_000, 1_001, 1_500, 2_000]
  await Promise.all(lives.map(async (life, n) => {
    await sleep(n * 130) // at other points of the server's second
    const end = Date.now() + life
    await manager.create(key(n), 'value', end)
    while ((await manager.get(key(n))) !== undefined) await sleep(10)
    const late = Date.now() - end
    t.true(late >= 0 && late <= BUSY, `${life} ms: ${late} ms late`)
  }))
})

// Versions

test('a version is used over the connection that told it, and proved by its nonce over another', async (t) => {
  const server = await start(t)
  const proxy = await proxyTo(t, server)
  const manager = open(t, `127.0.0.1:${proxy.port}`)
  const stale = await manager.create(key(), 'one', later())
  const version = await manager.replace(key(), 'two', stale!, later())
  proxy.drop()
  await sleep(20)
  t.is(await costOf(server, async () => t.is(await manager.replace(key(), 'late', stale!, later()), undefined)), '1 get')
  let next: string | undefined
  t.is(await costOf(server, async () => (next = await manager.replace(key(), 'three', version!, later()))), '1 set')
  t.is((await manager.get(key()))?.value, 'three')
  proxy.drop()
  await sleep(20)
  t.is(await costOf(server, async () => t.true(await manager.delete(key(), next!))), '1 get, 1 delete')
})

test('M01: after a restart an old version fits no record, even where memcached has given its number again', async (t) => {
  const server = await start(t)
  const [manager, other] = openSeveral(t, 2, server.url) as [MemcacheStore, MemcacheStore]
  const before = await manager.create(key(), 'before', later())
  await server.restart()
  const after = await untilDone(() => other.create(key(), 'after', later()))
  t.is(after!.slice(-16), before!.slice(-16), 'the number is the same')
  t.is(await untilDone(() => manager.replace(key(), 'late', before!, later())), undefined)
  t.false(await manager.delete(key(), before!))
  const record = await manager.get(key())
  t.deepEqual([record?.value, record?.version], ['after', after])
  t.truthy(await manager.replace(key(), 'next', after!, later()))
})

/** Once more, for those whose connection ended. */
const untilDone = async <T>(call: () => Promise<T>): Promise<T> => call().catch(async () => {
  await sleep(50)
  return call()
})

test('M17: a server that runs without CAS (-C) is refused, since writes would undo each other', async (t) => {
  const server = await start(t, '-C')
  const manager = open(t, server.url)
  for (const call of [() => manager.create(key(), 'value', later()), () => manager.get(key())]) {
    const error = await t.throwsAsync(call, { code: 'PHIAL_STORE', message: /-C/ })
    t.false((error as unknown as { retryable: boolean }).retryable)
  }
  t.is((await server.commands()).set, 0)
})

// Sizes

test('M03: a value over the limit is refused before the call, and the old one stays', async (t) => {
  const server = await start(t)
  const manager = open(t, server.url, { options: { maxValueBytes: 5_000 } })
  t.is(manager.supports.maxValueBytes, 5_000)
  const version = await manager.create(key(), 'old', later())
  t.is(await costOf(server, async () => {
    const error = await t.throwsAsync(manager.replace(key(), 'x'.repeat(5_001), version!, later()), { instanceOf: TooLargeError })
    t.deepEqual([error.size, error.limit], [5_001, 5_000])
    await t.throwsAsync(manager.create(key('other'), 'é'.repeat(2_501), later()), { instanceOf: TooLargeError })
  }), '')
  t.is((await manager.get(key()))?.value, 'old')
  t.truthy(await manager.replace(key(), 'x'.repeat(5_000), version!, later()))
})

test('M03: what the server says it takes (-I) counts where it is less, and what it refuses leaves the old value', async (t) => {
  const server = await start(t, '-I', '512k')
  const fits = 512 * 1024 - 1024
  const manager = open(t, server.url)
  const version = await manager.create(key(), 'old', later())
  const error = await t.throwsAsync(manager.replace(key(), 'x'.repeat(fits + 1), version!, later()), { instanceOf: TooLargeError })
  t.is(error.limit, fits)
  t.is((await manager.get(key()))?.value, 'old')
  t.truthy(await manager.replace(key(), 'x'.repeat(fits), version!, later()))
  const hasty = open(t, server.url) // its first command goes out before the server has said anything
  await t.throwsAsync(hasty.create(key('other'), 'x'.repeat(700_000), later()), { instanceOf: TooLargeError })
})

test('a larger item (-I) is used when max_value_bytes says so', async (t) => {
  const server = await start(t, '-I', '4m')
  const manager = open(t, server.url, { options: { maxValueBytes: 4 * 1024 * 1024 - 1024 } })
  const value = 'x'.repeat(manager.supports.maxValueBytes)
  t.truthy(await manager.create(key(), value, later()))
  t.true((await manager.get(key()))?.value === value)
})

// Keys

test('M04, S149: keys are at most 250 bytes without blanks and control characters, whatever the namespace and the key', async (t) => {
  const server = await start(t)
  const namespaces = ['plain', 'p', 'x'.repeat(300), 'with blank', 'line\nend', '\u0000', 'é', '#a', `#${createHash('sha256').update('plain:').digest('hex')}`]
  for (const namespace of namespaces) {
    const manager = open(t, server.url, { namespace })
    for (const each of [key(), '', 'y'.repeat(251), 'y'.repeat(70_000)]) {
      t.is(await manager.get(each), undefined)
      t.truthy(await manager.create(each, namespace, later()))
      t.is((await manager.get(each))?.value, namespace)
    }
    await (await manager.lock(key(), 60_000, Date.now()))!.release()
    t.truthy(await manager.lock(key(), 60_000, Date.now()))
  }
  const dump = await server.say('lru_crawler metadump all', /^END\r\n/m)
  const found = [...dump.matchAll(/^key=(\S+)/gm)].map(([, name]) => decodeURIComponent(name!))
  t.is(found.length, namespaces.length * 5)
  for (const name of found) t.regex(name, /^[\x21-\x7e]{1,250}$/)
  t.true(found.includes(`plain:${key()}`))
})

test('R26: garbage under a key of ours is a record that nobody can read, which may be replaced and removed', async (t) => {
  const server = await start(t)
  const manager = open(t, server.url, { namespace: 'test' })
  for (const garbage of ['', 'x', 'garbage '.repeat(100), '1']) {
    await server.say(`set test:${key()} 0 0 ${garbage.length}\r\n${garbage}`, /STORED/)
    const record = await manager.get(key(), { expiresAt: later(), ifBefore: later() })
    t.is(record?.value, '')
    const version = await manager.replace(key(), 'ours', record!.version, later())
    t.is((await manager.get(key()))?.value, 'ours')
    t.true(await manager.delete(key(), version!))
  }
})

// Several servers

const threeServers = async (t: ExecutionContext): Promise<{ servers: MemcachedServer[]; url: string; homeOf: (key: string) => number }> => {
  const servers = await Promise.all([start(t), start(t), start(t)])
  return { servers, url: servers.map(({ address }) => address).join(' '), homeOf: spreadOver(servers.map(({ address }) => address)) }
}

test('several servers share the records, and each record is on one', async (t) => {
  const { servers, url, homeOf } = await threeServers(t)
  const manager = open(t, url)
  const keys = Array.from({ length: 90 }, (_, n) => key(n))
  await Promise.all(keys.map((each) => manager.create(each, each, later())))
  for (const each of keys) t.is((await manager.get(each))?.value, each)
  for (const [n, server] of servers.entries()) {
    t.is((await server.stats()).get('curr_items'), keys.filter((each) => homeOf(each) === n).length)
  }
})

test('one server lost: its own sessions fail and the others go on; back and empty, they are anonymous', async (t) => {
  const { servers, url, homeOf } = await threeServers(t)
  const manager = open(t, url)
  const keys = Array.from({ length: 60 }, (_, n) => key(n))
  await Promise.all(keys.map((each) => manager.create(each, each, later())))
  await servers[1]!.kill()
  const isLost = (each: string): boolean => homeOf(each) === 1
  for (const each of keys) {
    if (isLost(each)) await t.throwsAsync(manager.get(each), { code: 'PHIAL_STORE_UNAVAILABLE' })
    else t.is((await manager.get(each))?.value, each)
  }
  await servers[1]!.start()
  for (const each of keys) t.is((await manager.get(each))?.value, isLost(each) ? undefined : each)
})

test('a server taken from the list, or added, moves only its share', async (t) => {
  const { servers, url, homeOf } = await threeServers(t)
  const namespace = freshNamespace()
  const manager = open(t, url, { namespace })
  const keys = Array.from({ length: 60 }, (_, n) => key(n))
  await Promise.all(keys.map((each) => manager.create(each, each, later())))
  const fewer = open(t, `${servers[2]!.address},${servers[0]!.address}`, { namespace })
  for (const each of keys) t.is((await fewer.get(each))?.value, homeOf(each) === 1 ? undefined : each)
})

test('a key on one server has nothing to do with a version of another', async (t) => {
  const { url, homeOf } = await threeServers(t)
  const manager = open(t, url)
  const one = key('one')
  const other = Array.from({ length: 60 }, (_, n) => key(n)).find((each) => homeOf(each) !== homeOf(one))!
  const version = await manager.create(one, 'one', later())
  const otherVersion = await manager.create(other, 'other', later())
  t.is(otherVersion!.slice(-16), version!.slice(-16), 'the servers gave them the same number')
  t.is(await manager.replace(other, 'taken', version!, later()), undefined)
  t.is((await manager.get(other))?.value, 'other')
})

// How it is reached

test('a socket in the file system', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'phial memcached-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  const path = join(home, 'memcached.sock')
  const child = spawn('memcached', ['-s', path, '-t', '1', ...(process.getuid?.() === 0 ? ['-u', 'root'] : [])], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const manager = open(t, `memcache://${encodeURI(path)}`)
  for (let tries = 0; tries < 200; tries++) {
    if (await manager.create(key(), 'value', later()).catch(() => undefined)) break
    await sleep(20)
  }
  t.is((await manager.get(key()))?.value, 'value')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await t.throwsAsync(manager.get(key()), { code: 'PHIAL_STORE_UNAVAILABLE' })
})

test('the servers of a memjs client that is there, which is neither used nor closed', async (t) => {
  const { Client } = createRequire(import.meta.url)('memjs') as typeof import('memjs')
  const client = Client.create(shared.address, { logger: { log: () => {} } })
  t.teardown(() => client.close())
  const manager = open(t, undefined as never, { url: undefined, options: { client } })
  t.truthy(await manager.create(key(), 'value', later()))
  t.false((client.servers[0] as unknown as { connected: boolean }).connected)
  await manager.close()
  t.true(await client.set('a', 'b', {}))
})

for (const place of ['url', 'options'] as const) {
  test(`SASL: user and password, from the ${place}; a wrong password, and none, are no outage and are not told`, async (t) => {
    const server = await startWithSasl(t)
    if (typeof server === 'string') {
      console.error(`SASL is NOT TESTED: ${server}`)
      t.pass()
      return
    }
    const given = (username: string, password: string): MemcacheStore => place === 'url'
      ? open(t, `memcache://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${server.address}`)
      : open(t, server.url, { options: { username, password } })
    const manager = given(USER, PASSWORD)
    const version = await manager.create(key(), 'value', later())
    t.truthy(await manager.replace(key(), 'next', version!, later()))
    t.is((await manager.get(key()))?.value, 'next')
    const wrong = [given(USER, 'secret-word'), given('eve', PASSWORD), ...(place === 'options' ? [open(t, server.url)] : [])]
    for (const each of wrong) {
      for (const call of [() => each.get(key()), () => each.create(key('other'), 'x', later())]) {
        const error = await t.throwsAsync(call, { code: 'PHIAL_STORE' })
        t.false((error as unknown as { retryable: boolean }).retryable)
        t.notRegex(inspect(error, { depth: 9 }), /secret-word|p:a@s/)
      }
    }
    t.notRegex(inspect(manager, { depth: 9, showHidden: true }), /p:a@s/)
  })
}

// Processes

const prelude = (url: string): string => `
  import { memcacheBackend } from ${JSON.stringify(new URL('../../backends/memcache.js', import.meta.url).href)}
  const context = { namespace: ${JSON.stringify(freshNamespace())}, now: Date.now, maxBytes: 262144, url: ${JSON.stringify(url)}, options: { maxValueBytes: 1e6 } }
  const open = () => memcacheBackend.open(context)
  const key = 'a'.repeat(64)
  process.on('exit', () => console.log('ended after', Math.round(process.uptime() / 10), 'times 10 s'))
`

const run = async (t: ExecutionContext, url: string, program: string, env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', prelude(url) + program], { env: { ...process.env, ...env } })
  t.teardown(() => child.kill('SIGKILL'))
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return `${stdout}${stderr}${code}`
}

test('S052: an idle connection and a lease keep no process alive, a call in flight does', async (t) => {
  const ended = 'ended after 0 times 10 s\n0'
  t.is(await run(t, shared.url, 'open()'), ended)
  t.is(await run(t, shared.url, 'const m = open(); await m.create(key, "", Date.now() + 1e6); await m.get(key); await m.lock(key, 1e6, Date.now())'), ended)
  t.is(await run(t, shared.url, 'open().create(key, "", Date.now() + 1e6).then((version) => console.log(version.length))'), `32\n${ended}`)
})

test('S052: nor does the connection of a name whose first address nobody listens at', async (t) => {
  const twoAddresses = `
    import dns from 'node:dns'
    dns.lookup = (host, { all }, done) => process.nextTick(() => all ? done(null, [{ address: '127.0.0.2', family: 4 }, { address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4))`
  const program = `${twoAddresses}\nawait open().get(key); console.log(process.getActiveResourcesInfo().includes('TCPSocketWrap')); process.exit()`
  t.is(await run(t, shared.url.replace('127.0.0.1', 'memcached.example'), program), 'false\nended after 0 times 10 s\n0')
})

test('S052: a server that is not there, or hangs, keeps no process alive either', async (t) => {
  const server = await start(t)
  await server.hang()
  t.teardown(() => server.wake())
  t.is(await run(t, server.url, 'open()'), 'ended after 0 times 10 s\n0')
  t.regex(await run(t, server.url, 'await open().get(key).catch((error) => console.log(error.code))'), /^PHIAL_STORE_(TIMEOUT|UNAVAILABLE)\nended after 0/)
  t.is(await run(t, '127.0.0.1:1', 'await open().get(key).catch((error) => console.log(error.code))'), 'PHIAL_STORE_UNAVAILABLE\nended after 0 times 10 s\n0')
})

test('M18: user and password are not taken from the environment, as memjs would', async (t) => {
  let asked: Buffer | undefined
  const server = createServer((socket) => socket.once('data', (bytes) => {
    asked ??= bytes
    socket.destroy()
  })).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const env = { MEMCACHE_USERNAME: 'ann', MEMCACHE_PASSWORD: 'secret-word', MEMCACHIER_USERNAME: 'ann', MEMCACHIER_PASSWORD: 'secret-word' }
  await run(t, `127.0.0.1:${(server.address() as AddressInfo).port}`, 'await memcacheBackend.open({ ...context, operationTimeout: 30 }).get(key).catch(() => {})', env)
  t.is(asked?.subarray(24).toString(), 'settings', 'the statistics, and no list of SASL mechanisms')
})

// Closing

test('close: what is in flight is answered, the connection ends, and nothing connects again', async (t) => {
  const server = await start(t)
  const bare = (await server.stats()).get('curr_connections')
  const manager = open(t, server.url)
  await manager.create(key(), 'value', later())
  const reading = manager.get(key())
  await manager.close()
  t.is((await reading)?.value, 'value')
  await t.throwsAsync(manager.get(key()), { code: 'PHIAL_CLOSED' })
  for (let tries = 0; (await server.stats()).get('curr_connections') !== bare && tries < 100; tries++) await sleep(10)
  t.is((await server.stats()).get('curr_connections'), bare)
})

test('close: a connection that is closed twice ends once, after what was asked of it is answered', async (t) => {
  const [server] = serversOf({ url: shared.url, options: {} } as unknown as BackendContext<MemcacheOptions>)
  let ends = 0
  const options = { name: 'shared', timeoutMs: 10_000, mostReplyBytes: 1_000, check: () => {}, onEnd: () => void (ends += 1) }
  const connection = new Connection(server!.makeServer(), options)
  await connection.ready
  const asking = connection.ask({ opcode: OPCODE.get, key: key('none') }, performance.now() + 10_000)
  await Promise.all([connection.close(), connection.close()])
  t.is((await asking).status, STATUS.notFound)
  await connection.close()
  t.is(ends, 1)
})

test('close: leases that are held are let go, for those who go on', async (t) => {
  const [manager, other] = openSeveral(t, 2) as [MemcacheStore, MemcacheStore]
  const lease = await manager.lock(key(), 600_000, Date.now())
  t.is(await other.lock(key(), 600_000, Date.now()), undefined)
  await manager.close()
  t.truthy(await other.lock(key(), 600_000, Date.now()))
  await lease!.release()
  t.is(await other.lock(key(), 600_000, Date.now()), undefined)
})

test('M09: the lease of a holder that died ends, never early and at most two seconds late', async (t) => {
  const manager = open(t)
  const since = Date.now()
  await manager.lock(key(), 1_500, since)
  const lease = await manager.lock(key(), 1_500, since + 10_000)
  t.truthy(lease)
  const late = Date.now() - since - 1_500
  t.true(late >= 0 && late <= BUSY, `${late}`)
})

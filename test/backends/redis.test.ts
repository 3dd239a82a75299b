import test from 'ava'
import type { ExecutionContext } from 'ava'
import { readFileSync } from 'node:fs'
import { redisBackend } from '../../backends/redis.js'
import { MOST_CALLS } from '../../backends/redis/room.js'
import { KeyNames } from '../../backends/redis/key-names.js'
import { ConfigError } from '../../src/errors.js'
import { serve } from '../support/app.js'
import { until } from '../support/redis-node.js'
import { borrowRedis, redisProgram, RedisServer, tellMissing } from '../support/redis-server.js'
import { inAnHour, keyOf, newKey, newRedis, openRedis } from '../support/redis-store.js'
import type { RedisStoreSettings } from '../support/redis-store.js'

const testOn = redisProgram === undefined ? test.skip : test
if (redisProgram === undefined) tellMissing('tests of the redis backend are', 'redis-server')

const setup = async (t: ExecutionContext, settings: RedisStoreSettings = {}) => {
  const server = await borrowRedis(t)
  const namespace = `ns-${newKey().slice(0, 12)}`
  const url = server.url
  return { server, namespace, url, store: newRedis(t, { url, namespace, ...settings }) }
}

// How it is kept

testOn('a record is one string at NAMESPACE:KEY, its version and its value, that ends with the session', async (t) => {
  const { server, namespace, store } = await setup(t)
  const key = newKey()
  const version = (await store.create(key, 'värde', Date.now() + 60_000))!
  const name = `${namespace}:${key}`
  t.is(await server.run('get', name), `${version}värde`)
  t.regex(version, /^[\w-]{22}$/)
  const left = Number(await server.run('pttl', name))
  t.true(left > 55_000 && left <= 60_000)
})

testOn('an owner\'s index is one sorted set that ends a minute after the last of its entries', async (t) => {
  const { server, namespace, store } = await setup(t)
  const owner = newKey()
  const [one, two] = [newKey(), newKey()]
  await store.addOwned(owner, one, Date.now() + 60_000)
  await store.addOwned(owner, two, Date.now() + 600_000)
  await store.addOwned(owner, two, Date.now() + 10_000)
  const name = `${namespace}:owner.${owner}`
  t.deepEqual(await server.run('zrange', name, 0, -1), [one, two])
  const left = Number(await server.run('pttl', name))
  t.true(left > 650_000 && left <= 660_000, `${left}`)
  const time = (await server.run('time')) as [string, string]
  const ends = Number(await server.run('zscore', name, two)) - Number(time[0]) * 1000
  t.true(ends > 595_000 && ends < 602_000, 'by the server\'s clock, and not earlier than was said before')
})

testOn('entries of an owner that ended over a minute ago are trimmed when another is added', async (t) => {
  const { server, namespace, store } = await setup(t)
  const owner = newKey()
  const name = `${namespace}:owner.${owner}`
  const now = Number(((await server.run('time')) as [string])[0]) * 1000
  for (let n = 0; n < 5; n++) await server.run('zadd', name, now - 70_000 - n, keyOf(`dead ${n}`))
  await server.run('zadd', name, now - 30_000, keyOf('just'))
  await store.addOwned(owner, keyOf('live'), inAnHour())
  t.deepEqual((await store.listOwned(owner)).toSorted(), [keyOf('just'), keyOf('live')].toSorted())
})

testOn('the clock of this process may be wrong by years: durations count', async (t) => {
  const { server, namespace, url } = await setup(t)
  for (const off of [-10 * 365 * 86_400_000, 10 * 365 * 86_400_000]) {
    const now = (): number => Date.now() + off
    const store = newRedis(t, { url, namespace, now })
    const key = newKey()
    await store.create(key, 'value', now() + 60_000)
    t.true(Number(await server.run('pttl', `${namespace}:${key}`)) > 55_000)
    t.true(Math.abs((await store.get(key))!.expiresAt! - (now() + 60_000)) < 2_000)
    await store.addOwned(key, key, now() + 60_000)
    t.true(Number(await server.run('pttl', `${namespace}:owner.${key}`)) > 115_000)
  }
})

testOn('a replace that is sent twice is one write, and is answered the same', async (t) => {
  const { server, namespace, store } = await setup(t)
  const key = newKey()
  const version = (await store.create(key, 'one', inAnHour()))!
  await store.replace(key, 'warm', 'x'.repeat(22), inAnHour())
  const seen = await server.commands(t)
  const next = await store.replace(key, 'two', version, inAnHour())
  const isIt = ([name, , , of]: string[]): boolean => name === 'evalsha' && of === `${namespace}:${key}`
  await until('it is seen', () => seen.some(isIt))
  const command = seen.find(isIt) as [string, ...string[]]
  t.is(await server.run(...command), 1)
  t.like(await store.get(key), { value: 'two', version: next })
  await store.replace(key, 'three', next!, inAnHour())
  t.is(await server.run(...command), 0, 'but not over a newer one')
  await store.delete(key)
  t.is(await server.run(...command), 0, 'nor on one that is gone')
  t.is(await server.run('exists', `${namespace}:${key}`), 0)
})

test('names of namespaces are no patterns, and no part of another', (t) => {
  const key = 'a'.repeat(64)
  for (const namespace of ['shop', 'shop:eu', 'sh*', '*', 'sho?', 'sho[a-z]', 'sh\\op', 'shop:owner', `shop:${key}`]) {
    const names = new KeyNames(namespace)
    t.is(names.keyIn(names.record(key)), key)
    for (const other of [names.owner(key), names.lock(key), `x${names.record(key)}`, names.record(key).toUpperCase(), names.record(key).slice(1)]) t.is(names.keyIn(other), undefined)
    for (const [taken, from] of [[names.owner(key), 'owner'], [names.lock(key), 'lock']] as const) t.is(new KeyNames(`${namespace}:${from}`).keyIn(taken), undefined)
  }
  t.is(new KeyNames('a*[?]\\').pattern, `a\\*\\[\\?\\]\\\\:${'?'.repeat(64)}`)
})

testOn('a lease is taken away by nobody, and frees itself', async (t) => {
  const { server, namespace, store } = await setup(t)
  const key = newKey()
  const lease = (await store.lock(key, 300, Date.now()))!
  const name = `${namespace}:lock.${key}`
  t.true(Number(await server.run('pttl', name)) <= 300)
  await until('it ends', async () => (await server.run('exists', name)) === 0)
  const other = (await store.lock(key, 60_000, Date.now()))!
  await lease.release()
  t.is(await server.run('exists', name), 1)
  await other.release()
  t.is(await server.run('exists', name), 0)
})

// How it is reached

testOn('what a request costs, counted at the server', async (t) => {
  const { server, url } = await setup(t)
  const namespace = `count-${newKey().slice(0, 12)}`
  const app = await serve(t, async (req, res) => {
    if (req.url === '/none') return void res.end()
    const session = await req.session.load()
    if (req.url === '/login') {
      session.owner = 'ann'
      await session.set('user', 'ann').save()
    }
    if (req.url === '/save') await session.set('at', performance.now()).save()
    if (req.url === '/update') await session.update('n', (n = 0) => n + 1)
    if (req.url === '/logout') await session.destroy()
    res.end()
  }, { type: 'redis', url, namespace } as never)
  const commands = await server.commands(t)
  let marks = 0
  const cost = async (path: string, browser = app.client()): Promise<string> => {
    const begin = commands.length
    t.is((await browser.get(path)).status, 200)
    const mark = `mark ${marks++}`
    await server.run('echo', mark)
    await until('all is seen', () => commands.some(([, word]) => word === mark))
    return commands.slice(begin).filter((words) => words.some((word) => word.startsWith(`${namespace}:`))).map(([name]) => name).join(' ')
  }
  const browser = app.client()
  t.is(await cost('/none', browser), '')
  t.is(await cost('/', browser), '', 'a visitor without a session')
  t.is(await cost('/save', browser), 'set', 'a new session')
  await browser.get('/save') // the server is told the scripts
  t.is(await cost('/none', browser), '', 'with a session, untouched')
  t.is(await cost('/', browser), 'evalsha')
  t.is(await cost('/save', browser), 'evalsha evalsha')
  t.is(await cost('/update', browser), 'evalsha evalsha')
  await browser.get('/login')
  t.is(await cost('/', browser), 'evalsha evalsha', 'read, with an owner: their generation, too')
  // Both again, and beside the second the entry of the owner's index, before the record.
  t.is(await cost('/save', browser), 'evalsha evalsha evalsha evalsha evalsha', 'read and save, with an owner')
  const other = app.client()
  await other.get('/login')
  await other.get('/logout')
  await other.get('/login')
  t.is(await cost('/logout', other), 'evalsha evalsha evalsha zrem', 'with an owner')
})

const page = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8')

/** The rights that the documentation gives. */
const RIGHTS = /^user app on >PASSWORD resetkeys ~shop:\* (.+)$/m.exec(page)![1]!.split(' ')

test('the page says what the code does', (t) => {
  t.true(page.includes(`${redisBackend.supports.maxValueBytes.toLocaleString('en')} bytes`))
  t.true(page.includes(`${MOST_CALLS.toLocaleString('en')}, and 64 MiB`))
  for (const option of Object.keys(redisBackend.options!).filter((name) => !/sentinel|nat_map|^client$/.test(name))) t.true(page.includes(`session.redis.${option}`), option)
})

testOn('S147: a user with the rights of the documentation, and no others, does for everything', async (t) => {
  const server = await RedisServer.start(t)
  await server.run('acl', 'setuser', 'app', 'on', '>app-password', 'resetkeys', '~shop:*', ...RIGHTS)
  const store = newRedis(t, { url: `redis://app:app-password@127.0.0.1:${server.port}`, namespace: 'shop' })
  const key = newKey()
  const version = (await store.create(key, 'one', inAnHour()))!
  t.like(await store.get(key, { expiresAt: inAnHour() * 2, ifBefore: inAnHour() * 2 }), { value: 'one', touched: true })
  t.truthy(await store.replace(key, 'two', version, inAnHour()))
  t.true(await store.touch(key, inAnHour()))
  const found: string[] = []
  for await (const each of store.keys()) found.push(each)
  t.deepEqual(found, [key])
  await store.addOwned(key, key, inAnHour())
  t.deepEqual(await store.listOwned(key), [key])
  await store.removeOwned(key, key)
  await (await store.lock(key, 1_000, Date.now()))!.release()
  t.is(await store.delete(key, version), false)
  await store.delete(key)
  t.truthy(await store.create(key, 'brief', Date.now() - 1))
  const denied = (await server.run('acl', 'log')) as string[][]
  t.deepEqual(denied.map((entry) => entry[entry.indexOf('object') + 1]), ['info'], 'the look at the policy of memory, which may be refused')
  await t.throwsAsync(newRedis(t, { url: `redis://app:app-password@127.0.0.1:${server.port}`, namespace: 'forum' }).get(key), { code: 'PHIAL_STORE', message: /NOPERM/ })
})

testOn('no right of the documentation can be left out', async (t) => {
  const server = await RedisServer.start(t)
  const use = async (rights: readonly string[]): Promise<void> => {
    await server.run('acl', 'deluser', 'app')
    await server.run('flushall')
    await server.run('acl', 'setuser', 'app', 'on', '>app-password', 'resetkeys', '~shop:*', ...rights)
    const store = openRedis({ url: `redis://app:app-password@127.0.0.1:${server.port}`, namespace: 'shop' })
    try {
      const key = newKey()
      const version = (await store.create(key, 'one', inAnHour()))!
      if ((await store.get(key, { expiresAt: inAnHour() * 2, ifBefore: inAnHour() * 2 }))!.touched !== true) throw new Error('not touched')
      await store.replace(key, 'two', version, inAnHour())
      for await (const each of store.keys()) await store.touch(each, inAnHour())
      await store.addOwned(key, key, inAnHour())
      await store.listOwned(key)
      await store.removeOwned(key, key)
      await store.create(key, 'brief', Date.now() - 1)
      await store.delete(key)
      await server.run('script', 'flush')
      await store.get(key)
    } finally {
      await store.close()
    }
  }
  await t.notThrowsAsync(use(RIGHTS))
  // Without PING the server still shows that it answers.
  for (const right of RIGHTS.slice(2)) await t.throwsAsync(use(RIGHTS.filter((each) => each !== right)), undefined, right)
})

testOn('with the rights that a database and waiting for replicas need beside', async (t) => {
  const server = await RedisServer.start(t)
  for (const [more, suffix, waitReplicas] of [['+select', '/1', 0], ['+wait', '', 1]] as const) {
    const url = `redis://app:app-password@127.0.0.1:${server.port}${suffix}`
    const use = async (rights: readonly string[]): Promise<string> => {
      await server.run('acl', 'deluser', 'app')
      await server.run('acl', 'setuser', 'app', 'on', '>app-password', 'resetkeys', '~shop:*', ...rights)
      const store = openRedis({ url, namespace: 'shop', options: { waitReplicas } })
      return store.create(newKey(), 'value', inAnHour()).then(() => 'made', ({ message, cause }: Error) => `${message} ${String((cause as Error).cause)}`).finally(() => store.close())
    }
    t.regex(await use(RIGHTS), /NOPERM/)
    t.regex(await use([...RIGHTS, more]), waitReplicas === 0 ? /^made$/ : /not confirmed by replicas undefined/)
  }
})

testOn('user and password may stand in options, as they are', async (t) => {
  const server = await RedisServer.start(t)
  await server.run('acl', 'setuser', 'app', 'on', '>p@ss/w:ord%', '+@all', '~*')
  const store = newRedis(t, { url: server.url, options: { username: 'app', password: 'p@ss/w:ord%' } })
  t.truthy(await store.create(newKey(), 'value', inAnHour()))
  t.is(redisBackend.options!['password']!.secret, true)
})

testOn('the database of the url', async (t) => {
  const server = await RedisServer.start(t)
  const store = newRedis(t, { url: `${server.url}/3` })
  await store.create(newKey(), 'value', inAnHour())
  t.is(await server.run('dbsize'), 0)
  await server.run('select', 3)
  t.is(await server.run('dbsize'), 1)
})

testOn('a socket of the file system', async (t) => {
  const server = await RedisServer.start(t, { args: ['--unixsocket', 'redis.sock'] })
  const store = newRedis(t, { url: `unix://${server.directory}/redis.sock` })
  t.truthy(await store.create(newKey(), 'value', inAnHour()))
})

// At start

test('a url or a file that cannot be used is told at start, with its setting', (t) => {
  t.is((t.throws(() => openRedis({ url: 'http://127.0.0.1' }), { instanceOf: ConfigError }) as ConfigError).setting, 'url')
  const error = t.throws(() => openRedis({ url: 'rediss://127.0.0.1', options: { caFile: '/no/such/file' } }), { instanceOf: ConfigError })
  t.is((error as ConfigError).setting, 'redis.ca_file')
})

test('without a server nothing is thrown at start, and a manager that was never used closes at once', async (t) => {
  const store = openRedis({ url: 'redis://127.0.0.1:1' })
  const begun = performance.now()
  await store.close()
  t.true(performance.now() - begun < 300)
  await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_CLOSED' })
})

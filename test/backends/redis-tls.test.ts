import test from 'ava'
import type { ExecutionContext } from 'ava'
import { join } from 'node:path'
import { RedisCluster } from '../support/redis-cluster.js'
import { SentinelSet } from '../support/redis-sentinel.js'
import { until } from '../support/redis-node.js'
import { RedisServer, redisProgram, tellMissing } from '../support/redis-server.js'
import { findProgram, freePorts } from '../support/server-process.js'
import { inAnHour, newKey, newRedis } from '../support/redis-store.js'
import { certificates, tlsFiles } from '../support/tls.js'

const missing = [redisProgram === undefined ? 'redis-server' : '', findProgram('openssl') === undefined ? 'openssl' : ''].filter((name) => name !== '')
const testOn = missing.length > 0 ? test.skip : test
if (missing.length > 0) tellMissing('tests of redis over TLS are', missing.join(' and '))

interface TlsServer {
  readonly server: RedisServer
  readonly directory: string
  /** Over TLS. */
  readonly url: string
  readonly caFile: string
}

/** A server with a certificate for 127.0.0.1, by an authority of its own, that asks clients for one or not. */
const tlsServer = async (t: ExecutionContext, authClients: 'yes' | 'no' = 'no'): Promise<TlsServer> => {
  const directory = certificates(t)
  const [port] = await freePorts(1)
  const server = await RedisServer.start(t, { directory, args: ['--tls-port', `${port}`, '--tls-auth-clients', authClients, ...tlsFiles(directory)] })
  return { server, directory, url: `rediss://127.0.0.1:${port}`, caFile: join(directory, 'ca.crt') }
}

testOn('over TLS, with the authority that ca_file names', async (t) => {
  const { url, caFile } = await tlsServer(t)
  const store = newRedis(t, { url, options: { caFile } })
  const key = newKey()
  const version = await store.create(key, 'value', inAnHour())
  t.like(await store.get(key), { value: 'value', version })
})

testOn('S148: a certificate that is not believed is what a person must mend', async (t) => {
  const { url } = await tlsServer(t)
  const begun = performance.now()
  const error = await t.throwsAsync(newRedis(t, { url }).get(newKey()), { code: 'PHIAL_STORE', message: /CERT/ })
  t.like(error, { retryable: false })
  t.true(performance.now() - begun < 800)
})

testOn('S148: a certificate of another host is not believed', async (t) => {
  const { url, caFile } = await tlsServer(t)
  const error = await t.throwsAsync(newRedis(t, { url: url.replace('127.0.0.1', 'localhost'), options: { caFile } }).get(newKey()), { code: 'PHIAL_STORE' })
  t.like(error, { retryable: false })
})

testOn('a server that asks for a certificate gets the one of cert_file and key_file', async (t) => {
  const { url, caFile, directory } = await tlsServer(t, 'yes')
  const own = { caFile, certFile: join(directory, 'client.crt'), keyFile: join(directory, 'client.key') }
  t.truthy(await newRedis(t, { url, options: own }).create(newKey(), 'value', inAnHour()))
  await t.throwsAsync(newRedis(t, { url, options: { caFile } }).get(newKey()), { message: /^redis: get/ })
})

testOn('TLS to a server without it is told in time, and the other way round', async (t) => {
  const { server, url, caFile } = await tlsServer(t)
  for (const [wrong, options] of [[`rediss://127.0.0.1:${server.port}`, { caFile }], [url.replace('rediss', 'redis'), {}]] as const) {
    const begun = performance.now()
    const error = await t.throwsAsync(newRedis(t, { url: wrong, options }).get(newKey()))
    t.log((error as Error).message)
    t.regex(error!.name, /^Store/)
    t.true(performance.now() - begun < 1_400)
  }
})

testOn('over TLS a server that is restarted is found again', async (t) => {
  const { server, url, caFile } = await tlsServer(t)
  const store = newRedis(t, { url, options: { caFile } })
  await store.get(newKey())
  await server.kill()
  await t.throwsAsync(store.get(newKey()), { code: 'PHIAL_STORE_UNAVAILABLE' })
  await server.start()
  const begun = performance.now()
  await until('it answers again', async () => store.get(newKey()).then(() => true))
  t.true(performance.now() - begun < 2_000)
})

for (const [what, group] of Object.entries({ sentinels: SentinelSet, 'a cluster': RedisCluster })) {
  testOn(`${what} and their servers over TLS`, async (t) => {
    const directory = certificates(t)
    const { url, stop } = await group.start({ tlsDirectory: directory }).then((started) => ({ url: started.url, stop: () => started.stop() }))
    t.teardown(stop)
    t.regex(url, /^rediss\+/)
    const store = newRedis(t, { url, options: { caFile: join(directory, 'ca.crt') } })
    for (let round = 0; round < 10; round++) {
      const key = newKey()
      await store.create(key, 'value', inAnHour())
      t.like(await store.get(key), { value: 'value' })
    }
    t.like(await t.throwsAsync(newRedis(t, { url }).get(newKey()), { code: 'PHIAL_STORE' }), { retryable: false })
  })
}

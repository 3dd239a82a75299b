import anyTest from 'ava'
import { contractCases } from '../contract/index.js'
import { memcacheFixture } from '../support/memcache-fixture.js'
import { hasMemcached } from '../support/memcache-store.js'
import { MemcachedServer } from '../support/memcached-server.js'

const test = hasMemcached() ? anyTest : anyTest.skip

let server: MemcachedServer

anyTest.before(async () => {
  if (hasMemcached()) server = await MemcachedServer.start()
})
anyTest.after.always(() => server?.kill())

for (const { name, run } of contractCases(memcacheFixture(() => server.url))) test(name, (t) => t.notThrowsAsync(run()))

import anyTest from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { memcacheBackend } from '../../backends/memcache.js'
import { contractCases } from '../contract/index.js'
import type { ContractFixture } from '../contract/index.js'
import { freshNamespace, hasMemcached, openMemcache } from '../support/memcache-store.js'
import type { MemcacheStore } from '../support/memcache-store.js'
import { MemcachedServer } from '../support/memcached-server.js'

const test = hasMemcached() ? anyTest : anyTest.skip

let server: MemcachedServer

anyTest.before(async () => {
  if (hasMemcached()) server = await MemcachedServer.start()
})
anyTest.after.always(() => server?.kill())

/** One server for all cases, which never share a namespace. Its clock goes by whole seconds. */
const fixture: ContractFixture = {
  supports: memcacheBackend.supports,
  ownClock: { lifeMs: 3_000, lateMs: 2_500 },
  patienceMs: 30_000,
  createStore() {
    const opened: MemcacheStore[] = []
    const prefix = freshNamespace()
    return {
      open(namespace = 'test') {
        const manager = openMemcache(server.url, { namespace: `${prefix}:${namespace}`, operationTimeout: 10 })
        opened.push(manager)
        return manager
      },
      now: Date.now,
      advance: (ms) => sleep(ms),
      async dispose() {
        await Promise.all(opened.map((manager) => manager.close()))
      },
    }
  },
}

for (const { name, run } of contractCases(fixture)) test(name, (t) => t.notThrowsAsync(run()))

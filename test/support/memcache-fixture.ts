import { setTimeout as sleep } from 'node:timers/promises'
import { memcacheBackend } from '../../backends/memcache.js'
import type { ContractFixture } from '../contract/index.js'
import { freshNamespace, openMemcache } from './memcache-store.js'
import type { MemcacheStore } from './memcache-store.js'

/** One server for all cases, which never share a namespace. Its clock goes by whole seconds. */
export const memcacheFixture = (url: () => string): ContractFixture => ({
  supports: memcacheBackend.supports,
  ownClock: { lifeMs: 3_000, lateMs: 2_500 },
  patienceMs: 30_000,
  createStore() {
    const opened: MemcacheStore[] = []
    const prefix = freshNamespace()
    return {
      open(namespace = 'test') {
        const manager = openMemcache(url(), { namespace: `${prefix}:${namespace}`, operationTimeout: 10 })
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
})

import { setTimeout as sleep } from 'node:timers/promises'
import { redisBackend } from '../../backends/redis.js'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import type { ContractFixture, OwnClock } from '../contract/index.js'
import type { Teardown } from './app.js'
import { newKey, openRedis } from './redis-store.js'

/** So many at a time: a server that is asked everything at once answers late, and the lives of records are short here. */
export const inLanes = (count: number): (<T>(work: () => Promise<T>) => Promise<T>) => {
  const lanes = Array.from({ length: count }, () => Promise.resolve())
  let next = 0
  return (work) => {
    const lane = next++ % lanes.length
    const done = lanes[lane]!.then(work)
    lanes[lane] = done.then(() => undefined, () => undefined)
    return done
  }
}

/** The servers of one store. */
export interface Place {
  readonly url: string
  /** Of its namespaces, where others are on the same servers. */
  readonly prefix: string
  restart?(): Promise<void>
}

/** With several servers on one machine everything takes longer. */
export const manyServersClock: OwnClock = { lifeMs: 1000, lateMs: 400 }

/** A prefix that nobody else has. */
export const ownPrefix = (): string => `${newKey().slice(0, 8)}-`

export const redisFixture = (place: (t: Teardown) => Promise<Place>, ownClock: OwnClock = { lifeMs: 300, lateMs: 150 }): ContractFixture => ({
  supports: redisBackend.supports,
  ownClock,
  async createStore() {
    const ends: (() => unknown)[] = []
    const { url, prefix, ...abilities } = await place({ teardown: (end) => ends.push(end) })
    const opened: NamespaceManager[] = []
    return {
      // Connections of its own, as another process would have them, made before time counts.
      async open(namespace = 'test') {
        const manager = openRedis({ url, namespace: prefix + namespace, operationTimeout: 10 })
        opened.push(manager)
        await manager.get(newKey())
        return manager
      },
      now: Date.now,
      advance: (ms) => sleep(ms),
      async dispose() {
        await Promise.all(opened.map((manager) => manager.close()))
        for (const end of ends) await end()
      },
      ...abilities,
    }
  },
})

import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisBackend } from '../../backends/redis.js'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import { contractCases } from '../contract/index.js'
import type { ContractFixture } from '../contract/index.js'
import type { Teardown } from '../support/app.js'
import { borrowRedis, redisProgram, RedisServer, tellMissing, valkeyProgram } from '../support/redis-server.js'
import { newKey, openRedis } from '../support/redis-store.js'

/** Some at a time: a server that is asked everything at once answers late, and the lives of records are short here. */
const inTurn = (() => {
  const lanes = Array.from({ length: 8 }, () => Promise.resolve())
  let next = 0
  return <T>(work: () => Promise<T>): Promise<T> => {
    const lane = next++ % lanes.length
    const done = lanes[lane]!.then(work)
    lanes[lane] = done.then(() => undefined, () => undefined)
    return done
  }
})()

interface Place {
  readonly server: RedisServer
  readonly prefix: string
  restart?(): Promise<void>
}

const fixture = (place: (t: Teardown) => Promise<Place>): ContractFixture => ({
  supports: redisBackend.supports,
  ownClock: { lifeMs: 300, lateMs: 150 },
  async createStore() {
    const ends: (() => unknown)[] = []
    const { server, prefix, ...abilities } = await place({ teardown: (end) => ends.push(end) })
    const opened: NamespaceManager[] = []
    return {
      // A connection of its own, as another process would have it, made before time counts.
      async open(namespace = 'test') {
        const manager = openRedis({ url: server.url, namespace: prefix + namespace, operationTimeout: 10 })
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

/** Each store has namespaces of its own on the one server. */
const onOneServer = (program: string | undefined): ContractFixture =>
  fixture(async (t) => ({ server: await borrowRedis(t, program), prefix: `${newKey().slice(0, 8)}-` }))

/** Each store has a server of its own, which logs its writes, is killed, and comes back. */
const onOwnServers = (program: string | undefined): ContractFixture =>
  fixture(async (t) => {
    const server = await RedisServer.start(t, { program, args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const restart = async (): Promise<void> => {
      await server.kill()
      await server.start()
    }
    return { server, prefix: '', restart }
  })

for (const [name, program] of Object.entries({ redis: redisProgram, valkey: valkeyProgram })) {
  const testOn = program === undefined ? test.skip : test
  if (program === undefined) tellMissing(`the contract suite on ${name} is`, `${name}-server`)
  const durable = contractCases(onOwnServers(program)).filter((one) => one.name.startsWith('durable:'))
  const others = contractCases(onOneServer(program)).filter((one) => !one.name.startsWith('durable:'))
  for (const { name: title, run } of [...others, ...durable]) testOn(`${name}: ${title}`, (t) => inTurn(() => t.notThrowsAsync(run())))
}

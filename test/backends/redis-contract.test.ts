import test from 'ava'
import { contractCases } from '../contract/index.js'
import type { ContractFixture } from '../contract/index.js'
import { inLanes, ownPrefix, redisFixture } from '../support/redis-fixture.js'
import { borrowRedis, redisProgram, RedisServer, tellMissing, valkeyProgram } from '../support/redis-server.js'

const inTurn = inLanes(8)

/** Each store has namespaces of its own on the one server. */
const onOneServer = (program: string | undefined): ContractFixture =>
  redisFixture(async (t) => ({ url: (await borrowRedis(t, program)).url, prefix: ownPrefix() }))

/** Each store has a server of its own, which logs its writes, is killed, and comes back. */
const onOwnServers = (program: string | undefined): ContractFixture =>
  redisFixture(async (t) => {
    const server = await RedisServer.start(t, { program, args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const restart = async (): Promise<void> => {
      await server.kill()
      await server.start()
    }
    return { url: server.url, prefix: '', restart }
  })

for (const [name, program] of Object.entries({ redis: redisProgram, valkey: valkeyProgram })) {
  const testOn = program === undefined ? test.skip : test
  if (program === undefined) tellMissing(`the contract suite on ${name} is`, `${name}-server`)
  const durable = contractCases(onOwnServers(program)).filter((one) => one.name.startsWith('durable:'))
  const others = contractCases(onOneServer(program)).filter((one) => !one.name.startsWith('durable:'))
  for (const { name: title, run } of [...others, ...durable]) testOn(`${name}: ${title}`, (t) => inTurn(() => t.notThrowsAsync(run())))
}

import test from 'ava'
import { Calls } from '../../../backends/redis/calls.js'
import { NotSent } from '../../../backends/redis/errors.js'
import type { Client, Command } from '../../../backends/redis/ioredis.js'

test('after its deadline a command is not sent', async (t) => {
  const sent: Command[] = []
  const client = { call: async (...command: Command) => sent.push(command) } as unknown as Client
  const calls = new Calls({ now: () => client, ready: async () => client, renew: () => {}, close: () => {} })
  await t.throwsAsync(calls.send(['get', 'key'], performance.now()), { instanceOf: NotSent })
  t.deepEqual(sent, [])
  t.is(await calls.send(['get', 'key'], performance.now() + 10_000), 1)
})

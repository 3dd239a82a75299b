import test from 'ava'
import { contractCases } from '../contract/index.js'
import { borrowSentinels } from '../support/redis-sentinel.js'
import { inLanes, manyServersClock, ownPrefix, redisFixture } from '../support/redis-fixture.js'
import { redisProgram, tellMissing } from '../support/redis-server.js'

const inTurn = inLanes(12)
const testOn = redisProgram === undefined ? test.skip : test
if (redisProgram === undefined) tellMissing('the contract suite on redis Sentinel is', 'redis-server')

/** Each store has namespaces of its own. */
const fixture = redisFixture(async (t) => ({ url: (await borrowSentinels(t)).url, prefix: ownPrefix() }), manyServersClock)

for (const { name, run } of contractCases(fixture)) testOn(name, (t) => inTurn(() => t.notThrowsAsync(run())))

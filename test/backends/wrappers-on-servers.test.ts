import test from 'ava'
import { contractCases } from '../contract/index.js'
import { warmFixture } from '../support/cached-fixture.js'
import { DatastoreEmulator, missingEmulator, tellMissing as tellMissingEmulator } from '../support/datastore-emulator.js'
import { datastoreFixture } from '../support/datastore-fixture.js'
import { memcacheFixture } from '../support/memcache-fixture.js'
import { hasMemcached } from '../support/memcache-store.js'
import { MemcachedServer } from '../support/memcached-server.js'
import { migratingFixture } from '../support/migrating-fixture.js'
import { inLanes, ownPrefix, redisFixture } from '../support/redis-fixture.js'
import { borrowRedis, redisProgram, tellMissing } from '../support/redis-server.js'

// What stands before a store or between two, on real servers. Where one of the two is not installed its cases are skipped.

tellMissingEmulator('the contract of datastore behind memcache is')
if (redisProgram === undefined) tellMissing('the contract of migrating between redis and memcache is', 'redis-server')

let memcached: MemcachedServer | undefined
let emulator: DatastoreEmulator | undefined

test.before(async () => {
  if (hasMemcached()) memcached = await MemcachedServer.start()
  if (missingEmulator === undefined) emulator = await DatastoreEmulator.start()
})

test.after.always(async () => {
  await memcached?.kill()
  await emulator?.kill()
})

const memcache = memcacheFixture(() => memcached!.url)
const datastore = datastoreFixture(() => emulator!.url)
const redis = redisFixture(async (t) => ({ url: (await borrowRedis(t)).url, prefix: ownPrefix() }))

const canMemcache = hasMemcached()
const canDatastore = missingEmulator === undefined
const canRedis = redisProgram !== undefined

const inTurn = inLanes(8)

for (const [of, fixture, isThere] of [
  ['datastore behind memcache, which has a copy of everything', warmFixture(datastore, memcache), canDatastore && canMemcache],
  ['redis to memcache, made in redis', migratingFixture(redis, memcache, 'from'), canRedis && canMemcache],
  ['memcache to redis, made in redis', migratingFixture(memcache, redis, 'to'), canRedis && canMemcache],
] as const) {
  for (const { name, run } of contractCases(fixture)) {
    (isThere ? test : test.skip)(`${of}: ${name}`, (t) => {
      t.timeout(600_000)
      return t.notThrowsAsync(inTurn(run))
    })
  }
}

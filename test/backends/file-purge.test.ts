import test, { type ExecutionContext } from 'ava'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PurgeTimer } from '../../backends/file/purge-timer.js'
import { newToken } from '../../backends/file/holder.js'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { FileProcess } from '../support/file-process.js'
import { contentsOf, handClock, inAnHour, keyOf, newKey, newStore, recordPath } from '../support/file-store.js'

const start = 1_763_628_000_000

/** The token of a process on this machine that has ended. */
const deadToken = (): string => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  const [place, , started, nonce] = newToken().split('-')
  return [place, pid.toString(36), started, nonce].join('-')
}

const foreignToken = (): string => `000000000000${newToken().slice(12)}`

const until = async (t: ExecutionContext, condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(5)
  t.true(condition())
}

test('S151: what has been dead for a minute goes, the rest stays', async t => {
  const now = handClock(start)
  const { store, data } = newStore(t, { now })
  const dead = Array.from({ length: 30 }, newKey)
  const live = newKey()
  for (const key of dead) await store.create(key, 'value', start + 1000)
  await store.create(live, 'value', start + 1001)
  now.set(start + 1000 + 59_999)
  t.is(await store.purgeExpired(), 0)
  now.set(start + 1000 + 60_000)
  t.is(await store.purgeExpired(), 30)
  t.is(await store.purgeExpired(), 0)
  t.deepEqual(contentsOf(data).filter(path => dead.some(key => path.includes(key))), [])
  t.true(statSync(recordPath(data, live)).isFile())
})

test('F22: a record that is renewed while it is purged is not removed', async t => {
  const now = handClock(start)
  const { store } = newStore(t, { now })
  const keys = Array.from({ length: 100 }, newKey)
  for (const key of keys) await store.create(key, 'old', start)
  now.set(start + 60_000)
  const [removed, versions] = await Promise.all([
    store.purgeExpired(),
    Promise.all(keys.toReversed().map(key => store.create(key, 'new', now() + 1000)))
  ])
  t.true(removed <= 100)
  t.true(versions.every(version => version !== undefined))
  for (const [index, key] of keys.toReversed().entries()) t.like(await store.get(key), { value: 'new', version: versions[index] })
})

test('F22: a purge looks at a record again when it has its lock', async t => {
  const key = newKey()
  let looks = -Infinity
  const renewAtFirstLook = (): number => {
    if (++looks === 1) utimesSync(recordPath(data, key), new Date(inAnHour()), new Date(inAnHour()))
    return Date.now()
  }
  const { store, data } = newStore(t, { now: renewAtFirstLook })
  await store.create(key, 'value', Date.now() - 61_000)
  looks = 0
  t.is(await store.purgeExpired(), 0)
  t.is(looks, 2)
  t.is((await store.get(key))?.value, 'value')
})

test('two processes that purge at once count each record once', async t => {
  const { store, data } = newStore(t)
  const other = new FileProcess(t, data)
  await other.ready
  for (let n = 0; n < 60; n++) await store.create(newKey(), 'value', Date.now() - 61_000)
  const counts = await Promise.all([store.purgeExpired(), store.purgeExpired(), other.call<number>('purgeExpired')])
  t.is(counts.reduce((sum, count) => sum + count), 60)
})

test('a purge gives up when another goes on for long', async t => {
  const { store, data } = newStore(t)
  await store.create(newKey(), 'value', Date.now() - 61_000)
  const lock = `${data}/app/purge.lock`
  const held = `${lock}/${newToken()}`
  mkdirSync(held, { recursive: true })
  const beat = setInterval(() => utimesSync(lock, new Date(), new Date()), 100)
  t.teardown(() => clearInterval(beat))
  t.is(await store.purgeExpired(), 0)
  t.true(statSync(held).isDirectory())
})

test('what dead processes left is swept, what living ones hold is not', async t => {
  const { store, data } = newStore(t)
  const key = keyOf('record')
  const version = await store.create(key, 'value', inAnHour())
  const path = recordPath(data, key)
  const stages = `${data}/app/stages`
  const idle = readdirSync(stages)
  mkdirSync(`${stages}/${deadToken()}`)
  mkdirSync(`${stages}/${deadToken()}/token`, { recursive: true })
  mkdirSync(`${stages}/${deadToken()}.old/token`, { recursive: true })
  const other = `${dirname(path)}/${key.slice(0, 2)}${newKey().slice(2)}`
  mkdirSync(`${other}.lock/${deadToken()}/token`, { recursive: true })
  mkdirSync(`${path}.lock`)
  const living = [`${stages}/${newToken()}`, `${stages}/${foreignToken()}`, `${dirname(path)}/${keyOf('locked')}.lock/${newToken()}`]
  for (const directory of living) mkdirSync(directory, { recursive: true })
  const strange = [`${dirname(path)}/README`, `${dirname(path)}/.lock`]
  for (const file of strange) writeFileSync(file, '')
  await store.purgeExpired()
  t.deepEqual(
    contentsOf(dirname(path)).map(name => `${dirname(path)}/${name}`),
    [path, ...living.slice(2), ...strange].toSorted()
  )
  t.deepEqual(readdirSync(stages).filter(name => !idle.includes(name)), living.slice(0, 2).map(name => basename(name)).toSorted())
  t.is((await store.get(key))?.version, version)
})

test('leases that ended long ago are swept', async t => {
  const now = handClock(start)
  const { store, data } = newStore(t, { now })
  await store.create(newKey(), 'value', start + 500_000)
  await store.lock(newKey(), 1000, start)
  await store.lock(newKey(), 62_000, start)
  now.set(start + 61_500)
  t.is(readdirSync(`${data}/app/leases`, { recursive: true }).filter(name => `${name}`.endsWith('.lock')).length, 2)
  await store.purgeExpired()
  t.is(readdirSync(`${data}/app/leases`, { recursive: true }).filter(name => `${name}`.endsWith('.lock')).length, 1)
})

test('what cannot be purged keeps nothing else from it, and is told', async t => {
  const { store, data } = newStore(t)
  const key = `00${newKey().slice(2)}`
  await store.create(key, 'value', inAnHour())
  writeFileSync(`${recordPath(data, key)}.lock`, 'planted')
  const dead = `ff${newKey().slice(2)}`
  await store.create(dead, 'value', Date.now() - 61_000)
  await t.throwsAsync(store.purgeExpired(), { code: 'PHIAL_STORE' })
  t.throws(() => statSync(recordPath(data, dead)), { code: 'ENOENT' })
})

test('F21: a purge does not block the event loop', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  await store.create(key, 'value', inAnHour())
  const directory = dirname(recordPath(data, key))
  for (let n = 0; n < 5000; n++) writeFileSync(`${directory}/${newKey()}`, '')
  let turns = 0
  const turn = setInterval(() => turns++, 1)
  await store.purgeExpired()
  clearInterval(turn)
  t.true(turns > 10)
})

test('closing stops a purge', async t => {
  const { store, data } = newStore(t)
  for (let n = 0; n < 50; n++) await store.create(newKey(), 'value', Date.now() - 61_000)
  const purging = store.purgeExpired()
  await store.close()
  t.true((await purging) < 50)
  t.true(contentsOf(data).length > 0)
})

test('the timer purges from time to time after the first write', async t => {
  const { store, data } = newStore(t, { purgeInterval: 0.02 })
  for (let round = 0; round < 2; round++) {
    const key = newKey()
    await store.create(key, 'value', Date.now() - 61_000)
    await until(t, () => !existsSync(recordPath(data, key)))
  }
})

test.serial('a purge by the timer that fails is an event', async t => {
  const { store, data } = newStore(t, { purgeInterval: 0.02 })
  const key = newKey()
  mkdirSync(dirname(recordPath(data, key)), { recursive: true, mode: 0o700 })
  writeFileSync(`${recordPath(data, key)}.lock`, 'planted')
  const events: unknown[] = []
  const listen = (event: unknown): void => void events.push(event)
  subscribe('phial:store-error', listen)
  t.teardown(() => unsubscribe('phial:store-error', listen))
  await store.create(newKey(), 'value', inAnHour())
  await until(t, () => events.length > 0)
  t.like(events[0], { backend: 'file', operation: 'purgeExpired', error: { code: 'PHIAL_STORE' } })
})

test('S049: the timer leaves out a round after the clock was set', async t => {
  const now = handClock(start)
  let purges = 0
  let looks = 0
  const clock = (): number => {
    looks++ // once when it is made, then once a round
    return now() + performance.now()
  }
  const timer = new PurgeTimer(0.02, clock, async () => {
    purges++
    now.set(start + 86_400_000)
  })
  t.teardown(() => timer.stop())
  timer.start()
  await until(t, () => purges === 2)
  timer.stop()
  t.is(looks, 4)
})

test('no timer runs with an interval of 0, nor after stop', async t => {
  let purges = 0
  const count = async (): Promise<number> => purges++
  new PurgeTimer(0, Date.now, count).start()
  const stopped = new PurgeTimer(0.001, Date.now, count)
  stopped.start()
  stopped.stop()
  stopped.start()
  await sleep(20)
  t.is(purges, 0)
})

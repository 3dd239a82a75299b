import test from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { newToken } from '../../backends/file/holder.js'
import { SessionClosedError } from '../../src/errors.js'
import { FileProcess } from '../support/file-process.js'
import { contentsOf, handClock, newKey, newStore, openStore, stagesIn, temporaryDirectory } from '../support/file-store.js'

const soon = (): number => Date.now() + 10_000

test('a lease keeps others out until it is released', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const lease = await store.lock(key, 60_000, Date.now())
  t.not(lease, undefined)
  t.is(await store.lock(key, 60_000, Date.now()), undefined)
  t.deepEqual(stagesIn(data), [])
  t.not(await store.lock(newKey(), 60_000, Date.now()), undefined)
  const waiting = store.lock(key, 60_000, soon())
  await lease?.release()
  const next = await waiting
  t.not(next, undefined)
  await next?.release()
  t.deepEqual(contentsOf(data).filter(path => path.includes(key)), [])
})

test('a time to wait that is over still allows one try', async t => {
  const { store } = newStore(t)
  t.not(await store.lock(newKey(), 60_000, 0), undefined)
})

test('a lease and a record of one key do not meet', async t => {
  const { store } = newStore(t)
  const key = newKey()
  await store.lock(key, 60_000, Date.now())
  const version = (await store.create(key, 'value', soon())) ?? ''
  t.not(await store.replace(key, 'again', version, soon()), undefined)
})

test('a lease ends by the clock after its time, and a late release frees nobody else', async t => {
  const now = handClock(1_763_628_000_000)
  const { store } = newStore(t, { now })
  const key = newKey()
  const first = await store.lock(key, 60_000, now())
  now.set(now() + 59_999)
  t.is(await store.lock(key, 60_000, now()), undefined)
  now.set(now() + 1)
  const second = await store.lock(key, 60_000, now())
  t.not(second, undefined)
  await first?.release()
  await first?.release()
  t.is(await store.lock(key, 60_000, now()), undefined)
  await second?.release()
  await second?.release()
  t.not(await store.lock(key, 60_000, now()), undefined)
})

test('a lease that nobody releases ends by itself', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  await store.lock(key, 30, Date.now())
  while (existsSync(`${data}/app/leases/${key.slice(0, 2)}/${key}.lock`)) await sleep(5)
  t.not(await store.lock(key, 30, Date.now()), undefined)
})

test('who waits in vain is answered undefined, also behind others', async t => {
  const { store } = newStore(t)
  const key = newKey()
  await store.lock(key, 60_000, Date.now())
  const long = store.lock(key, 60_000, Date.now() + 600_000)
  t.is(await store.lock(key, 60_000, Date.now() + 40), undefined)
  await store.close()
  t.is(await long, undefined)
})

test('a lease is given in the order of asking, to 100 in turn', async t => {
  const { store } = newStore(t)
  const key = newKey()
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const lease = await store.lock(key, 60_000, Date.now() + 60_000)
      order.push(n)
      await lease?.release()
    })
  )
  t.deepEqual(order, Array.from({ length: 100 }, (_, n) => n))
})

test.serial('a lease that somebody takes over before its end is told of', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  await store.lock(key, 60_000, Date.now())
  const awake = setInterval(() => {}, 1000) // the heart's timer keeps no process alive
  t.teardown(() => clearInterval(awake))
  const told = new Promise(resolve => {
    subscribe('phial:lock-compromised', resolve)
    t.teardown(() => unsubscribe('phial:lock-compromised', resolve))
  })
  const lock = `${data}/app/leases/${key.slice(0, 2)}/${key}.lock`
  renameSync(`${lock}/${readdirSync(lock)[0]}`, `${lock}/${newToken()}`)
  t.deepEqual(await told, { backend: 'file' })
})

test('two processes never hold one lease', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const other = new FileProcess(t, data)
  await other.call('lock', key, 60_000, soon())
  t.is(await store.lock(key, 60_000, Date.now()), undefined)
})

test('S179: the lease of a killed process is free at once', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const other = new FileProcess(t, data)
  await other.call('lock', key, 600_000, soon())
  await other.kill()
  t.not(await store.lock(key, 60_000, Date.now() + 1000), undefined)
})

test('leases stand in the lock directory where there is one', async t => {
  const directory = temporaryDirectory(t)
  const store = openStore(`${directory}/data`, { lockDir: `${directory}/locks` })
  const lease = await store.lock(newKey(), 60_000, Date.now())
  t.deepEqual(contentsOf(directory).map(path => path.split('/').slice(0, 3).join('/')), ['locks/app/leases'])
  await lease?.release()
  await store.close()
})

test('closing lets go of leases', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const lease = await store.lock(key, 60_000, Date.now())
  await store.close()
  const other = openStore(data)
  t.teardown(() => other.close())
  t.not(await other.lock(key, 60_000, Date.now()), undefined)
  await lease?.release()
  t.is(await other.lock(key, 60_000, Date.now()), undefined)
  await t.throwsAsync(store.lock(key, 60_000, Date.now()), { instanceOf: SessionClosedError })
})

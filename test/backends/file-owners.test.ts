import test from 'ava'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentsOf, handClock, keyOf, newKey, newStore } from '../support/file-store.js'

const start = 1_763_628_000_000

test('an owner has the entries that were added and not removed', async t => {
  const { store } = newStore(t)
  const owner = newKey()
  const [one, two] = [newKey(), newKey()]
  await store.addOwned(owner, one, Date.now() + 5000)
  await store.addOwned(owner, two, Date.now() + 5000)
  await store.addOwned(newKey(), newKey(), Date.now() + 5000)
  t.deepEqual((await store.listOwned(owner)).toSorted(), [one, two].toSorted())
  await store.removeOwned(owner, one)
  await store.removeOwned(owner, one)
  t.deepEqual(await store.listOwned(owner), [two])
  t.deepEqual(await store.listOwned(newKey()), [])
})

test('100 entries added at once are all there', async t => {
  const { store } = newStore(t)
  const owner = newKey()
  const keys = Array.from({ length: 100 }, newKey)
  await Promise.all(keys.map(key => store.addOwned(owner, key, Date.now() + 5000)))
  t.deepEqual((await store.listOwned(owner)).toSorted(), keys.toSorted())
})

test('one entry added many times at once is there once', async t => {
  const { store } = newStore(t)
  await Promise.all(Array.from({ length: 20 }, (_, n) => store.addOwned(keyOf('owner'), keyOf('key'), Date.now() + 5000 + n)))
  t.deepEqual(await store.listOwned(keyOf('owner')), [keyOf('key')])
})

test('an entry lasts until the latest time that was asked for, and is purged when dead for over a minute', async t => {
  const now = handClock(start)
  const { store, data } = newStore(t, { now })
  const owner = newKey()
  const key = newKey()
  await store.addOwned(owner, key, start + 1000)
  await store.addOwned(owner, key, start + 200_000)
  await store.addOwned(owner, key, start + 3000)
  now.set(start + 200_000 + 59_999)
  t.is(await store.purgeExpired(), 0)
  t.deepEqual(await store.listOwned(owner), [key])
  now.set(start + 200_000 + 60_000)
  t.is(await store.purgeExpired(), 0)
  t.deepEqual(await store.listOwned(owner), [])
  t.deepEqual(contentsOf(data).filter(path => path.includes(owner)), [])
})

test('an entry is added again after it has expired, purged or not', async t => {
  const now = handClock(start)
  const { store } = newStore(t, { now })
  const owner = newKey()
  const key = newKey()
  for (const purged of [false, true]) {
    await store.addOwned(owner, key, now() + 1000)
    now.set(now() + 100_000)
    if (purged) await store.purgeExpired()
    await store.addOwned(owner, key, now() + 100_000)
    now.set(now() + 99_999)
    await store.purgeExpired()
    t.deepEqual(await store.listOwned(owner), [key])
    await store.removeOwned(owner, key)
  }
})

test('a damaged entry is still listed, and written anew when it is added', async t => {
  const now = handClock(Date.now())
  const { store, data } = newStore(t, { now })
  const owner = newKey()
  const key = newKey()
  await store.addOwned(owner, key, now() + 1000)
  writeFileSync(join(data, 'app', 'owners', owner.slice(0, 2), owner, key), '')
  t.deepEqual(await store.listOwned(owner), [key])
  await store.addOwned(owner, key, now() + 500_000)
  now.set(now() + 400_000)
  await store.purgeExpired()
  t.deepEqual(await store.listOwned(owner), [key])
})

import test from 'ava'
import { readFileSync, statSync, utimesSync } from 'node:fs'
import { TooLargeError } from '../../src/errors.js'
import { contentsOf, handClock, inAnHour, keyOf, newKey, newStore, openStore, recordPath, stagesIn } from '../support/file-store.js'

test('what was created is read, with its version and expiry', async t => {
  const { store } = newStore(t)
  const key = newKey()
  const expiresAt = inAnHour()
  const version = await store.create(key, 'ünï 💥 value\n', expiresAt)
  t.deepEqual(await store.get(key), { value: 'ünï 💥 value\n', version: version ?? '', expiresAt, touched: false })
})

test('an empty value is a value', async t => {
  const { store } = newStore(t)
  const key = newKey()
  const version = await store.create(key, '', inAnHour())
  t.like(await store.get(key), { value: '', version })
})

test('nothing is read before the first write, and reading makes no directory', async t => {
  const { store, data } = newStore(t)
  t.is(await store.get(newKey()), undefined)
  t.is(await store.touch(newKey(), inAnHour()), false)
  await store.delete(newKey())
  t.is(await store.delete(newKey(), 'version'), false)
  t.deepEqual(await store.listOwned(newKey()), [])
  t.is(await store.purgeExpired(), 0)
  t.throws(() => statSync(data), { code: 'ENOENT' })
})

test('create changes nothing where a live record is', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const version = await store.create(key, 'first', inAnHour())
  t.is(await store.create(key, 'second', inAnHour()), undefined)
  t.like(await store.get(key), { value: 'first', version })
  t.is(contentsOf(data).length, 1)
})

test('of 50 that create one record at once, one succeeds', async t => {
  const { store, data } = newStore(t)
  const other = openStore(data)
  t.teardown(() => other.close())
  const key = newKey()
  const versions = await Promise.all(Array.from({ length: 50 }, (_, n) => (n % 2 ? store : other).create(key, `${n}`, inAnHour())))
  t.is(versions.filter(version => version !== undefined).length, 1)
  t.is((await store.get(key))?.version, versions.find(version => version !== undefined))
})

test('of many that create over an expired record one succeeds', async t => {
  const now = handClock(1_000_000_000_000)
  const { store, data } = newStore(t, { now })
  const key = newKey()
  await store.create(key, 'old', now() + 1000)
  now.set(now() + 1000)
  const versions = await Promise.all(Array.from({ length: 20 }, (_, n) => store.create(key, `${n}`, now() + 1000)))
  t.is(versions.filter(version => version !== undefined).length, 1)
  t.is(contentsOf(data).length, 1)
})

test('replace needs the version that is there', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const first = await store.create(key, 'first', inAnHour())
  const second = await store.replace(key, 'second', first ?? '', inAnHour())
  t.not(second, undefined)
  t.not(second, first)
  t.is(await store.replace(key, 'third', first ?? '', inAnHour()), undefined)
  t.is(await store.replace(newKey(), 'third', first ?? '', inAnHour()), undefined)
  t.like(await store.get(key), { value: 'second', version: second })
  t.is(contentsOf(data).length, 1)
})

test('of 100 that replace one version at once, one succeeds', async t => {
  const { store } = newStore(t)
  const key = newKey()
  const version = await store.create(key, 'base', inAnHour())
  const written = await Promise.all(Array.from({ length: 100 }, (_, n) => store.replace(key, `${n}`, version ?? '', inAnHour())))
  t.is(written.filter(one => one !== undefined).length, 1)
})

test('of many in one process that write one record, one at a time goes to the disk', async t => {
  const { store, data } = newStore(t)
  const other = openStore(data)
  t.teardown(() => other.close())
  const key = newKey()
  await store.create(key, 'base', inAnHour())
  await Promise.all(Array.from({ length: 50 }, (_, n) => (n % 2 ? store : other).replace(key, `${n}`, 'another', inAnHour())))
  t.is(stagesIn(data).length, 2) // one of each store's, used again and again
})

test('a stage is used again, a few are kept, and none after closing', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  const stages = stagesIn(data)
  t.is(stages.length, 1)
  t.is(await store.create(key, 'value', inAnHour()), undefined)
  t.is(await store.replace(key, 'value', 'another', inAnHour()), undefined)
  t.is(await store.delete(key, 'another'), false)
  t.not(await store.replace(key, 'value', version, inAnHour()), undefined)
  await store.delete(key)
  t.deepEqual(stagesIn(data), stages)
  await Promise.all(Array.from({ length: 100 }, (_, n) => store.create(keyOf(`${n}`), 'value', inAnHour())))
  t.true(stagesIn(data).length <= 32)
  await store.close()
  t.deepEqual(stagesIn(data), [])
})

const versionIn = (path: string): string => readFileSync(path, 'latin1').split(' ')[1] ?? ''

test('a version that was read as soon as it was there can be replaced', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  for (let round = 0; round < 10; round++) {
    const first = (await store.create(key, 'first', inAnHour())) ?? ''
    const writing = store.replace(key, 'second', first, inAnHour())
    let second = first
    while (second === first) {
      await new Promise(resolve => setImmediate(resolve))
      for (let look = 0; second === first && look < 200; look++) second = versionIn(recordPath(data, key))
    }
    t.not(await store.replace(key, 'third', second, inAnHour()), undefined)
    t.is(await writing, second)
    await store.delete(key)
  }
})

test('a record is there until its expiry, to the millisecond', async t => {
  const now = handClock(1_763_628_000_000)
  const { store } = newStore(t, { now })
  const key = newKey()
  const expiresAt = 1_763_628_000_123
  const version = await store.create(key, 'value', expiresAt)
  now.set(expiresAt - 1)
  t.is((await store.get(key))?.expiresAt, expiresAt)
  now.set(expiresAt)
  t.is(await store.get(key), undefined)
  t.is(await store.touch(key, expiresAt + 1000), false)
  t.is(await store.replace(key, 'value', version ?? '', expiresAt + 1000), undefined)
  t.is(await store.delete(key, version ?? ''), false)
  now.set(expiresAt + 1)
  t.is(await store.get(key), undefined)
  t.not(await store.create(key, 'new', expiresAt + 1000), undefined)
  t.is((await store.get(key))?.value, 'new')
})

const lives = {
  '1 s': 1000,
  '30 days': 2_592_000_000,
  '31 days': 2_678_400_000,
  '400 days': 34_560_000_000,
  '1000 years': 31_556_952_000_000,
  'for ever': Infinity
}

for (const [name, life] of Object.entries(lives)) {
  test(`S045: a record that lives ${name} is read back`, async t => {
    const now = handClock(1_763_628_000_000)
    const { store } = newStore(t, { now })
    const key = newKey()
    await store.create(key, 'value', now() + life)
    now.set(now() + 999)
    t.is((await store.get(key))?.value, 'value')
  })
}

test('a time before 1970 is past, not now', async t => {
  const { store } = newStore(t)
  const key = newKey()
  await store.create(key, 'value', -5000)
  t.is(await store.get(key), undefined)
})

test('a touch moves the expiry only, to a later or an earlier time', async t => {
  const now = handClock(1_763_628_000_000)
  const { store } = newStore(t, { now })
  const key = newKey()
  const version = await store.create(key, 'value', now() + 1000)
  t.is(await store.touch(key, now() + 5000), true)
  t.like(await store.get(key), { value: 'value', version, expiresAt: now() + 5000 })
  t.is(await store.touch(key, now() + 10), true)
  t.like(await store.get(key), { value: 'value', version, expiresAt: now() + 10 })
})

test('reading touches when less than asked for remains', async t => {
  const { store } = newStore(t)
  const key = newKey()
  const expiresAt = inAnHour()
  const later = expiresAt + 1000
  const version = await store.create(key, 'value', expiresAt)
  const record = { value: 'value', version: version ?? '', expiresAt }
  t.deepEqual(await store.get(key, { expiresAt: later, ifBefore: expiresAt }), { ...record, touched: false })
  t.deepEqual(await store.get(key, { expiresAt: later, ifBefore: expiresAt + 1 }), { ...record, touched: true })
  t.is((await store.get(key))?.expiresAt, later)
})

test('S027: touching what was deleted creates nothing', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  await store.create(key, 'value', inAnHour())
  await store.delete(key)
  t.is(await store.touch(key, inAnHour()), false)
  t.is(await store.get(key, { expiresAt: inAnHour(), ifBefore: Infinity }), undefined)
  t.deepEqual(contentsOf(data).filter(name => name.includes(key)), [])
})

test('touches among saves and deletions never bring a record back', async t => {
  const { store } = newStore(t)
  for (let round = 0; round < 20; round++) {
    const key = newKey()
    const version = (await store.create(key, 'value', inAnHour())) ?? ''
    const touches = Array.from({ length: 10 }, () => store.get(key, { expiresAt: inAnHour(), ifBefore: Infinity }))
    const saves = Array.from({ length: 3 }, () => store.replace(key, 'again', version, inAnHour()))
    await Promise.all([...touches, ...saves, store.delete(key)])
    t.is(await store.get(key), undefined)
  }
})

test('delete removes one version, or whatever is there', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const first = (await store.create(key, 'first', inAnHour())) ?? ''
  const second = (await store.replace(key, 'second', first, inAnHour())) ?? ''
  t.is(await store.delete(key, first), false)
  t.is((await store.get(key))?.value, 'second')
  t.is(await store.delete(key, second), true)
  t.is(await store.delete(key, second), false)
  t.is(await store.delete(key), undefined)
  await store.create(key, 'third', inAnHour())
  t.is(await store.delete(key), undefined)
  t.is(await store.get(key), undefined)
  t.deepEqual(contentsOf(data).filter(name => name.includes(key)), [])
})

test('of 20 that delete one version at once, one is told so', async t => {
  const { store } = newStore(t)
  const key = newKey()
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  const removed = await Promise.all(Array.from({ length: 20 }, () => store.delete(key, version)))
  t.is(removed.filter(Boolean).length, 1)
})

test('keys lists the live keys of its namespace alone', async t => {
  const now = handClock(Date.now())
  const { store, data } = newStore(t, { now })
  const other = openStore(data, { now, namespace: 'other' })
  t.teardown(() => other.close())
  const live = Array.from({ length: 20 }, newKey)
  for (const key of live) await store.create(key, 'value', now() + 5000)
  await store.create(newKey(), 'value', now() + 1000)
  await other.create(newKey(), 'value', now() + 5000)
  now.set(now() + 1000)
  const listed: string[] = []
  for await (const key of store.keys()) listed.push(key)
  t.deepEqual(listed.toSorted(), live.toSorted())
})

test('S138: a value over the limit is refused and the record stays as it was', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const limit = store.supports.maxValueBytes
  const version = (await store.create(key, 'x'.repeat(limit), inAnHour())) ?? ''
  t.is((await store.get(key))?.value.length, limit)
  const error = await t.throwsAsync(store.replace(key, `${'x'.repeat(limit - 1)}ü`, version, inAnHour()), { instanceOf: TooLargeError })
  t.is((error as TooLargeError).size, limit + 1)
  t.is((error as TooLargeError).limit, limit)
  await t.throwsAsync(store.create(newKey(), 'x'.repeat(limit + 1), inAnHour()), { instanceOf: TooLargeError })
  t.is((await store.get(key))?.version, version)
  t.is(contentsOf(data).length, 1)
})

test('S141: no key and no namespace is ever a path', async t => {
  const { store, data } = newStore(t)
  const odd = ['', '.', '..', 'a\0b', 'A'.repeat(64), 'x'.repeat(5000), newKey().toUpperCase()]
  const hostile = ['../../outside', '/etc/passwd', `${newKey()}/x`, ...odd]
  for (const key of hostile) {
    const version = (await store.create(key, key, inAnHour())) ?? ''
    t.is((await store.get(key))?.value, key)
    await store.addOwned(key, key, inAnHour())
    t.is(await store.delete(key, version), true)
  }
  for (const name of ['../up', 'Case', 'case', '.', '..', '~', 'a/b', 'x'.repeat(300), 'naïve']) {
    const other = openStore(data, { namespace: name })
    await other.create(keyOf('same'), name, inAnHour())
    t.is((await other.get(keyOf('same')))?.value, name)
    await other.close()
  }
  const names = contentsOf(data).flatMap(path => path.split('/'))
  t.deepEqual(names.filter(name => !/^[a-z0-9~-]{1,128}$/.test(name)), [])
  t.deepEqual(contentsOf(`${data}/..`).filter(path => !path.startsWith('data/')), [])
})

test('the file is a line and the value', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  const version = await store.create(key, 'hello', 1_900_000_000_000)
  t.regex(readFileSync(recordPath(data, key), 'utf8'), new RegExp(`^phial1 ${version} 5 [0-9a-f]{8}\\nhello$`))
  t.is(Math.round(statSync(recordPath(data, key)).mtimeMs), 1_900_000_000_000)
})

test('a record whose time of modification is moved to the past has expired', async t => {
  const { store, data } = newStore(t)
  const key = newKey()
  await store.create(key, 'value', inAnHour())
  utimesSync(recordPath(data, key), 1, 1)
  t.is(await store.get(key), undefined)
})

import test from 'ava'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError, StoreTimeoutError, StoreUnavailableError, TooLargeError } from '../../src/errors.js'
import { toStoreError } from '../../backends/file/errors.js'
import { FileProcess, works } from '../support/file-process.js'
import { contentsOf, inAnHour, keyOf, newKey, newStore, temporaryDirectory } from '../support/file-store.js'

const key = keyOf('session')

/** Runs the rest of the command with a small file system of its own on the directory. */
const onTmpfs = (directory: string, options: string): string[] =>
  ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o mode=700,${options} tmpfs ${directory} && exec "$@"`, 'sh']

const testMounted = works('unshare', '-m', 'true') ? test : test.skip

testMounted('F03: on a full disk a save fails as unavailable, the old record stays and nothing is left (needs unshare -m)', async t => {
  const directory = temporaryDirectory(t)
  const child = new FileProcess(t, join(directory, 'data'), { sync: true, wrapper: onTmpfs(directory, 'size=64k') })
  const version = await child.call('create', key, 'old', inAnHour())
  const files = async (): Promise<unknown> => (await child.call<string[]>('list', join(directory, 'data', 'app'))).filter(path => !path.startsWith('stages/'))
  const before = await files()
  await child.call('fillDisk', directory)
  const full = { name: 'StoreUnavailableError', code: 'PHIAL_STORE_UNAVAILABLE', retryable: true, cause: 'ENOSPC' }
  t.like(await child.failure('replace', key, 'x'.repeat(10_000), version, inAnHour()), { ...full, operation: 'replace' })
  t.like(await child.failure('create', `${key.slice(0, 60)}0000`, 'x'.repeat(10_000), inAnHour()), { ...full, operation: 'create' })
  t.like(await child.call('get', key), { value: 'old', version })
  t.true(await child.call('touch', key, inAnHour()))
  t.deepEqual(await files(), before)
  await child.call('emptyDisk', directory)
  t.truthy(await child.call('replace', key, 'x'.repeat(10_000), version, inAnHour()))
})

testMounted('F03: a disk on which nothing can be made is still purged (needs unshare -m)', async t => {
  const directory = temporaryDirectory(t)
  const child = new FileProcess(t, join(directory, 'data'), { wrapper: onTmpfs(directory, 'size=64k,nr_inodes=30') })
  await child.call('create', key, 'dead', Date.now() - 61_000)
  const live = `${key.slice(0, 2)}${newKey().slice(2)}`
  await child.call('create', live, 'live', inAnHour())
  await child.call('fillInodes', directory)
  await child.call('reopen')
  t.like(await child.failure('delete', live), { code: 'PHIAL_STORE_UNAVAILABLE', operation: 'delete', cause: 'ENOSPC' })
  t.is(await child.call('purgeExpired'), 1)
  t.like(await child.call('get', live), { value: 'live' })
})

testMounted('F08: a file system that becomes read-only refuses writes and is still read (needs unshare -m)', async t => {
  const directory = temporaryDirectory(t)
  const child = new FileProcess(t, join(directory, 'data'), { wrapper: onTmpfs(directory, 'size=64k') })
  const version = await child.call('create', key, 'value', inAnHour())
  await child.call('run', 'mount', '-o', 'remount,ro', directory)
  const readOnly = { name: 'StoreError', code: 'PHIAL_STORE', retryable: false, cause: 'EROFS' }
  t.like(await child.failure('replace', key, 'again', version, inAnHour()), readOnly)
  t.like(await child.failure('create', newKey(), 'value', inAnHour()), readOnly)
  t.like(await child.failure('delete', key), readOnly)
  t.like(await child.failure('touch', key, inAnHour()), readOnly)
  t.like(await child.failure('lock', key, 1000, 0), readOnly)
  t.like(await child.failure('addOwned', key, key, inAnHour()), readOnly)
  const touch = { expiresAt: inAnHour() + 9999, ifBefore: inAnHour() + 9999 }
  t.like(await child.call('get', key, touch), { value: 'value', version, touched: false })
  await child.call('run', 'mount', '-o', 'remount,rw', directory)
  t.truthy(await child.call('replace', key, 'again', version, inAnHour()))
})

test('F07: without descriptors every call fails as unavailable, and works again when there are some', async t => {
  const directory = join(temporaryDirectory(t), 'data')
  const child = new FileProcess(t, directory, { wrapper: ['sh', '-c', 'ulimit -n 60 && exec "$@"', 'sh'] })
  const version = await child.call('create', key, 'value', inAnHour())
  const before = contentsOf(directory)
  await child.call('exhaustDescriptors')
  const unavailable = { code: 'PHIAL_STORE_UNAVAILABLE', retryable: true, cause: 'EMFILE' }
  t.like(await child.failure('get', key), unavailable)
  t.like(await child.failure('touch', key, inAnHour()), unavailable)
  t.like(await child.failure('create', `${key.slice(0, 60)}0000`, 'value', inAnHour()), unavailable)
  t.like(await child.failure('replace', key, 'again', version, inAnHour()), unavailable)
  t.deepEqual(contentsOf(directory), before)
  await child.call('freeDescriptors')
  t.like(await child.call('get', key), { value: 'value', version })
  t.truthy(await child.call('replace', key, 'again', version, inAnHour()))
})

test('F10: a directory that is removed while running is made again at the next write', async t => {
  const { store, data } = newStore(t)
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  await store.addOwned(key, key, inAnHour())
  await store.lock(key, 60_000, 0)
  for (const removed of ['app/records', 'app', '.']) {
    rmSync(join(data, removed), { recursive: true })
    t.is(await store.get(key), undefined)
    t.is(await store.touch(key, inAnHour()), false)
    t.is(await store.replace(key, 'again', version, inAnHour()), undefined)
    t.is(await store.delete(key, version), false)
    t.not(await store.create(key, 'anew', inAnHour()), undefined)
    t.is((await store.get(key))?.value, 'anew')
    await store.addOwned(key, key, inAnHour())
    t.deepEqual(await store.listOwned(key), [key])
    rmSync(join(data, 'app', 'leases'), { recursive: true, force: true })
    t.not(await store.lock(key, 60_000, Date.now()), undefined)
  }
})

test('F10: writes go on while their directory is removed again and again', async t => {
  const { store, data } = newStore(t)
  for (let round = 0; round < 30; round++) {
    const writes = Array.from({ length: 5 }, (_, n) => store.create(keyOf(`${n}`), 'value', inAnHour()))
    rmSync(data, { recursive: true, force: true, maxRetries: 10 })
    await Promise.all(writes)
  }
  t.deepEqual(readdirSync(data), ['app'])
})

const kinds: [code: string | undefined, kind: typeof StoreError, retryable: boolean][] = [
  ['ENOSPC', StoreUnavailableError, true],
  ['EDQUOT', StoreUnavailableError, true],
  ['EMFILE', StoreUnavailableError, true],
  ['ENFILE', StoreUnavailableError, true],
  ['ESTALE', StoreUnavailableError, true],
  ['ELOCKED', StoreTimeoutError, true],
  ['EIO', StoreError, false],
  ['EROFS', StoreError, false],
  ['EACCES', StoreError, false],
  ['EPERM', StoreError, false],
  [undefined, StoreError, false]
]

for (const [code, kind, retryable] of kinds) {
  test(`${code ?? 'any other error'} becomes a ${kind.name}${retryable ? ', retryable' : ''}, that names no path`, t => {
    const cause = Object.assign(new Error('at /data/secret'), { code })
    const error = toStoreError(cause, 'get')
    t.is(error.constructor, kind)
    t.like(error, { backend: 'file', operation: 'get', retryable, cause })
    t.notRegex(error.message, /secret/)
  })
}

test('an error of the library passes as it is', t => {
  const error = new TooLargeError('too large', 2, 1)
  t.is(toStoreError(error, 'create'), error)
})

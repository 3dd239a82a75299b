import test, { type ExecutionContext } from 'ava'
import { constants, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Directories } from '../../backends/file/directories.js'
import { pooledDisk, type OpenFile } from '../../backends/file/disk.js'
import { LocalDisk, type Watches } from '../../backends/file/local-disk.js'
import { Watch } from '../../backends/file/watch.js'
import { whichDisk } from '../../backends/file/which-disk.js'
import { ConfigError } from '../../src/errors.js'

import { handClock, inAnHour, keyOf, newKey, newStore, openStore, recordPath, temporaryDirectory } from '../support/file-store.js'

/** A watch whose clock is set by hand, and by the call that takes so long; each call is in a turn of its own. */
const watched = () => {
  const now = handClock(1_000_000)
  const starved = handClock(0)
  const watch = new Watch({ now, starvedMs: starved, nextTurn: begin => turns.push(begin) })
  const turns: (() => void)[] = []
  const nextTurn = (): void => turns.splice(0).forEach(begin => begin())
  const callOn = (ms: number): void => watch.time(() => now.set(now() + ms))
  const call = (ms: number): void => {
    callOn(ms)
    nextTurn()
  }
  const pass = (ms: number): void => now.set(now() + ms)
  return { watch, starved, callOn, call, pass, nextTurn, turns }
}

test('after 50 ms at once a disk is slow for 10 s, then it is tried again', t => {
  const { watch, call, pass } = watched()
  call(50)
  t.true(watch.isQuick)
  pass(10_000)
  call(51)
  t.false(watch.isQuick)
  pass(9_999)
  t.false(watch.isQuick)
  pass(1)
  t.true(watch.isQuick)
  call(50)
  t.true(watch.isQuick)
})

test('a disk for which a tenth of the time is waited is not slow, one for which more is waited is', t => {
  const { watch, call, pass } = watched()
  for (let n = 0; n < 1000; n++) {
    call(10)
    pass(90)
  }
  t.true(watch.isQuick)
  for (let n = 0; n < 10; n++) {
    call(10)
    pass(30)
  }
  t.false(watch.isQuick)
})

test('a call of 1 ms is what calls take', t => {
  const { watch, call } = watched()
  for (let n = 0; n < 1000; n++) call(1)
  t.true(watch.isQuick)
})

test('waiting for a processor is not waiting for a disk, and is taken off once', t => {
  const { watch, starved, call } = watched()
  starved.set(70)
  call(100)
  t.true(watch.isQuick)
  call(50)
  t.false(watch.isQuick)
})

test('calls take 20 ms of one turn of the event loop', t => {
  const { watch, callOn, nextTurn, turns } = watched()
  callOn(19)
  t.true(watch.isQuick)
  callOn(1)
  t.false(watch.isQuick)
  t.is(turns.length, 1)
  nextTurn()
  t.true(watch.isQuick)
  callOn(1)
  t.true(watch.isQuick)
})

test('a call that fails is timed, too', t => {
  const now = handClock(0)
  const watch = new Watch({ now, starvedMs: () => 0, nextTurn: begin => begin() })
  const error = t.throws(() => watch.time(() => {
    now.set(51)
    throw new Error('failed')
  }))
  t.is(error?.message, 'failed')
  t.false(watch.isQuick)
})

test('what is tried again and again on a local disk leaves others their turn', async t => {
  const directory = temporaryDirectory(t)
  let isLate = false
  setTimeout(() => (isLate = true), 1)
  const missing = () => disk.lstat(join(directory, 'missing'))
  const disk = whichDisk('local', [directory])
  await t.throwsAsync(new Directories(disk, directory, false).within(directory, missing, () => isLate), { code: 'ENOENT' })
  t.true(isLate)
})

/** A disk that is made slow, and quick again, by hand. */
const slowable = (t: ExecutionContext) => {
  const now = handClock(0)
  const clocks = { now, starvedMs: () => 0, nextTurn: (begin: () => void) => void setImmediate(begin) }
  const watches: Watches = { reading: new Watch(clocks), changing: new Watch(clocks) }
  const slow = (kind: keyof Watches): void => watches[kind].time(() => now.set(now() + 51))
  return { disk: new LocalDisk(() => true, watches), slow, directory: temporaryDirectory(t) }
}

const opened = (file: unknown): OpenFile => file as OpenFile

test('on a local disk nothing but a sync is a promise', async t => {
  const { disk, directory } = slowable(t)
  const path = join(directory, 'file')
  const file = opened(disk.open(path, constants.O_RDWR | constants.O_CREAT, 0o600))
  t.is(file.writeFile(Buffer.from('content')), undefined)
  t.is(file.utimes(1_900_000_000, 1_900_000_000), undefined)
  t.like(file.stat(), { size: 7, mtimeMs: 1_900_000_000_000 })
  const buffer = Buffer.alloc(9)
  t.deepEqual(file.read(buffer, 1, 8, 3), { bytesRead: 4 })
  t.is(buffer.toString('latin1'), '\0tent\0\0\0\0')
  await file.sync()
  t.is(file.close(), undefined)
  t.is(file.close(), undefined)
  t.is(disk.link(path, `${path}2`), undefined)
  t.is(disk.rename(path, `${path}3`), undefined)
  t.is(disk.unlink(`${path}2`), undefined)
  t.is(disk.mkdir(join(directory, 'below'), 0o700), undefined)
  t.is(disk.rmdir(join(directory, 'below')), undefined)
  t.throws(() => disk.lstat(path), { code: 'ENOENT' })
  t.is(readFileSync(`${path}3`, 'utf8'), 'content')
})

test('while a disk is slow its calls are promises, on files that were open before, too', async t => {
  const { disk, slow, directory } = slowable(t)
  const path = join(directory, 'file')
  const file = opened(disk.open(path, constants.O_RDWR | constants.O_CREAT, 0o600))
  slow('reading')
  slow('changing')
  const write = file.writeFile(Buffer.from('content'))
  t.true(write instanceof Promise)
  await write
  await file.utimes(1_900_000_000, 1_900_000_000)
  t.like(await file.stat(), { size: 7, mtimeMs: 1_900_000_000_000 })
  t.is((await file.read(Buffer.alloc(9), 0, 9, 0)).bytesRead, 7)
  await file.sync()
  await file.close()
  await file.close()
  const other = disk.open(path, 'r')
  t.true(other instanceof Promise)
  await (await other).close()
  const calls = [
    () => disk.link(path, `${path}2`), () => disk.rename(path, `${path}3`), () => disk.unlink(`${path}2`),
    () => disk.mkdir(join(directory, 'below'), 0o700), () => disk.rmdir(join(directory, 'below')), () => disk.lstat(`${path}3`)
  ]
  for (const call of calls) {
    const answer = call()
    t.true(answer instanceof Promise)
    await answer
  }
})

test('a disk that is slow to change is still read at once', t => {
  const { disk, slow, directory } = slowable(t)
  slow('changing')
  t.false(disk.lstat(directory) instanceof Promise)
  const file = disk.open(directory, 'r')
  t.false(file instanceof Promise)
  t.is(opened(file).close(), undefined)
})

test('what is over 256 KiB is read and written in the pool', async t => {
  const { disk, directory } = slowable(t)
  const file = opened(disk.open(join(directory, 'file'), constants.O_RDWR | constants.O_CREAT, 0o600))
  const bytes = Buffer.alloc(256 * 1024 + 1, 'x')
  const write = file.writeFile(bytes)
  t.true(write instanceof Promise)
  await write
  const read = file.read(Buffer.alloc(bytes.length), 0, bytes.length, 0)
  t.true(read instanceof Promise)
  t.is((await read).bytesRead, bytes.length)
  t.deepEqual(file.read(Buffer.alloc(bytes.length), 0, bytes.length - 1, 0), { bytesRead: bytes.length - 1 })
  t.is(file.close(), undefined)
})

test('a record on a local disk is read and touched at once, once its directory is known', async t => {
  const { store } = newStore(t, { disk: 'local' })
  const key = newKey()
  const expiresAt = inAnHour()
  const version = (await store.create(key, 'value', expiresAt)) ?? ''
  t.deepEqual(store.atOnce.get?.(key), { value: 'value', version, expiresAt, touched: false })
  const touch = { expiresAt: expiresAt + 1000, ifBefore: Infinity }
  t.deepEqual(store.atOnce.get?.(key, touch), { value: 'value', version, expiresAt, touched: true })
  t.like(store.atOnce.get?.(key), { expiresAt: expiresAt + 1000 })
  t.is(store.atOnce.get?.(`${key.slice(0, 2)}${newKey().slice(2)}`), undefined)
})

test('who saves in a loop leaves others their turn', async t => {
  const { store } = newStore(t, { disk: 'local' })
  let isOver = false
  setTimeout(() => (isOver = true), 1)
  for (let version = await store.create(keyOf('loop'), 'value', inAnHour()); !isOver; ) {
    version = await store.replace(keyOf('loop'), 'value', version ?? '', inAnHour())
  }
  t.true(isOver)
})

test('reading at once throws what a promise would reject with', async t => {
  const { store, data } = newStore(t, { disk: 'local' })
  const key = newKey()
  await store.create(`${key.slice(0, 2)}${newKey().slice(2)}`, 'neighbour', inAnHour())
  mkdirSync(recordPath(data, key))
  t.throws(() => store.atOnce.get?.(key), { code: 'PHIAL_STORE', message: /^file store: get failed/ })
  await store.close()
  t.throws(() => store.atOnce.get?.(key), { code: 'PHIAL_CLOSED' })
})

test('a large record, and one on a remote disk, is the promise of one', async t => {
  const value = 'x'.repeat(300_000)
  for (const [disk, content] of [['local', value], ['remote', 'value']] as const) {
    const { store } = newStore(t, { disk })
    const key = newKey()
    await store.create(key, content, inAnHour())
    const answer = store.atOnce.get?.(key)
    t.true(answer instanceof Promise)
    t.is((await answer)?.value, content)
  }
})

const testOnLinux = process.platform === 'linux' ? test : test.skip

testOnLinux('whether a disk is local is asked for when all its directories are there', async t => {
  const [data, locks] = [temporaryDirectory(t), join(temporaryDirectory(t), 'locks')]
  const disk = whichDisk('auto', [data, locks])
  const missing = disk.lstat(data)
  t.true(missing instanceof Promise)
  await missing
  mkdirSync(locks)
  t.false(disk.lstat(data) instanceof Promise)
})

testOnLinux('a file system that is not known to be local is not taken for it', async t => {
  const disk = whichDisk('auto', ['/proc'])
  const answer = disk.lstat('/proc')
  t.true(answer instanceof Promise)
  await answer
})

test('the option disk', t => {
  const directory = temporaryDirectory(t)
  t.is(whichDisk('remote', [directory]), pooledDisk)
  t.false(whichDisk('local', [join(directory, 'missing')]).lstat(directory) instanceof Promise)
  const error = t.throws(() => openStore(directory, { disk: 'fast' }), { instanceOf: ConfigError, message: /expected auto, local or remote; got fast/ })
  t.is((error as ConfigError).setting, 'session.file.disk')
})

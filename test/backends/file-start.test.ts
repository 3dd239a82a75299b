import test, { type ExecutionContext } from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileBackend } from '../../backends/file.js'
import { ConfigError, SessionClosedError } from '../../src/errors.js'
import { FileProcess, works } from '../support/file-process.js'
import { contentsOf, inAnHour, newKey, newStore, openStore, recordPath, temporaryDirectory } from '../support/file-store.js'

const refused = (t: ExecutionContext, dataDir: string, message: RegExp, lockDir?: string): void => {
  const error = t.throws(() => openStore(dataDir, { ...(lockDir && { lockDir }) }), { instanceOf: ConfigError, message })
  t.is((error as ConfigError).setting, lockDir ? 'session.lock_dir' : 'session.data_dir')
}

for (const mode of [0o770, 0o707, 0o722, 0o1777]) {
  test(`S140: a data directory of mode ${mode.toString(8)} is refused at start`, t => {
    const directory = temporaryDirectory(t)
    chmodSync(directory, mode)
    refused(t, directory, /can be written to by others/)
    refused(t, temporaryDirectory(t), /can be written to by others/, directory)
  })
}

test('S140: a data directory of mode 755 is accepted, and what is made in it is 0700', async t => {
  const directory = temporaryDirectory(t)
  chmodSync(directory, 0o755)
  const store = openStore(directory)
  await store.create(newKey(), 'value', inAnHour())
  await store.close()
  t.is(statSync(join(directory, 'app')).mode & 0o777, 0o700)
})

const testAsRoot = process.geteuid?.() === 0 ? test : test.skip

testAsRoot('S140: a data directory of another user is refused at start (needs root)', t => {
  const directory = temporaryDirectory(t)
  chownSync(directory, 12345, 12345)
  refused(t, directory, /belongs to another user/)
})

test('S142: a data directory that is a link, or a file, is refused at start', t => {
  const directory = temporaryDirectory(t)
  symlinkSync(temporaryDirectory(t), join(directory, 'link'))
  writeFileSync(join(directory, 'file'), '')
  refused(t, join(directory, 'link'), /symbolic link/)
  refused(t, join(directory, 'file'), /not a directory/)
  refused(t, join(directory, 'file', 'below'), /ENOTDIR/)
})

test('a data directory that is missing, relative or not given', t => {
  refused(t, 'sessions', /absolute/)
  refused(t, '', /needs a directory/)
  const sealer = { seal: () => '', open: () => undefined }
  const options = { sync: true, disk: 'auto', purgeInterval: 0 }
  t.throws(() => fileBackend.open({ namespace: 'a', now: Date.now, options, maxBytes: 1, sealer }), { instanceOf: ConfigError })
  const missing = join(temporaryDirectory(t), 'not', 'yet', 'there')
  t.notThrows(() => openStore(missing))
  t.throws(() => lstatSync(missing), { code: 'ENOENT' })
})

const canMount = works('unshare', '-m', 'true')

;(canMount ? test : test.skip)('F08: a read-only file system is refused at start (needs unshare -m)', async t => {
  const directory = temporaryDirectory(t)
  const mounted = ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o ro,mode=700 tmpfs ${directory} && exec "$@"`, 'sh']
  for (const dataDir of [directory, join(directory, 'below')]) {
    const child = new FileProcess(t, dataDir, { wrapper: mounted })
    await child.ended()
    t.regex(child.stderr, /ConfigError: session\.data_dir: cannot write to .* \(EROFS\)/)
  }
})

for (const mask of [0o000, 0o022, 0o077]) {
  test(`S140: under umask ${mask.toString(8).padStart(3, '0')} directories are 0700 and files 0600`, async t => {
    const data = join(temporaryDirectory(t), 'not', 'there', 'data')
    const child = new FileProcess(t, data)
    await child.call('umask', mask)
    const key = newKey()
    const version = await child.call('create', key, 'value', inAnHour())
    await child.call('replace', key, 'value', version, inAnHour())
    await child.call('create', newKey(), 'value', inAnHour())
    await child.call('addOwned', newKey(), newKey(), inAnHour())
    await child.call('lock', newKey(), 60_000, 0)
    const modes = readdirSync(join(data, '..', '..'), { recursive: true, withFileTypes: true }).map(entry => {
      const { mode } = statSync(join(entry.parentPath, entry.name))
      return `${entry.isDirectory() ? 'directory' : 'file'} ${(mode & 0o777).toString(8)}`
    })
    t.deepEqual(new Set(modes), new Set(['directory 700', 'file 600']))
  })
}

const plants: Record<string, (path: string, outside: string) => void> = {
  'a link': (path, outside) => symlinkSync(outside, path),
  'open to others': path => {
    mkdirSync(path)
    chmodSync(path, 0o777)
  },
  'a file': path => writeFileSync(path, '')
}

for (const [what, plant] of Object.entries(plants)) {
  test(`S142: a directory of the store that is ${what} is refused when it is used`, async t => {
    const outside = temporaryDirectory(t)
    const key = newKey()
    for (const level of ['..', '../..', '../../..']) {
      const { store, data } = newStore(t)
      const path = join(recordPath(data, key), level)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      plant(path, outside)
      await t.throwsAsync(store.get(key), { code: 'PHIAL_STORE' })
      await t.throwsAsync(store.create(key, 'value', inAnHour()), { code: 'PHIAL_STORE' })
      await t.throwsAsync(store.purgeExpired(), { code: 'PHIAL_STORE' })
      await t.throwsAsync(store.keys().next(), { code: 'PHIAL_STORE' })
    }
    t.deepEqual(readdirSync(outside), [])
  })
}

test('S052: an open store with a purge timer keeps no process alive', async t => {
  const program = `
    import { openStore, newKey } from ${JSON.stringify(new URL('../support/file-store.js', import.meta.url).href)}
    const store = openStore(process.argv[1], { purgeInterval: 3600 })
    await store.create(newKey(), 'value', Date.now() + 1000)
    await store.lock(newKey(), 60_000, 0)`
  const args = ['--input-type=module', '-e', program, join(temporaryDirectory(t), 'data')]
  const child = spawn(process.execPath, args, { stdio: 'ignore', timeout: 30_000, killSignal: 'SIGKILL' })
  t.deepEqual(await once(child, 'exit'), [0, null])
})

test('S214: writing adds no signal handlers and patches nothing of process', async t => {
  const child = new FileProcess(t, join(temporaryDirectory(t), 'data'))
  const before = await child.call('listenerCounts')
  const version = await child.call('create', newKey(), 'value', inAnHour())
  t.truthy(version)
  const key = newKey()
  await child.call('replace', key, 'again', await child.call('create', key, 'value', inAnHour()), inAnHour())
  t.deepEqual(await child.call('listenerCounts'), before)
  t.false(await child.call('isPatched'))
})

test('S211: after close every call is refused, and closing again is not', async t => {
  const { store } = newStore(t)
  await store.create(newKey(), 'value', inAnHour())
  await store.close()
  await store.close()
  const calls: (() => Promise<unknown>)[] = [
    () => store.get(newKey()),
    () => store.create(newKey(), 'value', inAnHour()),
    () => store.replace(newKey(), 'value', 'version', inAnHour()),
    () => store.touch(newKey(), inAnHour()),
    () => store.delete(newKey()),
    () => store.purgeExpired(),
    () => store.lock(newKey(), 1000, 0),
    () => store.addOwned(newKey(), newKey(), inAnHour()),
    () => store.removeOwned(newKey(), newKey()),
    () => store.listOwned(newKey()),
    () => store.keys().next()
  ]
  for (const call of calls) await t.throwsAsync(call, { instanceOf: SessionClosedError })
})

test('S210: closing waits for what is under way', async t => {
  const { store, data } = newStore(t, { sync: true })
  const keys = Array.from({ length: 40 }, newKey)
  const writes = keys.map(key => store.create(key, 'value', inAnHour()))
  let isClosed = false
  const closing = store.close().then(() => void (isClosed = true))
  await Promise.all(writes.map(async write => {
    t.not(await write, undefined)
    t.false(isClosed)
  }))
  await closing
  t.deepEqual(contentsOf(join(data, 'app', 'records')).map(path => path.slice(3)).toSorted(), keys.toSorted())
})

test('listing keys ends when the store is closed', async t => {
  const { store } = newStore(t)
  for (let n = 0; n < 5; n++) await store.create(newKey(), 'value', inAnHour())
  const keys = store.keys()
  await keys.next()
  await store.close()
  await t.throwsAsync(keys.next(), { instanceOf: SessionClosedError })
})

import test, { type ExecutionContext } from 'ava'
import { spawnSync } from 'node:child_process'
import { linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { inAnHour, newKey, newStore, openStore, recordPath, stagesIn, temporaryDirectory } from '../support/file-store.js'
import type { FileManager } from '../../backends/file/file-manager.js'

/** A store, and a place for a record in it where something else may be planted. */
const place = async (t: ExecutionContext): Promise<{ store: FileManager; data: string; key: string; path: string; outside: string }> => {
  const { store, data } = newStore(t)
  const key = newKey()
  const path = recordPath(data, key)
  await store.create(`${key.slice(0, 2)}${newKey().slice(2)}`, 'neighbour', inAnHour())
  return { store, data, key, path, outside: temporaryDirectory(t) }
}

const plants: Record<string, (path: string, outside: string) => void> = {
  'a link to a file': (path, outside) => {
    writeFileSync(join(outside, 'target'), 'target')
    symlinkSync(join(outside, 'target'), path)
  },
  'a link to a record': (path, outside) => symlinkSync(join(outside, 'record'), path),
  'a link to nothing': (path, outside) => symlinkSync(join(outside, 'nothing'), path),
  'a directory': path => {
    mkdirSync(path)
    writeFileSync(join(path, 'content'), '')
  },
  'a FIFO': path => void spawnSync('mkfifo', [path]),
  'a link to a device': path => symlinkSync('/dev/zero', path)
}

for (const [what, plant] of Object.entries(plants)) {
  test(`S142, F19: ${what} in a record's place is refused without waiting, and can be deleted`, async t => {
    const { store, key, path, outside } = await place(t)
    const source = openStore(join(outside, 'source'))
    await source.create(key, 'foreign', inAnHour())
    await source.close()
    linkSync(recordPath(join(outside, 'source'), key), join(outside, 'record'))
    plant(path, outside)
    const before = readdirSync(outside, { recursive: true })
    const refused = { code: 'PHIAL_STORE', message: /^file store: / }
    for (const call of [
      () => store.get(key),
      () => store.touch(key, inAnHour()),
      () => store.create(key, 'value', inAnHour()),
      () => store.replace(key, 'value', 'version', inAnHour()),
      () => store.delete(key, 'version')
    ]) {
      t.like(await t.throwsAsync(call, refused), { backend: 'file', retryable: false })
    }
    for await (const listed of store.keys()) t.not(listed, key)
    t.is(await store.purgeExpired(), 0)
    t.truthy(lstatSync(path))
    await store.delete(key)
    t.deepEqual(readdirSync(outside, { recursive: true }), before)
    if (what === 'a link to a file') t.is(readFileSync(join(outside, 'target'), 'utf8'), 'target')
    t.not(await store.create(key, 'value', inAnHour()), undefined)
    t.deepEqual(readdirSync(dirname(path)).filter(name => name.includes(key)), [key])
  })
}

test('F19: a socket in a record\'s place is refused', async t => {
  const { store, key, path } = await place(t)
  const server = createServer()
  const short = join(temporaryDirectory(t), 's')
  await new Promise<void>(resolve => server.listen(short, () => resolve()))
  t.teardown(() => void server.close())
  linkSync(short, path)
  await t.throwsAsync(store.get(key), { code: 'PHIAL_STORE' })
  await t.throwsAsync(store.create(key, 'value', inAnHour()), { code: 'PHIAL_STORE' })
})

test('S142: a link in the lock\'s place keeps the record from being written, and is not followed', async t => {
  for (const plant of ['link', 'file']) {
    const { store, data, key, path, outside } = await place(t)
    const version = (await store.create(key, 'value', inAnHour())) ?? ''
    if (plant === 'link') symlinkSync(outside, `${path}.lock`)
    else writeFileSync(`${path}.lock`, '')
    t.like(await t.throwsAsync(store.replace(key, 'again', version, inAnHour())), { code: 'PHIAL_STORE', operation: 'replace' })
    await t.throwsAsync(store.delete(key), { code: 'PHIAL_STORE' })
    t.deepEqual(readdirSync(outside), [])
    t.is((await store.get(key))?.value, 'value')
    unlinkSync(`${path}.lock`)
    t.not(await store.replace(key, 'again', version, inAnHour()), undefined)
    await store.close()
    t.deepEqual(stagesIn(data), [])
  }
})

test('S142: a link inside the lock is taken for a stalled holder, and removed itself', async t => {
  const { store, key, path, outside } = await place(t)
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  writeFileSync(join(outside, 'kept'), '')
  mkdirSync(`${path}.lock`)
  symlinkSync(outside, join(`${path}.lock`, 'link'))
  t.not(await store.replace(key, 'again', version, inAnHour()), undefined)
  t.deepEqual(readdirSync(outside), ['kept'])
  t.deepEqual(readdirSync(dirname(path)).filter(name => name.includes(key)), [key])
})

test('S143: a hard link to another file is replaced, not written through', async t => {
  const { store, key, path, outside } = await place(t)
  const other = join(outside, 'other')
  writeFileSync(other, 'other')
  const { mtimeMs } = statSync(other)
  linkSync(other, path)
  const { version, value } = (await store.get(key, { expiresAt: inAnHour(), ifBefore: Infinity })) ?? {}
  t.is(value, '')
  t.is(await store.touch(key, inAnHour()), false)
  t.not(await store.replace(key, 'value', version ?? '', inAnHour()), undefined)
  t.like(await store.get(key), { value: 'value' })
  t.is(readFileSync(other, 'utf8'), 'other')
  t.like(statSync(other), { nlink: 1, mtimeMs })
})

test('S145: records are not told apart by what they hold, but by their names', async t => {
  const { store, data } = newStore(t)
  const [one, two] = [newKey(), newKey()]
  await store.create(one, 'one', inAnHour())
  await store.create(two, 'two', inAnHour())
  unlinkSync(recordPath(data, one))
  linkSync(recordPath(data, two), recordPath(data, one))
  const copy = await store.get(one)
  t.is(copy?.value, 'two')
  await store.replace(one, 'one again', copy?.version ?? '', inAnHour())
  t.is((await store.get(two))?.value, 'two')
})

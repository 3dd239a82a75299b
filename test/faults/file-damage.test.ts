import test, { type ExecutionContext } from 'ava'
import { readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import type { FileManager } from '../../backends/file/file-manager.js'
import { inAnHour, newKey, newStore, recordPath } from '../support/file-store.js'

interface Victim {
  readonly store: FileManager
  readonly key: string
  readonly version: string
  readonly path: string
  readonly bytes: Buffer
}

const victim = async (t: ExecutionContext): Promise<Victim> => {
  const { store, data } = newStore(t)
  const key = newKey()
  const version = (await store.create(key, 'a välue that matters', inAnHour())) ?? ''
  const path = recordPath(data, key)
  return { store, key, version, path, bytes: readFileSync(path) }
}

/** It reads as a record that no codec accepts, is never touched or taken for missing, and can be replaced and deleted by its version. */
const isCorrupt = async (t: ExecutionContext, { store, key, path }: Victim, what: string): Promise<void> => {
  const record = await store.get(key, { expiresAt: inAnHour(), ifBefore: Infinity })
  t.is(record?.value, '', what)
  t.is(record?.expiresAt, undefined, what)
  t.is(await store.touch(key, inAnHour()), false, what)
  t.is((await store.get(key))?.version, record?.version, what)
  t.is(await store.create(key, 'new', inAnHour()), undefined, what)
  t.is(await store.replace(key, 'new', 'another', inAnHour()), undefined, what)
  const damaged = readFileSync(path)
  t.not(await store.replace(key, 'new', record?.version ?? '', inAnHour()), undefined, what)
  t.is((await store.get(key))?.value, 'new', what)
  writeFileSync(path, damaged)
  t.is(await store.delete(key, record?.version ?? ''), true, what)
  t.is(await store.get(key), undefined, what)
}

test('S137: a record that is cut at any byte is corrupt, not missing', async t => {
  const record = await victim(t)
  for (let length = 0; length < record.bytes.length; length++) {
    writeFileSync(record.path, record.bytes)
    truncateSync(record.path, length)
    await isCorrupt(t, record, `cut to ${length} bytes`)
  }
})

test('S137: a record with any byte altered is corrupt', async t => {
  const record = await victim(t)
  for (let index = 0; index < record.bytes.length; index++) {
    const altered = Buffer.from(record.bytes)
    altered.writeUInt8(altered.readUInt8(index) ^ (1 << (index % 8)), index)
    writeFileSync(record.path, altered)
    utimesSync(record.path, new Date(inAnHour()), new Date(inAnHour()))
    await isCorrupt(t, record, `byte ${index}`)
  }
})

const foreign: Record<string, Buffer | string> = {
  'an empty file': '',
  'another file': '{"user":1}',
  'zeros': Buffer.alloc(4096),
  'a header of another format': 'phial2 AAAAAAAAAAAAAAAAAAAAAA 1 00000000\nx',
  'a header without an end': `phial1 ${'A'.repeat(100)}`
}

for (const [what, content] of Object.entries(foreign)) {
  test(`S137: ${what} in a record's place is corrupt`, async t => {
    const record = await victim(t)
    writeFileSync(record.path, content)
    await isCorrupt(t, record, what)
  })
}

test('S137: a record with something after its end is corrupt', async t => {
  const record = await victim(t)
  writeFileSync(record.path, Buffer.concat([record.bytes, Buffer.from('x')]))
  await isCorrupt(t, record, 'longer')
})

test('a file of any size is read no further than the limit', async t => {
  const { store, key, path, bytes } = await victim(t)
  writeFileSync(path, bytes)
  truncateSync(path, 2 ** 40)
  t.is((await store.get(key))?.value, '')
  t.is(statSync(path).size, 2 ** 40)
  await store.delete(key)
  t.is(await store.get(key), undefined)
})

test('the version of a record whose value is damaged is still its own', async t => {
  const { store, key, version, path, bytes } = await victim(t)
  truncateSync(path, bytes.length - 1)
  t.is((await store.get(key))?.version, version)
  t.not(await store.replace(key, 'mended', version, inAnHour()), undefined)
})

test('a damaged record is purged when its file is old', async t => {
  const { store, path } = await victim(t)
  truncateSync(path, 10)
  utimesSync(path, new Date(Date.now() - 60_001), new Date(Date.now() - 60_001))
  t.is(await store.purgeExpired(), 1)
})

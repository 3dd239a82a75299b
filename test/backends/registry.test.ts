import test from 'ava'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backends, chooseBackend, optionTables } from '../../backends/registry.js'
import { memoryBackend } from '../../backends/memory.js'
import { createManager } from '../../src/index.js'
import type { NamespaceManager } from '../../src/index.js'
import { memoryStore, SECRET } from '../support/harness.js'
import { temporaryDirectory } from '../support/every-backend.js'

const MODULE = `
const records = new Map()
exports.supports = { scope: 'process', durable: false, atomic: true, revocable: true, maxValueBytes: 1e6, enumerable: false, purgeable: false, lockable: false, ownerIndex: false }
let last = 0
class Own {
  supports = exports.supports
  async get(key) { return records.get(key) }
  async create(key, value) { const version = String(++last); records.set(key, { value, version }); return version }
  async replace(key, value) { return this.create(key, value) }
  async touch(key) { return records.has(key) }
  async delete(key) { return records.delete(key) }
  async close() {}
}
`

const works = async (t: { is(a: unknown, b: unknown): void }, type: unknown): Promise<void> => {
  const manager = createManager({ secret: SECRET, type: type as never })
  const session = await manager.create()
  await session.set('a', 1).save()
  t.is((await manager.getById(session.id))?.get('a'), 1)
  await manager.close()
}

test('each backend stands under the word that it calls itself', (t) => {
  for (const [word, { type, options = {} }] of Object.entries(backends)) {
    t.is(type, word)
    t.is(optionTables[word], options)
  }
})

test('a backend, a namespace manager or its class may be given as the type', async (t) => {
  await works(t, memoryStore(Date.now))
  await works(t, class {
    constructor({ now }: { now: () => number }) {
      return memoryStore(now)
    }
  })
  await works(t, { ...memoryBackend, type: 'mine', open: ({ now }: { now: () => number }): NamespaceManager => memoryStore(now) })
})

test('a module may be named: by its path, exporting the class as backend or as the whole', async (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'named.cjs'), `${MODULE}\nexports.backend = Own`)
  writeFileSync(join(directory, 'whole.cjs'), `${MODULE}\nmodule.exports = Own`)
  await works(t, join(directory, 'named.cjs'))
  await works(t, join(directory, 'whole.cjs'))
  t.is(chooseBackend('./named.cjs', directory).type, 'named.cjs')
})

test('a module that is not there is a DependencyError that says what to do', (t) => {
  t.throws(() => chooseBackend('./missing.js', '/nowhere'), { code: 'PHIAL_DEPENDENCY', message: /no such file/ })
  t.throws(() => chooseBackend('@acme/phial-store', '/nowhere'), { code: 'PHIAL_DEPENDENCY', message: /npm install @acme\/phial-store/ })
})

test('what is no backend is a ConfigError that names those there are', (t) => {
  t.throws(() => chooseBackend('redsi', '/'), { code: 'PHIAL_CONFIG', message: /memory, file, cookie/ })
  t.throws(() => chooseBackend('constructor', '/'), { code: 'PHIAL_CONFIG' })
  t.throws(() => chooseBackend({ get() {} }, '/'), { code: 'PHIAL_CONFIG' })
  t.throws(() => chooseBackend('node:fs', '/'), { code: 'PHIAL_CONFIG' })
})

test('a backend without a manifest is a ConfigError that says so', (t) => {
  for (const type of [class {}, { ...memoryBackend, open: () => ({}) }, { ...memoryBackend, open: async () => memoryStore(Date.now) }]) {
    t.throws(() => createManager({ secret: SECRET, type: type as never }), { code: 'PHIAL_CONFIG', message: /^type: .* has no manifest: expected "supports"/ })
  }
})

for (const [theirs, ours] of [['ext:memcached', 'memcache'], ['ext:redis', 'redis'], ['ext:google', 'datastore']] as const) {
  test(`Beaker's word ${theirs} is refused with ours`, (t) => {
    const { message } = t.throws(() => chooseBackend(theirs, '/'), { code: 'PHIAL_CONFIG' })!
    t.true(message.endsWith(`; got "${theirs}": that is ${ours} here`), message)
  })
}

import test from 'ava'
import { linkSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createManager } from '../../src/index.js'
import { keyOf, newId } from '../../src/record/id.js'
import { Clock, SECRET } from '../support/harness.js'
import { acts, ask, cookieFor, directory, ENCRYPT_KEY, keysOf, openStore, record, serveIn, STORED, Visitor } from './support.js'

const recordsIn = (dataDir: string): string[] =>
  readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map((name) => join(dataDir, name)).filter(
    (path) => /records\/..\/[0-9a-f]{64}$/.test(path) && statSync(path).isFile()
  )

test('S143: what another name of a record leads to is not written through, and what a planted link leads to is left alone: file', async (t) => {
  const dataDir = directory(t)
  const { port } = await serveIn(t, STORED[1]!, acts, { dataDir })
  const visitor = new Visitor(port)
  await visitor.ask('/set?user=ann')
  const [path] = recordsIn(dataDir)
  const other = join(directory(t), 'other')
  linkSync(path!, other)
  const before = readFileSync(other, 'utf8')
  await visitor.ask('/set?user=ben')
  t.is(readFileSync(other, 'utf8'), before)
  t.is(statSync(path!).nlink, 1)
  await visitor.ask('/logout')
  t.is(readFileSync(other, 'utf8'), before)

  const id = newId()
  const victim = join(directory(t), 'victim')
  writeFileSync(victim, 'precious')
  linkSync(victim, join(path!, '..', keyOf(id)))
  for (const act of ['/', '/set?a=1', '/logout']) t.is((await ask(port, act, { cookie: cookieFor(id) })).status, 200)
  t.is(readFileSync(victim, 'utf8'), 'precious')
})

for (const mode of STORED) {
  test.serial(`S144, S145: encrypted at rest, a record that was planted, or taken from another session, is refused and told: ${mode.name}`, async (t) => {
    const told = record(t)
    const store = openStore(t, mode)
    const { port } = await serveIn(t, mode, acts, { type: store, encryptKey: ENCRYPT_KEY })
    const [ann, ben] = [new Visitor(port), new Visitor(port)]
    await ann.ask('/set?user=ann')
    await ben.ask('/set?user=ben')
    const plain = openStore(t, mode)
    const unsealed = await serveIn(t, mode, acts, { type: plain })
    const eve = new Visitor(unsealed.port)
    await eve.ask('/set?user=eve')
    const inAnHour = Date.now() + 3_600_000
    const key = keyOf(await ann.id())
    const own = (await store.get(key))!.value
    const planted = (await plain.get(keyOf(await eve.id())))!.value
    const others = [
      planted, planted.replace(keyOf(await eve.id()).slice(0, 16), key.slice(0, 16)),
      (await store.get(keyOf(await ben.id())))!.value, own.slice(0, -4), `${own}AAAA`,
    ]
    for (const value of others) {
      told.length = 0
      await store.delete(key)
      await store.create(key, value, inAnHour)
      t.is(await ann.body(), '{}')
      t.true(told.some(({ event }) => event === 'corrupt'))
    }
    await store.delete(key)
    await store.create(key, own, inAnHour)
    t.is(await ann.body(), '{"user":"ann"}')
    for (const text of ['ann', 'user', SECRET, ENCRYPT_KEY]) {
      t.false(own.includes(text) || Buffer.from(own, 'base64url').includes(text))
    }
  })

  test(`S145: not encrypted, a record that was taken from another session is refused all the same: ${mode.name}`, async (t) => {
    const store = openStore(t, mode)
    const { port } = await serveIn(t, mode, acts, { type: store })
    const [ann, ben] = [new Visitor(port), new Visitor(port)]
    await ann.ask('/set?user=ann')
    await ben.ask('/set?user=ben')
    const [one, two] = [keyOf(await ann.id()), keyOf(await ben.id())]
    const { value } = (await store.get(two))!
    await store.delete(one)
    await store.create(one, value, Date.now() + 3_600_000)
    t.is(await ann.body(), '{}')
  })
}

test('S146: applications in one directory never meet, whatever their namespaces look like: file', async (t) => {
  for (const namespace of ['', '*', 'a*', '[a]', 'a/b', '..', '.a', 'a\0', 'a b', 'a?', '~']) {
    t.throws(() => createManager({ secret: SECRET, namespace }), { code: 'PHIAL_CONFIG' })
  }
  const dataDir = directory(t)
  const clock = new Clock()
  const names = ['a', 'A', 'a.b', 'ab', 'a-b', 'a_b']
  const apps = await Promise.all(names.map((namespace) => serveIn(t, STORED[1]!, acts, { dataDir, namespace, now: clock.now })))
  const visitors = apps.map(({ port }) => new Visitor(port))
  for (const [n, visitor] of visitors.entries()) await visitor.ask(`/login?user=user${n}`)
  for (const [n, app] of apps.entries()) {
    t.is((await app.manager.list({ owner: `user${n}` })).length, 1)
    t.is((await app.manager.list({ owner: `user${(n + 1) % names.length}` })).length, 0)
    for (const other of visitors) {
      const { body } = await ask(app.port, '/', { cookie: await other.cookies() })
      t.is(body, other === visitors[n] ? `{"user":"user${n}"}` : '{}')
    }
  }
  t.is(await apps[0]!.manager.revoke({ owner: 'user0' }), 1)
  clock.advance(120_000)
  await apps[0]!.manager.purgeExpired()
  t.deepEqual(
    await Promise.all(visitors.map((visitor) => visitor.body())),
    ['{}', ...names.slice(1).map((_, n) => `{"user":"user${n + 1}"}`)]
  )
})

for (const mode of STORED) {
  test(`S151: what has expired is gone from the store after a purge, and what lives is not: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const store = openStore(t, mode, clock.now)
    const { port, manager } = await serveIn(t, mode, acts, { type: store, now: clock.now, timeout: 3600 })
    for (let n = 0; n < 20; n++) await new Visitor(port).ask('/set?old=1')
    clock.advance(3_500_000)
    const visitor = new Visitor(port)
    await visitor.ask('/set?young=1')
    clock.advance(200_000) // the file backend leaves what has been dead for less than a minute
    t.is(await manager.purgeExpired(), 20)
    t.deepEqual(await keysOf(store), [keyOf(await visitor.id())])
    t.is(await visitor.body(), '{"young":"1"}')
  })
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Locked {
  readonly dev?: boolean
  readonly integrity?: string
  readonly license?: string
  readonly hasInstallScript?: boolean
}

test('S206: few packages come with the library, each by its hash and under a licence that lets it be used', (t) => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> }
  const used = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev)
  t.deepEqual(
    used.map(([path]) => path.split('node_modules/').at(-1)).sort(),
    ['cookie', 'cookie-signature', 'graceful-fs', 'ini', 'proper-lockfile', 'retry', 'signal-exit']
  )
  for (const [path, { integrity, license, hasInstallScript }] of used) {
    t.regex(integrity ?? '', /^sha512-/, path)
    t.falsy(hasInstallScript, path)
    t.regex(license ?? '', /^(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0)$/, path)
  }
})

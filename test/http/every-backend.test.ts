import test from 'ava'
import { modes, serveMode, storedModes, testIn } from '../support/every-backend.js'
import type { SessionRequest } from '../../src/index.js'
import type { ServerResponse } from 'node:http'

/** `/verb/key/value`, a small language for stories. */
const handler = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  const [, verb, key = '', value] = req.url!.split('/')
  const session = await req.session.load()
  switch (verb) {
    case 'set':
      await session.set(key, value).save()
      break
    case 'push':
      session.setDefault('list', []).push(key)
      await session.save()
      break
    case 'add':
      await session.update('n', (n = 0) => n + 1)
      break
    case 'login':
      session.owner = key
      await session.set('user', key).regenerateId({ authenticated: true })
      break
    case 'logout':
      await session.destroy()
      break
    case 'invalidate':
      await session.invalidate()
      break
    case 'flash':
      await session.flash(key).save()
      break
    case 'flashes':
      res.end(JSON.stringify(session.flashes()))
      return
  }
  res.end(JSON.stringify({ ...session.data, owner: session.owner }))
}

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: a session's story for a browser`, async (t) => {
    const { client } = await serveMode(t, mode, handler)
    const browser = client()
    t.is(await browser.text('/'), '{}')
    t.is(await browser.cookies(), '')
    await browser.get('/set/a/1')
    await browser.get('/push/x')
    await browser.get('/push/y')
    await browser.get('/add')
    t.is(await browser.text('/add'), '{"a":"1","list":["x","y"],"n":2}')
    const before = await browser.cookies()
    t.is(await browser.text('/login/ann'), '{"a":"1","list":["x","y"],"n":2,"user":"ann","owner":"ann"}')
    t.not(await browser.cookies(), before)
    await browser.get('/flash/hello')
    t.is(await browser.text('/flashes'), '[{"value":"hello","level":null}]')
    t.is(await browser.text('/flashes'), '[]')
    await browser.get('/logout')
    t.is(await browser.cookies(), '')
    t.is(await browser.text('/'), '{}')
    t.is(await client().text('/'), '{}')
  })

  testIt(`${mode.name}: reading sends no cookie, and values of all kinds come back as they were`, async (t) => {
    const value = { text: 'é😀\u0000\n"\\', number: 0.1, list: [1, [2], {}], none: null, yes: true, deep: { er: { est: ['ß'] } } }
    const { client } = await serveMode(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/set') await session.set('value', value).save()
      res.end(JSON.stringify(session.get('value')))
    })
    const browser = client()
    await browser.get('/set')
    const response = await browser.get('/')
    t.deepEqual(await response.json(), value)
    t.deepEqual(response.headers.getSetCookie(), [])
  })
}

for (const mode of storedModes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: 100 parallel requests leave 100 keys, 100 updates count 100, and a reader reverts nothing`, async (t) => {
    const { client } = await serveMode(t, mode, handler)
    const browser = client()
    await browser.get('/set/first/1')
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => n).flatMap((n) => [browser.get(`/set/k${n}/1`), browser.get('/add'), browser.get('/')]))
    t.deepEqual([...new Set(all.map(({ status }) => status))], [200])
    const data = JSON.parse(await browser.text('/'))
    t.is(Object.keys(data).filter((key) => /^k\d+$/.test(key)).length, 100)
    t.is(data.n, 100)
  })

  testIt(`${mode.name}: the old cookie is dead after log-in, log-out and invalidation`, async (t) => {
    const { client } = await serveMode(t, mode, handler)
    for (const end of ['/login/ann', '/logout', '/invalidate']) {
      const browser = client()
      await browser.get('/set/a/1')
      const thief = client(browser.jar.cloneSync()!)
      await browser.get(end)
      t.is(await thief.text('/'), '{}', end)
    }
  })

  testIt(`${mode.name}: an owner's sessions are ended, and listed where that can be`, async (t) => {
    const { client, manager } = await serveMode(t, mode, handler)
    const browsers = [client(), client(), client()]
    for (const browser of browsers) await browser.get('/login/ann')
    await browsers[0]!.get('/login/ann')
    const bob = client()
    await bob.get('/login/bob')
    const { canList = true } = mode
    if (canList) t.is((await manager.list({ owner: 'ann' })).length, 3)
    else await t.throwsAsync(manager.list({ owner: 'ann' }), { instanceOf: TypeError })
    t.is(await manager.revoke({ owner: 'ann' }), canList ? 3 : undefined)
    for (const browser of browsers) t.is(await browser.text('/'), '{}')
    t.is(await bob.text('/'), '{"user":"bob","owner":"bob"}')
    if (canList) t.deepEqual(await manager.list({ owner: 'ann' }), [])
  })
}

for (const mode of modes.filter(({ isStored }) => !isStored)) {
  test(`${mode.name}: what needs a store is refused, and says why`, async (t) => {
    const { manager } = await serveMode(t, mode, handler)
    await t.throwsAsync(manager.create(), { instanceOf: TypeError, message: /their clients/ })
    await t.throwsAsync(manager.list({ owner: 'ann' }), { instanceOf: TypeError })
    await t.throwsAsync(manager.revoke({ owner: 'ann' }), { instanceOf: TypeError })
    t.is(await manager.getById('A'.repeat(43)), undefined)
    t.is(await manager.purgeExpired(), 0)
    await manager.check()
    t.is(manager.supports.scope, 'request')
  })
}

import test from 'ava'
import { createManager, notifications, withSession } from '../../src/index.js'
import { testClock } from '../../testing/index.js'
import { clientOf, listen, serve } from '../support/app.js'
import { modes, serveMode, testIn } from '../support/every-backend.js'
import { SECRET } from '../support/harness.js'
import { hasMemcached, sharedMemcached } from '../support/memcache-store.js'
import { backends, kinds, testEach } from '../support/parity.js'
import { borrowRedis, redisProgram } from '../support/redis-server.js'

const testRedis = redisProgram === undefined ? test.skip : test.serial
const testMemcached = hasMemcached() ? test.serial : test.skip

test.serial('pycket engine: an unknown one is named in the message, and what is missing is a ConfigError', (t) => {
  const start = (settings: object) => (): unknown => withSession(() => {}, { secret: SECRET, secure: 'auto', ...settings })
  t.throws(start({ type: 'couchdb' }), { code: 'PHIAL_CONFIG', message: /got "couchdb"/ })
  t.throws(start({ type: 'redis', url: 'http://127.0.0.1' }), { code: 'PHIAL_CONFIG' })
  t.throws(start({ secret: undefined }), { code: 'PHIAL_CONFIG', message: /secret/ })
  t.throws(start({ type: 'redis', redis: { dbSessions: 1 } }), { code: 'PHIAL_CONFIG', message: /dbSessions/ })
})

for (const mode of modes.filter(({ name }) => name === 'redis' || name === 'memcache')) {
  const testIt = testIn(mode)
  testIt(`pycket engine redis or memcached: ${mode.name}`, async (t) => {
    const { client, manager } = await serveMode(t, mode, async (req, res) => void res.end(String(await req.session.update('n', (n = 0) => n + 1))))
    const browser = client()
    t.deepEqual([await browser.text('/'), await browser.text('/'), manager.backend], ['1', '2', mode.name])
  })
}

testRedis('pycket storage: db_sessions, db_notifications: the database in the URL', async (t) => {
  const { url } = await borrowRedis(t)
  const at = (db: number): string => {
    const its = new URL(url)
    its.pathname = `/${db}`
    return its.href
  }
  const { client, manager } = await serve(t, async (req, res) => {
    const notes = notifications(req, { backend: 'notes' })
    if (req.url === '/set') {
      await req.session.update('a', () => 1)
      await notes.set('n', 'new')
    }
    res.end(JSON.stringify([await req.session.get('a'), await notes.get('n')]))
  }, { type: 'redis', url: at(3), backends: { notes: { type: 'redis', url: at(4) } }, operationTimeout: 10, requestBudget: 20 })
  const browser = client()
  t.is(await browser.text('/set'), '[1,"new"]')
  t.is(await browser.text('/'), '[1,null]')
  t.is(manager.named('notifications', { backend: 'notes' }).backend, 'redis')
})

testMemcached('pycket storage: memcached servers', async (t) => {
  const { url } = await sharedMemcached(t)
  const { host } = new URL(url)
  const { client } = await serve(t, async (req, res) => void res.end(String(await req.session.update('n', (n = 0) => n + 1))), {
    type: 'memcache', url: `memcache://${host},${host.replace('127.0.0.1', 'localhost')}`, namespace: `parity-${process.pid}`, operationTimeout: 10, requestBudget: 20,
  })
  const browser = client()
  t.deepEqual([await browser.text('/'), await browser.text('/')], ['1', '2'])
})

testEach('pycket cookies options, expires, expires_days', kinds, async (t, mode) => {
  const { url } = await serveMode(t, mode, async (req, res) => {
    await req.session.save()
    res.end()
  }, { cookieExpires: 2 * 86_400, lifetime: 2 * 86_400, cookieDomain: 'example.com', sameSite: 'strict', httpOnly: true })
  const [line] = (await fetch(url)).headers.getSetCookie()
  t.regex(line!, /^phial=[^;]+; Max-Age=172800; Domain=example\.com; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/)
})

testEach('pycket purged after a day without a change', kinds, async (t, mode) => {
  const clock = testClock()
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') await session.set('a', 1).save()
    res.end(String(session.get('a', 0)))
  }, { now: clock.now })
  const browser = client()
  await browser.get('/set')
  clock.advance(86_399)
  t.is(await browser.text('/'), '1')
  clock.advance(86_400)
  t.is(await browser.text('/'), '0')
})

testEach('pycket session.set, get, delete(*names), keys, in, []', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') {
      session.set('a', 1).set('b', { c: [2] })
      session.data['d'] = 4
      await session.save()
    }
    if (req.url === '/delete') {
      t.true(session.delete('a', 'd', 'nothing'))
      await session.save()
    }
    res.end(JSON.stringify([session.get('a', null), session.data['b'], session.has('d'), session.keys().toSorted()]))
  })
  const browser = client()
  await browser.get('/set')
  t.is(await browser.text('/'), '[1,{"c":[2]},true,["a","b","d"]]')
  await browser.get('/delete')
  t.is(await browser.text('/'), '[null,{"c":[2]},false,["b"]]')
})

testEach('pycket SessionManager usable alone, with a handler', backends, async (t, mode) => {
  const manager = createManager<{ n: number }>({ secret: SECRET, secure: false, operationTimeout: 10, requestBudget: 20, ...(await mode.settings(t)) })
  t.teardown(() => manager.close())
  const { url } = await listen(t, async (req, res) => {
    const session = await manager.open(req, res).load()
    await session.update('n', (n = 0) => n + 1)
    res.end(String(session.get('n')))
  })
  const browser = clientOf(url)
  t.deepEqual([await browser.text('/'), await browser.text('/')], ['1', '2'])
})


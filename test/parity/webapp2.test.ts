import test from 'ava'
import { createManager, sessions, Sessions, setSessions, withSession } from '../../src/index.js'
import type { SettingsInput } from '../../src/index.js'
import { tableBackend } from '../../examples/own-backend.js'
import { memoryManager, testClock } from '../../testing/index.js'
import { clientOf, listen, serve } from '../support/app.js'
import { serveMode } from '../support/every-backend.js'
import { FaultyStore } from '../support/faulty-store.js'
import { SECRET } from '../support/harness.js'
import { backends, kinds, testEach } from '../support/parity.js'

const linesOf = (response: Response): string[] => response.headers.getSetCookie()

testEach('webapp2 secret_key required, else an exception', kinds, async (t, mode) => {
  const settings = await mode.settings(t)
  t.throws(() => withSession(() => {}, { ...settings, secure: false }), { code: 'PHIAL_CONFIG' })
  const { client } = await serveMode(t, { ...mode, settings: () => settings }, async (req, res) => {
    await req.session.save()
    res.end()
  })
  t.is((await client().get('/')).status, 200)
})

testEach('webapp2 cookie_name, session_max_age, cookie_args{max_age, domain, path, secure, httponly}', kinds, async (t, mode) => {
  const clock = testClock()
  const { url } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (session.isNew) await session.set('a', 1).save()
    res.end(String(session.isNew))
  }, {
    cookieName: 'shop', timeout: 60, lifetime: 600, now: clock.now,
    cookieExpires: 600, cookieDomain: 'example.com', cookiePath: '/shop', secure: true, httpOnly: false,
  })
  const [line] = linesOf(await fetch(url))
  t.regex(line!, /^shop=[^;]+; Max-Age=600; Domain=example\.com; Path=\/shop; Expires=[^;]+; Secure; SameSite=Lax$/)
  const headers = { cookie: line!.slice(0, line!.indexOf(';')) }
  clock.advance(59)
  t.is(await (await fetch(url, { headers })).text(), 'false')
  clock.advance(600)
  t.is(await (await fetch(url, { headers })).text(), 'true')
})

testEach('webapp2 get_store(), set_store(): one SessionStore per request', kinds, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const its = sessions(req)
    t.is(sessions(req), its)
    await its.get().set('who', 'the user')
    await its.save()
    const other = new Sessions(its.get('spare'))
    setSessions(req, other)
    t.is(sessions(req), other)
    res.end(String(await sessions(req).get().get('who', 'nobody')))
  })
  t.is(await client().text('/'), 'nobody')
})

testEach('webapp2 get_session(name, max_age, factory, backend): several backends in one request', backends, async (t, mode) => {
  const own = createManager({ type: 'memory', cookieName: 'own', secret: SECRET, secure: false })
  t.teardown(() => own.close())
  const settings = await mode.settings(t)
  const backends = { ...settings.backends, quick: { type: 'memory' } }
  const { client } = await serveMode(t, { ...mode, settings: () => settings }, async (req, res) => {
    const its = sessions(req)
    const all = [its.get(), its.get('cart', { timeout: 600, lifetime: 6000 }), its.get('quick', { backend: 'quick' }), its.get('light', { backend: 'cookie' }), its.get('own', { manager: own })]
    t.is(its.get('quick'), all[2]!)
    t.is(its.get('own', { manager: own }), all[4]!)
    if (req.url === '/set') {
      for (const [index, session] of all.entries()) await session.set('n', index)
      await its.save()
    }
    res.end(JSON.stringify(await Promise.all(all.map((session) => session.get('n')))))
  }, { backends })
  const browser = client()
  t.is(linesOf(await browser.get('/set')).length, 5)
  t.is(await browser.text('/'), '[0,1,2,3,4]')
  t.true((await browser.cookies()).includes('own='))
})

test.serial('webapp2 get_session factory: a manager that would share a cookie, or is given other options, is refused', async (t) => {
  const make = (cookieName: string) => createManager({ type: 'memory', cookieName, secret: SECRET, secure: false })
  const [same, own, another] = [make('phial'), make('own'), make('own')]
  t.teardown(() => Promise.all([same, own, another].map((manager) => manager.close())))
  const { client } = await serve(t, (req, res) => {
    const its = sessions(req)
    t.throws(() => its.get('a', { manager: same }), { code: 'PHIAL_CONFIG', message: /the cookie phial of another session/ })
    t.throws(() => its.get('a', { manager: own, timeout: 60 } as never), { instanceOf: TypeError })
    t.is(its.get('a', { manager: own }), its.get('a') as never)
    t.throws(() => its.get('a', { manager: another }), { instanceOf: TypeError })
    t.throws(() => its.get('b', { manager: another }), { code: 'PHIAL_CONFIG' })
    res.end()
  })
  t.is((await client().get('/')).status, 200)
})

testEach('webapp2 get_backend(name); lazily imported classes', kinds, async (t, mode) => {
  let opened = 0
  const lazy = { type: 'lazy', supports: memoryManager().supports, open: () => (opened++, memoryManager()) }
  const { client } = await serveMode(t, mode, (req, res) => {
    t.is(opened, req.url === '/' ? 0 : 1)
    if (req.url === '/') t.is(sessions(req).backend('lazy'), sessions(req).backend('lazy'))
    t.not(sessions(req).backend(), sessions(req).backend('lazy'))
    res.end()
  }, { backends: { lazy: { type: lazy } } } as SettingsInput)
  const browser = client()
  t.deepEqual([(await browser.get('/')).status, (await browser.get('/again')).status, opened], [200, 200, 1])
})

test.serial('webapp2 save_sessions(response): only modified ones', async (t) => {
  const store = new FaultyStore()
  const { client } = await serve(t, async (req, res) => {
    const its = sessions(req)
    const [main, cart] = [await its.get().load(), await its.get('cart').load()]
    if (req.url === '/both') main.set('a', 1)
    if (req.url !== '/none') cart.set('n', cart.get('n', 0) + 1)
    await its.save()
    res.end(String(cart.get('n')))
  }, { type: store.manager })
  const browser = client()
  t.is(linesOf(await browser.get('/both')).length, 2)
  t.deepEqual(store.calls.splice(0), ['create', 'create'])
  t.is(await browser.text('/cart'), '2')
  t.deepEqual(store.calls.splice(0).toSorted(), ['get', 'get', 'replace'])
  t.is(await browser.text('/none'), '2')
  t.deepEqual(store.calls.splice(0), ['get', 'get'])
})

test.serial('webapp2 get_secure_cookie, set_secure_cookie, save_secure_cookie: name-bound, timestamped, signed dicts', async (t) => {
  const clock = testClock()
  const { client, url } = await serve(t, (req, res) => {
    const { cookies } = sessions(req)
    if (req.url === '/set') cookies.set('basket', { pears: 2 }, { format: 'signed' })
    res.end(JSON.stringify([cookies.get('basket', { format: 'signed', maxAge: 60 }) ?? null, cookies.get('other', { format: 'signed' }) ?? null]))
  }, { now: clock.now })
  const browser = client()
  t.is(await browser.text('/set'), '[{"pears":2},null]')
  t.is(await browser.text('/'), '[{"pears":2},null]')
  const sent = await browser.cookies()
  const answer = async (cookie: string): Promise<string> => (await fetch(url, { headers: { cookie } })).text()
  t.is(await answer(sent.replace('basket=', 'other=')), '[null,null]')
  t.is(await answer(sent.replace(/=(.{5})./, (_, start: string) => `=${start}!`)), '[null,null]')
  clock.advance(61)
  t.is(await answer(sent), '[null,null]')
})

testEach('webapp2 SessionDict.new, .modified; container.session_args per session', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    const seen = [session.isNew, session.dirty]
    session.setDefault('list', []).push(1)
    seen.push(session.dirty)
    session.cookie.sameSite = 'strict'
    await session.save()
    res.end(JSON.stringify([...seen, session.dirty]))
  })
  const browser = client()
  const first = await browser.get('/')
  t.is(await first.text(), '[true,false,true,false]')
  t.true(linesOf(first).every((line) => /; SameSite=Strict$/.test(line)))
  t.is(await browser.text('/'), '[false,false,true,false]')
})

test.serial('webapp2 CustomBackendSessionFactory to write a backend', async (t) => {
  const table = new Map()
  const app = withSession(async (req, res) => void res.end(String(await req.session.update('n', (n = 0) => n + 1))), { type: tableBackend(table), secret: SECRET, secure: 'auto' })
  t.teardown(() => app.manager.close())
  const browser = clientOf((await listen(t, app)).url)
  t.deepEqual([await browser.text('/'), await browser.text('/'), table.size], ['1', '2', 1])
})

import test from 'ava'
import type { ServerResponse } from 'node:http'
import { csrf, messages, notifications, sessions } from '../../src/index.js'
import type { SessionRequest } from '../../src/index.js'
import { testClock } from '../../testing/index.js'
import { serve } from '../support/app.js'
import { serveMode } from '../support/every-backend.js'
import { backends, kinds, storedBackends, testEach } from '../support/parity.js'

const linesOf = (response: Response): string[] => response.headers.getSetCookie()

testEach('tipfy lazy; saved only if changed', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    if (req.url === '/read') await req.session.get('n')
    if (req.url === '/change') await req.session.set('n', 1)
    res.end(String(req.session.accessed))
  }, { auto: true })
  const browser = client()
  t.deepEqual([await browser.text('/'), await browser.cookies()], ['false', ''])
  t.deepEqual([await browser.text('/read'), await browser.cookies()], ['true', ''])
  t.true(linesOf(await browser.get('/change')).length > 0)
  t.deepEqual(linesOf(await browser.get('/read')), [])
})

testEach('tipfy cookie_args{session_expires, max_age, force}: life of the content apart from life of the cookie; force sends it on every request', kinds, async (t, mode) => {
  const clock = testClock()
  const { client, url } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') await session.set('a', 1).save()
    res.end(String(session.get('a')))
  }, { timeout: 600, lifetime: 1200, cookieExpires: true, forceCookie: true, now: clock.now })
  const browser = client()
  await browser.get('/set')
  const kept = { cookie: await browser.cookies() }
  const forced = await browser.get('/')
  t.regex(linesOf(forced)[0]!, mode.isStored ? /^phial=[^;]{87}; Path=\/; HttpOnly; SameSite=Lax$/ : /^phial-seen=[^;]+; Path/) // the small one that keeps it alive
  clock.advance(599)
  t.is(await (await fetch(url, { headers: kept })).text(), '1')
  clock.advance(601)
  t.is(await (await fetch(url, { headers: kept })).text(), 'undefined')
})

const story = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  const its = sessions(req)
  const [user, cart] = [await its.get().load(), await its.get('cart', { cookiePath: '/' }).load()]
  switch (req.url) {
    case '/set': {
      user.set('name', 'ada')
      cart.set('items', 1)
      await its.save()
      break
    }
    case '/delete': await req.session.destroy(); break
    case '/delete-cart': await its.delete('cart')
  }
  res.end(JSON.stringify([user.get('name'), cart.get('items')]))
}

testEach('tipfy SessionMiddleware, SessionMixin.session, get_session(key, backend, **cookie args)', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, story)
  const browser = client()
  t.is(await browser.text('/'), '[null,null]')
  await browser.get('/set')
  t.is(await browser.text('/'), '["ada",1]')
})

testEach('tipfy delete_session(): record and cookie', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, story)
  const browser = client()
  await browser.get('/set')
  const copy = client(browser.jar.cloneSync())
  await browser.get('/delete-cart')
  t.deepEqual([await browser.text('/'), (await browser.cookies()).includes('phial.cart')], ['["ada",null]', false])
  await browser.get('/delete')
  t.deepEqual([await browser.text('/'), await browser.cookies()], ['[null,null]', ''])
  if (mode.isStored) t.is(await copy.text('/'), '[null,null]')
})

testEach('tipfy CookieMixin.set_cookie, delete_cookie, at any time; unset_cookie forgets a pending one; format json', kinds, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const { cookies } = sessions(req)
    if (req.url === '/set') {
      cookies.set('plain', 'text', { maxAge: 60 })
      cookies.set('json', { list: [1] }, { format: 'json' })
      cookies.set('pending', 'x')
      await req.session.set('a', 1)
      await req.session.save()
      cookies.unset('pending')
    }
    if (req.url === '/delete') cookies.delete('plain')
    res.end(JSON.stringify([cookies.get('plain') ?? null, cookies.get('json', { format: 'json' }) ?? null, cookies.get('pending') ?? null]))
  })
  const browser = client()
  await browser.get('/set')
  t.is(await browser.text('/'), '["text",{"list":[1]},null]')
  await browser.get('/delete')
  t.is(await browser.text('/'), '[null,{"list":[1]},null]')
})

testEach('tipfy SecureCookieMixin.get_secure_cookie(key, load, override): dict-like, saved at the end', kinds, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const basket = await sessions(req).get('basket', { backend: 'cookie', auto: true }).load()
    if (req.url !== '/') basket.set(req.url!.slice(1), true)
    res.end(basket.keys().join())
  })
  const browser = client()
  await browser.get('/pears')
  await browser.get('/plums')
  t.is(await browser.text('/'), 'pears,plums')
  const cookies = await browser.cookies()
  t.regex(cookies, /^phial\.basket=[^;]{80,}$/)
})

testEach('tipfy AllSessionMixins: all of it in one request', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') {
      session.set('a', 1).flash('flashed', { level: 'info' })
      await session.save()
      await sessions(req).get('b').update('b', () => 2)
      await notifications(req).set('c', 3)
      sessions(req).cookies.set('d', '4')
    }
    const page = await messages(req)
    page.add({ level: 'info', body: 'now' })
    const all = [session.get('a'), req.url === '/set' ? 0 : page.list.map(({ body }) => body), await sessions(req).get('b').get('b'), await notifications(req).has('c'), sessions(req).cookies.get('d')]
    res.end(JSON.stringify([...all, (await csrf.token(req)).length > 40]))
  })
  const browser = client()
  await browser.get('/set')
  t.is(await browser.text('/'), '[1,["flashed","now"],2,true,"4",true]')
})

testEach('tipfy get_by_sid, delete_by_sid', storedBackends, async (t, mode) => {
  const app = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (session.isNew) await session.set('user', 'ada').save()
    res.end(session.id)
  })
  const browser = app.client()
  const id = await browser.text('/')
  t.is((await app.manager.getById(id))!.get('user'), 'ada')
  t.is(await app.manager.revoke({ id }), 1)
  t.is(await app.manager.getById(id), undefined)
  t.is(await app.manager.revoke({ id }), 0)
  t.not(await browser.text('/'), id)
})

test.serial('tipfy get_by_sid, delete_by_sid: where the client keeps the session there is nothing to be found', async (t) => {
  const { manager } = await serve(t, (_req, res) => void res.end(), { type: 'cookie' })
  await t.throwsAsync(manager.revoke({ id: 'A'.repeat(43) }), { instanceOf: TypeError })
})

testEach('tipfy default_backend', backends, async (t, mode) => {
  const { client, manager } = await serveMode(t, mode, async (req, res) => void res.end(String(await req.session.update('n', (n = 0) => n + 1))))
  const browser = client()
  t.deepEqual([await browser.text('/'), await browser.text('/')], ['1', '2'])
  t.true(mode.name.startsWith(manager.backend))
})

import test from 'ava'
import type { SettingsInput } from '../../src/index.js'
import { ConfigError, createManager, sessions, Sessions, setSessions } from '../../src/index.js'
import { StoreUnavailableError } from '../../src/errors.js'
import { serve } from '../support/app.js'
import { modes, serveMode, testIn } from '../support/every-backend.js'
import { FaultyStore } from '../support/faulty-store.js'
import { memoryStore, SECRET } from '../support/harness.js'

const SHOP: SettingsInput = { type: 'memory', backends: { quick: { type: 'memory', memory: { maxSessions: 10 } } } }

test('the same name is the same object in a request, and the default session is one of them', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const its = sessions(req)
    t.is(its, sessions(req))
    t.is(its.get(), req.session as never)
    t.is(its.get('session'), req.session as never)
    t.is(its.get('cart', { timeout: 600 }), its.get('cart'))
    t.not(its.get('cart'), its.get('other') as never)
    t.throws(() => its.get('cart', { timeout: 601 }), { instanceOf: TypeError })
    t.is(its.get('view', { timeout: 600, auto: true }), its.get('view', { auto: true, timeout: 600, lifetime: undefined as never }))
    for (const name of [undefined, 'session']) {
      t.throws(() => its.get(name, { timeout: 600 }), { instanceOf: TypeError })
      t.throws(() => its.get(name, { manager: {} as never }), { instanceOf: TypeError })
      t.is(its.get(name, {}), req.session as never)
    }
    res.end()
  })
  t.is((await client().get('/')).status, 200)
})

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: sessions of different names never see each other, and each has a cookie of its own`, async (t) => {
    const { client, url } = await serveMode(t, mode, async (req, res) => {
      const [, verb, name, value] = req.url!.split('/')
      const session = await sessions(req).get(name).load()
      if (verb === 'set') await session.set('value', value).save()
      res.end(JSON.stringify(session))
    })
    const browser = client()
    await browser.get('/set/session/main')
    await browser.get('/set/cart/apples')
    await browser.get('/set/other/pears')
    t.is(await browser.text('/get/session'), '{"value":"main"}')
    t.is(await browser.text('/get/cart'), '{"value":"apples"}')
    t.is(await browser.text('/get/other'), '{"value":"pears"}')
    t.is(await browser.text('/get/none'), '{}')
    const names = (await browser.cookies()).split('; ').map((pair) => pair.split('=')[0]!)
    t.deepEqual(names.filter((name) => !/-/.test(name)).sort(), ['phial', 'phial.cart', 'phial.other'])
    const crossed = (await browser.cookies()).replace('phial.cart=', 'x=').replace('phial.other=', 'phial.cart=')
    t.is(await (await fetch(`${url}/get/cart`, { headers: { cookie: crossed } })).text(), '{}')
  })
}

test('several are used in one request, save() saves what changed, delete() ends one', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const its = sessions(req)
    const cart = its.get<{ items: string[] }>('cart', { backend: 'quick', timeout: 600 })
    const badge = its.get('badge', { backend: 'cookie' })
    if (req.url === '/set') {
      await Promise.all([req.session.set('user', 'ann'), cart.set('items', ['pear']), badge.set('n', 1)])
      await its.save()
    }
    if (req.url === '/delete') await its.delete('cart')
    res.end(JSON.stringify([await req.session.get('user'), await cart.get('items'), await badge.get('n')]))
  }, SHOP)
  const browser = client()
  const first = await browser.get('/set')
  t.is(first.headers.getSetCookie().length, 3)
  t.is(await browser.text('/'), '["ann",["pear"],1]')
  const unchanged = await browser.get('/')
  t.deepEqual(unchanged.headers.getSetCookie(), [])
  const deleting = await browser.get('/delete')
  t.is(deleting.headers.getSetCookie().length, 1)
  t.regex(deleting.headers.getSetCookie()[0]!, /^phial\.cart=; Max-Age=0;/)
  t.is(await browser.text('/'), '["ann",null,1]')
})

test('save() waits for what was asked of each session before it, awaited or not, and touches no other', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const its = sessions(req)
    const cart = its.get('cart')
    const other = its.get('other')
    if (req.url === '/set') {
      void req.session.set('user', 'ann')
      void cart.load().then((session) => session.set('items', 1))
      await its.save()
      res.setHeader('x-untouched', String(!other.accessed))
    }
    res.end(JSON.stringify([await req.session.get('user'), await cart.get('items')]))
  })
  const browser = client()
  const { headers } = await browser.get('/set')
  t.deepEqual(headers.getSetCookie().map((line) => line.split('=')[0]).sort(), ['phial', 'phial.cart'])
  t.is(headers.get('x-untouched'), 'true')
  t.is(await browser.text('/'), '["ann",1]')
})

for (const isLoaded of [false, true]) {
  test(`save() keeps a set, a flash, a delete and an assign that were not awaited${isLoaded ? ', also after load()' : ''}`, async (t) => {
    const { client } = await serve(t, async (req, res) => {
      const its = sessions(req)
      const cart = its.get('cart')
      if (isLoaded) await Promise.all([req.session.load(), cart.load()])
      if (req.url === '/set') {
        for (const object of [req.session, cart]) {
          void object.assign({ a: 1, b: 2 })
          void object.set('c', 3)
          void object.delete('a')
          void object.flash('seen')
        }
        await its.save()
      }
      const all = await Promise.all([req.session, cart].map(async (object) => [await object.load(), await object.peekFlashes()]))
      res.end(JSON.stringify(all))
    })
    const browser = client()
    const kept = [{ b: 2, c: 3 }, [{ value: 'seen', level: null }]]
    await browser.get('/set')
    t.deepEqual(JSON.parse(await browser.text('/')), [kept, kept])
  })
}

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: what was assigned to the cookie of a stored session alone is sent by save(), by save() of all, and with auto`, async (t) => {
    const { client } = await serveMode(t, mode, async (req, res) => {
      const its = sessions(req)
      const all = [its.get(), its.get('cart'), its.get('visits', { auto: true })]
      const [main, cart, visits] = await Promise.all(all.map((object) => object.load()))
      if (req.url === '/set') await Promise.all([main!.set('a', 1).save(), cart!.set('a', 1).save(), visits!.set('a', 1).save()])
      for (const { cookie } of [main!, cart!, visits!]) cookie.sameSite = 'strict'
      if (req.url === '/one') await main!.save()
      if (req.url === '/all') await its.save()
      res.end(JSON.stringify([main, cart, visits]))
    })
    const sent = ({ headers }: Response): string[] => headers.getSetCookie().filter((line) => line.includes('SameSite=Strict')).map((line) => line.split('=')[0]!).sort()
    const browser = client()
    t.deepEqual(sent(await browser.get('/')), [])
    t.is(await browser.cookies(), '')
    await browser.get('/set')
    t.deepEqual(sent(await browser.get('/')), ['phial.visits'])
    t.deepEqual(sent(await browser.get('/one')), ['phial', 'phial.visits'])
    t.deepEqual(sent(await browser.get('/all')), ['phial', 'phial.cart', 'phial.visits'])
    t.is(await browser.text('/all'), '[{"a":1},{"a":1},{"a":1}]')
  })
}

test('a cookie that was sent with what was assigned is not confirmed once more at the end, with auto', async (t) => {
  const faulty = new FaultyStore(memoryStore(Date.now))
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    session.cookie.maxAge = 600
    await session.set('n', session.get('n', 0) + 1).save()
    res.end()
  }, { type: faulty.manager, auto: true })
  const browser = client()
  await browser.get('/')
  faulty.calls.length = 0
  t.regex((await browser.get('/')).headers.getSetCookie()[0]!, /Max-Age=600/)
  t.deepEqual(faulty.calls, ['get', 'replace'])
})

test('a save() of all of them that is not awaited holds the response, and its failure is the answer; awaited it is the handler\'s', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const its = sessions(req)
    void its.get('cart').set('big', 'x'.repeat(1000))
    const saving = its.save()
    if (req.url === '/awaited') await t.throwsAsync(saving, { code: 'PHIAL_TOO_LARGE' })
    res.end('stored')
  }, { maxBytes: 500 })
  t.is((await client().get('/')).status, 500)
  t.is((await client().get('/awaited')).status, 200)
})

test('save() of sessions that nobody asked for puts nothing on the response', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const { end } = res
    const its = sessions(req)
    its.get('cart')
    await its.save()
    t.is(res.end, end)
    t.false(req.session.accessed)
    res.end()
  })
  t.is((await client().get('/')).headers.get('vary'), null)
})

test('a named session has a life, cookie attributes and a backend of its own', async (t) => {
  const clock = { now: Date.now() }
  const { client, manager } = await serve(t, async (req, res) => {
    const session = await sessions(req).get('quick', { backend: 'quick', timeout: 60, cookiePath: '/shop', sameSite: 'strict', cookieExpires: 30 }).load()
    if (req.url === '/shop/set') await session.set('a', 1).save()
    res.end(JSON.stringify(session))
  }, { ...SHOP, now: () => clock.now })
  const browser = client()
  const [line] = (await browser.get('/shop/set')).headers.getSetCookie()
  t.regex(line!, /^phial\.quick=[^;]+; Max-Age=30; Path=\/shop; Expires=[^;]+; HttpOnly; SameSite=Strict$/)
  t.is(await browser.text('/shop/get'), '{"a":1}')
  t.is(manager.named('quick', { backend: 'quick' }).backend, 'memory')
  clock.now += 60_000
  t.is(await browser.text('/shop/get'), '{}')
})

for (const [name, mains, kept] of [
  ['shorter than', { lifetime: 1_209_600, timeout: 86_400 }, 600],
  ['longer than', { lifetime: 1200, timeout: 1200 }, 31_536_000],
  ['none, beside', { lifetime: 1200, timeout: 1200 }, undefined],
] as const) {
  test(`a named session in a cookie is kept by the browser for its own lifetime: ${name} the default one's`, async (t) => {
    const { client } = await serve(t, async (req, res) => {
      const session = await sessions(req).get('view', { backend: 'cookie', cookieExpires: 60, lifetime: kept ?? false, timeout: 600 }).load()
      await session.set('mode', 'table').save()
      res.end()
    }, mains)
    const [line] = (await client().get('/')).headers.getSetCookie()
    t.is(/; Max-Age=(\d+)/.exec(line!)?.[1], String(kept ?? 400 * 86_400))
  })
}

test('with auto a named session is saved at the end of the request as well', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const session = await sessions(req).get('visits', { auto: true }).load()
    res.end(String(session.set('n', session.get('n', 0) + 1).get('n')))
  })
  const browser = client()
  for (const n of ['1', '2', '3']) t.is(await browser.text('/'), n)
})

test('a save of a named session that is not awaited holds the response, and its failure is the answer', async (t) => {
  const { client, manager } = await serve(t, async (req, res) => {
    const session = await sessions(req).get('cart').load()
    void session.set('big', 'x'.repeat(1000)).save()
    res.end('stored')
  }, { maxBytes: 500 })
  const response = await client().get('/')
  t.is(response.status, 500)
  t.deepEqual(response.headers.getSetCookie(), [])
  t.is(manager.backend, 'memory')
})

test('names and options that make no session are refused', async (t) => {
  const { manager } = await serve(t, (_req, res) => void res.end())
  for (const name of ['', 'a b', 'a.b', 'ä', 'x'.repeat(65)]) {
    t.throws(() => manager.named(name), { instanceOf: TypeError }, name)
    t.throws(() => manager.named(name, { cookieName: 'c' }), { instanceOf: TypeError }, name)
  }
  t.throws(() => manager.named('a', { cookieExpires: new Date(Date.now() + 60_000) as never }), { code: 'PHIAL_CONFIG', message: /session\.cookie\.expires/ })
  t.is(manager.named('a', { timeout: 60, auto: true }), manager.named('a', { auto: true, timeout: 60 }))
  t.throws(() => manager.named('a', { backend: 'nowhere' }), { code: 'PHIAL_CONFIG', message: /there is no backend "nowhere"/ })
  t.throws(() => manager.named('a', { timeout: 0.5 }), { code: 'PHIAL_CONFIG' })
  t.throws(() => manager.named('a', { sameSite: 'none' }), { code: 'PHIAL_CONFIG' })
  for (let n = 0; n < 99; n++) manager.named(`n${n}`)
  t.throws(() => manager.named('one-more'), { code: 'PHIAL_CONFIG' })
})

test('two sessions of a request never have a cookie in common, nor one with a slot of the other', async (t) => {
  const other = createManager({ secret: SECRET, secure: false, cookieName: 'phial.cart' })
  t.teardown(() => other.close())
  const { client } = await serve(t, (req, res) => {
    const open = (...[name, options]: Parameters<Sessions['get']>): void => void sessions(req).get(name, options)
    const refused = (...session: Parameters<Sessions['get']>): void => void t.throws(() => open(...session), { code: 'PHIAL_CONFIG', message: /cookie/ }, session[0])
    refused('x', { cookieName: 'phial' })
    open('a', { cookieName: 'c' })
    refused('b', { cookieName: 'c' })
    open('m', { manager: other })
    refused('cart')
    open('view', { backend: 'cookie' })
    for (const slot of ['1', '7', 'seen']) {
      refused(`view-${slot}`)
      refused(`view-${slot}`, { backend: 'cookie' })
    }
    open('view-8', { backend: 'cookie' })
    open('plain-1')
    open('plain')
    refused('late', { backend: 'cookie', cookieName: 'phial.plain' })
    open('next-1')
    refused('next', { backend: 'cookie' })
    t.notThrows(() => sessions(req).get('cart', { cookieName: 'trolley' }))
    res.end()
  }, { backends: SHOP.backends! })
  t.is((await client().get('/')).status, 200)
})

test('the cookie of a named session has the prefix of the default one, where its attributes allow that', async (t) => {
  const { manager } = await serve(t, (_req, res) => void res.end(), { secure: true })
  t.is(manager.named('a').cookieName, '__Host-phial.a')
  t.is(manager.named('b', { cookiePath: '/b' }).cookieName, 'phial.b')
  t.is(manager.named('c', { cookieName: 'mine' }).cookieName, 'mine')
})

test('a named session ends with its manager', async (t) => {
  const { manager } = await serve(t, (_req, res) => void res.end())
  const named = manager.named('cart', { backend: 'memory' })
  await (await named.create()).set('a', 1).save()
  await manager.close()
  await t.throwsAsync(named.check(), { code: 'PHIAL_CLOSED' })
  t.throws(() => manager.named('late'), { code: 'PHIAL_CLOSED' })
})

test('the namespace managers are there by name', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    t.is(sessions(req).backend('quick'), sessions(req).backend('quick'))
    t.not(sessions(req).backend('quick'), sessions(req).backend())
    res.end()
  }, SHOP)
  t.is((await client().get('/')).status, 200)
})

test('a test can give a request its sessions; without a wrapped handler there are none', (t) => {
  t.throws(() => sessions({}), { instanceOf: ConfigError })
  const req = {}
  const its = Object.create(Sessions.prototype) as Sessions
  setSessions(req, its)
  t.is(sessions(req), its)
})

for (const how of ['503', 'onError'] as const) {
  test(`where a session of the client's was ended, the answer to another session's failure takes it back, and leaves others as they are: ${how}`, async (t) => {
    const store = new FaultyStore(memoryStore(Date.now))
    const { client } = await serve(t, async (req, res) => {
      const badge = await sessions(req).get('badge', { backend: 'cookie' }).load()
      const { pathname } = new URL(req.url!, 'http://host')
      if (pathname === '/set') await badge.set('text', 'x'.repeat(5_000)).save()
      if (pathname === '/destroy') await badge.destroy()
      if (pathname === '/invalidate') await badge.invalidate()
      if (pathname === '/invalidate') await badge.set('text', 'y').save()
      if (pathname === '/shorter') await badge.set('text', 'y').save()
      if (pathname !== '/set' && pathname !== '/') {
        store.next('create', new StoreUnavailableError('down', { backend: 'memory', operation: 'create' }))
        await req.session.set('a', 1)
        void req.session.save()
      }
      res.end(String(badge.get('text', '')).slice(0, 5))
    }, {
      type: store.manager, backends: { cookie: { type: 'cookie', cookie: { chunks: 3 } } },
      ...(how === 'onError' && { onError: (_error, _req, res: any) => void res.writeHead(503, { 'Set-Cookie': 'own=1', 'Cache-Control': 'private' }).end() }),
    })
    for (const [path, after] of [['/destroy', ''], ['/invalidate', ''], ['/shorter', 'xxxxx']] as const) {
      const browser = client()
      await browser.get('/set')
      const names = (await browser.cookies()).split('; ').map((pair) => pair.split('=')[0])
      t.deepEqual(names, ['phial.badge', 'phial.badge-1'])
      const answer = await browser.get(path)
      const sent = answer.headers.getSetCookie().filter((line) => !line.startsWith('own='))
      t.is(answer.status, 503)
      t.deepEqual(sent.map((line) => line.split('; ', 2).join('; ')), after === '' ? ['phial.badge=; Max-Age=0', 'phial.badge-1=; Max-Age=0'] : [])
      t.is(await browser.text('/'), after, path)
    }
  })
}

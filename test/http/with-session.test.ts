import test from 'ava'
import { connect } from 'node:net'
import { once } from 'node:events'
import { sessions, withSession } from '../../src/index.js'
import { FaultyStore } from '../support/faulty-store.js'
import { memoryStore, SECRET } from '../support/harness.js'
import { clientOf, listen, serve } from '../support/app.js'
import { StoreUnavailableError } from '../../src/errors.js'

const down = () => new StoreUnavailableError('down', { backend: 'test', operation: 'any' })
const faultyStore = (): FaultyStore => new FaultyStore(memoryStore(Date.now))

test('the README\'s handler counts visits for a browser', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    session.set('visits', session.get('visits', 0) + 1)
    await session.save()
    res.end(`visit ${session.get('visits')}\n`)
  })
  const [one, two] = [client(), client()]
  t.deepEqual([await one.text(), await one.text(), await two.text(), await one.text()], ['visit 1\n', 'visit 2\n', 'visit 1\n', 'visit 3\n'])
})

test('a request that does not touch the session makes no store call, parses no cookie and sets no header', async (t) => {
  const store = faultyStore()
  let parsed = 0
  const { client, url } = await serve(t, async (req, res) => {
    if (req.url === '/save') await (await req.session.load()).set('a', 1).save()
    else Object.defineProperty(req.headers, 'cookie', { get: () => { parsed++; return '' } })
    res.end('ok')
  }, { type: store.manager })
  const browser = client()
  await browser.get('/save')
  store.calls.length = 0
  const bare = await listen(t, (_req, res) => res.end('ok'))
  const [ours, plain] = [await browser.get('/'), await fetch(bare.url)]
  const names = ({ headers }: Response) => [...headers.keys()]
  t.deepEqual(names(ours), names(plain))
  t.deepEqual(store.calls, [])
  t.is(parsed, 0)
  t.truthy(url)
})

test('a visitor without a valid cookie never reaches the store by reading, and gets no cookie', async (t) => {
  const store = faultyStore()
  const { url } = await serve(t, async (req, res) => res.end(String(await req.session.get('user'))), { type: store.manager })
  const id = 'A'.repeat(43)
  for (const cookie of ['', 'phial=', 'phial=x', `phial=${id}`, `phial=${id}.${'B'.repeat(43)}`, 'other=1', `phial=${id}.${'B'.repeat(42)}=`]) {
    const response = await fetch(url, { headers: cookie === '' ? {} : { cookie } })
    t.is(await response.text(), 'undefined')
    t.deepEqual(response.headers.getSetCookie(), [])
    t.is(response.headers.get('vary'), 'Cookie')
  }
  t.deepEqual(store.calls, [])
})

test('reading is one store call, reading and saving is two', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/write') await session.set('n', session.get('n', 0) + 1).save()
    res.end()
  }, { type: store.manager })
  const browser = client()
  await browser.get('/write')
  store.calls.length = 0
  await browser.get('/read')
  t.deepEqual(store.calls.splice(0), ['get'])
  await browser.get('/write')
  t.deepEqual(store.calls, ['get', 'replace'])
})

test('a save() that is not awaited is stored before the client sees the end of the response', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, (req, res) => {
    if (req.url === '/read') return req.session.get('a').then((a) => res.end(String(a)))
    void req.session.set('a', 1)
    void req.session.save()
    res.end('done')
    return undefined
  }, { type: store.manager })
  const browser = client()
  let stored = false
  store.next('create', async (run) => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    stored = true
    return run()
  })
  t.is(await browser.text('/'), 'done')
  t.true(stored)
  t.is(await browser.text('/read'), '1')
})

test('a save that fails unhandled gives 503, Retry-After, no Set-Cookie and nothing of the handler\'s', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    res.setHeader('X-Secret', 'prepared')
    res.setHeader('Set-Cookie', 'own=1')
    res.statusMessage = 'Fine'
    const saving = session.set('user', 'ann').save()
    if (req.url === '/awaited') await saving
    res.end('welcome')
  }, { type: store.manager })
  for (const path of ['/awaited', '/left-alone']) {
    store.next('create', down())
    const response = await client().get(path)
    t.is(response.status, 503, path)
    t.is(response.headers.get('retry-after'), '1')
    t.is(response.headers.get('cache-control'), 'no-store')
    t.is(response.headers.get('x-secret'), null)
    t.deepEqual(response.headers.getSetCookie(), [])
    t.is(await response.text(), 'Service Unavailable\n')
  }
})

test('a failure that the handler caught is the handler\'s to answer', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    try {
      await (await req.session.load()).set('user', 'ann').save()
    } catch (error) {
      res.statusCode = 418
      res.end((error as { code: string }).code)
    }
  }, { type: store.manager })
  store.next('create', down())
  const response = await client().get()
  t.is(response.status, 418)
  t.is(await response.text(), 'PHIAL_STORE_UNAVAILABLE')
  t.deepEqual(response.headers.getSetCookie(), [])
})

test('a store that is down when the session is read gives 503, and the handler does not go on as for a stranger', async (t) => {
  const store = faultyStore()
  let wentOn = false
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    wentOn = req.url === '/'
    await session.save()
    res.end()
  }, { type: store.manager })
  const browser = client()
  await browser.get('/first')
  store.next('get', down())
  t.is((await browser.get('/')).status, 503)
  t.false(wentOn)
  t.is((await browser.get('/')).status, 200)
})

test('with on_outage = anonymous the handler sees a read-only session, and a save is refused', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url !== '/read') await session.set('a', 1).save()
    res.end(`${session.isReadOnly} ${session.get('a')}`)
  }, { type: store.manager, onOutage: 'anonymous' })
  const browser = client()
  t.is(await browser.text('/'), 'false 1')
  store.next('get', down())
  const read = await browser.get('/read')
  t.is(await read.text(), 'true undefined')
  t.deepEqual(read.headers.getSetCookie(), [])
  store.next('get', down())
  t.is((await browser.get('/')).status, 503)
  t.is(await browser.text('/read'), 'false 1')
})

test('a late writer whose session ended gets 409, and no cookie is set or expired', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/late') {
      await once(process, 'phial-test-go')
      session.set('late', 1)
    }
    if (req.url === '/logout') await session.destroy()
    else await session.save()
    res.end()
  })
  const browser = client()
  await browser.get('/')
  const late = client(browser.jar.cloneSync()!).get('/late')
  while (process.listenerCount('phial-test-go') === 0) await new Promise(setImmediate)
  const logout = await browser.get('/logout')
  t.regex(logout.headers.getSetCookie()[0]!, /^phial=; .*Max-Age=0/)
  process.emit('phial-test-go' as never)
  const response = await late
  t.is(response.status, 409)
  t.deepEqual(response.headers.getSetCookie(), [])
})

test('a logout that the store did not confirm is an error, and the cookie is expired all the same', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    if (req.url === '/logout') await req.session.destroy()
    else await req.session.save()
    res.end('bye')
  }, { type: store.manager })
  const browser = client()
  await browser.get('/')
  store.next('delete', down())
  const response = await browser.get('/logout')
  t.is(response.status, 503)
  t.regex(response.headers.getSetCookie().join(), /^phial=; .*Max-Age=0/)
  t.is(await browser.cookies(), '')
})

test('onError may answer instead; when it throws or does not answer, the library does', async (t) => {
  const store = faultyStore()
  let how = 'answer'
  const { client } = await serve(t, async (req, res) => {
    res.setHeader('X-Prepared', 'yes')
    await (await req.session.load()).set('a', 1).save()
    res.end()
  }, {
    type: store.manager,
    onError: (error, _req, res: any) => {
      if (how === 'throw') throw new Error('hook')
      if (how === 'answer') res.writeHead(502, { 'X-Code': (error as any).code }).end('sorry')
    },
  })
  const ask = () => {
    store.next('create', down())
    return client().get()
  }
  const answered = await ask()
  t.is(answered.status, 502)
  t.is(answered.headers.get('x-code'), 'PHIAL_STORE_UNAVAILABLE')
  t.is(answered.headers.get('x-prepared'), null)
  t.is(await answered.text(), 'sorry')
  for (how of ['throw', 'nothing']) t.is((await ask()).status, 503, how)
})

test('errors that are not phial\'s pass through as if nobody stood between', async (t) => {
  const own = new RangeError('mine')
  const thrower = withSession(() => { throw own }, { secret: SECRET, secure: false })
  t.is(t.throws(() => thrower({} as never, {} as never)), own)
  const rejecter = withSession(async () => { throw own }, { secret: SECRET, secure: false })
  t.is(await t.throwsAsync(async () => rejecter({} as never, {} as never)), own)
  const answer = withSession(() => 42, { secret: SECRET, secure: false })
  t.is(answer({} as never, {} as never), 42)
})

test('with auto a changed session is saved at the end, on success only, and an unchanged one is not', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url !== '/read') session.set('path', req.url)
    if (req.url === '/fail') res.statusCode = 500
    if (req.url === '/stream') {
      res.write('first ')
      session.set('late', true)
    }
    res.end(JSON.stringify(session))
  }, { type: store.manager, auto: true })
  const browser = client()
  await browser.get('/read')
  t.deepEqual(store.calls, [])
  t.is((await browser.get('/one')).headers.getSetCookie().length, 1)
  await browser.get('/fail')
  t.is(await browser.text('/read'), '{"path":"/one"}')
  await browser.get('/stream')
  store.calls.length = 0
  t.is(await browser.text('/read'), '{"path":"/stream","late":true}')
  t.deepEqual(store.calls, ['get'])
})

test('one manager serves many handlers, and a handler inside another sees the session that is there', async (t) => {
  const store = faultyStore()
  const outer = withSession(async (req, res) => {
    const session = await req.session.load()
    session.set('outer', true)
    await inner(req, res)
  }, { secret: SECRET, secure: false, type: store.manager })
  const inner = withSession(async (req, res) => {
    const session = await req.session.load()
    await session.set('inner', true).save()
    res.end(JSON.stringify(session))
  }, outer.manager)
  const { url } = await listen(t, outer)
  t.is(await clientOf(url).text(), '{"outer":true,"inner":true}')
  t.deepEqual(store.calls, ['create'])
})

test('another manager on the same request_key is a ConfigError; under another key both are there', async (t) => {
  const two = (requestKey: string) => {
    const inner = withSession(async (req: any, res) => {
      await req.session.set('a', 1)
      await req.session.save()
      await req[requestKey].set('b', 2)
      await req[requestKey].save()
      res.end()
    }, { secret: SECRET, secure: false, requestKey, cookieName: `other-${requestKey}` })
    return withSession((req, res) => inner(req, res), { secret: SECRET, secure: false })
  }
  const clash = await listen(t, async (req, res) => {
    try {
      await two('session')(req, res)
    } catch (error) {
      res.end((error as { code: string }).code)
    }
  })
  t.is(await clientOf(clash.url).text(), 'Internal Server Error\n')
  const { url } = await listen(t, two('cart'))
  const response = await clientOf(url).get()
  t.deepEqual(response.headers.getSetCookie().map((line) => line.split('=')[0]).sort(), ['other-cart', 'phial'])
})

test('after close() requests get 503, and close() may be called twice', async (t) => {
  const { client, manager } = await serve(t, async (req, res) => res.end(String(await req.session.get('a'))))
  await Promise.all([manager.close(), manager.close()])
  t.is((await client().get()).status, 503)
  await t.throwsAsync(manager.getById('x'), { code: 'PHIAL_CLOSED' })
  await t.throwsAsync(manager.create(), { code: 'PHIAL_CLOSED' })
})

test('close() waits for the writes that have begun', async (t) => {
  const store = faultyStore()
  const { client, manager } = await serve(t, async (req, res) => {
    void req.session.save()
    res.end()
  }, { type: store.manager })
  let go = (): void => {}
  const asked = new Promise<void>((resolve) => store.next('create', async (run) => {
    resolve()
    await new Promise<void>((release) => { go = release })
    return run()
  }))
  const answer = client().get()
  await asked
  let closed = false
  const closing = manager.close().then(() => { closed = true })
  await new Promise(setImmediate)
  t.false(closed)
  go()
  t.is((await answer).status, 200)
  await closing
  t.true(closed)
})

test('a bare request (a WebSocket upgrade) can read and save the session of its cookie', async (t) => {
  const { client, server, manager, port } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (session.isNew) await session.set('user', 'ann').save()
    res.end(JSON.stringify(session))
  })
  const browser = client()
  await browser.get()
  server.on('upgrade', async (req, socket) => {
    const session = await manager.open(req).load()
    await session.set('sockets', session.get('sockets', 0) + 1).save()
    socket.end(`HTTP/1.1 101 Switching\r\n\r\n${session.get('user')}`)
  })
  const socket = connect(port, '127.0.0.1')
  socket.end(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\nCookie: ${await browser.cookies()}\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  t.regex(answer, /ann$/)
  t.is(await browser.text(), '{"user":"ann","sockets":1}')
})

for (const givesResponse of [false, true]) {
  test(`a session that was opened before its wrapped handler${givesResponse ? ', with its response,' : ''} has its response, and its failures are answered`, async (t) => {
    const store = faultyStore()
    const app = withSession(async (req, res) => {
      void sessions(req).get('cart').set('a', 1)
      void req.session.set('a', 1)
      if (req.url === '/throw') await req.session.save()
      else void sessions(req).save()
      res.end('stored')
    }, { secret: SECRET, secure: false, type: store.manager })
    t.teardown(() => app.manager.close())
    const { url } = await listen(t, (req, res) => {
      const session = app.manager.open(req, givesResponse ? res : undefined)
      sessions(req).get('cart')
      t.is(app.manager.open(req), session)
      return app(req, res)
    })
    const browser = clientOf(url)
    const { headers } = await browser.get('/')
    t.deepEqual(headers.getSetCookie().map((line) => line.split('=')[0]).sort(), ['phial', 'phial.cart'])
    for (const path of ['/', '/throw']) {
      store.next('get', down(), down())
      t.is((await browser.get(path)).status, 503)
    }
  })
}

test('a session that was used before its response was known is a ConfigError in the wrapped handler, not a session that cannot keep anything', async (t) => {
  const app = withSession((_req, res) => void res.end('stored'), { secret: SECRET, secure: false })
  t.teardown(() => app.manager.close())
  const uses: ((req: object) => unknown)[] = [
    (req) => app.manager.open(req).load(),
    (req) => (app.manager.open(req), sessions(req).get('cart').load()),
    (req) => (app.manager.open(req), sessions(req).cookies),
  ]
  const { url } = await listen(t, async (req, res) => {
    await uses[Number(req.url!.slice(1))]!(req)
    t.throws(() => app(req, res), { code: 'PHIAL_CONFIG', message: /before its response was known/ })
    res.end()
  })
  for (const at of uses.keys()) t.is((await fetch(`${url}/${at}`)).status, 200)
})

test('a session without a client is made and found by its id', async (t) => {
  const { manager, url } = await serve(t, async (req, res) => res.end(String(await req.session.get('a'))))
  const session = await manager.create()
  await session.set('a', 1).save()
  const found = await manager.getById(session.id)
  t.is(found?.get('a'), 1)
  await found!.update('a', (a) => a + 1)
  t.is((await manager.getById(session.id))?.get('a'), 2)
  t.is(await manager.getById('A'.repeat(43)), undefined)
  t.is(await manager.getById('no id'), undefined)
  await t.throwsAsync(manager.getById(7 as never), { instanceOf: TypeError })
  await found!.destroy()
  t.is(await manager.getById(session.id), undefined)
  t.truthy(url)
})

test('100 parallel requests, each setting its own key on one session, leave 100 keys; 100 updates count 100', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const [, verb, key] = req.url!.split('/')
    const session = await req.session.load()
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    if (verb === 'set') await session.set(key!, 1).save()
    if (verb === 'add') await session.update('n', (n = 0) => n + 1)
    res.end(JSON.stringify(session))
  })
  const browser = client()
  await browser.get('/set/first')
  await Promise.all(Array.from({ length: 100 }, (_, n) => browser.get(`/set/k${n}`)))
  await Promise.all(Array.from({ length: 100 }, () => browser.get('/add')))
  const data = JSON.parse(await browser.text('/'))
  t.is(Object.keys(data).length, 102)
  t.is(data.n, 100)
})

test('a failure that is handed over after end(): let through later it becomes the answer, caught it does not', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    const saving = (await req.session.load()).set('paid', true).save()
    res.end('thank you')
    try {
      await saving
    } catch (error) {
      for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate)
      if (req.url !== '/caught') throw error
    }
  }, { type: store.manager })
  for (const [path, status] of [['/', 503], ['/caught', 200]] as const) {
    store.next('create', async () => {
      await new Promise(setImmediate)
      throw down()
    })
    t.is((await client().get(path)).status, status, path)
  }
})

test('a write that is followed up with then() or finally() alone has its failure taken by nobody: it becomes the answer', async (t) => {
  const store = faultyStore()
  const { client } = await serve(t, async (req, res) => {
    const saving = (await req.session.load()).set('paid', true).save()
    if (req.url === '/then') void saving.then(() => res.end('stored'))
    else void saving.finally(() => res.end('done'))
    if (req.url === '/then') res.write('so far ')
  }, { type: store.manager })
  for (const path of ['/then', '/finally']) {
    store.next('create', down())
    t.is((await client().get(path)).status, 503, path)
  }
})

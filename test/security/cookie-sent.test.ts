import test from 'ava'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CookieJar } from 'tough-cookie'
import { withSession } from '../../src/index.js'
import type { Session, SessionObject } from '../../src/index.js'
import { attributeNames, setCookieGrammar } from '../http/cookie-support.js'
import { listen } from '../support/app.js'
import { SECRET } from '../support/harness.js'
import { acts, ask, COOKIES, MODES, record, serveIn, Visitor } from './support.js'
import type { Reply } from './support.js'

for (const mode of MODES) {
  test(`S060, S061, S062, S063, S070: as it comes, the cookie is __Host-, Secure, HttpOnly, SameSite=Lax and ends with the browser: ${mode.name}`, async (t) => {
    const app = withSession(acts, { secret: SECRET, ...mode.settings(t) })
    t.teardown(() => app.manager.close())
    const { port } = await listen(t, app)
    const { setCookies } = await ask(port, '/set?user=ann')
    t.is(setCookies.length, 1)
    t.regex(setCookies[0]!, /^__Host-phial=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  })

  test(`S068: however often a session is saved, renewed and ended, one cookie of a name is sent: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      for (let n = 0; n < 5; n++) await session.set('n', n).save()
      if (req.url !== '/saved') await session.regenerateId()
      if (req.url === '/again') await session.invalidate()
      if (req.url === '/again') await session.set('n', 6).save()
      if (req.url === '/ended') await session.destroy()
      res.setHeader('Set-Cookie', ['phial=theirs', 'other=theirs'])
      res.end()
    }, { cookieExpires: 600 })
    const visitor = new Visitor(port)
    for (const path of ['/saved', '/renewed', '/again', '/ended', '/saved']) {
      const { setCookies } = await visitor.ask(path)
      const names = setCookies.map((line) => line.split('=')[0])
      t.deepEqual(names.sort(), ['other', 'phial'], path)
    }
  })

  test(`S069, S070, S072: every cookie keeps to the grammar, names no attribute twice, and lives as long as it was told: ${mode.name}`, async (t) => {
    const date = new Date(Date.now() + 7_200_000)
    for (const [cookieExpires, maxAge] of [[true, undefined], [false, 34_560_000], [3600, 3600], [date, 7200]] as const) {
      const { port } = await serveIn(t, mode, acts, { cookieExpires, priority: 'high' })
      const visitor = new Visitor(port)
      for (const path of ['/set?user=ann', '/renew', '/logout']) {
        const { setCookies } = await visitor.ask(path)
        for (const line of setCookies) {
          t.regex(line, setCookieGrammar)
          const names = attributeNames(line)
          t.deepEqual(names, [...new Set(names)])
          const sent = /Max-Age=(\d+)/.exec(line)?.[1]
          if (path === '/logout') t.is(sent, '0')
          else if (maxAge === undefined) t.is(sent, undefined)
          // The cookie backend's is kept for the whole lifetime, and its own end is sealed in it.
          else t.true(Math.abs(Number(sent) - Math.max(maxAge, mode.isStored ? 0 : 1_209_600)) <= 2, line)
        }
        t.is(setCookies.length, 1)
      }
    }
  })

  test(`S071: the application's own cookies and headers survive beside the session's: ${mode.name}`, async (t) => {
    const ways: ((res: ServerResponse) => void)[] = [
      (res) => void res.setHeader('Set-Cookie', 'a=1'),
      (res) => void res.setHeader('Set-Cookie', ['a=1', 'b=2']),
      (res) => void res.appendHeader('Set-Cookie', 'a=1').appendHeader('Set-Cookie', 'b=2'),
      (res) => void res.setHeaders(new Map([['Set-Cookie', ['a=1', 'b=2']]])),
      (res) => void res.writeHead(200, { 'Set-Cookie': 'a=1' }),
      (res) => void res.writeHead(200, 'Fine', { 'set-cookie': ['a=1', 'b=2'], vary: 'Accept' }),
      (res) => void res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']),
      (res) => void res.setHeader('Set-Cookie', 'z=0').writeHead(200, { 'Set-Cookie': ['a=1', 'b=2'] }),
    ]
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      await session.set('a', 1).save()
      ways[Number(req.url!.slice(1))]!(res)
      await session.save()
      res.end()
    })
    for (const n of ways.keys()) {
      const { setCookies, headers } = await ask(port, `/${n}`)
      t.true(setCookies.includes('a=1'), `${n}`)
      t.is(setCookies.includes('b=2'), n !== 0 && n !== 4, `${n}`)
      t.is(setCookies.filter((line) => line.startsWith('phial=')).length, 1, `${n}`)
      t.is(headers['cache-control'], 'no-store')
    }
  })

  test(`S073: whether the cookie is Secure follows a proxy on the list, and nobody's word else: ${mode.name}`, async (t) => {
    const secureFrom = async (trustProxy: string | false, header: Record<string, string>): Promise<boolean> => {
      const { port } = await serveIn(t, mode, acts, { secure: 'auto', trustProxy })
      return (await ask(port, '/set?a=1', header)).setCookies[0]!.includes('; Secure')
    }
    t.false(await secureFrom(false, {}))
    t.false(await secureFrom(false, { 'x-forwarded-proto': 'https' }))
    t.false(await secureFrom('10.0.0.0/8', { 'x-forwarded-proto': 'https', 'x-forwarded-for': '10.0.0.1' }))
    t.false(await secureFrom('127.0.0.1', { 'x-forwarded-proto': 'https, http' }))
    t.false(await secureFrom('127.0.0.1', { forwarded: 'proto=https', 'x-forwarded-ssl': 'on', 'front-end-https': 'on' }))
    t.true(await secureFrom('127.0.0.1', { 'x-forwarded-proto': 'http, https' }))
  })
}

for (const mode of COOKIES) {
  test(`S066: a session that its cookie cannot hold is refused before anything is sent, and the one before stays: ${mode.name}`, async (t) => {
    const codes: unknown[] = []
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      const [, letter, length] = req.url!.split('/')
      if (letter) {
        await session.set('v', decodeURIComponent(letter).repeat(Number(length))).save().catch((error) => {
          codes.push(error.code)
          throw error
        })
      }
      res.end(String(session.get('v', '').length))
    })
    for (const letter of ['x', 'é', '😀']) {
      const visitor = new Visitor(port)
      const tries = async (length: number): Promise<Reply> => visitor.ask(`/${encodeURIComponent(letter)}/${length}`)
      for (let n = 0; n < 6; n++) await tries(n) // a record remembers its last six writes, and grows with them
      let fits = 0
      for (let step = 2048; step >= 1; step /= 2) if ((await tries(fits + step)).status === 200) fits += step
      codes.length = 0
      const { status, setCookies } = await tries(fits + 1)
      t.deepEqual([status, setCookies, codes], [500, [], ['PHIAL_TOO_LARGE']])
      const most = await tries(fits)
      t.is(most.status, 200)
      const octets = most.setCookies[0]!.split(';')[0]!.length - '='.length
      t.true(octets <= 4096 && octets > 4060, `${octets}`)
      await tries(fits + 1)
      t.is(Number(await visitor.body()), letter.length * fits)
    }
  })
}

/** Everything by which a request may look at its session, or change it. */
const ACCESSES: Record<string, (object: SessionObject, session: () => Promise<Session>) => unknown> = {
  load: (object) => object.load(),
  get: (object) => object.get('a'),
  'get with a fallback': (object) => object.get('a', 1),
  has: (object) => object.has('a'),
  keys: (object) => object.keys(),
  values: (object) => object.values(),
  entries: (object) => object.entries(),
  flashes: (object) => object.flashes(),
  peekFlashes: (object) => object.peekFlashes(),
  keepFlashes: (object) => object.keepFlashes(),
  set: (object) => object.set('b', 1),
  setDefault: (object) => object.setDefault('b', 1),
  delete: (object) => object.delete('a'),
  pop: (object) => object.pop('a'),
  clear: (object) => object.clear(),
  assign: (object) => object.assign({ b: 1 }),
  flash: (object) => object.flash('hi'),
  revert: (object) => object.revert(),
  save: (object) => object.save(),
  update: (object) => object.update('n', (n = 0) => n + 1),
  regenerateId: (object) => object.regenerateId(),
  invalidate: (object) => object.invalidate(),
  destroy: (object) => object.destroy(),
  'persist, once loaded': async (object, session) => [await session(), await object.persist()],
  size: async (_, session) => (await session()).size,
  'in data': async (_, session) => 'a' in (await session()).data,
  spread: async (_, session) => ({ ...(await session()).data }),
  iteration: async (_, session) => [...(await session())],
  'JSON.stringify': async (_, session) => JSON.stringify(await session()),
  id: async (_, session) => (await session()).id,
  isNew: async (_, session) => (await session()).isNew,
  times: async (_, session) => [(await session()).createdAt, (await session()).lastAccessedAt, (await session()).expiresAt],
  owner: async (_, session) => (await session()).owner,
}

for (const mode of MODES) {
  test(`S075: whatever looks at the session makes the response vary by cookie, for a visitor without one too: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, async (req, res) => {
      res.setHeader('Vary', 'Accept-Encoding')
      await ACCESSES[decodeURIComponent(req.url!.slice(1))]?.(req.session, () => req.session.load())
      res.end(`${req.session.accessed} ${req.session.dirty}`)
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set')
    await visitor.ask('/save')
    const cookie = await visitor.cookies()
    for (const name of Object.keys(ACCESSES)) {
      for (const headers of [{}, { cookie }]) {
        const reply = await ask(port, `/${encodeURIComponent(name)}`, headers as Record<string, string>)
        t.is(reply.status, 200, name)
        t.is(reply.headers.vary, 'Accept-Encoding, Cookie', name)
        t.is(reply.headers['cache-control'], reply.setCookies.length > 0 ? 'no-store' : undefined, name)
      }
    }
    const untouched = await ask(port, '/nothing', { cookie })
    t.deepEqual([untouched.body, untouched.headers.vary], ['false false', 'Accept-Encoding'])
  })

  for (const cookieExpires of [true, 600]) {
    test(`S075: through a cache that keeps all it may, no two users share a cookie or a page, cookie_expires = ${cookieExpires}: ${mode.name}`, async (t) => {
      const origin = await serveIn(t, mode, async (req, res) => {
        res.setHeader('Cache-Control', 'max-age=600')
        await acts(req, res)
      }, { cookieExpires, ...(cookieExpires === 600 && { timeout: 20, touchInterval: 1, forceCookie: true }) })
      const { port, hits } = await cacheBefore(t, origin.port)
      const [ann, ben, stranger] = [new Visitor(port), new Visitor(port), new Visitor(port)]
      for (const path of ['/', '/set?theme=dark', '/', '/set?theme=dark', '/renew', '/']) {
        const bodies = []
        for (const visitor of [ann, ben]) bodies.push((await visitor.ask(path)).body)
        t.is(bodies[0], bodies[1])
        if (path !== '/') t.not(await ann.cookies(), await ben.cookies())
      }
      await ann.ask('/set?user=ann')
      await ben.ask('/set?user=ben')
      for (let n = 0; n < 3; n++) {
        t.is(await ann.body('/profile'), '{"theme":"dark","user":"ann"}')
        t.is(await ben.body('/profile'), '{"theme":"dark","user":"ben"}')
        t.is(await stranger.body('/profile'), '{}')
      }
      t.true(hits() > 0)
    })
  }

  test.serial(`S076: a public response that sets the cookie is kept by no cache, and that is told: ${mode.name}`, async (t) => {
    const told = record(t)
    const { port } = await serveIn(t, mode, async (req, res) => {
      res.setHeader('Cache-Control', 'public, max-age=60, s-maxage=600')
      await acts(req, res)
    })
    const { headers, setCookies } = await ask(port, '/set?user=ann')
    t.deepEqual([headers['cache-control'], setCookies.length], ['no-store', 1])
    t.deepEqual(
      told.filter(({ event }) => event === 'cache-overridden'),
      [{ event: 'cache-overridden', fields: { value: 'public, max-age=60, s-maxage=600' } }]
    )
    t.is((await ask(port, '/')).headers['cache-control'], 'public, max-age=60, s-maxage=600')
  })
}

/** A shared cache in front of the port that keeps every answer to a GET unless it is told not to, with its cookies, and honours `Vary`. */
const cacheBefore = async (t: Parameters<typeof listen>[0], origin: number): Promise<{ port: number; hits: () => number }> => {
  const kept = new Map<string, { vary: string[]; answers: Map<string, Reply> }>()
  let hits = 0
  const { port } = await listen(t, async (req: IncomingMessage, res) => {
    const entry = kept.get(req.url!)
    const known = entry?.answers.get(variant(entry.vary, req))
    if (known !== undefined) hits++
    const reply = known ?? await ask(origin, req.url!, req.headers.cookie === undefined ? {} : { cookie: req.headers.cookie })
    if (!/no-store|private/.test(reply.headers['cache-control'] ?? '')) {
      const vary = (reply.headers.vary ?? '').toLowerCase().split(', ')
      const answers = kept.get(req.url!)?.answers ?? new Map<string, Reply>()
      kept.set(req.url!, { vary, answers: answers.set(variant(vary, req), reply) })
    }
    res.writeHead(reply.status, { 'Set-Cookie': [...reply.setCookies] }).end(reply.body)
  })
  return { port, hits: () => hits }
}

const variant = (vary: readonly string[], req: IncomingMessage): string => JSON.stringify(vary.map((name) => req.headers[name]))

const CANARY = 'canary-7c1d'

for (const mode of MODES) {
  const isReadable = mode.name === 'cookie, signed'
  test(`S077: ${isReadable ? 'a signed cookie can be read, as the documentation says' : 'the cookie shows nothing of the session'}: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const { setCookies } = await ask(port, `/set?${CANARY}=${CANARY}`)
    const value = setCookies[0]!.split(';')[0]!.slice('phial='.length)
    if (mode.isStored) t.regex(value, /^[\w-]{43}\.[A-Za-z0-9+/]{43}$/)
    const readings = [
      value,
      ...value.split('.').flatMap((part) => (['base64', 'base64url', 'hex'] as const).map(
        (encoding) => Buffer.from(part, encoding).toString('latin1')
      )),
    ]
    t.is(readings.some((reading) => reading.includes(CANARY)), isReadable)
  })
}

test('S078: a session is one cookie unless it is told otherwise', async (t) => {
  const { port } = await serveIn(t, COOKIES[0]!, acts)
  t.is((await ask(port, `/set?a=${'x'.repeat(4000)}`)).status, 500)
  const chunked = await serveIn(t, COOKIES[0]!, acts, { cookie: { chunks: 2 } })
  const { status, setCookies } = await ask(chunked.port, `/set?a=${'x'.repeat(4000)}`)
  t.deepEqual([status, setCookies.length], [200, 2])
})

for (const mode of MODES) {
  // destroy() forgets the session's own domain and path before it expires the cookie, and expires another one.
  test(`S025, S074: a cookie on a path of its session's own is forgotten there: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/app/in') {
        session.cookie.path = '/app'
        await session.set('user', 'ann').save()
      }
      if (req.url === '/app/out') await session.destroy()
      res.end(JSON.stringify(session))
    })
    const jar = new CookieJar()
    const url = `http://127.0.0.1:${port}/app/`
    const visit = async (path: string): Promise<string> => {
      const { setCookies, body } = await ask(port, path, { cookie: await jar.getCookieString(url) })
      for (const line of setCookies) await jar.setCookie(line, url)
      return body
    }
    await visit('/app/in')
    t.is(await visit('/app/'), '{"user":"ann"}')
    await visit('/app/out')
    t.is(await jar.getCookieString(url), '')
  })
}

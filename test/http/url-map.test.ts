import test from 'ava'
import type { ExecutionContext } from 'ava'
import fc from 'fast-check'
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createManager, urlMap, withSession } from '../../src/index.js'
import type { MappedRequest, SessionRequest } from '../../src/index.js'
import { clientOf, listen, serve } from '../support/app.js'
import { FaultyStore } from '../support/faulty-store.js'
import { fuzzCount } from '../support/fuzz-count.js'
import { memoryStore, SECRET } from '../support/harness.js'
import { ask, listen as listenOn, parseHead, valuesOf } from '../support/raw-http.js'

type Request = IncomingMessage & MappedRequest

/** Says which application it is, and where it believes to be. */
const named = (name: string) => (req: Request, res: ServerResponse): void => {
  res.end([name, req.scriptName, req.url, req.originalUrl].join(' '))
}

const apps = (...prefixes: string[]) => Object.fromEntries(prefixes.map((prefix) => [prefix, named(prefix)]))

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown

/** What a handler answers to requests as they stand on the wire. */
const asker = async (t: ExecutionContext, handler: Handler): Promise<(target: string, method?: string) => Promise<string>> => {
  const { port } = await listen(t, handler)
  return async (target, method = 'GET') => parseHead((await ask(port, target, { method })).text).body
}

test('the longest prefix wins, at the borders of a path\'s parts; it goes from url to scriptName, and the query stays', async (t) => {
  const tell = await asker(t, urlMap(apps('/', '/broker', '/broker/gold')))
  const answers = {
    '/': '/  /',
    '/?x=/broker': '/  /?x=/broker',
    '/brokers': '/  /brokers',
    '/brok': '/  /brok',
    '/home/broker': '/  /home/broker',
    '/broker': '/broker /broker /',
    '/broker/': '/broker /broker /',
    '/broker?x': '/broker /broker /?x',
    '/broker?/gold': '/broker /broker /?/gold',
    '/broker#x': '/broker /broker /#x',
    '/broker/x/?y=1': '/broker /broker /x/?y=1',
    '/broker/golden': '/broker /broker /golden',
    '/broker/gold': '/broker/gold /broker/gold /',
    '/broker/gold/x': '/broker/gold /broker/gold /x',
  }
  for (const [target, answer] of Object.entries(answers)) t.is(await tell(target), `${answer} ${target}`)
})

test('paths are compared as they came: nothing is decoded, tidied, or taken for the same', async (t) => {
  const tell = await asker(t, urlMap(apps('/', '/broker', '/caf%C3%A9')))
  const answers = {
    '/%62roker': '/  /%62roker',
    '/broker%2Fx': '/  /broker%2Fx',
    '/Broker': '/  /Broker',
    '//broker': '/  //broker',
    '/./broker': '/  /./broker',
    '/x/../broker': '/  /x/../broker',
    '/broker;v=1': '/  /broker;v=1',
    '/broker//x': '/broker /broker //x',
    '/broker/../x': '/broker /broker /../x',
    '/broker/%2e%2e/x': '/broker /broker /%2e%2e/x',
    '/caf%C3%A9/x': '/caf%C3%A9 /caf%C3%A9 /x',
    '/caf%c3%a9/x': '/  /caf%c3%a9/x',
  }
  for (const [target, answer] of Object.entries(answers)) t.is(await tell(target), `${answer} ${target}`)
})

test('a proxy\'s request keeps the host that it names, and OPTIONS * is the root\'s', async (t) => {
  const tell = await asker(t, urlMap(apps('/', '/broker')))
  const answers = {
    'http://example.org/broker/x?y': '/broker /broker http://example.org/x?y',
    'http://example.org/broker': '/broker /broker http://example.org/',
    'HTTP://example.org:80/broker?y': '/broker /broker HTTP://example.org:80/?y',
    'http://example.org/brokers': '/  http://example.org/brokers',
    'http://example.org': '/  http://example.org/',
    'http://example.org?y': '/  http://example.org/?y',
    'http://broker/x': '/  http://broker/x',
  }
  for (const [target, answer] of Object.entries(answers)) t.is(await tell(target), `${answer} ${target}`)
  t.is(await tell('*', 'OPTIONS'), '/  * *')
  t.is(await (await asker(t, urlMap(apps('/broker'))))('*', 'OPTIONS'), 'Not Found\n')
})

test('slashes at the end of a prefix make no difference', async (t) => {
  const tell = await asker(t, urlMap(apps('/broker/', '/gold///')))
  t.is(await tell('/broker'), '/broker/ /broker / /broker')
  t.is(await tell('/broker/x'), '/broker/ /broker /x /broker/x')
  t.is(await tell('/gold'), '/gold/// /gold / /gold')
})

test('maps within maps: each adds what it takes', async (t) => {
  const market = urlMap({ '/': named('market'), '/gold': named('gold'), '/deep/er': urlMap({ '/mine': named('mine') }) })
  const tell = await asker(t, urlMap({ '/': named('home'), '/broker': market }))
  t.is(await tell('/x'), 'home  /x /x')
  t.is(await tell('/broker/x'), 'market /broker /x /broker/x')
  t.is(await tell('/broker/gold?y'), 'gold /broker/gold /?y /broker/gold?y')
  t.is(await tell('/broker/deep/er/mine/x'), 'mine /broker/deep/er/mine /x /broker/deep/er/mine/x')
  t.is(await tell('/broker/deep/er'), 'Not Found\n')
})

test('what a handler sees stays as it is while it works, however late', async (t) => {
  const tell = await asker(t, urlMap({
    '/await': async (req, res) => {
      await sleep(5)
      named('await')(req, res)
    },
    '/callback': (req, res) => void setTimeout(() => named('callback')(req, res), 5),
  }))
  t.is(await tell('/await/x'), 'await /await /x /await/x')
  t.is(await tell('/callback/x'), 'callback /callback /x /callback/x')
})

test('what comes behind the response is handed on; a function passes the request on as it was before', async (t) => {
  const passing = urlMap<Request>({ '/broker': (_req, _res, next: (word: string) => unknown, word: string) => next(word) })
  const outer = (req: Request, res: ServerResponse): unknown => passing(req, res, (word: string) => named(word)(req, res), 'later')
  const tell = await asker(t, urlMap({ '/market': outer }))
  t.is(await tell('/market/broker/x'), 'later /market /broker/x /market/broker/x')
  const first = await asker(t, (req, res) => passing(req as Request, res, (word: string) => named(word)(req as Request, res), 'later'))
  t.is(await first('/broker/x'), 'later  /broker/x /broker/x')
})

test('what no prefix takes is a plain 404, kept by no cache; headers that were set before stay', async (t) => {
  const map = urlMap(apps('/broker'))
  const { port } = await listen(t, (req, res) => map(req, res.setHeader('X-Frame-Options', 'DENY')))
  const answer = parseHead((await ask(port, '/')).text)
  t.is(answer.statusLine, 'HTTP/1.1 404 Not Found')
  t.is(answer.body, 'Not Found\n')
  t.deepEqual(['Content-Type', 'Content-Length', 'Cache-Control', 'X-Frame-Options'].flatMap((name) => valuesOf(answer, name)),
    ['text/plain; charset=utf-8', '10', 'no-store', 'DENY'])
  const head = parseHead((await ask(port, '/brokers', { method: 'HEAD' })).text)
  t.deepEqual([head.statusLine, ...valuesOf(head, 'Content-Length'), head.body], ['HTTP/1.1 404 Not Found', '10', ''])
})

test('HTTP/2: the same', async (t) => {
  const tell = (name: string) => (req: SessionRequest<{ n: number }, 'session', Http2ServerRequest> & MappedRequest, res: Http2ServerResponse): unknown =>
    req.session.update('n', (n = 0) => n + 1).then((n) => res.end([name, req.scriptName, req.url, req.originalUrl, n].join(' ')))
  const app = withSession(urlMap({ '/': tell('home'), '/broker': urlMap({ '/gold': tell('gold') }) }), { secret: SECRET, secure: false })
  t.teardown(() => app.manager.close())
  const client = connect(`http://127.0.0.1:${await listenOn(t, createHttp2Server(app))}`)
  t.teardown(() => client.destroy())
  const get = (headers: Record<string, string>): Promise<readonly [status: unknown, body: string, cookie: string | undefined]> =>
    new Promise((resolve, reject) => {
      let [status, body, cookie]: [unknown, string, string | undefined] = [undefined, '', undefined]
      const stream = client.request(headers).setEncoding('utf8')
      stream.on('response', (head) => { [status, cookie] = [head[':status'], head['set-cookie']?.[0]?.split(';')[0]] })
      stream.on('data', (chunk: string) => { body += chunk })
      stream.on('error', reject).on('close', () => resolve([status, body, cookie]))
    })
  const [, first, cookie = ''] = await get({ ':path': '/x' })
  t.is(first, 'home  /x /x 1')
  const second = await get({ ':path': '/broker/gold/x?y', cookie })
  t.deepEqual(second.slice(0, 2), [200, 'gold /broker/gold /x?y /broker/gold/x?y 2'])
  t.deepEqual(await get({ ':path': '/broker/' }), [404, 'Not Found\n', undefined])
  t.deepEqual(await get({ ':path': '/broker/', ':method': 'HEAD' }), [404, '', undefined])
})

type Shared = Record<'home' | 'broker', string>

const keep = (key: keyof Shared) => async (req: SessionRequest<Shared>, res: ServerResponse): Promise<void> => {
  const session = await req.session.load()
  if (req.url!.startsWith('/set/')) await session.set(key, req.url!.slice('/set/'.length)).save()
  res.end(JSON.stringify(session))
}

test('two applications under one session see each other\'s data, each under its own url', async (t) => {
  const app = withSession(urlMap({ '/': keep('home'), '/broker': keep('broker') }), { secret: SECRET, secure: false })
  t.teardown(() => app.manager.close())
  const browser = clientOf((await listen(t, app)).url)
  await browser.text('/set/sweet')
  t.is(await browser.text('/broker'), '{"home":"sweet"}')
  t.is(await browser.text('/broker/set/gold'), '{"home":"sweet","broker":"gold"}')
  t.is(await browser.text('/'), '{"home":"sweet","broker":"gold"}')
  t.is((await browser.jar.getCookies((await listen(t, app)).url)).length, 1)
})

test('an application that is wrapped by itself, with the same manager, sees the session that is there; outside of one it opens it', async (t) => {
  const manager = createManager<Shared>({ secret: SECRET, secure: false })
  t.teardown(() => manager.close())
  const sessions = new Set<unknown>()
  const noting = (key: keyof Shared) => withSession<Shared>(async (req, res) => {
    sessions.add(req.session)
    await keep(key)(req, res)
  }, manager)
  const map = urlMap({ '/': noting('home'), '/broker': noting('broker') })
  for (const app of [map, withSession<Shared>((req, res) => (sessions.add(req.session), map(req, res)), manager)]) {
    const browser = clientOf((await listen(t, app)).url)
    await browser.text('/set/sweet')
    t.is(await browser.text('/broker/set/gold'), '{"home":"sweet","broker":"gold"}')
  }
  t.is(sessions.size, 4)
})

test('an address that no application has touches no session', async (t) => {
  const store = new FaultyStore(memoryStore(Date.now))
  const { client } = await serve(t, urlMap<SessionRequest>({ '/in': async (req, res) => res.end(await req.session.set('a', 1).then(() => req.session.save())) }), { type: store.manager })
  const browser = client()
  await browser.get('/in')
  store.calls.length = 0
  const answer = await browser.get('/out')
  t.deepEqual([answer.status, await answer.text(), answer.headers.getSetCookie(), answer.headers.get('vary')], [404, 'Not Found\n', [], null])
  t.deepEqual(store.calls, [])
})

test('wrong arguments are a TypeError at start', (t) => {
  const handler = (): void => {}
  const wrong: readonly (readonly [applications: unknown, message: RegExp])[] = [
    [undefined, /takes an object/], [null, /takes an object/], ['/', /takes an object/], [handler, /takes an object/],
    [{}, /no prefix/], [[], /no prefix/], [[handler], /"0" .*begins with "\/"/],
    [{ '/': undefined }, /"\/" has no handler/], [{ '/a': {} }, /"\/a" has no handler/], [{ '/a': '/b' }, /"\/a" has no handler/],
    [{ '/a': handler, '/a/': handler }, /"\/a\/" is there twice/], [{ '/': handler, '//': handler }, /"\/\/" is there twice/],
    ...['', 'broker', '*', 'http://example.org/', 'domain example.org /', ' /a'].map((prefix) => [{ [prefix]: handler }, /begins with "\/"/] as const),
    ...['/a?b', '/a#b', '/a b', '/é', '/a\\b', '/%', '/%4', '/%GG', '/a\n'].map((prefix) => [{ [prefix]: handler }, /has no query, and what is not ASCII/] as const),
    ...['//a', '/a//b', '/.', '/..', '/a/./b', '/a/../b', '/a/..'].map((prefix) => [{ [prefix]: handler }, /a part is empty/] as const),
  ]
  for (const [applications, message] of wrong) {
    t.throws(() => urlMap(applications as Record<string, () => void>), { instanceOf: TypeError, message }, JSON.stringify(applications))
  }
  for (const prefix of ['/', '/a', '/a/b/', '/.a', '/...', '/a.b', '/~a', '/%2e', '/a:b@c', '/-_.~!$&\'()*+,;=:@']) {
    t.notThrows(() => urlMap({ [prefix]: handler }), prefix)
  }
})

/** The rule in other words: a path is a list of parts, and a prefix takes it when it is the beginning of that list. */
const model = (prefixes: readonly string[], target: string): readonly [prefix: string, url: string] | undefined => {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/.exec(target)!
  const parts = path.split('/').slice(1)
  const fitting = prefixes.filter((prefix) => prefix.split('/').slice(1).every((part, at) => parts[at] === part))
  const [longest] = fitting.sort((one, other) => other.split('/').length - one.split('/').length)
  return longest === undefined ? undefined : [longest, `/${parts.slice(longest.split('/').length - 1).join('/')}${query}`]
}

const part = fc.constantFrom('a', 'b', 'ab', 'a.b', '%61')
const prefixes = fc.uniqueArray(fc.array(part, { maxLength: 3 }).map((parts) => parts.map((one) => `/${one}`).join('')), { minLength: 1, maxLength: 6 })
const target = fc.tuple(fc.array(fc.oneof(part, fc.constantFrom('', '.', '..', 'c')), { minLength: 1, maxLength: 5 }), fc.constantFrom('', '?', '?a', '?/a/b'))
  .map(([parts, query]) => `/${parts.join('/')}${query}`)

/** Runs a map on a request that is nothing but a url. */
const seen = (prefixesThere: readonly string[], url: string): unknown => {
  let found: unknown
  const handlers = prefixesThere.map((prefix) => [`${prefix}/`, (req: { url?: string } & MappedRequest) => { found = [prefix, req.url, req.scriptName, req.originalUrl] }])
  const res = { req: { method: 'GET' }, writeHead() {}, end() {} }
  urlMap<{ url?: string }>(Object.fromEntries(handlers))({ url }, res as unknown as ServerResponse)
  return found
}

test('every request goes where the model of parts says', (t) => {
  fc.assert(fc.property(prefixes, target, (prefixesThere, url) => {
    const expected = model(prefixesThere, url)
    const outcome = expected === undefined ? undefined : [...expected, expected[0], url]
    t.deepEqual(seen(prefixesThere, url), outcome)
  }), { numRuns: fuzzCount(500) })
})

import test from 'ava'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { csrf, CsrfError } from '../../src/index.js'
import { COOKIES, MODES, record, serveIn, Visitor } from './support.js'
import type { Handler, Reply } from './support.js'

/** What a visitor does, by the path. Requests that change something come to it through the guard. */
const acts: Handler = csrf.guard(async (req, res) => {
  const session = await req.session.load()
  const { url } = req
  if (url === '/login') await session.set('user', 'ann').regenerateId({ authenticated: true })
  if (url === '/renew') await session.regenerateId()
  if (url === '/clear') await session.clear().save()
  if (url === '/invalidate') await session.invalidate()
  if (url === '/logout') await session.destroy()
  res.end(url === '/logout' ? '' : await csrf.token(req))
})

const post = (visitor: Visitor, token: string, headers: Record<string, string> = {}): Promise<Reply> =>
  visitor.ask('/', { 'X-CSRF-Token': token, ...headers }, 'POST')

const TOKEN = /^[\w-]{65}$/

for (const mode of MODES) {
  test(`S120: a token has 128 random bits and an HMAC of its session's secret, and no two have a piece in common: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, async (req, res) => {
      const tokens: string[] = []
      for (let n = 0; n < 300; n++) tokens.push(await csrf.token(req))
      res.end(JSON.stringify(tokens))
    })
    const tokens: string[] = JSON.parse(await new Visitor(port).body())
    t.is(new Set(tokens).size, 300)
    for (const token of tokens) t.regex(token, TOKEN)
    for (let at = 0; at < 65; at++) t.true(new Set(tokens.map((token) => token[at])).size >= (at === 21 ? 4 : at === 64 ? 16 : 50), `place ${at}`)
  })

  test(`S120: a token is good in its session as often as it is sent, and in no other: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const [ann, eve] = [new Visitor(port), new Visitor(port)]
    const tokens = [await ann.body(), await ann.body(), await eve.body()]
    const answers = []
    for (const token of tokens) for (const visitor of [ann, ann, eve, new Visitor(port)]) answers.push((await post(visitor, token)).status)
    t.deepEqual(answers, [200, 200, 403, 403, 200, 200, 403, 403, 403, 403, 200, 403])
  })

  test(`S120: a token that was changed anywhere is refused: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const ann = new Visitor(port)
    const token = await ann.body()
    const next = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) + (/[zZ9]/.test(letter) ? -1 : 1)).replace(/[^\w-]/, 'A')
    const changed = Array.from(token, (letter, at) => token.slice(0, at) + next(letter) + token.slice(at + 1))
    const others = ['', ' ', '.', 'null', token.slice(1), token.slice(0, -1), `${token}A`, `${token}=`, `${token}, ${token}`, token.toUpperCase(), 'A'.repeat(65), token.slice(22) + token.slice(0, 22)]
    for (const forged of [...changed, ...others]) t.is((await post(ann, forged)).status, 403, forged)
    t.is((await post(ann, token)).status, 200)
  })

  test(`S121: a token from before a log-in, a new id, a clear(), an invalidate() or a log-out is refused, and one from after it is good: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    for (const act of ['login', 'renew', 'clear', 'invalidate', 'logout']) {
      const ann = new Visitor(port)
      const before = await ann.body()
      const copy = ann.copy()
      const after = await ann.body(`/${act}`) || await ann.body()
      t.regex(after, TOKEN, act)
      t.not(after, before)
      t.is((await post(ann, before)).status, 403, act)
      t.is((await post(ann, after)).status, 200, act)
      if (mode.isStored && act !== 'clear') for (const token of [before, after]) t.is((await post(copy, token)).status, 403, act)
    }
  })

  test(`S122: a second cookie, as a sibling host may plant one, with a token that fits it, is refused: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const [ann, eve] = [new Visitor(port), new Visitor(port)]
    await ann.body()
    const token = await eve.body()
    const [mine, planted] = [await ann.cookies(), await eve.cookies()]
    for (const cookie of [`${mine}; ${planted}`, `${planted}; ${mine}`]) t.is((await post(ann, token, { cookie })).status, 403)
    t.is((await post(eve, token)).status, 200)
  })

  test.serial(`S124: a token is taken from no address, and is in no event, no error and nothing printed: ${mode.name}`, async (t) => {
    const told = record(t)
    const errors: unknown[] = []
    const { port } = await serveIn(t, mode, acts, { onError: (error) => void errors.push(error) })
    const ann = new Visitor(port)
    const token = await ann.body()
    const asked = [
      await ann.ask(`/?csrf_token=${token}`, {}, 'POST'), await ann.ask(`/?X-CSRF-Token=${token}`, {}, 'POST'), await post(new Visitor(port), token),
      await post(ann, `${token}A`), await post(ann, token, { 'Sec-Fetch-Site': 'cross-site' }), await post(ann, token.replace(/./g, 'A')),
    ]
    t.deepEqual(asked.map(({ status, body }) => [status, body]), asked.map(() => [403, 'Forbidden\n']))
    const reasons = ['no-token', 'no-token', 'no-session', 'bad-token', 'cross-site', 'bad-token']
    t.deepEqual(told.filter(({ event }) => event === 'csrf-refused').map(({ fields }) => fields), reasons.map((reason) => ({ reason })))
    t.deepEqual(errors.map((error) => error instanceof CsrfError && [error.code, error.reason]), reasons.map((reason) => ['PHIAL_CSRF', reason]))
    const said = inspect([told, errors], { depth: Infinity, showHidden: true }) + errors.map((error) => (error as Error).stack).join() + JSON.stringify([told, errors])
    for (const piece of [token, token.slice(0, 22), token.slice(22)]) t.false(said.includes(piece))
  })
}

for (const mode of COOKIES) {
  test(`S122: the secret is in a cookie that is signed: one that was changed is no session, and its token is refused: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const ann = new Visitor(port)
    const token = await ann.body()
    const cookie = await ann.cookies()
    const at = cookie.indexOf('=') + 60
    const changed = cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1)
    t.is((await post(ann, token, { cookie: changed })).status, 403)
    t.is((await post(ann, token)).status, 200)
  })
}

for (const mode of MODES.filter(({ isStored }) => isStored)) {
  test(`S121: while an old id may still read, the token from before the log-in is refused, and a page that is made of it then has one that is good after it: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts, { regenerateGrace: 60 })
    const ann = new Visitor(port)
    const before = await ann.body()
    const late = ann.copy()
    await ann.body('/login')
    t.is((await post(late, before)).status, 403)
    const made = await late.body()
    t.is((await post(ann, made)).status, 200)
  })
}

test('S120: tokens are compared in constant time', (t) => {
  const source = readFileSync(new URL('../../../src/session/csrf.ts', import.meta.url), 'utf8')
  t.regex(source, /timingSafeEqual\(Buffer\.from\(mac\), Buffer\.from\(macOf\(/)
  t.notRegex(source.replace("mac === ''", ''), /\bmac *[!=]==|[!=]== *mac(Of)?\b|\.equals\(|\.compare\(/)
})

const SITES: readonly (readonly [headers: Record<string, string>, options: Parameters<typeof csrf.guard>[1], isLetIn: boolean])[] = [
  [{}, {}, true],
  [{ 'Sec-Fetch-Site': 'same-origin' }, {}, true],
  [{ 'Sec-Fetch-Site': 'none' }, {}, true],
  [{ 'Sec-Fetch-Site': 'same-site' }, {}, false],
  [{ 'Sec-Fetch-Site': 'same-site' }, { sameSite: true }, true],
  [{ 'Sec-Fetch-Site': 'cross-site' }, { sameSite: true }, false],
  [{ 'Sec-Fetch-Site': 'Same-Origin' }, {}, false],
  [{ 'Sec-Fetch-Site': '' }, {}, false],
  [{ 'Sec-Fetch-Site': 'same-origin, cross-site' }, {}, false],
  [{ 'Sec-Fetch-Site': 'cross-site', 'Origin': 'http://shop.test' }, {}, false],
  [{ 'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://app.test' }, { origins: ['https://app.test'] }, true],
  [{ 'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://app.test.evil' }, { origins: ['https://app.test'] }, false],
  [{ 'Sec-Fetch-Site': 'cross-site', 'Referer': 'https://app.test/' }, { origins: ['https://app.test'] }, false],
  [{ 'Sec-Fetch-Site': 'same-origin', 'Origin': 'null' }, {}, true],
  [{ 'Origin': 'http://shop.test' }, {}, true],
  [{ 'Origin': 'https://shop.test' }, {}, true],
  [{ 'Origin': 'https://SHOP.test' }, {}, true],
  [{ 'Origin': 'http://shop.test:8080' }, {}, false],
  [{ 'Origin': 'http://shop.test:8080', 'Host': 'shop.test:8080' }, {}, true],
  [{ 'Origin': 'https://shop.test', 'Host': 'shop.test:443' }, {}, true],
  [{ 'Origin': 'http://shop.test', 'Host': 'shop.test:443' }, {}, false],
  [{ 'Origin': 'null' }, {}, false],
  [{ 'Origin': '' }, {}, false],
  [{ 'Origin': 'null' }, { sameSite: true }, false],
  [{ 'Origin': 'http://evil.test' }, {}, false],
  [{ 'Origin': 'http://shop.test.evil' }, {}, false],
  [{ 'Origin': 'http://shop.test@evil.test' }, {}, false],
  [{ 'Origin': 'https://app.test' }, { origins: ['https://app.test'] }, true],
  [{ 'Origin': 'http://evil.test', 'Referer': 'http://shop.test/' }, {}, false],
  [{ 'Referer': 'http://shop.test/form?a=b' }, {}, true],
  [{ 'Referer': 'http://evil.test/http://shop.test/' }, {}, false],
  [{ 'Referer': 'about:blank' }, {}, false],
]

test('S123: a request with a good token is let in by where it comes from', async (t) => {
  for (const [headers, options, isLetIn] of SITES) {
    const { port } = await serveIn(t, MODES[0]!, csrf.guard(async (req, res) => res.end(await csrf.token(req)), options))
    const ann = new Visitor(port)
    const token = await ann.body()
    t.is((await post(ann, token, { Host: 'shop.test', ...headers })).status, isLetIn ? 200 : 403, JSON.stringify([headers, options]))
  }
})

test('S123: methods that change nothing need no token, from wherever, and all others do', async (t) => {
  const { port } = await serveIn(t, MODES[0]!, csrf.guard((_req, res) => res.end()))
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
    for (const site of ['cross-site', 'same-origin']) t.is((await new Visitor(port).ask('/', { 'Sec-Fetch-Site': site }, method)).status, 200, method)
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'MKCOL', 'PURGE', 'LINK']) {
    t.is((await new Visitor(port).ask('/', {}, method)).status, 403, method)
    t.is((await new Visitor(port).ask('/', { 'X-HTTP-Method-Override': 'GET', '_method': 'GET' }, method)).status, 403, method)
  }
})

const multipart = (token: string): string => `--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n${token}\r\n--x--\r\n`

const BODIES: readonly (readonly [type: string, body: (token: string) => string, isLetIn: boolean])[] = [
  ['application/x-www-form-urlencoded', (token) => `csrf_token=${token}&a=1`, true],
  ['APPLICATION/X-WWW-FORM-URLENCODED', (token) => `csrf_token=${token}`, true],
  ['Application/X-Www-Form-Urlencoded;Charset=UTF-8', (token) => `a=1&csrf_token=${token}`, true],
  [' application/x-www-form-urlencoded ; charset="utf-8"', (token) => `csrf_token=${token}`, true],
  ['multipart/form-data; boundary=x', multipart, true],
  ['Multipart/Form-Data; Boundary=x', multipart, true],
  ['multipart/form-data; boundary=x', (token) => multipart(token).replace('"csrf_token"', 'csrf_token'), true],
  ['multipart/form-data; boundary=x', (token) => multipart(token).replace('name="csrf_token"', 'name="csrf_token"\r\nContent-Type: text/plain'), true],
  ['text/plain', (token) => `csrf_token=${token}`, false],
  ['TEXT/PLAIN', (token) => `csrf_token=${token}`, false],
  ['application/json', (token) => JSON.stringify({ csrf_token: token }), false],
  ['', (token) => `csrf_token=${token}`, false],
  ['application/x-www-form-urlencoded, text/plain', (token) => `csrf_token=${token}`, false],
  ['application/x-www-form-urlencoded', (token) => `xcsrf_token=${token}`, false],
  ['application/x-www-form-urlencoded', (token) => `CSRF_TOKEN=${token}`, false],
  ['application/x-www-form-urlencoded', (token) => `csrf_token=&x=${token}`, false],
  ['application/x-www-form-urlencoded', (token) => `csrf_token=${token.replace(/.$/, '')}`, false],
  ['multipart/form-data; boundary=x', (token) => `csrf_token=${token}`, false],
  ['multipart/form-data; boundary=x', (token) => multipart(token).replace('"csrf_token"', '"xcsrf_token"'), false],
  ['multipart/form-data; boundary=x', (token) => multipart(token).replace('"csrf_token"', '"file"; filename="csrf_token"'), false],
]

test('S123: a form\'s token is found whatever the case of its content type, and in forms alone', async (t) => {
  const { port } = await serveIn(t, MODES[0]!, acts)
  const ann = new Visitor(port)
  const token = await ann.body()
  for (const [type, body, isLetIn] of BODIES) {
    const { status } = await ann.ask('/', type === '' ? {} : { 'Content-Type': type }, 'POST', body(token))
    t.is(status, isLetIn ? 200 : 403, `${type} ${body('…')}`)
  }
})

import test from 'ava'
import type { ExecutionContext } from 'ava'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp2Server, connect } from 'node:http2'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer as bodyOf } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { csrf, CsrfError, withSession } from '../../src/index.js'
import type { SessionRequest } from '../../src/index.js'
import { StoreUnavailableError } from '../../src/errors.js'
import { serve } from '../support/app.js'
import type { Client } from '../support/app.js'
import { modes, serveMode, storedModes, testIn } from '../support/every-backend.js'
import { FaultyStore } from '../support/faulty-store.js'
import { memoryStore, SECRET } from '../support/harness.js'
import { listen } from '../support/raw-http.js'

const FORM = 'application/x-www-form-urlencoded'

/** `GET` answers a form, anything else the body that came. */
const echo = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  if (req.method === 'GET') res.end(await csrf.form(req, { action: '/send' }))
  else res.end(await bodyOf(req))
}

const tokenIn = (page: string): string => /value="([\w-]{65})"/.exec(page)![1]!

const submit = (client: Client, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
  client.get('/send', { method: 'POST', body: new URLSearchParams(fields), headers })

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: webhelpers secure_form, auth_token_hidden_field, authenticate_form: a form with its token comes through, a forged one is refused`, async (t) => {
    const { client } = await serveMode(t, mode, csrf.guard(echo))
    const browser = client()
    const page = await browser.text()
    const token = tokenIn(page)
    t.is(page, `<form action="/send" method="post"><input type="hidden" name="csrf_token" value="${token}" autocomplete="off">`)
    const answer = await submit(browser, { csrf_token: token, greeting: 'grüß & co' })
    t.deepEqual([answer.status, await answer.text()], [200, `csrf_token=${token}&greeting=gr%C3%BC%C3%9F+%26+co`])
    for (const fields of [{}, { csrf_token: '' }, { csrf_token: 'x' }, { csrf_token: tokenIn(await client().text()) }]) {
      const forged = await submit(browser, { ...fields, greeting: 'x' })
      t.deepEqual([forged.status, await forged.text(), forged.headers.get('cache-control')], [403, 'Forbidden\n', 'no-store'])
    }
    t.is((await submit(client(), { csrf_token: token })).status, 403)
  })

  testIt(`${mode.name}: tipfy's list of five tokens and "The form expired.": seven tabs have a token each, all are good, again after the back button too`, async (t) => {
    const { client } = await serveMode(t, mode, csrf.guard(echo))
    const browser = client()
    const tokens: string[] = []
    for (let tab = 0; tab < 7; tab++) tokens.push(tokenIn(await browser.text()))
    t.is(new Set(tokens).size, 7)
    for (const token of [...tokens, tokens[0]!]) t.is((await submit(browser, { csrf_token: token })).status, 200)
  })

  testIt(`${mode.name}: fetch sends the token in a header, and the guard leaves its body alone`, async (t) => {
    const { client } = await serveMode(t, mode, csrf.guard(async (req, res) => {
      if (req.method === 'GET') return void res.end(await csrf.token(req))
      t.false(req.readableDidRead)
      res.end(await bodyOf(req))
    }))
    const browser = client()
    const token = await browser.text()
    for (const [method, type] of [['POST', 'application/json'], ['PUT', FORM], ['DELETE', 'text/plain']] as const) {
      const answer = await browser.get('/', { method, body: '{"a":1}', headers: { 'Content-Type': type, 'X-CSRF-Token': token } })
      t.deepEqual([answer.status, await answer.text()], [200, '{"a":1}'])
    }
    t.is((await browser.get('/', { method: 'POST', body: `csrf_token=${token}`, headers: { 'Content-Type': FORM, 'X-CSRF-Token': 'x' } })).status, 403)
  })

  testIt(`${mode.name}: the first token writes its secret and nothing else: what is not saved stays so, and what is saved stays good`, async (t) => {
    const { client } = await serveMode(t, mode, csrf.guard(async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/change') session.set('a', 1)
      const token = await csrf.token(req)
      if (req.url === '/late') await session.set('b', 2).save()
      res.end(JSON.stringify([token, session]))
      if (session.dirty) session.revert()
    }))
    for (const path of ['/change', '/late', '/']) {
      const browser = client()
      const [token] = JSON.parse(await browser.text(path))
      t.is((await submit(browser, { csrf_token: token })).status, 200, path)
      t.deepEqual(JSON.parse(await browser.text())[1], path === '/late' ? { b: 2 } : {}, path)
    }
  })

  testIt(`${mode.name}: a clear() that is not saved goes along with the first token after it, which outlives the save()`, async (t) => {
    const { client } = await serveMode(t, mode, csrf.guard(async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/first') session.set('a', 1).owner = 'ann'
      if (req.url === '/clear') session.clear().set('b', 2)
      const token = await csrf.token(req)
      if (req.method === 'GET') await session.save()
      res.end(JSON.stringify([token, session, session.owner]))
    }))
    const browser = client()
    const [before] = JSON.parse(await browser.text('/first'))
    const [after, data, owner] = JSON.parse(await browser.text('/clear'))
    t.deepEqual([data, owner], [{ b: 2 }, null])
    t.is((await submit(browser, { csrf_token: before })).status, 403)
    t.is((await submit(browser, { csrf_token: after })).status, 200)
  })
}

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: a token that is asked for behind a new id, or another life, that is not awaited is one of that`, async (t) => {
    const { client } = await serveMode(t, mode, csrf.guard(async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/renew') void session.regenerateId({ authenticated: true })
      if (req.url === '/invalidate') void session.invalidate()
      res.end(req.method === 'GET' ? await csrf.token(req) : '')
    }))
    const browser = client()
    for (const path of ['/first', '/renew', '/invalidate', '/renew']) {
      t.is((await submit(browser, { csrf_token: await browser.text(path) })).status, 200, path)
    }
  })
}

for (const mode of storedModes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: tabs that open at once all get a token that is good, and one that writes meanwhile loses nothing`, async (t) => {
    const tabs = 20
    let loaded = 0
    const arrivals: (() => void)[] = []
    const { client } = await serveMode(t, mode, csrf.guard(async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/begin') return void session.save().then(() => res.end())
      if (req.url === '/n') return void res.end(String(session.get('n')))
      if (req.url === '/tab' || req.url === '/add') {
        if (++loaded === tabs) for (const go of arrivals) go()
        else await new Promise<void>((resolve) => arrivals.push(resolve))
      }
      if (req.url === '/add') await session.update('n', (n = 0) => n + 1)
      res.end(req.method === 'GET' ? await csrf.token(req) : '')
    }))
    const browser = client()
    await browser.get('/begin')
    const tokens = await Promise.all(Array.from({ length: tabs }, (_, tab) => browser.text(tab % 2 === 0 ? '/tab' : '/add')))
    const statuses = await Promise.all(tokens.map(async (csrf_token) => (await submit(browser, { csrf_token })).status))
    t.deepEqual([...new Set(statuses)], [200])
    t.is(await browser.text('/n'), '10')
  })
}

/** A request whose body is sent piece by piece. */
const sendSlowly = async (browser: Client, url: string, type: string, pieces: readonly (string | Buffer)[]): Promise<string> => {
  const sent = request(url, { method: 'POST', headers: { 'Content-Type': type, 'Cookie': await browser.cookies() } })
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  sent.on('error', () => {}) // the test may be over, with the answer, before all is sent
  for (const piece of pieces) {
    sent.write(piece)
    await new Promise(setImmediate)
  }
  sent.end()
  const [answer] = await answered
  return `${answer.statusCode} ${await bodyOf(answer)}`
}

test('a body that comes in pieces, with the token across them, reaches the handler whole, however that reads it', async (t) => {
  const readers: readonly ((req: IncomingMessage) => Promise<string>)[] = [
    async (req) => String(await bodyOf(req)),
    async (req) => {
      let text = ''
      req.setEncoding('utf8').on('data', (piece: string) => { text += piece })
      await once(req, 'end')
      return text
    },
    async (req) => {
      await new Promise(setImmediate)
      const pieces: Buffer[] = []
      req.on('readable', () => { for (let piece; (piece = req.read()) !== null;) pieces.push(piece) })
      await finished(req, { writable: false })
      return Buffer.concat(pieces).toString()
    },
  ]
  let reader = 0
  const { client, url } = await serve(t, csrf.guard(async (req, res) => {
    if (req.method === 'GET') res.end(await csrf.token(req))
    else res.end(await readers[reader]!(req))
  }))
  const browser = client()
  const token = await browser.text()
  for (; reader < readers.length; reader++) {
    const text = `a=gr%C3%BC%C3%9F&csrf_token=${token}&b=2`
    for (const pieces of [[text], [text.slice(0, 30), text.slice(30)], [...text], [text.slice(0, -4), text.slice(-4)], ['csrf_token=', token]]) {
      t.is(await sendSlowly(browser, url, FORM, pieces), `200 ${pieces.join('')}`)
    }
  }
  t.is(await sendSlowly(browser, url, FORM, [...`csrf_token=${token.slice(0, -1)}`]), '403 Forbidden\n')
  t.is(await sendSlowly(browser, url, FORM, []), '403 Forbidden\n')
})

for (const encoding of ['utf8', 'latin1'] as const) {
  test(`a body that an outer wrapper decodes reaches the handler as that text: ${encoding}`, async (t) => {
    const guarded = csrf.guard(async (req, res) => {
      if (req.method === 'GET') return void res.end(await csrf.token(req))
      let text = ''
      for await (const piece of req) text += piece
      res.end(text)
    })
    const { client, url } = await serve(t, (req, res) => {
      req.setEncoding(encoding)
      return guarded(req, res)
    })
    const browser = client()
    const pieces = ['a=grüß&', `csrf_token=${await browser.text()}`, '&b=ß']
    t.is(await sendSlowly(browser, url, FORM, pieces), `200 ${Buffer.from(pieces.join('')).toString(encoding)}`)
  })
}

test('a guard inside a guard, as under a URL map, finds the token too', async (t) => {
  const { client } = await serve(t, csrf.guard(csrf.guard(echo)))
  const browser = client()
  const csrf_token = tokenIn(await browser.text())
  t.is(await (await submit(browser, { csrf_token })).text(), `csrf_token=${csrf_token}`)
})

test('an upload streams through: the token stands before it, and no more than that is read', async (t) => {
  const { client, url } = await serve(t, csrf.guard(async (req, res) => {
    if (req.method === 'GET') return void res.end(await csrf.token(req))
    const hash = createHash('sha256')
    t.true(req.readableLength < 300_000)
    for await (const chunk of req) hash.update(chunk)
    res.end(hash.digest('hex'))
  }))
  const browser = client()
  const token = await browser.text()
  const body = Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n${token}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n`),
    randomBytes(8_000_000), Buffer.from('\r\n--b--\r\n'),
  ])
  t.is(await sendSlowly(browser, url, 'multipart/form-data; boundary=b', [body]), `200 ${createHash('sha256').update(body).digest('hex')}`)
})

test('what browsers make of a form with a file is understood', async (t) => {
  const { client } = await serve(t, csrf.guard(echo))
  const browser = client()
  const body = new FormData()
  body.set('csrf_token', tokenIn(await browser.text()))
  body.set('file', new Blob(['content']), 'name.txt')
  const answer = await browser.get('/send', { method: 'POST', body })
  t.is(answer.status, 200)
  t.regex(await answer.text(), /name\.txt"[^]*content/)
})

test('the token is looked for in the first 65,536 bytes, or as far as is said; the client sees the answer while it sends more', async (t) => {
  for (const limit of [65_536, 200]) {
    const { client, url } = await serve(t, csrf.guard(echo, limit === 200 ? { bodyLimit: 200 } : {}))
    const browser = client()
    const token = tokenIn(await browser.text())
    const withTokenAt = (at: number): string => `${'x'.repeat(at)}&csrf_token=${token}`
    const last = limit - withTokenAt(0).length
    const far = withTokenAt(last)
    t.is(await sendSlowly(browser, url, FORM, [far]), `200 ${far}`)
    t.is(await sendSlowly(browser, url, FORM, [far.slice(0, -1), far.slice(-1)]), `200 ${far}`)
    t.is(await sendSlowly(browser, url, FORM, [withTokenAt(last + 1)]), '403 Forbidden\n')
  }
})

test('what comes after the limit is read and dropped: the client sees the answer before it has sent all, and can send all', async (t) => {
  const { client, url } = await serve(t, csrf.guard(echo))
  const browser = client()
  await browser.get()
  const sent = request(url, { method: 'POST', headers: { 'Content-Type': FORM, 'Cookie': await browser.cookies() } })
  sent.write('x'.repeat(100_000))
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  t.is(`${answer.statusCode} ${await bodyOf(answer)}`, '403 Forbidden\n')
  await new Promise((resolve, reject) => sent.on('error', reject).end(Buffer.alloc(50_000_000), resolve as () => void))
})

test('of a request without a session, or with one that gave no token out, no body is read: the answer comes before it, and says no-session', async (t) => {
  const { client, url } = await serve(t, csrf.guard(async (req, res) => res.end(await req.session.set('a', 1).then((session) => session.save()))), {
    onError: (error, req: any, res: any) => void res.writeHead(403).end(`${(error as CsrfError).reason}, read: ${req.readableDidRead}`),
  })
  const browser = client()
  await browser.get()
  for (const Cookie of ['', await browser.cookies()]) {
    const sent = request(url, { method: 'POST', headers: { 'Content-Type': 'multipart/form-data; boundary=b', Cookie, 'Content-Length': 70_000 } })
    sent.on('error', () => {})
    sent.write('a')
    const [answer] = await once(sent, 'response') as [IncomingMessage]
    t.is(`${answer.statusCode} ${await bodyOf(answer)}`, '403 no-session, read: false')
    sent.destroy()
  }
})

test('a client that goes away while it sends leaves nothing behind, and the handler is not called', async (t) => {
  const guarded = csrf.guard(async (req, res) => res.end(await csrf.token(req)))
  let outcome: Promise<unknown> | undefined
  const { client, url } = await serve(t, async (req, res) => {
    const answered = Promise.resolve(guarded(req, res)).then(() => 'handled', (error) => error.reason)
    if (req.method !== 'GET') outcome = answered
    await answered
  })
  const browser = client()
  const token = await browser.text()
  const sent = request(url, { method: 'POST', headers: { 'Content-Type': FORM, 'Cookie': await browser.cookies(), 'Content-Length': 1000 } })
  sent.on('error', () => {})
  sent.write(`csrf_token=${token.slice(0, -1)}`)
  while (outcome === undefined) await new Promise((resolve) => setTimeout(resolve, 1))
  sent.destroy()
  t.is(await outcome, 'no-token')
})

test('over HTTP/2 a form comes through, and a forged one is refused', async (t) => {
  const app = withSession(csrf.guard(async (req: SessionRequest<any, 'session', Http2ServerRequest>, res: Http2ServerResponse) => {
    if (req.method === 'GET') res.end(await csrf.token(req))
    else res.end(await bodyOf(req))
  }), { type: 'memory', secret: SECRET, secure: false })
  t.teardown(() => app.manager.close())
  const port = await listen(t, createHttp2Server(app))
  const client = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => client.close())
  const ask = async (headers: Record<string, string>, body = ''): Promise<{ status: unknown; cookie: string; text: string }> => {
    const stream = client.request(headers, { endStream: false })
    stream.end(body)
    const [head] = await once(stream, 'response')
    return { status: head[':status'], cookie: String(head['set-cookie']?.[0]).split(';')[0]!, text: String(await bodyOf(stream)) }
  }
  const { cookie, text: token } = await ask({ ':path': '/' })
  const headers = { ':method': 'POST', ':path': '/', 'content-type': FORM, cookie }
  const body = `csrf_token=${token}&a=1`
  for (const origin of [{}, { origin: `http://127.0.0.1:${port}` }]) {
    const answer = await ask({ ...headers, ...origin }, body)
    t.deepEqual([answer.status, answer.text], [200, body])
  }
  for (const [more, text] of [[{}, 'a=1'], [{ origin: 'http://127.0.0.2' }, body]] as const) {
    const answer = await ask({ ...headers, ...more }, text)
    t.deepEqual([answer.status, answer.text], [403, 'Forbidden\n'])
  }
})

test('an application that reads the body itself checks the token', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    if (req.method === 'GET') return void res.end(await csrf.token(req))
    const { token, ...rest } = JSON.parse(String(await bodyOf(req)))
    await csrf.check(req, token)
    res.end(JSON.stringify(rest))
  })
  const browser = client()
  const token = await browser.text()
  const send = async (body: object, headers = {}): Promise<string> => (await browser.get('/', { method: 'POST', body: JSON.stringify(body), headers })).text()
  t.is(await send({ token, a: 1 }), '{"a":1}')
  for (const bad of [undefined, null, 1, {}, [token], `${token}x`]) t.is(await send({ token: bad }), 'Forbidden\n')
  t.is(await send({ token }, { 'Sec-Fetch-Site': 'cross-site' }), 'Forbidden\n')
})

test('a body that was read before the guard is refused at once, and not waited for', async (t) => {
  const guarded = csrf.guard(echo)
  const { client } = await serve(t, async (req, res) => {
    if (req.method !== 'GET') await bodyOf(req)
    await guarded(req, res)
  })
  const browser = client()
  t.is((await submit(browser, { csrf_token: tokenIn(await browser.text()) })).status, 403)
})

test('requests that change nothing cost nothing, nor do those of other sites, and what brings no form does not reach the store without a token', async (t) => {
  const store = new FaultyStore(memoryStore(Date.now))
  const { client } = await serve(t, csrf.guard(async (req, res) => {
    const tokens = { '/token': 1, '/tokens': 3 }[req.url!] ?? 0
    res.end(String(await Promise.all(Array.from({ length: tokens }, () => csrf.token(req)))))
  }), { type: store.manager })
  const browser = client()
  const token = await browser.text('/token')
  t.deepEqual(store.calls.splice(0), ['create'])
  await browser.text('/token')
  t.deepEqual(store.calls.splice(0), ['get'])
  await client().text('/tokens')
  t.deepEqual(store.calls.splice(0), ['create'])
  t.is((await browser.get('/')).headers.get('vary'), null)
  t.is((await browser.get('/', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } })).status, 403)
  t.is((await submit(client(), { csrf_token: token })).status, 403)
  t.is((await submit(browser, { csrf_token: token }, { 'Sec-Fetch-Site': 'cross-site' })).status, 403)
  t.deepEqual(store.calls, [])
  await submit(browser, { csrf_token: token })
  t.deepEqual(store.calls, ['get'])
})

test('a store that is down is a 503, and not a form that expired; so is a token that could not be written', async (t) => {
  for (const onOutage of ['fail', 'anonymous'] as const) {
    const store = new FaultyStore(memoryStore(Date.now))
    const down = new StoreUnavailableError('down', { backend: 'memory', operation: 'any' })
    const { client } = await serve(t, csrf.guard(async (req, res) => res.end(await csrf.token(req))), { type: store.manager, onOutage })
    const browser = client()
    const csrf_token = await browser.text()
    store.next('get', down)
    t.is((await submit(browser, { csrf_token })).status, 503)
    t.is((await submit(browser, { csrf_token })).status, 200)
    store.next('create', down)
    const answer = await client().get()
    t.deepEqual([answer.status, answer.headers.getSetCookie()], [503, []])
    store.next('get', down)
    t.is((await browser.get()).status, 503)
  }
})

test('a form stands in the page before its headers leave', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    res.write('<!doctype html>')
    res.end(await csrf.field(req).catch((error) => error.code))
  })
  t.is(await client().text(), '<!doctype html>PHIAL_HEADERS_SENT')
})

test('a form has the attributes that it is given, escaped', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const form = await csrf.form(req, { 'action': '/a?b=1&c="', 'enctype': 'multipart/form-data', 'data-n': 1, 'novalidate': true, 'hidden': false, 'id': undefined, 'title': '<\'>' })
    res.end(form.replace(/<input.*/, ''))
  })
  t.is(await client().text(), '<form action="/a?b=1&#38;c=&#34;" enctype="multipart/form-data" data-n="1" novalidate title="&#60;&#39;&#62;" method="post">')
})

test('S124: a form that would show its token to others is refused', async (t) => {
  const answers: unknown[] = []
  const options: any[] = [
    { method: 'get' }, { method: 'dialog' }, { method: 'GET' }, { action: 'https://evil.test/' }, { action: '//evil.test/' }, { action: ' \t//evil.test' }, { action: '/\\evil.test' },
    { action: '\\\\evil.test' }, { action: '/\t/evil.test' }, { action: 'http:evil' }, { action: 'javascript:alert(1)' }, { action: 'mailto:eve@evil.test' }, { 'x onload': 'y' }, { '"': '' },
    { Action: 'https://evil.test' }, { ACTION: '//evil.test' }, { METHOD: 'get' }, { Method: 'get', method: 'post' }, { action: '/', aCtion: '/' }, { method: 'post', METHOD: 'post' }, { id: 'a', ID: 'b' },
  ]
  const fine: any[] = [{}, { action: '' }, { action: '/' }, { action: 'send?a=b#c' }, { action: '?' }, { action: './../x' }, { method: 'POST' }, { action: '/a:b//c' }, { Action: '/', METHOD: 'post' }, { action: undefined, ACTION: '/' }]
  const { client } = await serve(t, async (req, res) => {
    for (const option of options) answers.push(await csrf.form(req, option).then(() => option, (error) => error.constructor))
    for (const option of fine) await csrf.form(req, option)
    res.end()
  })
  t.is((await client().get()).status, 200)
  t.deepEqual(answers, options.map(() => TypeError))
})

test('the application may answer what is refused', async (t) => {
  const { client } = await serve(t, csrf.guard(echo), {
    onError: (error, _req, res: any) => {
      if (error instanceof CsrfError) res.writeHead(403, { 'Content-Type': 'text/plain' }).end(error.reason)
    },
  })
  const browser = client()
  await browser.get()
  t.is(await (await submit(browser, {})).text(), 'no-token')
})

test('the session may be under another key', async (t) => {
  const { client } = await serve(t, csrf.guard(async (req, res) => res.end(await csrf.token(req))), { requestKey: 'visitor' })
  const browser = client()
  t.is((await submit(browser, { csrf_token: await browser.text() })).status, 200)
})

const bare = (t: ExecutionContext, work: () => unknown): void => void t.throws(work, { code: 'PHIAL_CONFIG', message: /withSession/ })

test('a handler that is not wrapped shows with its first request, and what is no origin when the guard is made', async (t) => {
  const guarded = csrf.guard<{ method: string }, object>(() => {})
  for (const method of ['GET', 'POST']) bare(t, () => guarded({ method }, {}))
  await t.throwsAsync(csrf.token({}), { code: 'PHIAL_CONFIG' })
  await t.throwsAsync(csrf.check({ headers: {} }, 'A'.repeat(65)), { code: 'PHIAL_CONFIG' })
  for (const origin of ['', 'app.test', 'https://app.test/', 'https://APP.test', 'null', '*', 'data:x']) {
    t.throws(() => csrf.guard(() => {}, { origins: [origin] }), { instanceOf: TypeError }, origin)
  }
})

test('a check, a field or a form that nobody awaited holds the response, and its failure is the answer', async (t) => {
  const store = new FaultyStore()
  const down = new StoreUnavailableError('down', { backend: 'own', operation: 'create' })
  const calls: Record<string, (req: SessionRequest) => Promise<unknown>> = {
    '/check': (req) => csrf.check(req, 'forged'),
    '/field': (req) => csrf.field(req),
    '/form': (req) => csrf.form(req),
    '/get': (req) => csrf.form(req, { method: 'get' as 'post' }),
  }
  const { client } = await serve(t, async (req, res) => {
    void calls[req.url!]!(req)
    res.end('done')
  }, { type: store.manager })
  const statusOf = async (path: string): Promise<number> => {
    store.next('create', down)
    return (await client().get(path, { method: 'POST' })).status
  }
  t.deepEqual([await statusOf('/check'), await statusOf('/field'), await statusOf('/form'), await statusOf('/get')], [403, 503, 503, 500])
})

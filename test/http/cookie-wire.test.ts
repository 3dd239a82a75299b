import { createServer, type RequestListener } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import test, { type ExecutionContext } from 'ava'
import type { CookieAttributes } from '../../src/carrier.js'
import { CookieCarrier } from '../../src/http/cookie-carrier.js'
import { readCookies } from '../../src/http/cookie-header.js'
import { secureRequests } from '../../src/http/secure-request.js'
import { defaults, exchange, fuzzRuns, listen, now, setCookieGrammar } from './cookie-support.js'

const name = '__Host-sid'

const serve = async (t: ExecutionContext, handler: RequestListener): Promise<number> => {
  const server = createServer(handler)
  t.teardown(() => { server.close() })
  return listen(server)
}

/** Answers with the values that the reader found. */
const tellValues: RequestListener = (request, response) => {
  response.end(JSON.stringify(readCookies(request.headers.cookie, name)))
}

const ask = async (port: number, ...headers: (string | Buffer)[]): Promise<{ status: number; body: string; head: string[] }> => {
  const lines = ['GET / HTTP/1.1', 'Host: a', 'Connection: close', ...headers, '', '']
  const octets = Buffer.concat(lines.flatMap((line, index) => [...(index === 0 ? [] : [Buffer.from('\r\n')]), Buffer.from(line)]))
  const [head = '', body = ''] = (await exchange(port, octets)).split('\r\n\r\n')
  const [status = '', ...fields] = head.split('\r\n')
  return { status: Number(status.split(' ')[1]), body, head: fields }
}

test('S080: several Cookie headers are one, in their order', async t => {
  const port = await serve(t, tellValues)
  const { body } = await ask(port, `Cookie: a=1; ${name}=x`, `cookie: ${name}=y; b=2`, 'COOKIE: c=3', `Cookie:${name}=z`)
  t.is(body, '["x","y","z"]')
})

test('S080: the several cookie fields of HTTP/2 are one, too', async t => {
  const server = createHttp2Server((request, response) => {
    response.end(JSON.stringify(readCookies(request.headers.cookie, name)))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const stream = session.request({ ':path': '/', cookie: ['a=1', `${name}=x`, `${name}=y`] })
  t.is((await stream.setEncoding('utf8').toArray()).join(''), '["x","y"]')
  session.close()
  server.close()
})

test('S082–S087: what looks like our name on the wire is not', async t => {
  const port = await serve(t, tellValues)
  const blanks = [Buffer.from('\u2000'), Buffer.from('\u00a0'), Buffer.from('\u0085'), Buffer.of(0xa0), Buffer.of(0x85)]
  const smuggled = [
    '%5F%5FHost-sid=x', '__host-sid=x', '=__Host-sid=x', '__Host.sid=x', '$Version=1, __Host-sid=x',
    ...blanks.map(blank => Buffer.concat([blank, Buffer.from('__Host-sid=x')])),
    ...blanks.map(blank => Buffer.concat([Buffer.from('__Host-sid'), blank, Buffer.from('=x')]))
  ]
  for (const cookie of smuggled) {
    const { status, body } = await ask(port, Buffer.concat([Buffer.from('Cookie: '), Buffer.from(cookie)]))
    t.deepEqual([status, body], [200, '[]'], String(cookie))
  }
  t.is((await ask(port, 'Cookie: $Version=1; a="; __Host-sid=x; b="')).body, '["x"]')
})

test('S088: no octets in a Cookie header make the server fail', async t => {
  const port = await serve(t, tellValues)
  t.is((await ask(port, `Cookie: ${'a=b; '.repeat(3000)}${name}=x`)).body, '["x"]')
  const octets = fc.uint8Array({ maxLength: 5 }).map(array => Buffer.from(array))
  const scrap = fc.oneof(fc.constantFrom(name, '=', ';', ' ', '"', '%', '\t').map(text => Buffer.from(text)), octets)
  await fc.assert(fc.asyncProperty(fc.array(scrap, { maxLength: 30 }), async scraps => {
    const line = Buffer.concat([Buffer.from('Cookie: '), ...scraps]).filter(octet => octet !== 10 && octet !== 13)
    const { status } = await ask(port, Buffer.from(line))
    // Node's parser refuses control characters before anybody reads them.
    t.true(status === 200 || status === 400, `${status}`)
  }), fuzzRuns(150))
})

test('S068, S072: whatever the program is given, the head holds our lines and no others', async t => {
  let given: { value: string; attributes: CookieAttributes }
  const isEncrypted = secureRequests([])
  const port = await serve(t, (request, response) => {
    const outlet = { hold: () => {}, get headersSent() { return response.headersSent }, finished: false, fail: () => {} }
    const carrier = new CookieCarrier(request, () => outlet, { name: 'sid', now: () => now, isEncrypted })
    try {
      carrier.write('first', { ...defaults, secure: 'auto' })
      carrier.write(given.value, given.attributes, 'seen')
      carrier.write(given.value, given.attributes)
    } catch (error) {
      response.setHeader('X-Refused', (error as Error).name)
    }
    response.setHeader('Set-Cookie', [...carrier.headerEdits().cookies.values()])
    response.end('whole')
  })
  const injected = ['a\r\nX-Injected: yes', '; Domain=evil.example']
  const odd = fc.constantFrom('/', 'a', '\r\n', '\n', '\0', ';', ',', '\t', 'é', '€', '\u0085', ...injected)
  const text = fc.array(fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 3 }).map(parts => parts.join(''))
  const attributes = fc.record({
    path: text.map(path => `/${path}`), domain: fc.oneof(text, fc.constant(undefined)), sameSite: fc.oneof(text, fc.constant('lax'))
  })
  await fc.assert(fc.asyncProperty(text, attributes, async (value, changes) => {
    given = { value, attributes: { ...defaults, ...changes } as CookieAttributes }
    const { head, body } = await ask(port)
    t.is(body, 'whole')
    const others = head.map(field => field.split(':')[0]!).filter(field => field !== 'X-Refused' && field !== 'Set-Cookie')
    t.deepEqual(others, ['Date', 'Connection', 'Content-Length'])
    const lines = head.filter(field => field.startsWith('Set-Cookie: ')).map(field => field.slice('Set-Cookie: '.length))
    const isRefused = head.some(field => field.startsWith('X-Refused'))
    t.deepEqual(lines.map(line => line.split('=')[0]), isRefused ? ['sid'] : ['sid', 'sid-seen'])
    for (const line of lines) t.regex(line, setCookieGrammar)
  }), fuzzRuns(200))
})

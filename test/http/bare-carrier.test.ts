import { createServer } from 'node:http'
import test from 'ava'
import type { Carrier } from '../../src/carrier.js'
import { HeadersSentError } from '../../src/errors.js'
import { BareCarrier } from '../../src/http/bare-carrier.js'
import { readSlot } from '../../src/http/cookie-slots.js'
import type { CookieRequest } from '../../src/http/cookie-slots.js'
import { defaults, exchange, listen } from './cookie-support.js'

const overCookies = (request: CookieRequest): Carrier =>
  new BareCarrier('__Host-phial', (slot) => readSlot(request, '__Host-phial', slot))

const bare = (cookie?: string): Carrier => overCookies({ headers: { cookie } })

test('reads the same cookies as any other request', t => {
  const carrier = bare('__Host-phial=a; __Host-phial-seen=s; __Host-phial=b')
  t.deepEqual(carrier.read(), ['a', 'b'])
  t.deepEqual(carrier.read('seen'), ['s'])
  t.deepEqual(bare().read(), [])
})

test('cannot set or expire a cookie, as if the headers had left', t => {
  t.true(bare().headersSent)
  t.throws(() => bare().write('v', defaults), { instanceOf: HeadersSentError, code: 'PHIAL_HEADERS_SENT' })
  t.throws(() => bare().expire(defaults, 'seen'), { instanceOf: HeadersSentError, code: 'PHIAL_HEADERS_SENT' })
})

test('is not over, and has nothing to hold, forget or mark', async t => {
  const carrier = bare()
  const failing = Promise.reject(new Error('store'))
  t.notThrows(() => {
    carrier.hold(failing)
    carrier.forget()
    carrier.used()
  })
  t.false(carrier.finished)
  await t.throwsAsync(failing, { message: 'store' })
})

test('a WebSocket\'s upgrade presents its cookies', async t => {
  const server = createServer()
  const upgraded = new Promise<readonly string[]>(resolve => {
    server.on('upgrade', (request, socket) => {
      socket.end()
      resolve(overCookies(request).read())
    })
  })
  const port = await listen(server)
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: a=1; __Host-phial=x\r\n\r\n'
  await exchange(port, head)
  t.deepEqual(await upgraded, ['x'])
  server.close()
})

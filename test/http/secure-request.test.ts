import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect as connectHttp2, createSecureServer, createServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import test from 'ava'
import { ConfigError } from '../../src/errors.js'
import { secureRequests, type ConnectedRequest } from '../../src/http/secure-request.js'
import { exchange, fuzzRuns, listen } from './cookie-support.js'

const from = (remoteAddress: string | undefined, proto?: string | string[]): ConnectedRequest =>
  ({ headers: proto === undefined ? {} : { 'x-forwarded-proto': proto }, socket: { remoteAddress } })

test('S073: a proxy on the list is believed, anybody else is not', t => {
  const isSecure = secureRequests(['10.1.2.3', '192.168.0.0/16', '2001:db8::/32', 'fd00::1', '::ffff:172.16.0.0/108'])
  const listed = [
    '10.1.2.3', '::ffff:10.1.2.3', '::ffff:a01:203', '192.168.0.0', '192.168.255.255', '::ffff:192.168.7.7',
    '2001:db8::', '2001:db8:1::5', 'fd00::1', 'fd00:0:0:0:0:0:0:1', '172.16.5.5', '::ffff:172.16.5.5'
  ]
  for (const address of listed) {
    t.true(isSecure(from(address, 'https')), address)
    t.false(isSecure(from(address, 'http')), address)
    t.false(isSecure(from(address)), address)
  }
  const strangers = [
    '10.1.2.4', '110.1.2.3', '::ffff:10.1.2.4', '::10.1.2.3', '192.169.0.0', '::ffff:193.168.0.1', '2001:db9::', 'fd00::2',
    '127.0.0.1', '::1', undefined, '', 'proxy'
  ]
  for (const address of strangers) t.false(isSecure(from(address, 'https')), String(address))
})

test('S073: without a list nobody is believed', t => {
  const isSecure = secureRequests([])
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.1', undefined]) t.false(isSecure(from(address, 'https')))
})

test('S073: only the last element counts, for that one the proxy wrote itself', t => {
  const isSecure = secureRequests(['10.0.0.0/8'])
  const secure = ['https', 'HTTPS', ' https ', 'http, https', 'http,https', 'x,\thttps', ['http', 'https']]
  const insecure = ['', 'http', 'https, http', 'https,', ',', 'https http', 'xhttps', 'https:', '"https"', 'on', ['https', 'http'], []]
  for (const proto of secure) t.true(isSecure(from('10.0.0.1', proto)), JSON.stringify(proto))
  for (const proto of insecure) t.false(isSecure(from('10.0.0.1', proto)), JSON.stringify(proto))
})

test('S073: Forwarded and other headers of its kind change nothing', t => {
  const isSecure = secureRequests(['10.0.0.0/8'])
  const headers = { forwarded: 'proto=https', 'x-forwarded-ssl': 'on', 'front-end-https': 'on', 'x-forwarded-scheme': 'https' }
  t.false(isSecure({ headers, socket: { remoteAddress: '10.0.0.1' } } as ConnectedRequest))
})

test('an encrypted connection is one, whatever is forwarded', t => {
  const isSecure = secureRequests(['10.0.0.1'])
  for (const proto of [undefined, 'http', 'https']) {
    t.true(isSecure({ ...from('10.0.0.1', proto), socket: { encrypted: true, remoteAddress: '10.0.0.1' } }))
  }
})

test('a setting that is no address or network is refused, and named', t => {
  const wrong = [
    '', ' ', 'true', 'loopback', 'localhost', 'example.com', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.1:80', '*', '10.*', '[::1]',
    '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/a', '10.0.0.0/8/8', '10.0.0.0/1e1', '10.0.0.0/0x8', '10.0.0.0 / 8', '/8',
    '10.0.0.0/255.0.0.0', '::/129', '::ffff:10.0.0.0/129'
  ]
  for (const entry of wrong) {
    const error = t.throws(() => secureRequests(['10.0.0.1', entry]), { instanceOf: ConfigError, code: 'PHIAL_CONFIG' }, entry)
    t.is(error.setting, 'trust_proxy')
    t.true(error.message.endsWith(`got ${JSON.stringify(entry)}`))
  }
  for (const entry of ['10.0.0.1', '10.0.0.0/8', '10.0.0.0/32', '0.0.0.0/0', '::1', '::/0', 'fd00::/8', '::1/128']) {
    t.notThrows(() => secureRequests([entry]), entry)
  }
})

test('S073: no header of a stranger makes a request secure', t => {
  const isSecure = secureRequests(['203.0.113.7', '::ffff:203.0.113.7'])
  const stranger = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant(undefined))
    .filter(address => !/203\.0\.113\.7$|cb00:7107$/i.test(address ?? ''))
  fc.assert(fc.property(stranger, fc.oneof(fc.constant('https'), fc.string()), (address, proto) => {
    t.false(isSecure(from(address, proto)))
  }), fuzzRuns(1000))
})

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

/** TLS without a certificate to keep: a key that both sides know (RFC 4279). */
const preShared = { ciphers: 'PSK', maxVersion: 'TLSv1.2', psk: Buffer.alloc(32, 7) } as const
const tlsServer = { ...preShared, pskCallback: () => preShared.psk }
const tlsClient = { ...preShared, pskCallback: () => ({ psk: preShared.psk, identity: 'test' }), checkServerIdentity: () => undefined }

test('a real plain request is believed through a listed peer only', async t => {
  for (const [list, expected] of [[['127.0.0.0/8'], 'true'], [['10.0.0.0/8'], 'false']] as const) {
    const isSecure = secureRequests(list)
    const server = createServer((request, response) => { response.end(String(isSecure(request))) })
    const port = await listen(server)
    const forwarded = 'X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n'
    const answer = await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${forwarded}\r\n`)
    t.true(answer.endsWith(`\r\n\r\n${expected}`), answer)
    server.close()
  }
})

test('a real HTTPS request is encrypted', async t => {
  const isSecure = secureRequests([])
  const server: Server = createHttpsServer(tlsServer, (request, response) => { response.end(String(isSecure(request))) })
  const port = await listen(server)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpsRequest({ port, host: '127.0.0.1', agent: false, ...tlsClient }, resolve).on('error', reject).end()
  })
  t.is((await answer.toArray()).join(''), 'true')
  server.close()
})

test('a real HTTP/2 request is encrypted when its session is, and asking after its end does no harm', async t => {
  const isSecure = secureRequests([])
  for (const [server, scheme] of [[createSecureServer(tlsServer), 'https'], [createHttp2Server(), 'http']] as const) {
    const late = new Promise<boolean>(resolve => {
      server.on('request', (request, response) => {
        response.end(String(isSecure(request)))
        request.stream.session!.once('close', () => { resolve(isSecure(request)) })
      })
    })
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    const session = connectHttp2(`${scheme}://127.0.0.1:${portOf(server)}`, tlsClient)
    const stream = session.request({ ':path': '/', ':scheme': 'https' })
    t.is((await stream.setEncoding('utf8').toArray()).join(''), String(scheme === 'https'))
    session.destroy()
    t.false(await late)
    server.close()
  }
})

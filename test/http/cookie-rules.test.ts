import fc from 'fast-check'
import test from 'ava'
import type { CookieAttributes } from '../../src/carrier.js'
import { ConfigError } from '../../src/errors.js'
import { checkCookie } from '../../src/http/cookie-rules.js'
import { defaults, fuzzRuns } from './cookie-support.js'

/** The setting that is refused, or `undefined`. */
const refused = (name: string, changes: Partial<CookieAttributes> = {}): string | undefined => {
  try {
    checkCookie(name, { ...defaults, ...changes })
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error.setting
    throw error
  }
}

test('S063: a prefix holds what it promises, whatever its case', t => {
  const changes = {
    nothing: {},
    domain: { domain: 'example.com' },
    path: { path: '/app' },
    'not secure': { secure: false },
    auto: { secure: 'auto' },
    scripts: { httpOnly: false }
  } as const
  const expected: Record<string, (string | undefined)[]> = {
    //               nothing    domain           path           not secure auto      scripts
    phial:           [undefined, undefined, undefined, undefined, undefined, undefined],
    '__Secure-x':    [undefined, undefined, undefined, 'secure', 'secure', undefined],
    '__secure-x':    [undefined, undefined, undefined, 'secure', 'secure', undefined],
    '__Host-x':      [undefined, 'cookie_domain', 'cookie_path', 'secure', 'secure', undefined],
    '__HOST-x':      [undefined, 'cookie_domain', 'cookie_path', 'secure', 'secure', undefined],
    '__hOsT-':       [undefined, 'cookie_domain', 'cookie_path', 'secure', 'secure', undefined],
    '__Http-x':      [undefined, undefined, undefined, 'secure', 'secure', 'httponly'],
    '__http-x':      [undefined, undefined, undefined, 'secure', 'secure', 'httponly'],
    '__Host-Http-x': [undefined, 'cookie_domain', 'cookie_path', 'secure', 'secure', 'httponly'],
    '__host-http-x': [undefined, 'cookie_domain', 'cookie_path', 'secure', 'secure', 'httponly'],
    '__Host_x':      [undefined, undefined, undefined, undefined, undefined, undefined],
    '_Host-x':       [undefined, undefined, undefined, undefined, undefined, undefined],
    'x__Host-x':     [undefined, undefined, undefined, undefined, undefined, undefined],
    '__Host':        [undefined, undefined, undefined, undefined, undefined, undefined]
  }
  for (const [name, row] of Object.entries(expected)) {
    t.deepEqual(Object.values(changes).map(change => refused(name, change)), row, name)
  }
})

test('S063: the refusal says what to do', t => {
  const refuse = (): void => checkCookie('__Host-phial', { ...defaults, domain: 'example.com' })
  t.throws(refuse, { instanceOf: ConfigError, code: 'PHIAL_CONFIG', message: /choose a `key` without the prefix/ })
})

test('S062: SameSite=None needs Secure, and SameSite is one of three words', t => {
  t.is(refused('phial', { sameSite: 'none' }), undefined)
  for (const secure of [false, 'auto'] as const) {
    t.is(refused('phial', { sameSite: 'none', secure }), 'samesite')
    t.is(refused('phial', { sameSite: 'lax', secure }), undefined)
    t.is(refused('phial', { sameSite: 'strict', secure }), undefined)
  }
  for (const word of [undefined, null, '', 'Lax', 'NONE', true, 'lax; Domain=evil.example']) {
    t.is(refused('phial', { sameSite: word as never }), 'samesite')
  }
})

test('S064: Partitioned needs Secure', t => {
  for (const sameSite of ['none', 'lax', 'strict'] as const) t.is(refused('phial', { partitioned: true, sameSite }), undefined)
  for (const secure of [false, 'auto'] as const) t.is(refused('phial', { partitioned: true, secure }), 'partitioned')
})

test('S065: a domain is a host name', t => {
  const right = ['example.com', 'EXAMPLE.com', 'a.b-c.example', 'localhost', '127.0.0.1', 'xn--bcher-kva.example', `${'a'.repeat(63)}.de`]
  for (const domain of right) t.is(refused('phial', { domain }), undefined, domain)
  const wrong = [
    '', '.', '.example.com', '..example.com', 'example.com.', 'a..b', '-a.com', 'a-.com', 'a b.com', ' example.com', 'example.com ',
    'example.com; Secure', 'a,b.com', 'bücher.example', 'exam\u0131ple.com', 'a_b.com', '[::1]', '::1', 'example.com:80', 'http://a.de',
    'example.com\n', 'example.com\r\nX: y', 'a\0.com', '*.example.com', `${'a'.repeat(64)}.de`, `${'a.'.repeat(127)}de`
  ]
  for (const domain of wrong) t.is(refused('phial', { domain }), 'cookie_domain', JSON.stringify(domain))
})

test('S066: an attribute is at most 1,024 octets', t => {
  t.is(refused('phial', { path: '/'.padEnd(1024, 'a') }), undefined)
  t.is(refused('phial', { path: '/'.padEnd(1025, 'a') }), 'cookie_path')
})

test('S067, S072: a path begins with "/" and holds nothing that ends an attribute', t => {
  for (const path of ['/', '/app', '/a/b/', '/a%20b', '/a=b"c\\d', "/~!'()*"]) t.is(refused('phial', { path }), undefined, path)
  const wrong = ['', 'app', ' /', '/ ', '/a b', '/a;b', '/a,b', '/é', '/\u2028', '/a\n', '/a\r\nSet-Cookie: x=y', '/\0', '/\x7f', '\t/']
  for (const path of wrong) {
    t.is(refused('phial', { path }), 'cookie_path', JSON.stringify(path))
  }
})

test('S067: a name is a token', t => {
  for (const name of ['phial', 'a', "!#$%&'*+-.^_`|~09AZaz", '__proto__']) t.is(refused(name), undefined, name)
  const wrong = ['', ' ', 'a b', 'a=b', 'a;b', 'a,b', 'a"b', 'a\\b', 'a/b', 'a@b', 'a[b]', '{', 'é', 'a\n', 'a\t', '\0', '\x7f', '\u2000']
  for (const name of wrong) t.is(refused(name), 'key', JSON.stringify(name))
})

test('S067: words that are none are refused', t => {
  for (const priority of ['High', 'urgent', '', null]) t.is(refused('phial', { priority: priority as never }), 'priority')
  for (const priority of ['low', 'medium', 'high', undefined] as const) t.is(refused('phial', { priority }), undefined)
  for (const secure of ['yes', 1, undefined, null, 'Auto']) t.is(refused('phial', { secure: secure as never }), 'secure')
})

test('a refusal names what came, on one line', t => {
  const refuse = (): void => checkCookie('phial', { ...defaults, path: '/a\r\nb\u001b[2J' })
  t.throws(refuse, { message: /^cookie_path: expected .*; got "\/a\\r\\nb\\u001b\[2J"$/ })
})

test('S065, S067: any name, domain and path is taken or refused with a ConfigError', t => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.domain(), fc.webPath())
  fc.assert(fc.property(text, text, text, (name, domain, path) => {
    const setting = refused(name, { domain, path })
    t.true([undefined, 'key', 'cookie_domain', 'cookie_path'].includes(setting))
  }), fuzzRuns(1000))
})

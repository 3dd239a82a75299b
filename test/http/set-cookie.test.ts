import fc from 'fast-check'
import test from 'ava'
import { Cookie, CookieJar, PrefixSecurityEnum } from 'tough-cookie'
import type { CookieAttributes } from '../../src/carrier.js'
import { ConfigError, TooLargeError } from '../../src/errors.js'
import { expireCookie, setCookie } from '../../src/http/set-cookie.js'
import { attributeNames, defaults, fuzzRuns, now, setCookieGrammar } from './cookie-support.js'

const plain = { encrypted: false, now }
const encrypted = { encrypted: true, now }

const line = (changes: Partial<CookieAttributes> = {}, moment = plain): string =>
  setCookie('phial', 'v', { ...defaults, ...changes }, moment)

test('S060, S061, S062, S070: by default a cookie is HttpOnly, Secure, SameSite=Lax and ends with the browser', t => {
  t.is(setCookie('__Host-phial', 'abc.d+e/f=', defaults, plain), '__Host-phial=abc.d+e/f=; Path=/; HttpOnly; Secure; SameSite=Lax')
})

test('S060: Secure is sent as set, on a plain connection too; auto follows the connection', t => {
  const secureLines = (moment: typeof plain): boolean[] =>
    ([true, 'auto', false] as const).map(secure => attributeNames(line({ secure }, moment)).includes('secure'))
  t.deepEqual(secureLines(plain), [true, false, false])
  t.deepEqual(secureLines(encrypted), [true, true, false])
})

test('S062, S064: every attribute is written as its standard spells it', t => {
  const all = { domain: 'example.com', path: '/app', sameSite: 'none', partitioned: true, expiresAt: now + 60_000 } as const
  t.is(line({ ...all, priority: 'high' }), 'phial=v; Max-Age=60; Domain=example.com; Path=/app; Expires=Fri, 20 Nov 2026 12:01:00 GMT; ' +
    'HttpOnly; Secure; Partitioned; Priority=High; SameSite=None')
  t.is(line({ httpOnly: false, secure: false, sameSite: 'strict', priority: 'low' }), 'phial=v; Path=/; Priority=Low; SameSite=Strict')
  t.is(line({ priority: 'medium' }), 'phial=v; Path=/; HttpOnly; Secure; Priority=Medium; SameSite=Lax')
})

test('S069, S070: Max-Age and Expires are at or just past the end of the session, and at most 400 days away', t => {
  const life = (expiresAt: number, at = now): string[] =>
    line({ expiresAt }, { encrypted: false, now: at }).split('; ').filter(attribute => /^(Max-Age|Expires)/.test(attribute))
  t.deepEqual(life(now + 1), ['Max-Age=1', 'Expires=Fri, 20 Nov 2026 12:00:01 GMT'])
  t.deepEqual(life(now + 1000), ['Max-Age=1', 'Expires=Fri, 20 Nov 2026 12:00:01 GMT'])
  t.deepEqual(life(now + 1001), ['Max-Age=2', 'Expires=Fri, 20 Nov 2026 12:00:02 GMT'])
  t.deepEqual(life(now + 1500, now + 500), ['Max-Age=1', 'Expires=Fri, 20 Nov 2026 12:00:02 GMT'])
  const fourHundredDays = ['Max-Age=34560000', 'Expires=Sat, 25 Dec 2027 12:00:00 GMT']
  t.deepEqual(life(now + 34_560_000_000), fourHundredDays)
  for (const far of [now + 34_560_000_001, 8.64e15, Number.MAX_VALUE, Infinity]) t.deepEqual(life(far), fourHundredDays)
  const over = ['Max-Age=0', 'Expires=Thu, 01 Jan 1970 00:00:00 GMT']
  for (const past of [now, now - 1, 0, -1, -Infinity]) t.deepEqual(life(past), over)
  t.throws(() => life(Number.NaN), { instanceOf: TypeError })
})

test('S066: name and value are at most 4,096 octets together', t => {
  const ofSize = (size: number, letter = 'v'): string => setCookie('phial', letter.repeat(size - 5), defaults, plain)
  t.regex(ofSize(4095), /^phial=v{4090};/)
  t.regex(ofSize(4096), /^phial=v{4091};/)
  const error = t.throws(() => ofSize(4097), { instanceOf: TooLargeError, code: 'PHIAL_TOO_LARGE' })
  t.like(error, { size: 4097, limit: 4096 })
  t.throws(() => ofSize(1000, '€'), { instanceOf: TypeError })
})

test('S067, S072: a value holds cookie-octets only', t => {
  for (const value of ['', 'a', `!#$%&'()*+-./:<=>?@[]^_\`{|}~`]) {
    t.true(setCookie('phial', value, defaults, plain).startsWith(`phial=${value}; `))
  }
  for (const odd of [...' ",;\\\t\r\n\0\x1b\x7f\x80\xa0é\u2028€😀', '\ud800']) {
    for (const value of [odd, `a${odd}`, `${odd}a`]) {
      t.throws(() => setCookie('phial', value, defaults, plain), { instanceOf: TypeError }, JSON.stringify(value))
    }
  }
})

test('S063, S067: what the rules refuse is not written', t => {
  const refused = (write: () => string): unknown => t.throws(write, { instanceOf: ConfigError }).setting
  t.is(refused(() => setCookie('__Host-phial', 'v', { ...defaults, path: '/app' }, encrypted)), 'cookie_path')
  t.is(refused(() => setCookie('a b', 'v', defaults, encrypted)), 'key')
  t.is(refused(() => expireCookie('__Host-phial', { ...defaults, secure: 'auto' }, encrypted)), 'secure')
})

test('S074: an expired cookie keeps all that identifies it', t => {
  const all = { domain: 'example.com', path: '/app', sameSite: 'none', partitioned: true, expiresAt: now + 60_000 } as const
  t.is(expireCookie('phial', { ...defaults, ...all }, plain), 'phial=; Max-Age=0; Domain=example.com; Path=/app; ' +
    'Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; SameSite=None')
  t.is(expireCookie('phial', { ...defaults, secure: 'auto' }, plain),
    'phial=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax')
})

const url = 'https://www.example.com/app/page'

test('S074: a cookie jar keeps what is set and forgets what is expired', async t => {
  const kinds: [name: string, changes: Partial<CookieAttributes>][] = [
    ['__Host-phial', {}],
    ['__Host-phial', { sameSite: 'none', partitioned: true }],
    ['__Secure-phial', { domain: 'example.com', path: '/app' }],
    ['phial', { domain: 'example.com' }],
    ['phial', { path: '/app' }],
    ['phial', { secure: false }],
    ['phial', { secure: 'auto' }],
    ['phial', { httpOnly: false, sameSite: 'strict' }],
    ['phial', { expiresAt: Date.now() + 60_000 }]
  ]
  const moment = { encrypted: true, now: Date.now() }
  for (const [name, changes] of kinds) {
    const jar = new CookieJar(undefined, { prefixSecurity: PrefixSecurityEnum.STRICT })
    await jar.setCookie(setCookie(name, 'value', { ...defaults, ...changes }, moment), url)
    t.is(await jar.getCookieString(url), `${name}=value`)
    await jar.setCookie(expireCookie(name, { ...defaults, ...changes }, moment), url)
    t.is(await jar.getCookieString(url), '')
  }
})

const octet = fc.integer({ min: 0x21, max: 0x7e }).map(code => String.fromCharCode(code)).filter(letter => !'",;\\'.includes(letter))
const attributes: fc.Arbitrary<CookieAttributes> = fc.record({
  domain: fc.option(fc.domain().filter(domain => domain.length <= 253), { nil: undefined }),
  path: fc.webPath().map(path => `/${path.replaceAll(/[,;]/g, '')}`),
  secure: fc.constant(true),
  httpOnly: fc.boolean(),
  sameSite: fc.constantFrom('strict', 'lax', 'none'),
  partitioned: fc.boolean(),
  priority: fc.constantFrom('low', 'medium', 'high', undefined),
  expiresAt: fc.option(fc.integer({ min: now + 1, max: now + 34_560_000_000 }), { nil: undefined })
})

test('S067, S069: another parser reads what was written, and the grammar knows every line', t => {
  fc.assert(fc.property(fc.string({ unit: octet, minLength: 1, maxLength: 200 }), attributes, (value, set) => {
    const text = setCookie('phial', value, set, plain)
    t.regex(text, setCookieGrammar)
    const names = attributeNames(text)
    t.is(new Set(names).size, names.length)
    const cookie = Cookie.parse(text)!
    const { path, httpOnly, sameSite, priority } = set
    t.like(cookie, { key: 'phial', value, path, domain: set.domain?.toLowerCase() ?? null, secure: true, httpOnly, sameSite })
    const extensions = [...(set.partitioned ? ['partitioned'] : []), ...(priority === undefined ? [] : [`priority=${priority}`])]
    t.deepEqual((cookie.extensions ?? []).map(extension => extension.toLowerCase()), extensions)
    if (set.expiresAt === undefined) t.deepEqual([cookie.maxAge, cookie.expires], [null, 'Infinity'])
    else {
      t.true(Number(cookie.maxAge) * 1000 - (set.expiresAt - now) < 1000 && Number(cookie.maxAge) * 1000 >= set.expiresAt - now)
      t.is(Number(cookie.expires), now + Number(cookie.maxAge) * 1000)
    }
  }), fuzzRuns(500))
})

test('S067, S072: whatever comes in, what goes out is one line of the grammar', t => {
  const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('/', 'a', 'a\r\nSet-Cookie: b=c', 'a; Domain=b', 'a\0'))
  const settings = ['key', 'cookie_path', 'cookie_domain', 'samesite', 'partitioned', 'secure', 'priority']
  const wild = fc.record({
    name: any, value: any,
    path: fc.oneof(any, fc.constant('/')), domain: fc.oneof(any, fc.constant(undefined)),
    sameSite: fc.oneof(any, fc.constant('lax')), priority: fc.oneof(any, fc.constant(undefined)),
    expiresAt: fc.oneof(fc.double(), fc.constant(undefined)),
    secure: fc.constantFrom(true, false, 'auto'), httpOnly: fc.boolean(), partitioned: fc.boolean()
  })
  fc.assert(fc.property(wild, ({ name, value, ...rest }) => {
    try {
      t.regex(setCookie(name, value, rest as CookieAttributes, encrypted), setCookieGrammar)
    } catch (error) {
      t.true(error instanceof TypeError || (error instanceof ConfigError && settings.includes(error.setting!)), String(error))
    }
  }), fuzzRuns(2000))
})

import test from 'ava'
import fc from 'fast-check'
import { inspect } from 'node:util'
import { faultOf, iniFile, inSection, resolveIni, resolvePlain, secret, withEnvironment } from './support.js'

const production = <R>(call: () => R): R => withEnvironment({ NODE_ENV: 'production' }, call)

test('S060: secure by default; what is not is refused in production', t => {
  t.is(resolvePlain({}).secure, true)
  t.is(resolvePlain({ secure: 'auto' }).secure, 'auto')
  t.is(resolvePlain({ secure: false }).secure, false)
  t.is(production(() => resolvePlain({})).secure, true)
  for (const secure of ['auto', false]) {
    const fault = faultOf(t, () => production(() => resolvePlain({ secure })))
    t.is(fault.message, `secure: ${secure} is for development, and NODE_ENV is production: secure must be true`)
    const path = iniFile(t, inSection(`session.secret = ${secret}`, `session.secure = ${secure}`))
    t.is(faultOf(t, () => production(() => resolveIni(path))).line, 3)
  }
})

test('the name has __Host- only where browsers take it', t => {
  const nameOf = (input: object): string => resolvePlain(input).cookieName
  t.is(nameOf({}), '__Host-phial')
  t.is(nameOf({ secure: 'auto' }), 'phial')
  t.is(nameOf({ secure: false }), 'phial')
  t.is(nameOf({ cookieDomain: 'example.com' }), 'phial')
  t.is(nameOf({ cookiePath: '/shop' }), 'phial')
  t.is(nameOf({ cookieName: 'sid' }), 'sid')
})

const sound = { secure: true, httpOnly: true }
const host = (rest: object): object => ({ ...sound, ...rest })
/** Name, attributes, and the settings that are at fault; none: it is taken. */
const prefixed: [string, object, string?][] = [
  ['__Host-sid', host({})],
  ['__Host-sid', host({ httpOnly: false })],
  ['__Host-sid', host({ secure: 'auto' }), 'secure'],
  ['__Host-sid', host({ secure: false }), 'secure'],
  ['__Host-sid', host({ cookieDomain: 'example.com' }), 'cookieDomain'],
  ['__Host-sid', host({ cookieDomain: '.example.com' }), 'cookieDomain'],
  ['__Host-sid', host({ cookiePath: '/' })],
  ['__Host-sid', host({ cookiePath: '/shop' }), 'cookiePath'],
  ['__Host-sid', host({ cookiePath: '//' }), 'cookiePath'],
  ['__host-sid', host({ secure: false }), 'secure'],
  ['__HOST-sid', host({ cookieDomain: 'example.com' }), 'cookieDomain'],
  ['__hOsT-sid', host({ cookiePath: '/a' }), 'cookiePath'],
  ['__Host-', host({ secure: false }), 'secure'],
  ['__Host-', host({})],
  ['__Host_sid', host({ secure: false, cookieDomain: 'example.com', cookiePath: '/a' })],
  ['__Hostsid', host({ secure: false })],
  ['_Host-sid', host({ secure: false })],
  ['x__Host-sid', host({ secure: false })],
  ['__Secure-sid', host({})],
  ['__Secure-sid', host({ secure: 'auto' }), 'secure'],
  ['__Secure-sid', host({ secure: false }), 'secure'],
  ['__SECURE-sid', host({ secure: false }), 'secure'],
  ['__secure-sid', host({ secure: 'auto' }), 'secure'],
  ['__Secure-sid', host({ cookieDomain: 'example.com' })],
  ['__Secure-sid', host({ cookiePath: '/a' })],
  ['__Secure-sid', host({ httpOnly: false })],
  ['__Http-sid', host({})],
  ['__Http-sid', host({ secure: false }), 'secure'],
  ['__Http-sid', host({ secure: 'auto' }), 'secure'],
  ['__Http-sid', host({ httpOnly: false }), 'httpOnly'],
  ['__http-sid', host({ httpOnly: false }), 'httpOnly'],
  ['__HTTP-sid', host({ secure: false }), 'secure'],
  ['__Http-sid', host({ cookieDomain: 'example.com', cookiePath: '/a' })],
  ['__Host-Http-sid', host({})],
  ['__Host-Http-sid', host({ httpOnly: false }), 'httpOnly'],
  ['__host-http-sid', host({ httpOnly: false }), 'httpOnly'],
  ['__Host-Http-sid', host({ secure: false }), 'secure'],
  ['__Host-Http-sid', host({ cookieDomain: 'example.com' }), 'cookieDomain'],
  ['__HOST-HTTP-sid', host({ cookiePath: '/a' }), 'cookiePath'],
  ['__Host-https-sid', host({ httpOnly: false })],
  ['sid', host({ secure: false, httpOnly: false, cookieDomain: 'example.com', cookiePath: '/a' })],
]
for (const [cookieName, attributes, culprit] of prefixed) {
  test(`S063: ${cookieName} with ${inspect(attributes)} is ${culprit === undefined ? 'taken' : `refused for ${culprit}`}`, t => {
    if (culprit === undefined) {
      t.is(resolvePlain({ cookieName, ...attributes }).cookieName, cookieName)
      return
    }
    const fault = faultOf(t, () => resolvePlain({ cookieName, ...attributes }))
    t.is(fault.setting, 'cookieName')
    t.true(fault.message.startsWith(`cookieName: browsers take ${cookieName} only with`))
    t.true(fault.message.includes(culprit))
  })
}

test('S062: SameSite is Lax by default, and None needs Secure', t => {
  t.is(resolvePlain({}).sameSite, 'lax')
  t.is(resolvePlain({ sameSite: 'none' }).sameSite, 'none')
  for (const secure of [false, 'auto']) {
    t.is(faultOf(t, () => resolvePlain({ sameSite: 'none', secure })).message,
      `sameSite: browsers take none only with secure true; it is ${secure}`)
  }
})

test('S064: Partitioned needs Secure', t => {
  t.true(resolvePlain({ partitioned: true, sameSite: 'none' }).partitioned)
  for (const secure of [false, 'auto']) t.is(faultOf(t, () => resolvePlain({ partitioned: true, secure })).setting, 'partitioned')
})

const short = (text: string): string => (text.length > 40 ? `of ${text.length} characters` : text)
const label = (length: number): string => 'a'.repeat(length)
const domains: [string, string][] = [
  ['example.com', 'example.com'],
  ['.example.com', 'example.com'],
  ['Sub.Example.COM', 'sub.example.com'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['1.example.c0m', '1.example.c0m'],
  ['a--b.co.uk', 'a--b.co.uk'],
  [`${label(63)}.com`, `${label(63)}.com`],
  [`${`${label(49)}.`.repeat(5)}com`, `${`${label(49)}.`.repeat(5)}com`],
]
for (const [written, expected] of domains) {
  test(`S065: the domain ${short(written)} is taken`, t => t.is(resolvePlain({ cookieDomain: written }).cookieDomain, expected))
}

const noDomains: unknown[] = [
  '', '.', '..', '..com', '..example.com', 'example..com', 'example.com.', '.example.com.', 'com', '.com', 'localhost',
  'example.com:80', 'http://example.com',
  'example.com/', '*.example.com', '-a.example.com', 'a-.example.com', 'a_b.example.com', 'exa mple.com', ' example.com',
  'example.com\n', 'bücher.example',
  'example.com; Path=/', 'example.com\r\nX: y', '127.0.0.1', '.127.0.0.1', '1.2.3', '1.2.3.0x7f', '0x7f.1', '[::1]', '::1',
  'a.b:c', `${label(64)}.com`,
  `${`${label(49)}.`.repeat(5)}come`, null, true, 5, ['example.com'],
]
for (const value of noDomains) {
  test(`S065: the domain ${short(inspect(value))} is refused`,
    t => t.is(faultOf(t, () => resolvePlain({ cookieDomain: value })).setting, 'cookieDomain'))
}

const times = { numRuns: Math.ceil(Number(process.env['PHIAL_FUZZ'] ?? 20_000) / 10) }
const attempt = (input: object): ReturnType<typeof resolvePlain> | undefined => {
  try {
    return resolvePlain(input)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'PHIAL_CONFIG') return undefined
    throw error
  }
}

test('S065: whatever is taken for a domain is a host name', t => {
  const text = fc.oneof(fc.domain(), fc.string({ unit: fc.constantFrom(...'aZ09.-_:;/ \n[]*ü') }), fc.string())
  fc.assert(fc.property(text, cookieDomain => {
    const domain = attempt({ cookieDomain })?.cookieDomain
    if (domain === undefined) return true
    return new URL(`http://${domain}/`).hostname === domain && /^(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z\d-]+$/.test(domain)
  }), times)
  t.is(attempt({ cookieDomain: 'shop.example.com' })?.cookieDomain, 'shop.example.com')
})

/** Written apart from the checks: RFC 9110 section 5.6.2, and RFC 6265 section 4.1.1. */
const isTokenCharacter = (char: string): boolean => char > ' ' && char < '\x7f' && !'()<>@,;:\\"/[]?={}'.includes(char)
const isPathCharacter = (char: string): boolean => char >= ' ' && char < '\x7f' && char !== ';'

test('S067: names are tokens, and paths have no control character and no semicolon', t => {
  for (let code = 0; code < 0x180; code++) {
    const char = String.fromCharCode(code)
    t.is(attempt({ cookieName: `a${char}b` }) !== undefined, isTokenCharacter(char), `name with ${inspect(char)}`)
    t.is(attempt({ cookiePath: `/a${char}b` }) !== undefined, isPathCharacter(char), `path with ${inspect(char)}`)
  }
  for (const cookieName of ['', ' a', 'a ', 'a\n', 'x'.repeat(257), null, 5, ['a']]) {
    t.is(attempt({ cookieName }), undefined, inspect(cookieName))
  }
  for (const cookiePath of ['', 'a', ' /', '/a\n', 'http://a/', `/${'x'.repeat(1024)}`, null, 5]) {
    t.is(attempt({ cookiePath }), undefined, inspect(cookiePath))
  }
  t.is(attempt({ cookieName: 'x'.repeat(256) })?.cookieName.length, 256)
  t.is(attempt({ cookiePath: `/${'x'.repeat(1023)}` })?.cookiePath.length, 1024)
})

test('S067: whatever is taken for a name or a path keeps to the grammar', t => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'aZ0!#$%&\'*+-.^_`|~=;,/ \t\r\n"\\éß') }))
  fc.assert(fc.property(text, written => {
    const name = attempt({ cookieName: written })?.cookieName
    const path = attempt({ cookiePath: `/${written}` })?.cookiePath
    return (name === undefined || [...name].every(isTokenCharacter)) && (path === undefined || [...path].every(isPathCharacter))
  }), times)
  t.is(attempt({ cookieName: 'a=b' }), undefined)
})

test('a date must be ahead, by the clock that was given', t => {
  const at = (now: number): object => ({ cookieExpires: new Date(1000), now: () => now })
  t.is(faultOf(t, () => resolvePlain(at(1000))).setting, 'cookieExpires')
  t.is(faultOf(t, () => resolvePlain({ cookieExpires: new Date() })).setting, 'cookieExpires')
  t.deepEqual(resolvePlain(at(999)).cookieExpires, new Date(1000))
})

test('id_header is no header that HTTP knows for something else', t => {
  const refused = ['Set-Cookie', 'set-cookie', 'Content-Length', 'Content-Type', 'Host', 'Cookie', 'COOKIE', 'Vary', 'Cache-Control', 'Date', 'ETag', 'Location', 'Transfer-Encoding', 'Connection', 'Upgrade',
    'Authorization', 'Accept', 'Accept-Encoding', 'Access-Control-Allow-Origin', 'If-Match', 'Origin', 'Referer', 'Sec-Fetch-Site', 'Proxy-Connection', 'X-Forwarded-For', 'X-CSRF-Token', 'Server', 'Range']
  for (const idHeader of refused) {
    const fault = faultOf(t, () => resolvePlain({ useCookies: false, idHeader }))
    t.is(fault.message, `idHeader: expected the name of a header that HTTP knows for nothing else, such as X-Session-Id; got "${idHeader}"`)
  }
  for (const idHeader of ['X-Session-Id', 'X-Session', 'Session', 'Session-Id', 'Contents', 'X-Auth-Token', 'Iffy', 'Hosts']) t.is(resolvePlain({ useCookies: false, idHeader }).idHeader, idHeader)
  const path = iniFile(t, inSection(`session.secret = ${secret}`, 'session.use_cookies = false', 'session.id_header = Set-Cookie'))
  const { setting, file, line } = faultOf(t, () => resolveIni(path))
  t.deepEqual([setting, file, line], ['session.id_header', path, 4])
})

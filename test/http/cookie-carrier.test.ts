import test from 'ava'
import { ConfigError, HeadersSentError, TooLargeError } from '../../src/errors.js'
import { CookieCarrier } from '../../src/http/cookie-carrier.js'
import type { Outlet } from '../../src/http/outlet-carrier.js'
import { defaults, now } from './cookie-support.js'

interface Setup { cookie?: string; name?: string; isEncrypted?: boolean }

/** A carrier, and an outlet that tells what was asked of it. */
const carry = ({ cookie, name = '__Host-phial', isEncrypted = false }: Setup = {}) => {
  const held: Promise<unknown>[] = []
  const outlet = { opened: 0, headersSent: false, finished: false, fail: () => {}, hold: (promise: Promise<unknown>) => { held.push(promise) } }
  const open = (): Outlet => {
    outlet.opened++
    return outlet
  }
  const request = { headers: cookie === undefined ? {} : { cookie }, socket: {} }
  const asked: unknown[] = []
  const ask = (from: unknown): boolean => asked.push(from) > 0 && isEncrypted
  const carrier = new CookieCarrier(request, open, { name, now: () => now, isEncrypted: ask })
  const sent = (): string[] => [...carrier.headerEdits().cookies.values()]
  return { carrier, outlet, held, sent, request, asked }
}

const setLine = (name: string, value: string): string => `${name}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`
const expireLine = (name: string): string =>
  `${name}=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`

test('S081: reads all values of its name, and of a slot, and opens no outlet for it', t => {
  const { carrier, outlet } = carry({ cookie: '__Host-phial=a; __Host-phial-seen=s; phial=x; __Host-phial=b; __host-phial-seen=y' })
  t.deepEqual(carrier.read(), ['a', 'b'])
  t.deepEqual(carrier.read('seen'), ['s'])
  t.deepEqual(carrier.read('1'), [])
  t.is(outlet.opened, 0)
})

test('S091: no cookie is no value', t => {
  t.deepEqual(carry().carrier.read(), [])
})

test('a session that was not looked at edits nothing', t => {
  const { carrier, outlet } = carry()
  t.deepEqual(carrier.headerEdits(), { cookies: new Map(), vary: undefined, noStore: false })
  t.is(outlet.opened, 0)
})

test('S075: looking at the session makes the response vary by cookie, with or without one', t => {
  const { carrier, outlet } = carry()
  carrier.used()
  carrier.used()
  t.deepEqual(carrier.headerEdits(), { cookies: new Map(), vary: 'Cookie', noStore: false })
  t.is(outlet.opened, 1)
})

test('S075: setting or expiring a cookie forbids keeping the response', t => {
  for (const change of ['write', 'expire']) {
    const { carrier, outlet } = carry()
    if (change === 'write') carrier.write('v', defaults)
    else carrier.expire(defaults)
    t.like(carrier.headerEdits(), { vary: 'Cookie', noStore: true })
    t.is(outlet.opened, 1)
  }
})

test('S068: of many writes to one name the last one is sent, alone', t => {
  const { carrier, sent } = carry()
  for (const value of ['1', '2', '3', '4', '5']) carrier.write(value, defaults)
  t.deepEqual(sent(), [setLine('__Host-phial', '5')])
  carrier.expire(defaults)
  t.deepEqual(sent(), [expireLine('__Host-phial')])
  carrier.write('new', { ...defaults, sameSite: 'strict' })
  t.deepEqual(sent(), ['__Host-phial=new; Path=/; HttpOnly; Secure; SameSite=Strict'])
})

test('S068: each slot is a cookie of its own', t => {
  const { carrier } = carry()
  carrier.write('a', defaults)
  carrier.write('b', defaults, 'seen')
  carrier.write('c', defaults, 'seen')
  carrier.expire(defaults, '1')
  t.deepEqual([...carrier.headerEdits().cookies], [
    ['__Host-phial', setLine('__Host-phial', 'a')],
    ['__Host-phial-seen', setLine('__Host-phial-seen', 'c')],
    ['__Host-phial-1', expireLine('__Host-phial-1')]
  ])
})

test('S066, S067: what is sealed is no longer than another value, and what is not is looked through', t => {
  const { carrier, sent } = carry()
  carrier.write('3~AQ-_.+/', defaults, undefined, true)
  t.deepEqual(sent(), [setLine('__Host-phial', '3~AQ-_.+/')])
  const rest = 4096 - '__Host-phial'.length
  carrier.write('A'.repeat(rest), defaults, undefined, true)
  t.throws(() => carrier.write('A'.repeat(rest + 1), defaults, undefined, true), { instanceOf: TooLargeError })
  for (const isSealed of [false, undefined]) t.throws(() => carrier.write('a;b', defaults, undefined, isSealed), { instanceOf: TypeError })
  t.deepEqual(sent(), [setLine('__Host-phial', 'A'.repeat(rest))])
})

test('forget drops what was not sent, and not that the session was looked at', t => {
  const { carrier } = carry()
  carrier.used()
  carrier.write('a', defaults)
  carrier.expire(defaults, 'seen')
  carrier.forget()
  t.deepEqual(carrier.headerEdits(), { cookies: new Map(), vary: 'Cookie', noStore: false })
})

test('edits that were taken do not change afterwards', t => {
  const { carrier } = carry()
  carrier.write('a', defaults)
  const { cookies } = carrier.headerEdits()
  carrier.forget()
  t.is(cookies.size, 1)
})

test('after the headers have left, write and expire throw, and reading goes on', t => {
  const { carrier, outlet, sent } = carry({ cookie: '__Host-phial=a' })
  carrier.write('early', defaults)
  outlet.headersSent = true
  t.true(carrier.headersSent)
  t.throws(() => carrier.write('late', defaults), { instanceOf: HeadersSentError, code: 'PHIAL_HEADERS_SENT' })
  t.throws(() => carrier.expire(defaults, 'seen'), { instanceOf: HeadersSentError, code: 'PHIAL_HEADERS_SENT' })
  t.deepEqual(sent(), [setLine('__Host-phial', 'early')])
  t.deepEqual(carrier.read(), ['a'])
})

test('hold and the state of the exchange are the outlet\'s', t => {
  const { carrier, outlet, held } = carry()
  const promise = Promise.resolve()
  carrier.hold(promise)
  t.deepEqual(held, [promise])
  t.deepEqual([carrier.headersSent, carrier.finished], [false, false])
  outlet.finished = true
  t.deepEqual([carrier.headersSent, carrier.finished], [false, true])
  t.is(outlet.opened, 1)
})

test('S073: secure = auto asks whether the request is encrypted; true and false do not', t => {
  for (const [secure, isEncrypted, expected] of [
    ['auto', true, true], ['auto', false, false], [true, true, true], [true, false, true], [false, true, false], [false, false, false]
  ] as const) {
    const { carrier, sent, request, asked } = carry({ name: 'phial', isEncrypted })
    carrier.write('v', { ...defaults, secure })
    t.is(sent()[0]!.includes('; Secure'), expected)
    t.deepEqual(asked, secure === 'auto' ? [request] : [])
  }
})

test('S063, S066, S067: what cannot be sent throws when it is written, and leaves what was to be sent', t => {
  const { carrier, sent } = carry()
  carrier.write('good', defaults)
  const prefixed = { instanceOf: ConfigError, message: /choose a `key` without the prefix/ }
  t.throws(() => carrier.write('v', { ...defaults, path: '/app' }), prefixed)
  t.throws(() => carrier.write('v', { ...defaults, domain: 'example.com' }, 'seen'), prefixed)
  t.throws(() => carrier.expire({ ...defaults, secure: false }), prefixed)
  t.throws(() => carrier.write('a;b', defaults), { instanceOf: TypeError })
  t.throws(() => carrier.write('v'.repeat(4085), defaults), { instanceOf: TooLargeError, code: 'PHIAL_TOO_LARGE' })
  t.deepEqual(sent(), [setLine('__Host-phial', 'good')])
})

test('S070: a cookie with an end gets it by the carrier\'s clock', t => {
  const { carrier, sent } = carry()
  carrier.write('v', { ...defaults, expiresAt: now + 3_600_000 })
  t.true(sent()[0]!.startsWith('__Host-phial=v; Max-Age=3600; Path=/; Expires=Fri, 20 Nov 2026 13:00:00 GMT; '))
})

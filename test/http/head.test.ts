import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, type ServerResponse } from 'node:http'
import test from 'ava'
import type { HeaderEdits } from '../../src/http/header-edits.js'
import { gateOn, sessionCookie } from '../support/gated-server.js'
import { ask, listen, parseHead, valuesOf, type ParsedHead } from '../support/raw-http.js'

const nothing: HeaderEdits = { cookies: new Map(), vary: undefined, noStore: false }
const cookies = (...lines: string[]): HeaderEdits => ({ ...nothing, cookies: new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line])) })
const vary: HeaderEdits = { ...nothing, vary: 'Cookie' }
const noStore: HeaderEdits = { ...nothing, noStore: true }

/** The head of a response that the handler prepared so, and to which the sessions add this. */
const headOf = async (
  t: Parameters<typeof listen>[0],
  prepare: (res: ServerResponse) => unknown,
  ...edits: HeaderEdits[]
): Promise<ParsedHead> => {
  const port = await listen(t, createServer((_req, res) => {
    gateOn(res, { headers: () => edits }, [])
    prepare(res)
    if (!res.writableEnded) res.end()
  }))
  return parseHead((await ask(port)).text)
}

/** Every form in which an application may set cookies of its own, with those that a bare server of any release sends for it. */
const forms: [name: string, set: (res: ServerResponse) => unknown, expected: string[]][] = [
  ['setHeader with a string', (res) => res.setHeader('Set-Cookie', 'a=1'), ['a=1']],
  ['setHeader with an array', (res) => res.setHeader('set-cookie', ['a=1', 'b=2']), ['a=1', 'b=2']],
  ['appendHeader', (res) => res.appendHeader('Set-Cookie', 'a=1').appendHeader('Set-Cookie', ['b=2']), ['a=1', 'b=2']],
  ['setHeaders with a map', (res) => res.setHeaders(new Map([['set-cookie', ['a=1', 'b=2']]])), ['a=1', 'b=2']],
  ['setHeaders with Headers', (res) => res.setHeaders(new Headers([['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']])), ['a=1', 'b=2']],
  ['writeHead with an object', (res) => res.writeHead(200, { 'Set-Cookie': 'a=1' }), ['a=1']],
  ['writeHead with an object of arrays', (res) => res.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }), ['a=1', 'b=2']],
  ['writeHead with two spellings', (res) => res.writeHead(200, { 'set-cookie': 'a=1', 'Set-Cookie': 'b=2' }), ['a=1', 'b=2']],
  ['writeHead with a reason', (res) => res.writeHead(200, 'Fine', { 'Set-Cookie': 'a=1' }), ['a=1']],
  ['writeHead with an undefined reason', (res) => res.writeHead(200, undefined, { 'Set-Cookie': 'a=1' }), ['a=1']],
  ['writeHead with a raw array', (res) => res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']), ['a=1', 'b=2']],
  ['writeHead with pairs', (res) => res.writeHead(200, [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']] as never), ['a=1', 'b=2']],
  ['writeHead with a raw array after setHeader',
    (res) => res.setHeader('Set-Cookie', 'z=0').writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']), ['a=1', 'b=2']],
  ['writeHead with a raw array after another header',
    (res) => res.setHeader('X-A', '1').writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']), ['a=1', 'b=2']],
  ['writeHead over setHeader', (res) => res.setHeader('Set-Cookie', 'z=0').writeHead(200, { 'Set-Cookie': 'a=1' }), ['a=1']],
  ['none', () => {}, []]
]

for (const [name, set, expected] of forms) {
  test(`S071: the application's own cookies survive: ${name}`, async (t) => {
    t.deepEqual(valuesOf(await headOf(t, set, cookies('id=1; HttpOnly')), 'Set-Cookie'), [...expected, 'id=1; HttpOnly'])
  })
}

test('S068: there is one cookie of a name: ours replaces what the application set under it', async (t) => {
  const head = await headOf(t, (res) => res.setHeader('Set-Cookie', ['id=app', 'a=1', 'id = app', 'id', 'id2=2']), cookies('id=ours', 'flash=1'))
  t.deepEqual(valuesOf(head, 'Set-Cookie'), ['a=1', 'id2=2', 'id=ours', 'flash=1'])
})

test('S068: several sessions set their cookies in one response', async (t) => {
  const head = await headOf(t, () => {}, cookies('id=1'), cookies('cart=2'), cookies('id=3'))
  t.deepEqual(valuesOf(head, 'Set-Cookie'), ['cart=2', 'id=3'])
})

test("the application's arrays are left as they are", async (t) => {
  const theirs = ['a=1']
  await headOf(t, (res) => res.writeHead(200, ['Set-Cookie', theirs, 'Set-Cookie', 'b=2'] as never), cookies('id=1'))
  t.deepEqual(theirs, ['a=1'])
})

test('status, reason and other headers stay', async (t) => {
  const head = await headOf(t, (res) => res.writeHead(201, 'Made', { 'X-A': '1', 'X-B': ['2', '3'] }), sessionCookie)
  t.is(head.statusLine, 'HTTP/1.1 201 Made')
  t.deepEqual(valuesOf(head, 'X-A'), ['1'])
  t.deepEqual(valuesOf(head, 'X-B'), ['2', '3'])
})

test('with nothing to add, the head is left alone', async (t) => {
  const head = await headOf(t, (res) => res.writeHead(200, ['X-A', '1', 'X-B', '2', 'X-A', '3']), nothing)
  t.deepEqual(head.headers.slice(0, 3), ['X-A: 1', 'X-B: 2', 'X-A: 3'])
  t.deepEqual(valuesOf(head, 'Vary'), [])
})

test('what writeHead refuses, it refuses with something to add, and the headers are added to the next one', async (t) => {
  const head = await headOf(t, (res) => {
    for (const status of [99, 1000, 'teapot', undefined]) {
      t.throws(() => res.writeHead(status as number), { code: 'ERR_HTTP_INVALID_STATUS_CODE' })
    }
    t.deepEqual(res.getHeaderNames(), [])
    t.throws(() => res.writeHead(200, ['X-A']), { code: 'ERR_INVALID_ARG_VALUE' })
    t.throws(() => res.writeHead(200, { 'X-A': undefined }), { code: 'ERR_HTTP_INVALID_HEADER_VALUE' })
    res.setHeader('Set-Cookie', 'a=1')
    res.writeHead(200).end()
    t.throws(() => res.writeHead(200), { code: 'ERR_HTTP_HEADERS_SENT' })
  }, sessionCookie)
  t.deepEqual(valuesOf(head, 'Set-Cookie'), ['a=1', 'id=1; HttpOnly'])
})

const varies: [theirs: string | string[] | undefined, expected: string][] = [
  [undefined, 'Cookie'],
  ['Accept', 'Accept, Cookie'],
  ['Accept, Origin', 'Accept, Origin, Cookie'],
  [['Accept', 'Origin'], 'Accept, Origin, Cookie'],
  ['cookie', 'cookie'],
  ['Accept,COOKIE', 'Accept,COOKIE'],
  ['*', '*'],
  ['X-Cookie', 'X-Cookie, Cookie'],
  ['', 'Cookie']
]

for (const [theirs, expected] of varies) {
  test(`S075: Vary names the cookie, once: ${JSON.stringify(theirs)}`, async (t) => {
    const head = await headOf(t, (res) => theirs === undefined || res.setHeader('Vary', theirs), vary, vary)
    t.deepEqual(valuesOf(head, 'Vary'), [expected])
  })
}

const caching: [theirs: string | string[] | undefined, expected: string, event?: string][] = [
  [undefined, 'no-store'],
  ['private', 'private'],
  ['Private, max-age=60', 'Private, max-age=60'],
  ['no-store', 'no-store'],
  ['no-cache, no-store', 'no-cache, no-store'],
  ['max-age=60', 'no-store'],
  ['no-cache', 'no-store'],
  ['private="x-a"', 'no-store'],
  ['public', 'no-store', 'public'],
  ['Public, max-age=60', 'no-store', 'public, max-age=60'],
  [['max-age=60', 's-maxage=600'], 'no-store', 'max-age=60, s-maxage=600'],
  ['private, public', 'no-store', 'private, public'],
  ['private, s-maxage=1', 'no-store', 'private, s-maxage=1']
]

for (const [theirs, expected, event] of caching) {
  test.serial(`S075, S076: no cache keeps a response that sets the cookie: ${JSON.stringify(theirs)}`, async (t) => {
    const events: unknown[] = []
    const note = (fields: unknown): void => { events.push(fields) }
    subscribe('phial:cache-overridden', note)
    const head = await headOf(t, (res) => theirs === undefined || res.setHeader('Cache-Control', theirs), noStore, noStore)
    unsubscribe('phial:cache-overridden', note)
    t.deepEqual(valuesOf(head, 'Cache-Control'), [expected])
    t.deepEqual(events, event === undefined ? [] : [{ value: event }])
  })
}

test('S076: what writeHead says of caches is overridden too', async (t) => {
  const head = await headOf(t, (res) => res.writeHead(200, { 'cache-control': 'public' }), sessionCookie)
  t.deepEqual(valuesOf(head, 'Cache-Control'), ['no-store'])
})

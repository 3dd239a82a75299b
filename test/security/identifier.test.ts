import test from 'ava'
import crypto from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { connect } from 'node:net'
import { join } from 'node:path'
import { keyOf, newId, nonce } from '../../src/record/id.js'
import { serve } from '../support/app.js'
import { FaultyStore } from '../support/faulty-store.js'
import {
  acts, ask, cookieFor, countOf, directory, keysOf, MODES, openStore, record, serveIn, STORED, Visitor, withMethods,
} from './support.js'
import type { Mode } from './support.js'

const COUNT = countOf('PHIAL_REQUESTS', 200)

const { randomBytes } = crypto

const setSource = (source: (size: number) => Buffer): void => {
  crypto.randomBytes = source as typeof randomBytes
  syncBuiltinESMExports()
}

/** Uses up what the library has taken in advance, so that its next taking asks the source. */
const drain = (): void => {
  let asked = 0
  setSource((size) => { asked++; return randomBytes(size) })
  while (asked === 0) newId()
  for (let taken = 1; taken < 127; taken++) newId()
  nonce()
  nonce()
  setSource(randomBytes)
}

const SOURCES = {
  throws: () => { throw new Error('no entropy') },
  'gives too few bytes': (size: number) => randomBytes(size - 1),
}

for (const [how, source] of Object.entries(SOURCES)) {
  for (const mode of MODES) {
    test.serial(`S003: a random source that ${how} gives a 503, no cookie and no record: ${mode.name}`, async (t) => {
      const store = mode.isStored ? openStore(t, mode) : undefined
      const { port } = await serveIn(t, mode, async (req, res) => {
        const session = await req.session.load()
        const saving = session.set('user', 'ann').save()
        if (req.url === '/awaited') await saving
        res.end('welcome')
      }, store && { type: store })
      t.teardown(() => setSource(randomBytes))
      for (const path of ['/awaited', '/left-alone']) {
        drain()
        setSource(source)
        const { status, setCookies, body } = await ask(port, path)
        setSource(randomBytes)
        t.deepEqual([status, setCookies, body], [503, [], 'Service Unavailable\n'], path)
        t.deepEqual(store && await keysOf(store), store && [])
        t.is((await ask(port, path)).status, 200)
        for (const key of store ? await keysOf(store) : []) await store!.delete(key)
      }
    })
  }
}

test('S005, S009: whatever a cookie holds, an id that does not verify reaches no store', async (t) => {
  const store = new FaultyStore(openStore(t, STORED[0]!))
  const { port } = await serve(t, acts, { type: store.manager })
  const signed = cookieFor(newId()).slice('phial='.length)
  const lengths = [0, 1, 7, 42, 43, 44, 86, 87, 88, 250, 251, 4096, 15_000]
  const values = lengths.flatMap((length) => ['A', '-', '%', '.'].map((letter) => letter.repeat(length)))
  const letters = '\t !#$%&\'()*+-./0123456789:<=>?@ABCXYZ[]^_`abcxyz{|}~"\\,'
  for (let n = 0; n < COUNT; n++) {
    const any = (): string => letters[Math.floor(Math.random() * letters.length)]!
    values.push(Array.from({ length: Math.floor(Math.random() * 120) }, any).join(''))
    const at = Math.floor(Math.random() * signed.length)
    values.push(`${signed.slice(0, at)}${signed[at] === 'A' ? 'B' : 'A'}${signed.slice(at + 1)}`, signed.slice(0, at))
  }
  for (const value of values) t.is((await ask(port, '/', { cookie: `phial=${value}` })).status, 200, value)
  t.deepEqual(store.calls, [])
  t.is((await ask(port, '/', { cookie: `phial=${signed}` })).status, 200)
  t.deepEqual(store.calls, ['get'])
})

for (const mode of MODES) {
  test(`S006: an id that there is no session of is never adopted: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const ended = new Visitor(port)
    await ended.ask('/set?user=ann')
    const dead = await ended.cookies()
    await ended.ask('/logout')
    for (const planted of mode.isStored ? [cookieFor(newId()), dead] : [cookieFor(newId()), 'phial=planted']) {
      const { setCookies } = await ask(port, '/set?user=eve', { cookie: planted })
      t.is(setCookies.length, 1)
      t.not(setCookies[0]!.slice(0, planted.length), planted)
      t.is((await ask(port, '/', { cookie: planted })).body, '{}')
      t.is((await ask(port, '/', { cookie: setCookies[0]!.split(';')[0]! })).body, '{"user":"eve"}')
    }
  })
}

for (const mode of STORED) {
  for (const act of ['/set?user=ann', '/renew'] as const) {
    test(`S007, S008: an id that is taken is not used, and its record stays as it was, at ${act}: ${mode.name}`, async (t) => {
      const store = openStore(t, mode)
      let planted: string | undefined
      const takes = withMethods(store, {
        create: async (key, value, expiresAt) => {
          if (planted === undefined) await store.create(planted = key, 'another user\'s', expiresAt)
          return store.create(key, value, expiresAt)
        },
      })
      const { port } = await serve(t, acts, { type: takes })
      const visitor = new Visitor(port)
      if (act === '/renew') {
        planted = ''
        await visitor.ask('/set?user=ann')
        planted = undefined
      }
      t.is((await visitor.ask(act)).status, 200)
      t.not(keyOf(await visitor.id()), planted)
      t.is((await store.get(planted!))?.value, 'another user\'s')
      t.is(await visitor.body(), '{"user":"ann"}')
    })
  }

  test(`S009: loading unknown ids creates no record: ${mode.name}`, async (t) => {
    const store = openStore(t, mode)
    const { port } = await serve(t, acts, { type: store })
    await new Visitor(port).ask('/set?a=1')
    const before = await keysOf(store)
    for (let n = 0; n < COUNT; n++) t.is((await ask(port, '/', { cookie: cookieFor(newId()) })).body, '{}')
    t.deepEqual(await keysOf(store), before)
  })
}

for (const mode of MODES) {
  test(`S010: ending a session that is not there creates no record and sets no cookie: ${mode.name}`, async (t) => {
    const store = mode.isStored ? openStore(t, mode) : undefined
    const { port } = await serveIn(t, mode, acts, store && { type: store })
    const cookies: Record<string, string>[] = [{}, { cookie: 'phial=nonsense' }, { cookie: cookieFor(newId()) }]
    for (let n = 0; n < COUNT; n++) {
      for (const act of ['/logout', '/invalidate']) {
        const { status, setCookies } = await ask(port, act, cookies[n % 3])
        t.deepEqual([status, setCookies], [200, []])
      }
    }
    if (store) t.deepEqual(await keysOf(store), [])
  })
}

for (const mode of STORED) {
  test(`S011: what is stored holds no id in any spelling, and opens no session: ${mode.name}`, async (t) => {
    const dataDir = directory(t)
    const store = openStore(t, mode, undefined, dataDir)
    const stored: string[] = []
    const { port } = await serve(t, acts, {
      type: withMethods(store, {
        create: (key, value, at) => (stored.push(key, value), store.create(key, value, at)),
        replace: (key, value, version, at) => (stored.push(key, value), store.replace(key, value, version, at)),
        addOwned: (owner, key, at) => (stored.push(owner, key), store.addOwned(owner, key, at)),
      }),
    })
    const visitor = new Visitor(port)
    const ids = []
    for (const act of ['/set?a=1', '/login?user=ann', '/set?b=2', '/renew']) {
      await visitor.ask(act)
      ids.push(await visitor.id())
    }
    for (const name of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
      stored.push(name.name)
      if (name.isFile()) stored.push(readFileSync(join(name.parentPath, name.name), 'latin1'))
    }
    const leaked = stored.join('\n')
    t.true(leaked.includes(keyOf(ids[3]!)))
    for (const id of ids) {
      const bytes = Buffer.from(id, 'base64url')
      const spellings = [id, id.slice(0, 12), bytes.toString('hex'), bytes.toString('base64').slice(0, 42), bytes.toString('latin1')]
      for (const spelling of spellings) t.false(leaked.includes(spelling))
    }
    for (const key of await keysOf(store)) {
      const asId = Buffer.from(key, 'hex').toString('base64url')
      for (const cookie of [`phial=${key}`, `phial=${asId}`, cookieFor(key), cookieFor(asId)]) {
        t.is((await ask(port, '/', { cookie })).body, '{}')
      }
    }
    t.is(await visitor.body(), '{"a":"1","user":"ann","b":"2"}')
  })
}

for (const mode of MODES) {
  test(`S013: the id is taken from the cookie and from nowhere else: ${mode.name}`, async (t) => {
    const store = mode.isStored ? new FaultyStore(openStore(t, mode)) : undefined
    const { port } = await serveIn(t, mode, acts, store && { type: store.manager })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const pair = await visitor.cookies()
    const value = pair.slice('phial='.length)
    const name = 'phial'
    store?.calls.splice(0)
    const paths = [`/?${pair}`, `/?session=${value}`, `/${value}`, `/;${pair}`, `/;jsessionid=${value}`, `/?sid=${value}`]
    const headers: Record<string, string>[] = [
      { authorization: `Bearer ${value}` }, { authorization: value }, { 'x-session': value }, { 'x-session-id': value },
      { cookie2: pair }, { 'set-cookie': pair },
      { [name]: value }, { 'x-cookie': pair }, { referer: `http://x/?${pair}` }, { cookie: `other=${value}` },
      { cookie: `sid=${value}; session=${value}` },
    ]
    for (const path of paths) t.is((await ask(port, path)).body, '{}', path)
    for (const header of headers) t.is((await ask(port, '/', header)).body, '{}', JSON.stringify(Object.keys(header)))
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    t.is((await ask(port, '/', form, 'POST', pair)).body, '{}')
    t.is((await ask(port, '/', { 'content-type': 'application/json' }, 'POST', JSON.stringify({ phial: value }))).body, '{}')
    if (store) t.deepEqual(store.calls, [])
    t.is(await visitor.body(), '{"user":"ann"}')
  })
}

/** Sends the bytes as they are and waits for the server to close the connection. */
const send = (port: number, bytes: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('latin1').on('data', (chunk) => { text += chunk }).on('error', reject).on('close', () => resolve(text))
  })

test.serial('S015: no event and no warning carries a control character that a client sent', async (t) => {
  const told = record(t)
  const warnings: string[] = []
  const listener = (warning: Error): void => { warnings.push(warning.message) }
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  const modes: Mode[] = [STORED[0]!, ...MODES.slice(2)]
  for (const mode of modes) {
    const { port } = await serveIn(t, mode, acts)
    for (const control of ['\x1b[31m', '\t', '\x7f', '\x80', '\x9b', '\xe2\x80\xae', '\x01', '\b']) {
      for (const value of [control, `${newId()}${control}`, `${cookieFor(newId()).slice(6)}${control}`, `"${control}"`]) {
        const head = `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: phial=${value}\r\n\r\n`
        t.regex(await send(port, Buffer.from(head, 'latin1')), /^HTTP\/1.1 [24]00 /)
      }
    }
  }
  await new Promise(setImmediate)
  t.true(told.length > 20)
  t.notRegex([...told.map(({ event, fields }) => event + Object.values(fields).join('')), ...warnings].join(''), /[^\x20-\x7e]/)
})

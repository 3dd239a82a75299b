import test from 'ava'
import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HeadersSentError, StoreUnavailableError, withSession } from '../../src/index.js'
import { FaultyStore } from '../support/faulty-store.js'
import { SECRET } from '../support/harness.js'
import { acts, ask, countOf, keysOf, MODES, openStore, random, record, serveIn, STORED, Visitor, withMethods } from './support.js'
import type { Handler } from './support.js'

const REQUESTS = countOf('PHIAL_REQUESTS', 60)

type Response = Parameters<Handler>[1]

/** Ways of answering. Each is done only once the session, whose save nobody waits for, is stored. */
const WAYS: Record<string, (res: Response) => unknown> = {
  end: (res) => res.end('done'),
  'end, with a callback': (res) => res.end('done', () => {}),
  'write and end': (res) => (res.write('do'), res.end('ne')),
  writeHead: (res) => res.writeHead(200, { 'X-A': '1' }).end('done'),
  'writeHead with a message and a raw array': (res) => res.writeHead(200, 'Fine', ['X-A', '1']).end('done'),
  flushHeaders: (res) => (res.flushHeaders(), res.end('done')),
  pipe: (res) => Readable.from(['do', 'ne']).pipe(res),
  pipeline: (res) => pipeline(Readable.from(['do', 'ne']), res),
  'Content-Length': (res) => res.setHeader('Content-Length', 4).end('done'),
  trailers: (res) => (res.setHeader('Trailer', 'X-T'), res.write('done'), res.addTrailers({ 'X-T': '1' }), res.end()),
  'early hints': (res) => (res.writeEarlyHints({ link: '</a.css>; rel=preload' }), res.end('done')),
  204: (res) => res.writeHead(204).end(),
  304: (res) => res.writeHead(304).end(),
  'a thousand writes': (res) => { for (let n = 0; n < 1000; n++) res.write('x'.repeat(100)); res.end('done') },
}

for (const mode of STORED) {
  for (const auto of [false, true]) {
    test(`S190, S193: however it is answered, not a byte leaves before the session is stored, or a failure is the answer, auto = ${auto}: ${mode.name}`, async (t) => {
      const inner = openStore(t, mode)
      let outcome = 'stored'
      let isSettled = false
      const { port } = await serveIn(t, mode, async (req, res) => {
        const session = await req.session.load()
        session.set('user', 'ann')
        if (!auto) void session.save()
        WAYS[decodeURIComponent(req.url!.slice(1))]!(res)
      }, {
        auto,
        type: withMethods(inner, {
          create: async (...args) => {
            for (let n = 0; n < 3; n++) await new Promise(setImmediate)
            isSettled = true
            if (outcome === 'refused') throw new StoreUnavailableError('down', { backend: mode.name, operation: 'create' })
            return inner.create(...args)
          },
        }),
      })
      for (const way of Object.keys(WAYS)) {
        for (const method of way === 'trailers' ? ['GET'] : ['GET', 'HEAD']) { // Node refuses trailers where there is no body
          for (outcome of ['stored', 'refused']) {
            isSettled = false
            const socket = connect(
              port, '127.0.0.1',
              () => socket.write(`${method} /${encodeURIComponent(way)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
            )
            let text = ''
            let wasSettled: boolean | undefined
            socket.setEncoding('latin1').on('data', (chunk: string) => {
              text += chunk.replace(/^HTTP\/1.1 103 [^]*?\r\n\r\n/, '') // a hint is no part of the answer
              if (text !== '') wasSettled ??= isSettled
            })
            await once(socket, 'close')
            const what = `${method} ${way}, ${outcome}: ${text}`
            t.true(wasSettled, what)
            if (outcome === 'stored') {
              t.regex(text, way === '204' ? /^HTTP\/1.1 204 / : way === '304' ? /^HTTP\/1.1 304 / : /^HTTP\/1.1 200 /, what)
              t.regex(text, /\r\nset-cookie: phial=[^;]{20}/i, what)
            } else {
              t.regex(text, /^HTTP\/1.1 503 Service Unavailable\r\n/, what)
              t.regex(text, /\r\nretry-after: 1\r\n/i, what)
              t.notRegex(text, /set-cookie|done/i, what)
            }
          }
        }
      }
    })
  }
}

for (const mode of MODES) {
  test(`S192: saved first, a session's answer may stream; what would need a cookie after that throws: ${mode.name}`, async (t) => {
    const codes: string[] = []
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/saved') await session.set('a', 1).save()
      res.write('streaming ')
      const late = async (act: () => unknown): Promise<void> => {
        try {
          await act()
          codes.push('done')
        } catch (error) {
          if (!(error instanceof HeadersSentError)) throw error
          codes.push(error.code)
        }
      }
      await late(() => session.set('late', 1))
      await late(() => session.save())
      await late(() => session.regenerateId())
      res.end('on')
    })
    const visitor = new Visitor(port)
    const refused = 'PHIAL_HEADERS_SENT'
    t.is(await visitor.body('/new'), 'streaming on')
    t.deepEqual(codes.splice(0), [refused, refused, refused])
    t.is(await visitor.body('/saved'), 'streaming on')
    // The stored one has its cookie; the cookie backend's would have to be sent again.
    t.deepEqual(codes.splice(0), mode.isStored ? ['done', 'done', refused] : [refused, 'done', refused])
  })
}

for (const mode of STORED) {
  test(`S193: a write that fails, in whatever way and however it was asked for, is a 503 to be tried again, and sets no cookie: ${mode.name}`, async (t) => {
    const store = new FaultyStore(openStore(t, mode))
    const { port } = await serveIn(t, mode, async (req, res) => {
      const [, act, how] = req.url!.split('/')
      const session = await req.session.load()
      res.setHeader('X-Prepared', 'yes').setHeader('Set-Cookie', 'own=1')
      session.set('n', 1)
      const writes: Record<string, () => Promise<unknown>> = {
        save: () => session.save(), update: () => session.update('n', () => 2), renew: () => session.regenerateId(),
        destroy: () => session.destroy(),
        invalidate: () => session.invalidate(), object: () => req.session.save(),
      }
      const writing = writes[act!]!()
      if (how === 'awaited') await writing
      if (how === 'caught-too-late') void writing.then(() => res.end('welcome'))
      else res.end('welcome')
    }, { type: store.manager, operationTimeout: 0.5, requestBudget: 1.2 })
    const down = new StoreUnavailableError('down', { backend: mode.name, operation: 'any' })
    const cases: [act: string, method: 'create' | 'replace' | 'delete', isNew: boolean][] = [
      ['save', 'create', true], ['object', 'create', true], ['update', 'create', true], ['renew', 'create', true],
      ['save', 'replace', false], ['object', 'replace', false], ['update', 'replace', false], ['renew', 'create', false],
      ['renew', 'replace', false], ['destroy', 'delete', false], ['invalidate', 'delete', false],
    ]
    for (const [act, method, isNew] of cases) {
      for (const how of ['awaited', 'left-alone']) {
        const visitor = new Visitor(port)
        await (isNew ? new Visitor(port) : visitor).ask('/save/awaited') // a store that never succeeds would count as down
        store.next(method, down)
        const { status, headers, setCookies, body } = await visitor.ask(`/${act}/${how}`)
        const what = `${act} ${how} ${method}`
        t.deepEqual(
          [status, headers['retry-after'], headers['cache-control'], headers['x-prepared'], body],
          [503, '1', 'no-store', undefined, 'Service Unavailable\n'], what
        )
        t.regex(setCookies.join(), method === 'delete' ? /^phial=; Max-Age=0;[^,]*,[^,]*$/ : /^$/, what)
      }
    }
  })

  test(`S194: clients that go away at any moment leave nothing behind, and what a handler was told is stored is: ${mode.name}`, async (t) => {
    const chance = random(countOf('PHIAL_SEED', Math.floor(Math.random() * 2 ** 31)))
    const inner = openStore(t, mode)
    let running = 0
    let stored = 0
    const slow = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      for (let n = chance() * 4; n > 0; n--) await new Promise(setImmediate)
      return method.apply(inner, args)
    }
    const app = await serveIn(t, mode, async (req, res) => {
      running++
      try {
        const session = await req.session.load()
        await session.set('n', 1).save()
        stored++
        for (let n = 0; n < 3; n++) {
          res.write('x'.repeat(1000))
          await new Promise(setImmediate)
        }
        res.end('done')
      } finally {
        running--
      }
    }, { type: withMethods(inner, { create: slow(inner.create), get: slow(inner.get) }) })
    for (let n = 0; n < REQUESTS; n++) {
      const socket = connect(app.port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'connect')
      const text = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
      socket.write(n % 7 === 0 ? text.slice(0, chance() * text.length) : text)
      for (let turns = chance() * 12; turns > 0; turns--) await new Promise(setImmediate)
      if (chance() < 0.5) socket.resetAndDestroy()
      else socket.destroy()
    }
    const open = (): Promise<number> => new Promise((resolve, reject) => app.server.getConnections(
      (error, count) => (error ? reject(error) : resolve(count))
    ))
    while (running > 0 || await open() > 0) await new Promise(setImmediate)
    t.true(stored > 0)
    t.is((await keysOf(inner)).length, stored)
    await app.manager.close()
  })
}

test.serial('S194, S195: with auto an aborted or failed answer saves nothing, and that is told', async (t) => {
  const told = record(t)
  const store = new FaultyStore(openStore(t, STORED[0]!))
  const { port } = await serveIn(t, STORED[0]!, async (req, res) => {
    (await req.session.load()).set('a', 1)
    if (req.url === '/abort') {
      socket.destroy()
      await once(res, 'close')
    }
    res.writeHead(req.url === '/fail' ? 500 : 200).end()
  }, { type: store.manager, auto: true })
  t.deepEqual((await ask(port, '/fail')).setCookies, [])
  const socket = connect(port, '127.0.0.1', () => socket.write('GET /abort HTTP/1.1\r\nHost: x\r\n\r\n'))
  while (told.length < 2) await new Promise(setImmediate)
  t.deepEqual(told.map(({ event, fields }) => [event, fields.reason]), [['dropped', 'not-saved'], ['dropped', 'aborted']])
  t.deepEqual(store.calls, [])
  t.is((await ask(port, '/')).setCookies.length, 1)
})

for (const mode of STORED) {
  test(`S196: a handler that never ends holds up nobody, and its lock ends by itself: ${mode.name}`, async (t) => {
    let isLocked = (): void => {}
    const locked = new Promise<void>((resolve) => { isLocked = resolve })
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/never') {
        await session.lock({ lease: 0.2 })
        isLocked()
        await new Promise(() => {})
      }
      if (req.url === '/lock') await (await session.lock({ wait: 20 })).release()
      await acts(req, res)
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /never HTTP/1.1\r\nHost: x\r\nCookie: ${await visitor.cookies()}\r\n\r\n`)
    await locked
    t.is((await visitor.ask('/set?a=1')).status, 200)
    t.is((await visitor.ask('/lock')).status, 200)
    socket.destroy()
    t.is(await visitor.body(), '{"user":"ann","a":"1"}')
  })
}

for (const mode of MODES) {
  test(`S190: requests of one session that are pipelined on a connection are answered in order: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const visitor = new Visitor(port)
    await visitor.ask('/set?first=1')
    const cookie = await visitor.cookies()
    const socket = connect(port, '127.0.0.1')
    const head = (path: string, connection = 'keep-alive'): string =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nConnection: ${connection}\r\n\r\n`
    socket.write(head('/set?a=1') + head('/set?b=1') + head('/') + head('/set?c=1', 'close'))
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    const bodies = text.split('HTTP/1.1 200 OK').slice(1).map((answer) => JSON.parse(
      answer.slice(answer.indexOf('\r\n\r\n')).replace(/^\s*(?:[0-9a-f]+\r\n)?/, '').split('\r\n')[0]!
    ))
    t.is(bodies.length, 4)
    t.deepEqual([bodies[0].a, bodies[1].b, bodies[2].first, bodies[3].c], ['1', '1', '1', '1'])
    if (mode.isStored) t.deepEqual(JSON.parse(await visitor.body()), { first: '1', a: '1', b: '1', c: '1' })
  })

  test(`S199: over HTTP/2 a session is kept, renewed, ended and, with the store down, refused: ${mode.name}`, async (t) => {
    const store = mode.isStored ? new FaultyStore(openStore(t, mode)) : undefined
    const app = withSession(
      (req, res) => acts(req as never, res as never),
      { secret: SECRET, secure: false, ...mode.settings(t), ...(store && { type: store.manager }) }
    )
    t.teardown(() => app.manager.close())
    const server = createHttp2Server(app as never)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    t.teardown(() => {
      client.destroy()
      server.close()
    })
    let cookie = ''
    const visit = async (path: string): Promise<[status: number, body: string, cookies: number]> => {
      const stream = client.request({ ':path': path, ...(cookie && { cookie }) })
      const [headers] = await once(stream, 'response')
      let body = ''
      for await (const chunk of stream.setEncoding('utf8')) body += chunk
      const lines: string[] = headers['set-cookie'] ?? []
      if (lines.length > 0) cookie = lines[0]!.split(';')[0]!
      return [headers[':status'], body, lines.length]
    }
    t.deepEqual(await visit('/'), [200, '{}', 0])
    t.deepEqual(await visit('/set?user=ann'), [200, '{"user":"ann"}', 1])
    t.deepEqual(await visit('/'), [200, '{"user":"ann"}', 0])
    const old = cookie
    t.deepEqual(await visit('/renew'), [200, '{"user":"ann"}', 1])
    t.not(cookie, old)
    t.deepEqual(await visit('/add'), [200, '{"user":"ann","n":1}', mode.isStored ? 0 : 1])
    if (store) {
      store.next('replace', new StoreUnavailableError('down', { backend: mode.name, operation: 'replace' }))
      t.deepEqual(await visit('/add'), [503, 'Service Unavailable\n', 0])
    }
    t.deepEqual(await visit('/logout'), [200, '{}', 1])
    t.is(cookie, 'phial=')
    t.deepEqual(await visit('/'), [200, '{}', 0])
  })
}


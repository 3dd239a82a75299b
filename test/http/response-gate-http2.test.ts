import { once } from 'node:events'
import { connect, createServer, type ClientHttp2Session, type ClientHttp2Stream, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test, { type ExecutionContext } from 'ava'
import { StoreUnavailableError } from '../../src/errors.js'
import type { GateHooks, ResponseGate } from '../../src/http/response-gate.js'
import { writePromise } from '../../src/write-promise.js'
import { codeOf, counter, deferred, gateOn, sessionCookie, turn } from '../support/gated-server.js'
import { listen } from '../support/raw-http.js'

type Handler = (req: Http2ServerRequest, res: Http2ServerResponse, gate: ResponseGate) => unknown

interface Answer {
  readonly headers: Readonly<Record<string, unknown>>
  readonly trailers: Readonly<Record<string, unknown>>
  readonly body: string
  /** How the stream ended: `end`, or the error's code. */
  readonly outcome: string
}

interface Asked {
  readonly log: string[]
  readonly client: ClientHttp2Session
  ask(headers?: Record<string, string>): Promise<Answer>
  over(count?: number): Promise<void>
}

const failure = new StoreUnavailableError('down', { backend: 'memory', operation: 'replace' })
const failingSave = (): Promise<never> => writePromise(async () => { await turn(); await turn(); throw failure })

const http2Server = async (t: ExecutionContext, handler: Handler, hooks: Partial<GateHooks> = {}): Promise<Asked> => {
  const log: string[] = []
  const ends = counter()
  const port = await listen(t, createServer((req, res) => {
    const gate = gateOn(res, { ...hooks, over: () => ends.count() }, log)
    handler(req, res, gate)
  }))
  const client = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => client.destroy())
  return { log, client, ask: (headers = {}) => answerOf(client.request(headers)), over: (count = 1) => ends.reached(count) }
}

const answerOf = (stream: ClientHttp2Stream): Promise<Answer> =>
  new Promise((resolve) => {
    let [headers, trailers, body, outcome] = [{}, {}, '', 'end']
    stream.setEncoding('utf8')
    stream.on('response', (received) => { headers = withoutDate(received) })
    stream.on('trailers', (received) => { trailers = { ...received } })
    stream.on('data', (chunk: string) => { body += chunk })
    stream.on('error', (error) => { outcome = codeOf(error) })
    stream.on('close', () => resolve({ headers, trailers, body, outcome }))
  })

const withoutDate = (headers: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'date'))

/** Ways to answer, compared with a server without a gate. */
const ways: [name: string, answer: (res: Http2ServerResponse) => unknown, headers?: Record<string, string>][] = [
  ['end', (res) => res.end()],
  ['end with a chunk and a callback', (res) => res.end('hello', () => {})],
  ['write', (res) => { res.write('hel'); res.end('lo') }],
  ['writeHead', (res) => res.writeHead(201, { 'X-A': '1' }).end('hello')],
  ['writeHead with a raw array', (res) => { res.setHeader('x-b', '2'); res.writeHead(201, ['X-A', '1', 'X-C', '2'] as never); res.end() }],
  ['flushHeaders', (res) => { (res as unknown as { flushHeaders(): void }).flushHeaders(); res.end('hello') }],
  ['pipe', (res) => Readable.from(['a', 'b', 'c']).pipe(res)],
  ['204', (res) => { res.statusCode = 204; res.end() }],
  ['HEAD', (res) => { res.setHeader('content-length', 5); res.end('hello') }, { ':method': 'HEAD' }],
  ['trailers', (res) => { res.write('a'); res.addTrailers({ 'x-t': '1' }); res.end() }],
  ['cookies', (res) => { res.appendHeader('set-cookie', 'a=1'); res.appendHeader('set-cookie', 'b=2'); res.end() }],
  ['a write after the end', (res) => { res.end('a'); res.write('b', () => {}) }],
  ['a double end', (res) => { res.end('a'); res.end('b') }]
]

for (const [name, answer, headers] of ways) for (const isPending of [true, false]) {
  test(`S199: HTTP/2: ${name}, with ${isPending ? 'a write' : 'nothing'} pending, is what a server without a gate sends`, async (t) => {
    const answers = await Promise.all([true, false].map(async (isGated) => {
      const { ask } = await http2Server(t, (_req, res, gate) => {
        if (isGated && isPending) gate.hold(turn().then(turn))
        return answer(res)
      })
      return ask(headers)
    }))
    t.deepEqual(answers[0], answers[1])
  })
}

test('S199: HTTP/2: nothing leaves while a write is pending, then the cookie does too', async (t) => {
  const write = deferred()
  const answered = deferred()
  const { ask, log, over } = await http2Server(t, (_req, res, gate) => {
    gate.hold(write.promise)
    res.statusCode = 203
    res.setHeader('Set-Cookie', 'a=1')
    res.setHeader('Cache-Control', 'public')
    res.write('hel')
    t.true(res.headersSent)
    t.is(res.statusCode, 203)
    t.is(res.writableLength, 3)
    t.false(gate.headersSent)
    t.is(res.getHeader('set-cookie'), 'a=1')
    t.throws(() => res.setHeader('X-A', '1'), { code: 'ERR_HTTP2_HEADERS_SENT' })
    t.throws(() => res.writeHead(500), { code: 'ERR_HTTP2_HEADERS_SENT' })
    res.end('lo')
    t.true(res.writableEnded)
    t.true(res.finished)
    answered.resolve()
  }, { headers: () => [sessionCookie] })
  let arrived = false
  const reply = ask().finally(() => { arrived = true })
  await answered.promise
  await turn()
  t.false(arrived)
  write.resolve()
  const { headers, body } = await reply
  t.like(headers, { ':status': 203, 'set-cookie': ['a=1', 'id=1; HttpOnly'], 'cache-control': 'no-store', vary: 'Cookie' })
  t.is(body, 'hello')
  await over()
  t.deepEqual(log, ['head 203', 'end', 'headers', 'finish'])
})

test('S199: HTTP/2: calls are held again when a write begins after the head has left', async (t) => {
  const write = deferred()
  const { client } = await http2Server(t, (_req, res, gate) => {
    res.setHeader('X-A', '1')
    res.write('first ')
    gate.hold(write.promise)
    t.true(gate.headersSent)
    res.end('last')
    t.is(res.getHeader('x-a'), '1')
    t.true(res.writableEnded)
  })
  const stream = client.request()
  const reply = answerOf(stream)
  await once(stream, 'data')
  write.resolve()
  t.is((await reply).body, 'first last')
})

test('S191: HTTP/2: a long pipe that is held goes on to its end', async (t) => {
  const { ask } = await http2Server(t, async (_req, res, gate) => {
    gate.hold(turn().then(turn))
    await pipeline(Readable.from(Array.from({ length: 100 }, () => 'x'.repeat(10_000))), res)
  })
  const { body, outcome } = await ask()
  t.is(body.length, 1_000_000)
  t.is(outcome, 'end')
})

test('S193: HTTP/2: a failing write that nobody took becomes the answer', async (t) => {
  const { ask, log, over } = await http2Server(t, (_req, res, gate) => {
    gate.hold(failingSave())
    res.writeHead(201, { 'Set-Cookie': 'a=1', 'X-A': '1' })
    res.end('created')
  }, { headers: () => [sessionCookie] })
  const { headers, body } = await ask()
  t.deepEqual(headers, {
    ':status': 503, 'content-type': 'text/plain; charset=utf-8', 'content-length': '20', 'cache-control': 'no-store', 'retry-after': '1'
  })
  t.is(body, 'Service Unavailable\n')
  await over()
  t.deepEqual(log, ['head 201', 'end', 'answer PHIAL_STORE_UNAVAILABLE', 'failed'])
})

test('S193: HTTP/2: a HEAD, and a request whose body nobody reads, are answered', async (t) => {
  const { ask, client } = await http2Server(t, (_req, res, gate) => {
    gate.hold(failingSave())
    res.end('a')
  })
  t.like(await ask({ ':method': 'HEAD' }), { headers: { ':status': 503 }, body: '', outcome: 'end' })
  const stream = client.request({ ':method': 'POST' })
  stream.write('x'.repeat(10_000))
  t.like(await answerOf(stream), { headers: { ':status': 503 }, body: 'Service Unavailable\n' })
})

test('S193: HTTP/2: when the head had left, the stream is reset', async (t) => {
  const lost = deferred<string>()
  const { client, log, over } = await http2Server(t, async (_req, res, gate) => {
    res.write('begun')
    await begun.promise
    gate.hold(failingSave())
    res.write('held', (error) => lost.resolve(codeOf(error)))
    res.end('all is well')
  })
  const begun = deferred()
  const stream = client.request()
  const reply = answerOf(stream)
  await once(stream, 'data')
  begun.resolve()
  const { body, outcome } = await reply
  t.is(body, 'begun')
  t.is(outcome, 'ERR_HTTP2_STREAM_ERROR')
  t.is(await lost.promise, 'ERR_STREAM_DESTROYED')
  await over()
  t.is(log.at(-1), 'failed')
})

test('S194: HTTP/2: a client that cancels while calls are held', async (t) => {
  const held = deferred()
  const told = deferred<string>()
  const { client, log, over } = await http2Server(t, (_req, res, gate) => {
    gate.hold(new Promise(() => {}))
    res.write('a', (error) => told.resolve(codeOf(error)))
    res.end('b')
    held.resolve()
  })
  const stream = client.request()
  stream.on('error', () => {})
  await held.promise
  stream.close(8)
  t.is(await told.promise, 'ERR_STREAM_DESTROYED')
  await over()
  t.deepEqual(log, ['head 200', 'end', 'abort'])
})

test('HTTP/2: an application may answer a failure itself', async (t) => {
  const { ask } = await http2Server(t, (_req, res, gate) => {
    gate.fail(failure)
    res.end('not this')
  }, {
    async answer(_error, raw) {
      await turn()
      raw.statusCode = 502
      ;(raw as Http2ServerResponse).end('mine')
      return undefined
    }
  })
  t.like(await ask(), { headers: { ':status': 502 }, body: 'mine' })
})

test('HTTP/2: a gate that is put on when all is over says so at once', async (t) => {
  const log: string[] = []
  const over = counter()
  const port = await listen(t, createServer((_req, res) => {
    res.on('close', () => gateOn(res, { over: () => over.count() }, log))
    res.end('a')
  }))
  const client = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => client.destroy())
  await answerOf(client.request())
  await over.reached(1)
  t.deepEqual(log, ['finish'])
})

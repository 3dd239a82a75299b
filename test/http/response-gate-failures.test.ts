import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { rmSync, mkdtempSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test from 'ava'
import { SessionGoneError, StoreUnavailableError } from '../../src/errors.js'
import { failureAnswer } from '../../src/http/failure-answer.js'
import type { GateHooks } from '../../src/http/response-gate.js'
import { writePromise, type WritePromise } from '../../src/write-promise.js'
import { codeOf, counter, deferred, gatedServer, gateOn, sessionCookie, turn, type GatedHandler } from '../support/gated-server.js'
import { ask, exchange, listen, open, parseHead, readAll, request, valuesOf, type Exchange } from '../support/raw-http.js'

const failure = new StoreUnavailableError('down', { backend: 'memory', operation: 'replace' })

/** A `save()` that fails two turns of the event loop from now. */
const failingSave = (error: Error = failure): WritePromise<never> =>
  writePromise(async () => {
    await turn()
    await turn()
    throw error
  })

const unavailable = [
  'HTTP/1.1 503 Service Unavailable', 'Content-Type: text/plain; charset=utf-8', 'Content-Length: 20', 'Cache-Control: no-store',
  'Retry-After: 1'
]

/** Asks a server whose session set a cookie. */
const answerOf = async (t: Parameters<typeof gatedServer>[0], handler: GatedHandler, parts = {}): ReturnType<typeof askOnce> =>
  askOnce(await gatedServer(t, handler, { headers: () => [sessionCookie] }), parts)

const askOnce = async ({ port, log, over }: Awaited<ReturnType<typeof gatedServer>>, parts: object): Promise<{
  head: string[]; body: string; outcome: string; log: string[]
}> => {
  const { text, outcome } = await ask(port, '/', parts)
  await over()
  const { statusLine, headers, body } = parseHead(text)
  return { head: [statusLine, ...headers.filter((line) => !/^(Date|Connection): /.test(line))], body, outcome, log }
}

test('S193: a failing write that nobody took becomes the answer, without a cookie, in place of all that was prepared', async (t) => {
  const { head, body, log } = await answerOf(t, (_req, res, gate) => {
    gate.hold(failingSave())
    res.statusMessage = 'Splendid'
    res.sendDate = false
    res.setHeader('Set-Cookie', ['app=1', 'id=2'])
    res.setHeader('Connection', 'close')
    res.setHeader('ETag', '"1"')
    res.writeHead(201, { 'X-A': '1', 'Content-Length': 7 })
    res.end('created')
  })
  t.deepEqual(head, unavailable)
  t.is(body, 'Service Unavailable\n')
  t.deepEqual(log, ['head 201', 'end', 'answer PHIAL_STORE_UNAVAILABLE', 'failed'])
})

test('the answer to a failure has a date of its own', async (t) => {
  const prepared: ((res: ServerResponse) => unknown)[] = [(res) => res.setHeader('Date', 'never'), (res) => { res.sendDate = false }]
  for (const prepare of prepared) {
    const { port } = await gatedServer(t, (_req, res, gate) => {
      prepare(res)
      gate.fail(failure)
    })
    t.regex(String(valuesOf(parseHead((await ask(port)).text), 'Date')), /^\w{3}, \d\d .* GMT$/)
  }
})

test('S193: a failure before the first call becomes the answer at that call', async (t) => {
  const { head, log } = await answerOf(t, async (_req, res, gate) => {
    gate.hold(failingSave())
    for (let i = 0; i < 5; i++) await turn()
    t.false(res.headersSent)
    res.write('a')
    t.true(res.headersSent)
    res.end('b')
  })
  t.deepEqual(head, unavailable)
  t.deepEqual(log, ['head 200', 'answer PHIAL_STORE_UNAVAILABLE', 'failed'])
})

test('the failure of a plain promise is taken by nobody', async (t) => {
  const { head } = await answerOf(t, (_req, res, gate) => {
    gate.hold(Promise.reject(failure).finally(turn))
    res.end('a')
  })
  t.deepEqual(head, unavailable)
})

test('what a promise rejects with need not be an error', async (t) => {
  const { head, log } = await answerOf(t, (_req, res, gate) => {
    gate.hold(Promise.reject('just words'))
    res.end('a')
  })
  t.is(head[0], 'HTTP/1.1 500 Internal Server Error')
  t.true(log.includes('answer Error: just words'))
})

test('the gone session of a failing write is answered with 409', async (t) => {
  const { head, body } = await answerOf(t, (_req, res, gate) => {
    gate.hold(failingSave(new SessionGoneError('gone')))
    res.end('a')
  })
  t.is(head[0], 'HTTP/1.1 409 Conflict')
  t.is(body, 'Conflict\n')
})

test('one failure among several writes is enough', async (t) => {
  const { head } = await answerOf(t, (_req, res, gate) => {
    gate.hold(writePromise(turn))
    gate.hold(failingSave())
    gate.hold(writePromise(async () => { for (let i = 0; i < 9; i++) await turn() }))
    res.end('a')
  })
  t.deepEqual(head, unavailable)
})

test('a failure of beforeHead, or of beforeEnd, becomes the answer', async (t) => {
  for (const hook of ['beforeHead', 'beforeEnd'] as const) {
    const server = await gatedServer(t, (_req, res) => res.end('a'), { [hook]: () => Promise.reject(failure) })
    t.deepEqual((await askOnce(server, {})).head, unavailable)
  }
})

test('HEAD is answered without a body, and the connection goes on', async (t) => {
  const { port } = await gatedServer(t, (req, res, gate) => {
    if (req.method === 'HEAD') gate.hold(failingSave())
    res.end('next')
  })
  const { text } = await exchange(port, request('/', { method: 'HEAD' }) + request('/', { headers: ['Connection: close'] }))
  t.regex(text, /^HTTP\/1.1 503 [^]*Content-Length: 20\r\n[^]*\r\n\r\nHTTP\/1.1 200 OK[^]*next$/)
})

test('a server that refuses bodies where none may be gets none', async (t) => {
  const server = createServer({ rejectNonStandardBodyWrites: true } as object, (_req, res) => {
    gateOn(res, {}, []).hold(failingSave())
    t.throws(() => res.write('a'), { code: 'ERR_HTTP_BODY_NOT_ALLOWED' })
    res.end()
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  t.regex((await ask((server.address() as { port: number }).port, '/', { method: 'HEAD' })).text, /^HTTP\/1.1 503 /)
})

/** Handlers that were handed the failure, and what they make of it. */
const takers: [name: string, handler: GatedHandler][] = [
  ['awaits it', async (_req, res, gate) => {
    const saved = failingSave()
    gate.hold(saved)
    try {
      await saved
    } catch {
      res.writeHead(418, { 'Content-Length': 4 }).end('mine')
    }
  }],
  ['catches it', (_req, res, gate) => {
    const saved = failingSave()
    gate.hold(saved)
    saved.catch(() => res.writeHead(418, { 'Content-Length': 4 }).end('mine'))
  }],
  ['awaits it among others', async (_req, res, gate) => {
    const saved = failingSave()
    gate.hold(saved)
    const [result] = await Promise.allSettled([saved])
    res.writeHead(result?.status === 'rejected' ? 418 : 200, { 'Content-Length': 4 }).end('mine')
  }],
  ['awaits it later, when it has failed already', async (_req, res, gate) => {
    const saved = failingSave()
    gate.hold(saved)
    for (let i = 0; i < 5; i++) await turn()
    await saved.catch(() => {})
    res.writeHead(418, { 'Content-Length': 4 }).end('mine')
  }],
  ['answers first, and does not care', (_req, res, gate) => {
    const saved = failingSave()
    gate.hold(saved)
    saved.catch(() => {})
    res.writeHead(418, { 'Content-Length': 4 }).end('mine')
  }]
]

for (const [name, handler] of takers) {
  test(`a handler that ${name} answers for itself`, async (t) => {
    const { head, body } = await answerOf(t, handler)
    t.is(head[0], "HTTP/1.1 418 I'm a Teapot")
    t.is(body, 'mine')
  })
}

test('a handler that answered, was handed the failure and let it through claims no success', async (t) => {
  const { head, log } = await answerOf(t, async (_req, res, gate) => {
    const saved = failingSave()
    gate.hold(saved)
    const inner = async (): Promise<void> => {
      res.end('all is well')
      await saved
    }
    await (async () => { await inner() })().catch((error: Error) => gate.fail(error))
  })
  t.deepEqual(head, unavailable)
  t.deepEqual(log, ['head 200', 'end', 'answer PHIAL_STORE_UNAVAILABLE', 'failed'])
})

test('a handler that fails is answered for, whatever it had prepared', async (t) => {
  const { head } = await answerOf(t, (_req, res, gate) => {
    res.setHeader('X-A', '1')
    gate.fail(failure)
    gate.fail(new Error('a second one'))
  })
  t.deepEqual(head, unavailable)
})

test('a complete answer stays as it is when its handler fails afterwards', async (t) => {
  const { head, body, log } = await answerOf(t, async (_req, res, gate) => {
    res.end('done')
    gate.fail(failure)
    gate.hold(failingSave())
    res.on('error', () => {})
    res.write('late')
  })
  t.is(head[0], 'HTTP/1.1 200 OK')
  t.is(body, 'done')
  t.is(log.at(-1), 'finish')
})

test("S195: the handler's later calls are swallowed, look done, and call back", async (t) => {
  const called = counter()
  const callback = (error?: Error | null): void => {
    t.falsy(error)
    called.count()
  }
  const { head, body } = await answerOf(t, async (_req, res, gate) => {
    gate.hold(failingSave())
    res.write('held', callback)
    for (let i = 0; i < 5; i++) await turn()
    t.true(res.headersSent)
    t.is(res.writeHead(200), res)
    t.true(res.write(Buffer.alloc(1_000_000), callback))
    res.flushHeaders()
    res.addTrailers({ 'X-T': '1' })
    t.is(res.setHeader('X-A', '1'), res)
    t.is(res.appendHeader('X-A', '1'), res)
    t.is(res.setHeaders(new Map([['X-A', '1']])), res)
    res.removeHeader('Cache-Control')
    t.is(res.end('more', callback), res)
    await turn()
    t.is(res.end('and more', callback), res)
  })
  await called.reached(4)
  t.deepEqual(head, unavailable)
  t.is(body, 'Service Unavailable\n')
})

test('whoever waits for drain, or pipes, is not left waiting', async (t) => {
  const ended = counter()
  const { head } = await answerOf(t, async (_req, res, gate) => {
    gate.hold(failingSave())
    const endless = Readable.from((function* () { for (;;) yield Buffer.alloc(10_000) })())
    pipeline(endless, res).catch((error: unknown) => {
      t.is(codeOf(error), 'ERR_STREAM_PREMATURE_CLOSE')
      ended.count()
    })
    void (async () => {
      while (res.write(Buffer.alloc(10_000)));
      await once(res, 'drain')
      ended.count()
    })()
  })
  t.deepEqual(head, unavailable)
  await ended.reached(2)
})

test('S193: the budget of waiting is bounded, and a write that takes longer is not confirmed', async (t) => {
  const never = deferred()
  const server = await gatedServer(t, (_req, res, gate) => {
    gate.hold(never.promise)
    res.end('a')
  }, {}, 30)
  const { head, log } = await askOnce(server, {})
  t.deepEqual(head, unavailable)
  t.true(log.includes('answer PHIAL_STORE_TIMEOUT'))
})

test('the budget counts while calls are held, not while a handler takes its time', async (t) => {
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    const write = deferred()
    gate.hold(write.promise)
    await new Promise((resolve) => setTimeout(resolve, 5))
    write.resolve()
    res.write('a')
    await turn()
    await new Promise((resolve) => setTimeout(resolve, 5))
    res.end('b')
  }, {}, 1)
  t.regex((await ask(port)).text, /^HTTP\/1.1 200 /)
})

/**
 * A client that gets a chunk and the reset in one go may not see the reset (libuv then tells Node of an end), but it misses the
 * last chunk; or it gets nothing at all.
 */
const isAborted = ({ text }: Exchange): boolean => !text.endsWith('\r\n0\r\n\r\n')

/** What a client can tell of bodies that were cut off. */
const cuts: [name: string, begin: (res: ServerResponse) => unknown, version?: string][] = [
  ['chunked', (res) => res.write('begun')],
  ['with a length', (res) => { res.setHeader('Content-Length', 100); res.write('begun') }],
  ['until the connection closes', (res) => res.write('begun'), '1.0']
]

for (const [name, begin, version = '1.1'] of cuts) {
  test(`when the head had left, the connection is cut, and the client does not take the body for complete: ${name}`, async (t) => {
    const lost = deferred<string>()
    const begun = deferred()
    const { port, log, over } = await gatedServer(t, async (_req, res, gate) => {
      begin(res)
      await begun.promise
      gate.hold(failingSave())
      res.write('held', (error) => lost.resolve(codeOf(error)))
      res.end('all is well')
    })
    const socket = await open(port)
    socket.write(request('/', { version }))
    await once(socket, 'data')
    begun.resolve()
    const { text, outcome } = await readAll(socket)
    t.is(outcome, 'ECONNRESET')
    t.notRegex(text, /all is well/)
    t.is(await lost.promise, 'ERR_STREAM_DESTROYED')
    await over()
    t.is(log.at(-1), 'failed')
  })
}

test('a handler that goes on after the cut is told so', async (t) => {
  const told = deferred<string>()
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    res.flushHeaders()
    gate.fail(failure)
    res.write('more', (error) => told.resolve(codeOf(error)))
  })
  t.true(isAborted(await ask(port)))
  t.is(await told.promise, 'ERR_STREAM_DESTROYED')
})

test('a connection that cannot be reset is closed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'phial-gate-'))
  const path = join(directory, 'socket')
  const server = createServer((_req, res) => {
    const gate = gateOn(res, {}, [])
    res.write('begun')
    gate.fail(failure)
  }).listen(path)
  t.teardown(() => {
    server.close()
    rmSync(directory, { recursive: true })
  })
  await once(server, 'listening')
  const socket = connect(path)
  socket.write(request('/'))
  t.true(isAborted(await readAll(socket)))
})

test('a pipelined response whose head is prepared is cut when its turn comes', async (t) => {
  const failed = deferred()
  const { port } = await gatedServer(t, async (req, res, gate) => {
    if (req.url === '/first') {
      await failed.promise
      res.end('first')
    } else {
      res.write('second')
      gate.fail(failure)
      failed.resolve()
    }
  })
  const { text } = await exchange(port, request('/first') + request('/second'))
  t.regex(text, /first$/)
})

test('an application may answer a failure itself, while the handler is still at it', async (t) => {
  const [answering, answered] = [deferred(), deferred()]
  const server = await gatedServer(t, async (_req, res, gate) => {
    res.setHeader('X-A', '1')
    gate.hold(failingSave())
    res.write('held')
    await answering.promise
    while (!res.writableEnded) {
      res.setHeader('X-B', 'not this')
      res.removeHeader('X-B')
      res.write('more')
      await turn()
    }
    res.end('end')
    answered.resolve()
  }, {
    async answer(_error, raw) {
      answering.resolve()
      await turn()
      const res = raw as ServerResponse
      res.statusCode = 503
      res.setHeader('X-B', '2')
      await turn()
      res.write('my ')
      await turn()
      res.end('words')
      return undefined
    }
  })
  const { head, body, log } = await askOnce(server, {})
  t.deepEqual(head, ['HTTP/1.1 503 Service Unavailable', 'X-B: 2', 'Transfer-Encoding: chunked'])
  t.is(body, '3\r\nmy \r\n5\r\nwords\r\n0\r\n\r\n')
  t.is(log.at(-1), 'failed')
  await answered.promise
})

test('an application that answered, and gives an answer too, has answered', async (t) => {
  const { port } = await gatedServer(t, (_req, _res, gate) => gate.fail(failure), {
    answer(error, raw) {
      ;(raw as ServerResponse).end('mine')
      return failureAnswer(error)
    }
  })
  const { text } = await exchange(port, request('/') + request('/', { headers: ['Connection: close'] }))
  t.is(text.match(/mine/g)?.length, 2)
})

test('a second failure, while the first is being answered, is not answered', async (t) => {
  const server = await gatedServer(t, (_req, _res, gate) => {
    gate.fail(failure)
    gate.fail(new SessionGoneError('gone'))
  }, {
    async answer(error) {
      await turn()
      return failureAnswer(error)
    }
  })
  const { head, log } = await askOnce(server, {})
  t.deepEqual(head, unavailable)
  t.deepEqual(log, ['answer PHIAL_STORE_UNAVAILABLE', 'failed'])
})

test('an application may pipe its own answer to a failure', async (t) => {
  const pipe = (res: ServerResponse): Promise<void> => pipeline(Readable.from(['a', 'b']), res)
  const bare = await listen(t, createServer((_req, res) => pipe(res)))
  const server = await gatedServer(t, (_req, _res, gate) => gate.fail(failure), {
    async answer(_error, raw) {
      raw.statusCode = 502
      await pipe(raw as ServerResponse)
      return undefined
    }
  })
  const { head, body } = await askOnce(server, {})
  t.is(head[0], 'HTTP/1.1 502 Bad Gateway')
  t.is(body, parseHead((await ask(bare)).text).body)
})

test('an application that decides late, or fails at it, leaves the answer to us, without what it prepared', async (t) => {
  const answers: GateHooks['answer'][] = [
    async (error, raw) => { raw.setHeader('X-B', '2'); await turn(); return failureAnswer(error) },
    async (_error, raw) => { raw.setHeader('X-B', '2'); await turn(); throw new Error('async') },
    (_error, raw) => { raw.setHeader('X-B', '2'); throw new Error('sync') }
  ]
  for (const answer of answers) {
    const server = await gatedServer(t, (_req, _res, gate) => gate.fail(failure), { answer })
    t.deepEqual((await askOnce(server, {})).head, unavailable)
  }
})

test('an application that began to answer and failed at it leaves a cut connection', async (t) => {
  const server = await gatedServer(t, (_req, _res, gate) => gate.fail(failure), {
    async answer(_error, raw) {
      ;(raw as ServerResponse).write('half-way')
      await turn()
      throw new Error('half-way')
    }
  })
  t.true(isAborted(await ask(server.port)))
})

test('an application may answer too late', async (t) => {
  const answering = deferred()
  const gone = deferred()
  const { port, log, over } = await gatedServer(t, (_req, _res, gate) => gate.fail(failure), {
    async answer(error) {
      answering.resolve()
      await gone.promise
      return failureAnswer(error)
    }
  })
  const socket = await open(port)
  socket.write(request('/'))
  await answering.promise
  socket.destroy()
  await over()
  gone.resolve()
  await turn()
  t.deepEqual(log, ['answer PHIAL_STORE_UNAVAILABLE', 'failed'])
})

test('an unread request body does not wedge its connection', async (t) => {
  const { port } = await gatedServer(t, (req, res, gate) => {
    if (req.method === 'POST') gate.hold(failingSave())
    res.end('next')
  })
  const body = 'x'.repeat(1_000_000)
  const { text } = await exchange(port,
    request('/', { method: 'POST', headers: [`Content-Length: ${body.length}`], body }) + request('/', { headers: ['Connection: close'] }))
  t.regex(text, /^HTTP\/1.1 503 [^]*Service Unavailable\nHTTP\/1.1 200 OK[^]*next$/)
})

test('what a wrapper below throws when held calls are made becomes the answer', async (t) => {
  const log: string[] = []
  const done = counter()
  const server = createServer((_req, res) => {
    const { end } = res
    res.end = ((chunk: unknown) => {
      if (chunk === 'broken') throw new Error('wrapper')
      return end.call(res, chunk as string, 'utf8')
    }) as typeof res.end
    gateOn(res, { over: () => done.count() }, log).hold(turn())
    res.end('broken')
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { text } = await ask((server.address() as { port: number }).port)
  await done.reached(1)
  t.regex(text, /^HTTP\/1.1 500 /)
  t.deepEqual(valuesOf(parseHead(text), 'Retry-After'), [])
  t.deepEqual(log, ['head 200', 'end', 'answer Error: wrapper', 'failed'])
})

test('a wrapper below that cannot send the failure either leaves a cut connection', async (t) => {
  const server = createServer((_req, res) => {
    res.end = () => { throw new Error('wrapper') }
    gateOn(res, {}, []).fail(failure)
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  t.true(isAborted(await ask((server.address() as { port: number }).port)))
})

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test from 'ava'
import { codeOf, counter, deferred, gatedServer, gateOn, sessionCookie, turn } from '../support/gated-server.js'
import { ask, exchange, listen, open, parseHead, readAll, request, valuesOf, withoutDate } from '../support/raw-http.js'

test('the hooks are asked once each: before the head, before the end, for the headers, and when all is over', async (t) => {
  const { port, log, over } = await gatedServer(t, (_req, res) => {
    res.writeHead(201)
    t.throws(() => res.writeHead(201), { code: 'ERR_HTTP_HEADERS_SENT' })
    res.write('a')
    res.write('b')
    res.end()
    res.end()
  })
  await ask(port)
  await over()
  t.deepEqual(log, ['head 201', 'headers', 'end', 'finish'])
})

test('the hooks are asked once each while calls are held, too', async (t) => {
  const { port, log, over } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(turn())
    res.write('a')
    res.end()
    res.end()
  })
  await ask(port)
  await over()
  t.deepEqual(log, ['head 200', 'end', 'headers', 'finish'])
})

test('the headers are asked for again when the head was refused', async (t) => {
  const { port, log, over } = await gatedServer(t, (_req, res) => {
    t.throws(() => res.writeHead(99), { code: 'ERR_HTTP_INVALID_STATUS_CODE' })
    res.end()
  })
  await ask(port)
  await over()
  t.deepEqual(log, ['head 99', 'headers', 'end', 'headers', 'finish'])
})

test('a response that is complete is over, even if nobody closes it', async (t) => {
  const log: string[] = []
  const res = new ServerResponse(new IncomingMessage(new Socket()))
  res.assignSocket(new PassThrough().resume() as unknown as Socket)
  const gate = gateOn(res, {}, log)
  res.end('a')
  await once(res, 'finish')
  t.true(gate.over)
  t.deepEqual(log, ['head 200', 'end', 'headers', 'finish'])
})

test('the head is announced with the status that will be sent', async (t) => {
  const { port, log, over } = await gatedServer(t, (_req, res) => {
    res.statusCode = 404
    res.end()
  })
  await ask(port)
  await over()
  t.deepEqual(log, ['head 404', 'end', 'headers', 'finish'])
})

test('S190: interim answers are not the head', async (t) => {
  const { port, log, over } = await gatedServer(t, (_req, res, _gate, told) => {
    res.writeContinue()
    res.writeProcessing()
    res.writeEarlyHints({ link: '</a.css>; rel=preload' })
    told.push('interim')
    res.end('a')
  })
  const { text } = await ask(port)
  await over()
  t.deepEqual(log, ['interim', 'head 200', 'end', 'headers', 'finish'])
  t.regex(text, /^HTTP\/1.1 100 .*HTTP\/1.1 102 .*HTTP\/1.1 103 .*HTTP\/1.1 200 .*a$/s)
})

type Way = [name: string, answer: (res: ServerResponse) => unknown, parts?: Parameters<typeof ask>[2]]

/** An old name of `writeHead`, which Node may drop. */
const writeHeader: Way = ['writeHeader', (res) => { (res as unknown as { writeHeader(status: number): void }).writeHeader(202); res.end() }]

/** Ways to answer. Each of them announces its head at the first call. */
const ways: Way[] = [
  ['end', (res) => res.end()],
  ['end with a chunk', (res) => res.end('hello')],
  ['end with a callback', (res) => res.end(() => {})],
  ['end with null', (res) => res.end(null)],
  ['write', (res) => { res.write('hello'); res.end() }],
  ['writeHead', (res) => res.writeHead(202, 'Taken', { 'X-A': '1' }).end('hello')],
  ['writeHead with a raw array', (res) => res.writeHead(202, ['X-A', '1', 'X-A', '2']).end('hello')],
  ...('writeHeader' in ServerResponse.prototype ? [writeHeader] : []),
  ['flushHeaders', (res) => { res.flushHeaders(); res.end('hello') }],
  ['pipe', (res) => Readable.from(['a', 'b', 'c']).pipe(res)],
  ['pipeline', (res) => pipeline(Readable.from(['a', 'b', 'c']), res)],
  ['HEAD', (res) => res.setHeader('Content-Length', 5).end('hello'), { method: 'HEAD' }],
  ['204', (res) => res.writeHead(204).end()],
  ['304', (res) => { res.statusCode = 304; res.end() }],
  ['Content-Length', (res) => { res.setHeader('Content-Length', 5); res.write('he'); res.end('llo') }],
  ['trailers', (res) => { res.setHeader('Trailer', 'X-T'); res.write('a'); res.addTrailers({ 'X-T': '1' }); res.end() }],
  ['HTTP/1.0', (res) => { res.write('a'); res.end('b') }, { version: '1.0' }],
  ['a HEAD in HTTP/1.0', (res) => res.end('a'), { method: 'HEAD', version: '1.0' }]
]

for (const [name, answer, parts] of ways) {
  test(`S190: ${name}: nothing leaves while a write is pending, then what a bare server sends, and the cookie`, async (t) => {
    const write = deferred()
    const answered = deferred()
    const { port } = await gatedServer(t, async (_req, res, gate) => {
      gate.hold(write.promise)
      void answer(res)
      await turn()
      await turn()
      t.true(res.headersSent)
      t.false(gate.headersSent)
      answered.resolve()
    }, { headers: () => [{ ...sessionCookie, vary: undefined, noStore: false }] })
    const bare = await listen(t, createServer((_req, res) => answer(res)))
    let arrived = false
    const reply = ask(port, '/', parts).finally(() => { arrived = true })
    await answered.promise
    t.false(arrived)
    write.resolve()
    const { text } = await reply
    const expected = parseHead(withoutDate((await ask(bare, '/', parts)).text))
    const { headers, ...rest } = parseHead(withoutDate(text))
    t.deepEqual(rest, { statusLine: expected.statusLine, body: expected.body })
    t.deepEqual(headers.toSorted(), [...expected.headers, 'Set-Cookie: id=1; HttpOnly'].toSorted())
  })
}

test('the head waits for what beforeHead returns', async (t) => {
  const saved = deferred()
  const answer = (res: ServerResponse): void => { res.write('a'); res.end('b') }
  const bare = await listen(t, createServer((_req, res) => answer(res)))
  const { port, log, over } = await gatedServer(t, (_req, res, gate) => {
    answer(res)
    t.true(res.writableEnded)
    t.false(gate.headersSent)
    log.push('saved')
    saved.resolve()
  }, { beforeHead: () => saved.promise })
  t.is(withoutDate((await ask(port)).text), withoutDate((await ask(bare)).text))
  await over()
  t.deepEqual(log, ['head 200', 'end', 'saved', 'headers', 'finish'])
})

test('the end waits for what beforeEnd returns, and what came before it does not', async (t) => {
  const saved = deferred()
  const { port } = await gatedServer(t, (_req, res) => {
    res.write('first')
    res.end('last')
  }, { beforeEnd: () => saved.promise })
  const socket = await open(port)
  socket.write(request('/', { headers: ['Connection: close'] }))
  const [chunk] = await once(socket, 'data') as [Buffer]
  t.regex(String(chunk), /first\r\n$/)
  saved.resolve()
  t.regex((await readAll(socket)).text, /last\r\n0\r\n\r\n$/)
})

test('held calls look done, and a late change of the head is refused as ever', async (t) => {
  const write = deferred()
  const { port, over } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(write.promise)
    t.is(res.writeHead(200), res)
    t.true(res.headersSent)
    t.false(res.writableEnded)
    for (const call of [
      () => res.setHeader('X-A', '1'), () => res.appendHeader('X-A', '1'), () => res.setHeaders(new Map()), () => res.removeHeader('X-A'),
      () => res.writeHead(500), () => (res as unknown as { _implicitHeader(): void })._implicitHeader()
    ]) t.throws(call, { code: 'ERR_HTTP_HEADERS_SENT' })
    t.true(res.write('hello'))
    t.true(res.writableLength > 5)
    t.is(res.end(), res)
    t.true(res.writableEnded)
    t.true(res.finished)
    t.false(res.writableFinished)
    write.resolve()
  })
  t.is(parseHead((await ask(port)).text).body, '5\r\nhello\r\n0\r\n\r\n')
  await over()
})

test('trailers that come after the held end come too late, as ever', async (t) => {
  const { port } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(turn())
    res.write('a')
    res.addTrailers({ 'X-T': '1' })
    res.end()
    try {
      res.addTrailers({ 'X-T': '2' })
    } catch (error) {
      // Later releases of Node say so.
      t.is(codeOf(error), 'ERR_HTTP_HEADERS_SENT')
    }
  })
  t.is(parseHead((await ask(port)).text).body, '1\r\na\r\n0\r\nX-T: 1\r\n\r\n')
})

test('what is written after the true end is refused at once, whatever is pending', async (t) => {
  const { port, log } = await gatedServer(t, async (_req, res, gate) => {
    res.end('a')
    gate.hold(new Promise(() => {}))
    res.on('error', (error) => log.push(codeOf(error)))
    t.false(res.write('late'))
  })
  t.is(parseHead((await ask(port)).text).body, 'a')
  t.true(log.includes('ERR_STREAM_WRITE_AFTER_END'))
})

test('what is refused throws at the call, and a refused head is still to be written', async (t) => {
  const write = deferred()
  const { port } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(write.promise)
    t.throws(() => res.writeHead(99), { code: 'ERR_HTTP_INVALID_STATUS_CODE' })
    t.throws(() => res.writeHead(200, { 'X-A': 'a\nb' }), { code: 'ERR_INVALID_CHAR' })
    t.throws(() => res.writeHead(200, ['X-A']), { code: 'ERR_INVALID_ARG_VALUE' })
    t.throws(() => res.write(5 as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => res.write(null), { code: 'ERR_STREAM_NULL_VALUES' })
    t.false(res.headersSent)
    res.writeHead(404).end()
    write.resolve()
  })
  t.is(parseHead((await ask(port)).text).statusLine, 'HTTP/1.1 404 Not Found')
})

test('a length that is not kept throws at the call', async (t) => {
  const write = deferred()
  const { port } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(write.promise)
    res.strictContentLength = true
    res.writeHead(200, { 'Content-Length': 2 })
    t.throws(() => res.write('abc'), { code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' })
    res.end('ab')
    write.resolve()
  })
  t.is(parseHead((await ask(port)).text).body, 'ab')
})

test('diagnostics hear of no other response than the one that is held', async (t) => {
  const name = 'http.server.response.created'
  const heard: unknown[] = []
  const hear = (message: unknown): void => { heard.push((message as { response: unknown }).response) }
  const responses: unknown[] = []
  const { port } = await gatedServer(t, (_req, res, gate) => {
    responses.push(res)
    gate.hold(turn())
    res.end('a')
  })
  subscribe(name, hear)
  await ask(port, '/?diagnostics')
  unsubscribe(name, hear)
  t.deepEqual(heard.filter((response) => (response as ServerResponse).req.url === '/?diagnostics' && response !== responses[0]), [])
})

test('a change that comes after the held head has no effect on it, and can be read', async (t) => {
  const write = deferred()
  const finished = deferred<number>()
  const { port } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(write.promise)
    res.end('a')
    res.statusCode = 500
    res.statusMessage = 'Late'
    res.sendDate = false
    t.is(res.statusCode, 500)
    res.on('finish', () => finished.resolve(res.statusCode))
    write.resolve()
  })
  const { statusLine, headers } = parseHead((await ask(port)).text)
  t.is(statusLine, 'HTTP/1.1 200 OK')
  t.true(headers.some((line) => line.startsWith('Date: ')))
  t.is(await finished.promise, 500)
})

test('calls are held again when a write begins after the head has left', async (t) => {
  const write = deferred()
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    res.write('first')
    gate.hold(write.promise)
    res.end('last')
    t.true(res.writableEnded)
    t.true(gate.headersSent)
    t.is(res.getHeader('x-a'), undefined)
  })
  const socket = await open(port)
  socket.write(request('/', { headers: ['Connection: close'] }))
  const [chunk] = await once(socket, 'data') as [Buffer]
  t.regex(String(chunk), /first\r\n$/)
  write.resolve()
  t.regex((await readAll(socket)).text, /last\r\n0\r\n\r\n$/)
})

test('calls wait for all that is pending, whatever is settled first', async (t) => {
  const writes = [deferred(), deferred(), deferred()]
  const released = deferred()
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    for (const { promise } of writes) gate.hold(promise)
    res.end('a')
    for (const { resolve } of writes.toReversed()) {
      await turn()
      t.false(gate.headersSent)
      resolve()
    }
    await turn()
    t.true(gate.headersSent)
    released.resolve()
  })
  await ask(port)
  await released.promise
})

test('callbacks are called when the bytes have left, in the order of a bare server', async (t) => {
  const write = deferred()
  const called = counter()
  const answer = (res: ServerResponse, told: string[]): void => {
    res.on('finish', () => { told.push('finish event'); called.count() })
    for (const name of ['one', 'two']) res.write(name, () => { told.push(name); called.count() })
    res.end(() => { told.push('ended'); called.count() })
  }
  const expected: string[] = []
  const bare = await listen(t, createServer((_req, res) => answer(res, expected)))
  const told: string[] = []
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    gate.hold(write.promise)
    answer(res, told)
    await turn()
    t.deepEqual(told, [])
    write.resolve()
  })
  await Promise.all([ask(bare), ask(port)])
  await called.reached(8)
  t.deepEqual(told, expected)
})

test('S191: above the high-water mark a held write answers false, and drain follows', async (t) => {
  const write = deferred()
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    gate.hold(write.promise)
    const chunk = Buffer.alloc(1024)
    let count = 1
    while (res.write(chunk)) count++
    t.true(count * chunk.length <= res.writableHighWaterMark + chunk.length)
    t.true(res.writableNeedDrain)
    const drained = once(res, 'drain')
    write.resolve()
    await drained
    t.false(res.writableNeedDrain)
    res.end()
  })
  t.regex((await ask(port)).text, /0\r\n\r\n$/)
})

test('S191: where what was written before is gone while later calls are held, drain follows their release', async (t) => {
  const write = deferred()
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    t.false(res.write(Buffer.alloc(300_000)))
    gate.hold(write.promise)
    res.write('held')
    const drained = once(res, 'drain')
    do await turn()
    while (res.socket!.writableLength > 0)
    write.resolve()
    await drained
    await turn()
    t.false(res.writableNeedDrain)
    res.end()
  })
  t.regex((await ask(port)).text, /0\r\n\r\n$/)
})

test('no drain follows the end', async (t) => {
  const { port, log } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(turn())
    res.on('drain', () => log.push('drain'))
    t.false(res.write(Buffer.alloc(100_000)))
    res.end()
  })
  await ask(port)
  t.false(log.includes('drain'))
})

test('S191: a pipe that was held goes on to its end', async (t) => {
  const write = deferred()
  const size = 4_000_000
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    gate.hold(write.promise)
    const source = new PassThrough()
    res.setHeader('Content-Length', size)
    source.pipe(res)
    source.end(Buffer.alloc(size, 'a'))
    await turn()
    write.resolve()
  })
  t.is(parseHead((await ask(port)).text).body.length, size)
})

test('S191: a pipe that is held in its middle goes on to its end', async (t) => {
  const { port } = await gatedServer(t, async (_req, res, gate) => {
    const chunks = async function* (): AsyncGenerator<Buffer> {
      for (let i = 0; i < 100; i++) {
        if (i % 10 === 0) gate.hold(turn())
        yield Buffer.alloc(20_000, 'x')
      }
    }
    await pipeline(Readable.from(chunks()), res)
  })
  const { text, outcome } = await ask(port)
  t.is(outcome, 'end')
  t.is(parseHead(text).body.split('x').length, 100 * 20_000 + 1)
})

test('P07: pipelined requests are answered in order, whichever write is confirmed first', async (t) => {
  const writes = Array.from({ length: 5 }, () => deferred())
  const arrived = counter()
  const { port } = await gatedServer(t, (req, res, gate) => {
    gate.hold(writes[Number(req.url?.slice(1))]!.promise)
    res.end(`answer ${req.url}`)
    arrived.count()
  }, { headers: () => [sessionCookie] })
  const paths = writes.map((_, index) => `/${index}`)
  const reply = exchange(port, [...paths.slice(0, -1).map((path) => request(path)),
    request(paths.at(-1)!, { headers: ['Connection: close'] })].join(''))
  await arrived.reached(5)
  for (const { resolve } of writes.toReversed()) {
    resolve()
    await turn()
  }
  const { text } = await reply
  t.deepEqual(text.match(/answer \/\d/g), paths.map((path) => `answer ${path}`))
  t.is(text.match(/Set-Cookie: id=1/g)?.length, 5)
})

test('100 requests in parallel wait each for its own write', async (t) => {
  const { port, log, over } = await gatedServer(t, async (req, res, gate) => {
    gate.hold(turn().then(turn))
    res.write(`${req.url} `)
    if (Number(req.url?.slice(1)) % 2 === 0) await turn()
    res.end('done')
  })
  const replies = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(port, `/${index}`)))
  for (const [index, { text }] of replies.entries()) t.true(text.includes(`/${index} `) && text.endsWith('0\r\n\r\n'))
  await over(100)
  t.is(log.filter((line) => line === 'finish').length, 100)
})

test('a gate that is put on after the head has left announces no head and adds no headers', async (t) => {
  const log: string[] = []
  const over = counter()
  const port = await listen(t, createServer((_req, res) => {
    res.write('a')
    const gate = gateOn(res, { headers: () => [sessionCookie], over: () => over.count() }, log)
    t.true(gate.headersSent)
    res.end('b')
  }))
  t.deepEqual(valuesOf(parseHead((await ask(port)).text), 'Set-Cookie'), [])
  await over.reached(1)
  t.deepEqual(log, ['end', 'finish'])
})

test('a gate that is put on after the end says when it is over', async (t) => {
  const log: string[] = []
  const over = counter()
  const port = await listen(t, createServer((_req, res) => {
    res.end('a')
    gateOn(res, { over: () => over.count() }, log)
    res.on('error', (error) => t.is(codeOf(error), 'ERR_STREAM_WRITE_AFTER_END'))
    res.write('late')
  }))
  t.is(parseHead((await ask(port)).text).body, 'a')
  await over.reached(1)
  t.deepEqual(log, ['finish'])
})

test('a gate that is put on when all is over says so at once', async (t) => {
  const log: string[] = []
  const over = counter()
  const port = await listen(t, createServer((_req, res) => {
    res.on('close', () => {
      const gate = gateOn(res, { over: () => over.count() }, log)
      void turn().then(() => t.true(gate.over))
    })
    res.end('a')
  }))
  await ask(port)
  await over.reached(1)
  t.deepEqual(log, ['finish'])
})

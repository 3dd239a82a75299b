import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { StoreUnavailableError } from '../../src/errors.js'
import type { ResponseGate } from '../../src/http/response-gate.js'
import { gateOn, sessionCookie, turn } from '../support/gated-server.js'
import { ask, listen, parseHead, valuesOf, type ParsedHead } from '../support/raw-http.js'
import { compress, finalHandler, lateCookie, onHeaders } from '../support/wrappers.js'

type Wrap = (res: ServerResponse) => void
type Handler = (req: IncomingMessage, res: ServerResponse, gate: ResponseGate) => unknown

const wrapped = async (
  t: Parameters<typeof listen>[0],
  { before, after }: { before?: Wrap; after?: Wrap },
  handler: Handler
): Promise<ParsedHead> => {
  const port = await listen(t, createServer((req, res) => {
    before?.(res)
    const gate = gateOn(res, { headers: () => [sessionCookie] }, [])
    after?.(res)
    handler(req, res, gate)
  }))
  return parseHead((await ask(port)).text)
}

const unzipped = ({ body }: ParsedHead): string => {
  const chunks: Buffer[] = []
  for (let rest = body; ;) {
    const at = rest.indexOf('\r\n')
    const size = Number.parseInt(rest, 16)
    if (!size) return gunzipSync(Buffer.concat(chunks)).toString()
    chunks.push(Buffer.from(rest.slice(at + 2, at + 2 + size), 'latin1'))
    rest = rest.slice(at + 4 + size)
  }
}

const order = ['before', 'after'] as const
const pending = [true, false]
const answers: [name: string, answer: (res: ServerResponse) => unknown][] = [
  ['end', (res) => res.end('hello')],
  ['writeHead and end', (res) => res.writeHead(200, { 'X-A': '1' }).end('hello')],
  ['write and end', (res) => { res.write('hel'); res.end('lo') }],
  ['pipe', (res) => Readable.from(['he', 'llo']).pipe(res)]
]

for (const side of order) for (const isPending of pending) for (const [name, answer] of answers) {
  const how = `${name}, wrapped ${side} the gate, with ${isPending ? 'a write' : 'nothing'} pending`
  const hold = (gate: ResponseGate): void => { if (isPending) gate.hold(turn().then(turn)) }

  test(`S198: on-headers: ${how}`, async (t) => {
    let heads = 0
    const head = await wrapped(t, {
      [side]: (res: ServerResponse) => onHeaders(res, () => {
        heads++
        res.setHeader('X-Time', '1')
        res.statusCode = 203
      })
    }, (_req, res, gate) => {
      hold(gate)
      res.on('finish', () => t.is(res.statusCode, 203))
      return answer(res)
    })
    t.is(heads, 1)
    t.is(head.statusLine, 'HTTP/1.1 203 Non-Authoritative Information')
    t.deepEqual(valuesOf(head, 'X-Time'), ['1'])
    t.deepEqual(valuesOf(head, 'Set-Cookie'), ['id=1; HttpOnly'])
    t.regex(head.body, /hel(\r\n2\r\n)?lo|he\r\n3\r\nllo/)
  })

  test(`S198: another's cookie: ${how}`, async (t) => {
    const head = await wrapped(t, { [side]: (res: ServerResponse) => lateCookie(res, 'other=1') }, (_req, res, gate) => {
      hold(gate)
      return answer(res)
    })
    t.deepEqual(valuesOf(head, 'Set-Cookie').toSorted(), ['id=1; HttpOnly', 'other=1'])
  })

  test(`S198: compression: ${how}`, async (t) => {
    const head = await wrapped(t, { [side]: compress }, (_req, res, gate) => {
      hold(gate)
      return answer(res)
    })
    t.deepEqual(valuesOf(head, 'Content-Encoding'), ['gzip'])
    t.deepEqual(valuesOf(head, 'Set-Cookie'), ['id=1; HttpOnly'])
    t.is(unzipped(head), 'hello')
  })

  test(`S198: finalhandler leaves an answer alone: ${how}`, async (t) => {
    const head = await wrapped(t, { [side]: (res: ServerResponse) => onHeaders(res, () => {}) }, async (req, res, gate) => {
      hold(gate)
      void answer(res)
      await turn()
      finalHandler(req, res)()
    })
    t.is(head.statusLine, 'HTTP/1.1 200 OK')
    t.regex(head.body, /hel(\r\n2\r\n)?lo|he\r\n3\r\nllo/)
  })
}

for (const side of order) {
  test(`S198: finalhandler's own answer is held like any, wrapped ${side} the gate`, async (t) => {
    const head = await wrapped(t, { [side]: (res: ServerResponse) => onHeaders(res, () => {}) }, (req, res, gate) => {
      gate.hold(turn())
      finalHandler(req, res)()
    })
    t.is(head.statusLine, 'HTTP/1.1 404 Not Found')
    t.is(head.body, 'Cannot find it')
    t.deepEqual(valuesOf(head, 'Set-Cookie'), ['id=1; HttpOnly'])
  })

  test(`S198: a long pipe through compression ${side} the gate, held at its start and in its middle, goes on to its end`, async (t) => {
    const lines = Array.from({ length: 3_000 }, (_, index) => `${index} ${Math.sin(index)}`.padEnd(200))
    const head = await wrapped(t, { [side]: compress }, async (_req, res, gate) => {
      gate.hold(turn().then(turn))
      const source = async function* (): AsyncGenerator<string> {
        for (const [index, line] of lines.entries()) {
          if (index === 1_000) gate.hold(turn().then(turn))
          yield line
        }
      }
      await pipeline(Readable.from(source()), res)
    })
    t.is(unzipped(head), lines.join(''))
  })

  test(`S198: a failure is answered through compression ${side} the gate`, async (t) => {
    const head = await wrapped(t, { [side]: compress }, (_req, res, gate) => {
      gate.hold(Promise.reject(new StoreUnavailableError('down', { backend: 'memory', operation: 'replace' })))
      Readable.from(Array.from({ length: 100 }, () => 'success '.repeat(1_000))).pipe(res)
    })
    t.is(head.statusLine, 'HTTP/1.1 503 Service Unavailable')
    t.is(side === 'before' ? unzipped(head) : head.body, 'Service Unavailable\n')
    t.deepEqual(valuesOf(head, 'Set-Cookie'), [])
  })
}

/** A wrapper that takes any amount, to send it at the end, and that wraps `on` without a purpose. */
const insatiable = (res: ServerResponse): void => {
  const { on, end } = res
  const chunks: string[] = []
  res.on = ((event: string, listener: () => void) => on.call(res, event, listener)) as typeof res.on
  res.write = (chunk: string) => chunks.push(chunk) > 0
  res.end = () => end.call(res, chunks.join(''), 'utf8')
}

for (const [name, endsEarly, expected] of [['once', false, 1], ['not after the end', true, 0]] as const) {
  test(`S198: whoever waits for drain is told ${name}, if the wrapper below takes all at once`, async (t) => {
    let drains = 0
    await wrapped(t, { before: insatiable }, async (_req, res, gate) => {
      gate.hold(turn())
      res.on('drain', () => { drains++ })
      while (res.write('x'.repeat(1_000)));
      if (endsEarly) res.end()
      await turn()
      await turn()
      res.end()
    })
    t.is(drains, expected)
  })
}

test('two gates on one response: who fails decides on the answer, and both are told', async (t) => {
  const [first, second]: string[][] = [[], []]
  const port = await listen(t, createServer((_req, res) => {
    gateOn(res, {}, first!).hold(turn())
    gateOn(res, { answer: () => ({ status: 599, headers: {}, body: '' }) }, second!).hold(Promise.reject(new Error('second')))
    res.end('all is well')
  }))
  t.is(parseHead((await ask(port)).text).statusLine, 'HTTP/1.1 599 unknown')
  t.deepEqual([first, second], [['head 200', 'end', 'failed'], ['head 200', 'end', 'answer Error: second', 'failed']])
})

test('S198: two gates on one response, of two managers', async (t) => {
  const answer = (res: ServerResponse): void => { res.write('hel'); res.end('lo') }
  const bare = await listen(t, createServer((_req, res) => answer(res)))
  const port = await listen(t, createServer((_req, res) => {
    const [first, second] = [
      gateOn(res, { headers: () => [sessionCookie] }, []),
      gateOn(res, { headers: () => [{ ...sessionCookie, cookies: new Map([['admin', 'admin=1']]) }] }, [])
    ]
    first.hold(turn())
    second.hold(turn().then(turn))
    answer(res)
    t.false(first.headersSent)
    t.false(second.headersSent)
  }))
  const head = parseHead((await ask(port)).text)
  t.deepEqual(valuesOf(head, 'Set-Cookie').toSorted(), ['admin=1', 'id=1; HttpOnly'])
  t.is(head.body, parseHead((await ask(bare)).text).body)
})

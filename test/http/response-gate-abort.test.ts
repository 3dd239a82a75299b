import { once } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test from 'ava'
import { StoreUnavailableError } from '../../src/errors.js'
import { writePromise } from '../../src/write-promise.js'
import { codeOf, counter, deferred, gatedServer, gateOn, turn } from '../support/gated-server.js'
import { listen, open, request } from '../support/raw-http.js'

const aborts = Number(process.env['PHIAL_ABORTS'] ?? 300)

test('S194: a client that goes while calls are held: they are dropped, their callbacks are told, the write runs on', async (t) => {
  const write = deferred()
  const held = deferred()
  const told: string[] = []
  const done = counter()
  const note = (name: string) => (error?: Error | null): void => {
    told.push(`${name} ${codeOf(error)}`)
    done.count()
  }
  const { port, log, over } = await gatedServer(t, (_req, res, gate) => {
    const saved = writePromise(() => write.promise)
    gate.hold(saved)
    void saved.then(() => log.push('stored')).finally(() => done.count())
    res.write('a', note('write'))
    res.end('b', note('end'))
    held.resolve()
  })
  const socket = await open(port)
  socket.write(request('/'))
  await held.promise
  socket.destroy()
  await over()
  write.resolve()
  await done.reached(3)
  t.deepEqual(told, ['write ERR_STREAM_DESTROYED', 'end ERR_STREAM_DESTROYED'])
  t.deepEqual(log, ['head 200', 'end', 'abort', 'stored'])
})

test('S194: after the client is gone, calls are answered by Node, and the hooks are left alone', async (t) => {
  const told = deferred<string>()
  const { port, log } = await gatedServer(t, async (_req, res, gate) => {
    gate.hold(new Promise(() => {}))
    await once(res, 'close')
    t.true(gate.over)
    t.false(res.headersSent)
    gate.fail(new Error('late'))
    res.write('a', (error) => told.resolve(codeOf(error)))
    res.writeHead(200)
    res.end('b')
  })
  const socket = await open(port)
  socket.end(request('/'))
  socket.destroy()
  t.is(await told.promise, 'ERR_STREAM_DESTROYED')
  t.deepEqual(log, ['abort'])
})

test('S194: a failing write of a client that is gone harms nobody', async (t) => {
  const write = deferred()
  const { port, log, over } = await gatedServer(t, (_req, res, gate) => {
    gate.hold(writePromise(() => write.promise))
    res.end('a')
    socket.destroy()
  })
  const socket = await open(port)
  socket.write(request('/'))
  await over()
  write.reject(new StoreUnavailableError('down', { backend: 'memory', operation: 'replace' }))
  await turn()
  await turn()
  t.deepEqual(log, ['head 200', 'end', 'abort'])
})

test('S194: a client that goes in the middle of a body that is held', async (t) => {
  const { port, log, over } = await gatedServer(t, async (_req, res, gate) => {
    res.write('begun')
    await gone.promise
    gate.hold(new Promise(() => {}))
    const error = await t.throwsAsync(pipeline(Readable.from((function* () { for (;;) yield 'more' })()), res))
    t.is(codeOf(error), 'ERR_STREAM_PREMATURE_CLOSE')
    ended.resolve()
  })
  const [gone, ended] = [deferred(), deferred()]
  const socket = await open(port)
  socket.write(request('/'))
  await once(socket, 'data')
  gone.resolve()
  await turn()
  socket.destroy()
  await over()
  await ended.promise
  t.is(log.at(-1), 'abort')
})

test('S194: pipelined responses that wait for their turn are told too, without a listener for each', async (t) => {
  const count = 30
  const arrived = counter()
  const warned: string[] = []
  const warn = (warning: Error): void => { warned.push(warning.name) }
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const { port, log, over } = await gatedServer(t, (req, res, gate) => {
    if (req.url === '/0') return arrived.count()
    gate.hold(new Promise(() => {}))
    res.end('a')
    return arrived.count()
  })
  const socket = await open(port)
  socket.write(Array.from({ length: count }, (_, index) => request(`/${index}`)).join(''))
  await arrived.reached(count)
  socket.destroy()
  await over(count)
  t.is(log.filter((line) => line === 'abort').length, count)
  await turn()
  t.deepEqual(warned, [])
})

test('S194: a gate that is put on a waiting response when the client is gone already says so', async (t) => {
  const log: string[] = []
  const [arrived, over] = [counter(), counter()]
  const port = await listen(t, createServer((req, res) => {
    arrived.count()
    if (req.url === '/1') req.socket.once('close', () => gateOn(res, { over: () => over.count() }, log))
  }))
  const socket = await open(port)
  socket.write(request('/0') + request('/1'))
  await arrived.reached(2)
  socket.destroy()
  await over.reached(1)
  t.deepEqual(log, ['abort'])
})

test(`S194: ${aborts} clients that go at any moment: each exchange is over once`, async (t) => {
  const { port, log, over } = await gatedServer(t, async (req, res, gate) => {
    const index = Number(req.url?.slice(1))
    for (let i = 0; i < index % 3; i++) await turn()
    gate.hold(writePromise(async () => {
      for (let i = 0; i < index % 5; i++) await turn()
      if (index % 7 === 0) throw new StoreUnavailableError('down', { backend: 'memory', operation: 'replace' })
    }))
    res.write('a')
    if (index % 2 === 0) await turn()
    res.end('b'.repeat(index * 10))
  })
  const batch = 50
  for (let first = 0; first < aborts; first += batch) {
    await Promise.all(Array.from({ length: Math.min(batch, aborts - first) }, async (_, offset) => {
      const index = first + offset
      const socket = await open(port)
      socket.on('error', () => {})
      await new Promise<unknown>((resolve) => socket.write(request(`/${index}`), resolve))
      for (let i = 0; i < index % 11; i++) await turn()
      socket.destroy()
    }))
  }
  await over(aborts)
  await turn()
  t.is(log.filter((line) => ['finish', 'abort', 'failed'].includes(line)).length, aborts)
})

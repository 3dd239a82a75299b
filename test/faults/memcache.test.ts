import anyTest from 'ava'
import type { ExecutionContext } from 'ava'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError } from '../../src/errors.js'
import type { StoreError } from '../../src/errors.js'
import { hasMemcached, key, later, managerOn, outcomeOf, proxyTo, startMemcached, timeToSuccess } from '../support/memcache-store.js'
import type { MemcacheStore, Outcome } from '../support/memcache-store.js'
import { findProgram, freePorts, ServerProcess } from '../support/server-process.js'

// One after the other: how long an error takes is part of what is asserted.
const test = hasMemcached() ? anyTest.serial : anyTest.serial.skip

/** A second, and what a busy machine adds. */
const SOON = 1_600

const isUnavailable = (t: ExecutionContext, { error, ms }: Outcome<unknown>): void => {
  t.true(error instanceof StoreUnavailableError, String(error))
  t.true(error!.retryable)
  t.true(ms < SOON, `${ms} ms`)
}

/** A write that was sent, and of which nothing more is known. */
const isUnknown = (t: ExecutionContext, { error, ms }: Outcome<unknown>): void => {
  t.true(error instanceof StoreOutcomeUnknownError || error instanceof StoreTimeoutError, String(error))
  t.true(ms < SOON, `${ms} ms`)
}

/** A call of either kind that nobody answered. */
const isUnanswered = (t: ExecutionContext, { error, ms }: Outcome<unknown>): void => {
  t.true([StoreTimeoutError, StoreUnavailableError, StoreOutcomeUnknownError].some((kind) => error instanceof kind), String(error))
  t.true(ms < SOON, `${ms} ms`)
}

/** Those from `bound` on are answered before any that waits for the server. */
const areRefusedFirst = async (t: ExecutionContext, calls: readonly (() => Promise<unknown>)[], bound: number): Promise<void> => {
  let waited = 0
  const outcomes = calls.map(async (call, n) => {
    const outcome = await outcomeOf(call)
    if (n < bound) waited += 1
    return outcome
  })
  for (const outcome of await Promise.all(outcomes.slice(bound + 10))) isUnavailable(t, outcome)
  t.is(waited, 0)
  await Promise.all(outcomes)
}

const isForGood = (t: ExecutionContext, { error, ms }: Outcome<unknown>, code = 'PHIAL_STORE'): void => {
  t.is(error?.code as string, code)
  t.false(error!.retryable)
  t.true(ms < SOON, `${ms} ms`)
}

const recovers = async (t: ExecutionContext, manager: MemcacheStore): Promise<void> => {
  const ms = await timeToSuccess(() => manager.get(key()))
  t.true(ms < 2_000, `${ms} ms`)
}

/** A server of the test's own making on a free port. */
const listen = async (t: ExecutionContext, server: Server): Promise<string> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

// M01: the server

test('M01: down at the start: open() throws nothing, calls fail at once, and the first one after it came succeeds', async (t) => {
  const server = await startMemcached(t)
  await server.kill()
  const manager = managerOn(t, server.url)
  const calls: (() => Promise<unknown>)[] = [
    () => manager.get(key()), () => manager.create(key(), 'x', later()), () => manager.delete(key()), () => manager.lock(key(), 2_000, Date.now()),
  ]
  for (const call of calls) {
    const outcome = await outcomeOf(call)
    isUnavailable(t, outcome)
    t.true(outcome.ms < 300, `${outcome.ms} ms`)
  }
  await server.start()
  await recovers(t, manager)
})

test('M01: killed between two calls, and back with nothing in it: the next call answers that there is no record', async (t) => {
  const server = await startMemcached(t)
  const manager = managerOn(t, server.url)
  await manager.create(key(), 'value', later())
  await server.restart()
  await sleep(30)
  t.is(await manager.get(key()), undefined)
})

test('M01: killed while calls are under way: each one is settled, and it goes on when the server is back', async (t) => {
  const server = await startMemcached(t)
  const manager = managerOn(t, server.url)
  await manager.create(key(), 'value', later())
  await server.hang()
  const calls = [outcomeOf(() => manager.get(key())), outcomeOf(() => manager.create(key('other'), 'x', later()))] as const
  await server.kill()
  isUnavailable(t, await calls[0])
  isUnknown(t, await calls[1])
  await server.start()
  await recovers(t, manager)
})

test('M01: hung: every call fails within a second, however many in a row, and no connections pile up', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  const version = await manager.create(key(), 'value', later())
  await server.hang()
  isUnknown(t, await outcomeOf(() => manager.replace(key(), 'other', version!, later())))
  for (let round = 0; round < 3; round++) {
    isUnanswered(t, await outcomeOf(() => manager.get(key())))
    isUnavailable(t, await outcomeOf(() => manager.replace(key(), 'third', version!, later())))
  }
  const burst = await Promise.all(Array.from({ length: 500 }, () => outcomeOf(() => manager.get(key()))))
  for (const outcome of burst) isUnanswered(t, outcome)
  t.true(proxy.connections <= 2, `${proxy.connections}`)
  server.wake()
  await recovers(t, manager)
  t.is((await manager.get(key()))?.value, 'other', 'the one that was sent landed')
  t.is((await server.commands()).set, 2)
})

test('M01: a write that was given up is not sent again, and takes effect at most once', async (t) => {
  const server = await startMemcached(t)
  const manager = managerOn(t, server.url)
  await manager.get(key())
  await server.hang()
  isUnknown(t, await outcomeOf(() => manager.create(key(), 'first', later())))
  server.wake()
  await recovers(t, manager)
  await sleep(300)
  t.is((await server.commands()).set, 1)
})

// The client's faults

test('M19: a connection that is closed in good order while something is asked: memjs never answers', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  for (const after of [0, 1, 23]) {
    await proxy.heal()
    await manager.create(key(), 'value', later())
    await proxy.set({ kind: 'close', direction: 'reply', after })
    isUnavailable(t, await outcomeOf(() => manager.get(key())))
    await recovers(t, manager)
    await proxy.set({ kind: 'close', direction: 'reply', after })
    isUnknown(t, await outcomeOf(() => manager.create(key(after), 'x', later())))
  }
})

test('M19: a call right after one that timed out: memjs never answers it', async (t) => {
  const silent = await listen(t, createServer())
  const manager = managerOn(t, silent, { operationTimeout: 0.2 })
  for (let round = 0; round < 6; round++) isUnanswered(t, await outcomeOf(() => manager.get(key())))
})

test('M19: half a reply, and the end of the connection: with memjs no later call is answered', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  await manager.create(key(), 'value', later())
  for (const kind of ['close', 'reset', 'truncate'] as const) {
    await proxy.set({ kind, direction: 'reply', after: 30 })
    isUnanswered(t, await outcomeOf(() => manager.get(key())))
    await proxy.heal()
    await recovers(t, manager)
    t.is((await manager.get(key()))?.value, 'value')
  }
})

test('M20: more commands over one connection than there are numbers for them', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`, { operationTimeout: 30 })
  await manager.create(key(), 'value', later())
  for (let round = 0; round < 14; round++) {
    const found = await Promise.all(Array.from({ length: 5_000 }, () => manager.get(key())))
    t.true(found.every((record) => record?.value === 'value'))
  }
  t.is(proxy.accepted, 1)
})

test('M21: too much asked at once of a server that hangs: what is over the bound is refused at once', async (t) => {
  const server = await startMemcached(t)
  const manager = managerOn(t, server.url)
  await manager.get(key())
  await server.hang()
  await areRefusedFirst(t, Array.from({ length: 11_000 }, () => () => manager.get(key())), 10_000)
  const value = 'x'.repeat(1_000_000)
  await areRefusedFirst(t, Array.from({ length: 100 }, (_, n) => () => manager.create(key(n), value, later())), 60)
  server.wake()
  await recovers(t, manager)
})

test('M22: an answer that came while the process was busy with something else is not late', async (t) => {
  const server = await startMemcached(t)
  const manager = managerOn(t, server.url, { operationTimeout: 0.3 })
  await manager.create(key(), 'value', later())
  const reading = manager.get(key())
  await new Promise((sent) => process.nextTick(sent))
  const until = performance.now() + 500
  while (performance.now() < until);
  t.is((await reading)?.value, 'value')
})

// The network

test('M23: a slow network: under the bound it works, over it each call fails in time', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  await manager.create(key(), 'value', later())
  await proxy.set({ kind: 'latency', ms: 300 })
  t.is((await manager.get(key()))?.value, 'value')
  await proxy.set({ kind: 'latency', ms: 1_200 })
  isUnanswered(t, await outcomeOf(() => manager.get(key())))
  isUnanswered(t, await outcomeOf(() => manager.create(key('other'), 'x', later())))
  await proxy.set({ kind: 'drip', ms: 20 })
  isUnanswered(t, await outcomeOf(() => manager.get(key())))
  await proxy.heal()
  await recovers(t, manager)
})

test('M23: a black hole: calls fail in time, what vanished never arrives, and it goes on within two seconds', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  await manager.get(key())
  await proxy.set({ kind: 'black-hole' })
  isUnknown(t, await outcomeOf(() => manager.create(key(), 'lost', later())))
  isUnanswered(t, await outcomeOf(() => manager.get(key())))
  await proxy.heal()
  await recovers(t, manager)
  t.is(await manager.get(key()), undefined)
  t.is((await server.commands()).set, 0)
})

test('M23: a network that delivers late what it kept: a write that was given up does not arrive after all', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  await manager.get(key())
  await proxy.set({ kind: 'stall', direction: 'request' })
  isUnknown(t, await outcomeOf(() => manager.create(key(), 'late', later())))
  for (let tries = 0; proxy.connections > 0 && tries < 500; tries++) await sleep(10)
  await proxy.heal()
  await recovers(t, manager)
  await sleep(200)
  t.is((await server.commands()).set, 0)
})

test('M23: replies that are swallowed: a write did happen, once', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  const version = await manager.create(key(), 'old', later())
  await proxy.set({ kind: 'half-open' })
  isUnknown(t, await outcomeOf(() => manager.replace(key(), 'new', version!, later())))
  await proxy.heal()
  await recovers(t, manager)
  t.is((await manager.get(key()))?.value, 'new')
  t.is(await manager.replace(key(), 'again', version!, later()), undefined)
  t.is((await server.commands()).set, 2)
})

test('M23: new connections are refused: the one that is there goes on, and afterwards it fails at once', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`)
  await manager.create(key(), 'value', later())
  await proxy.set({ kind: 'refuse' })
  t.is((await manager.get(key()))?.value, 'value')
  proxy.drop()
  await sleep(20)
  isUnavailable(t, await outcomeOf(() => manager.get(key())))
  await proxy.heal()
  await recovers(t, manager)
})

for (const direction of ['request', 'reply'] as const) {
  test(`M24: the connection is reset at every byte of a save (${direction}): the record is the old one or the new one, and no error is hidden`, async (t) => {
    const server = await startMemcached(t)
    const proxy = await proxyTo(t, server)
    const manager = managerOn(t, `127.0.0.1:${proxy.port}`, { namespace: 'a' })
    const reader = managerOn(t, server.url, { namespace: 'a' })
    const bytes = direction === 'reply' ? 24 : 24 + 8 + 80 + 40
    for (let after = 0; after <= bytes; after++) {
      await proxy.heal()
      const version = await manager.create(key(after), 'old', later())
      await proxy.set({ kind: 'reset', direction, after })
      const { value, error } = await outcomeOf(() => manager.replace(key(after), 'new', version!, later()))
      const now = await reader.get(key(after))
      if (error === undefined) t.deepEqual([now?.value, now?.version], ['new', value], `${after}`)
      else isUnknown(t, { error, ms: 0 })
      t.true(now?.value === 'new' || now?.value === 'old', `${after}: ${now?.value}`)
    }
  })
}

test('M25: any byte of a reply is damaged: the value is right, or nobody can read it, or the call fails in time', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`, { operationTimeout: 0.3 })
  const value = 'the value of this record'
  await timeToSuccess(() => manager.create(key(), value, later()))
  const seen: Record<string, number> = {}
  for (let at = 0; at < 24 + 4 + 35 + value.length; at++) {
    await timeToSuccess(() => manager.get(key()))
    await proxy.set({ kind: 'corrupt', direction: 'reply', after: at })
    const { value: record, error, ms } = await outcomeOf(() => manager.get(key()))
    const what = error === undefined ? record?.value ?? 'missing' : error.code
    t.true([value, '', 'PHIAL_STORE', 'PHIAL_STORE_TIMEOUT', 'PHIAL_STORE_UNAVAILABLE'].includes(what), `${at}: ${what}`)
    t.true(ms < 1_000, `${at}: ${ms} ms`)
    seen[what] = (seen[what] ?? 0) + 1
    await proxy.heal()
  }
  t.true(seen['']! >= value.length, JSON.stringify(seen))
})

test('M25: damaged numbers never give one call the answer to another', async (t) => {
  const server = await startMemcached(t)
  const proxy = await proxyTo(t, server)
  const manager = managerOn(t, `127.0.0.1:${proxy.port}`, { operationTimeout: 0.3 })
  const keys = Array.from({ length: 100 }, (_, n) => key(n))
  await timeToSuccess(() => manager.get(key()))
  await Promise.all(keys.map((each) => manager.create(each, each, later())))
  for (const at of [12, 13, 14, 15]) {
    await timeToSuccess(() => manager.get(key()))
    await proxy.set({ kind: 'corrupt', direction: 'reply', after: at })
    const outcomes = await Promise.all(keys.map((each) => outcomeOf(() => manager.get(each))))
    for (const [n, { value, error }] of outcomes.entries()) t.true(error !== undefined || value?.value === keys[n], `${at}, ${n}`)
    t.true(outcomes.some(({ error }) => error !== undefined))
    await proxy.heal()
  }
})

// What the server does with its memory

test('M02: evicted: the oldest records are missing, which is an answer', async (t) => {
  const server = await startMemcached(t, '-m', '2')
  const manager = managerOn(t, server.url, { operationTimeout: 10 })
  for (let n = 0; n < 4_000; n += 100) await Promise.all(Array.from({ length: 100 }, (_, m) => manager.create(key(n + m), 'x'.repeat(1_000), later())))
  t.true((await server.stats()).get('evictions')! > 1_000)
  t.is(await manager.get(key(0)), undefined)
  t.is((await manager.get(key(3_999)))?.value, 'x'.repeat(1_000))
})

test('M07: no memory is left and nothing may be evicted (-M): writes fail for good, and the record is as it was', async (t) => {
  const server = await startMemcached(t, '-m', '2', '-M')
  const manager = managerOn(t, server.url, { operationTimeout: 10 })
  const versions: string[] = []
  let failed: Outcome<unknown> = { ms: 0 }
  while (failed.error === undefined) {
    failed = await outcomeOf(async () => versions.push((await manager.create(key(versions.length), 'x'.repeat(1_000), later()))!))
  }
  isForGood(t, failed)
  isForGood(t, await outcomeOf(() => manager.replace(key(0), 'y'.repeat(1_000), versions[0]!, later())))
  const record = await manager.get(key(0))
  t.deepEqual([record?.value, record?.version], ['x'.repeat(1_000), versions[0]])
  t.true(await manager.delete(key(1), versions[1]!))
  t.truthy(await manager.replace(key(0), 'y'.repeat(1_000), versions[0]!, later()))
})

test('M10: of two writers one wins, and the other is told', async (t) => {
  const server = await startMemcached(t)
  const [one, other] = [managerOn(t, server.url, { namespace: 'a' }), managerOn(t, server.url, { namespace: 'a' })]
  const version = await one.create(key(), 'start', later())
  const written = await Promise.all([one.replace(key(), 'one', version!, later()), other.replace(key(), 'other', version!, later())])
  t.is(written.filter((each) => each !== undefined).length, 1)
})

test('M12: flush_all: every record is missing, no call fails, and no version of before fits', async (t) => {
  const server = await startMemcached(t)
  const manager = managerOn(t, server.url)
  const version = await manager.create(key(), 'value', later())
  await server.flush()
  t.is(await manager.get(key()), undefined)
  t.is(await manager.replace(key(), 'late', version!, later()), undefined)
  t.false(await manager.touch(key(), later()))
  t.false(await manager.delete(key(), version!))
  t.truthy(await manager.create(key(), 'new', later()))
})

test('M13: as many connections as the server takes (-c): calls are refused at once, and go on when there is room', async (t) => {
  const server = await startMemcached(t, '-c', '30')
  const others: Socket[] = []
  t.teardown(() => others.forEach((socket) => socket.destroy()))
  for (let isFull = false; !isFull;) {
    const socket = connect(server.port, '127.0.0.1').on('error', () => {})
    others.push(socket)
    socket.write('version\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    isFull = String(answer).startsWith('ERROR')
  }
  const manager = managerOn(t, server.url)
  isUnavailable(t, await outcomeOf(() => manager.get(key())))
  isUnavailable(t, await outcomeOf(() => manager.create(key(), 'x', later())))
  for (const socket of others) socket.destroy()
  await recovers(t, manager)
})

// M16: something else on the port

const others: Readonly<Record<string, (t: ExecutionContext) => Promise<string>>> = {
  'an HTTP server': (t) => listen(t, createHttpServer((_req, res) => res.end())),
  'a server that says who it is': (t) => listen(t, createServer((socket) => socket.write('220 mail.example ESMTP\r\n'))),
  'a server that answers with a word': (t) => listen(t, createServer((socket) => socket.once('data', () => socket.write('HELLO\r\n')))),
  'TLS': (t) => listen(t, createServer((socket) => socket.once('data', () => socket.end(Buffer.from('15030300020228', 'hex'))))),
}

for (const [what, make] of Object.entries(others)) {
  test(`M16: ${what} on the port: an error for good, at once, and an event at the start`, async (t) => {
    const url = await make(t)
    const told = await eventsDuring(async () => {
      const manager = managerOn(t, url)
      isForGood(t, await outcomeOf(() => manager.get(key())))
      isForGood(t, await outcomeOf(() => manager.create(key(), 'x', later())))
      await sleep(50)
    })
    t.deepEqual(told.map(({ operation, error }) => [operation, error.code, error.retryable]), [['open', 'PHIAL_STORE', false]])
  })
}

const REDIS = findProgram('redis-server')
if (REDIS === undefined) console.error('redis-server is not installed: that memcache notices it on its port is NOT TESTED')

;(REDIS === undefined ? anyTest.serial.skip : test)('M16: redis on the port: an error for good, within a second, and an event at the start', async (t) => {
  const [port] = await freePorts(1)
  const redis = await ServerProcess.start(REDIS!, ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], /Ready to accept connections/)
  t.teardown(() => redis.kill())
  const told = await eventsDuring(async () => {
    const manager = managerOn(t, `127.0.0.1:${port}`)
    isUnanswered(t, await outcomeOf(() => manager.get(key())))
    await timeToError(manager)
    const next = await outcomeOf(() => manager.get(key()))
    isForGood(t, next)
    t.true(next.ms < 100, `${next.ms} ms`)
  })
  t.deepEqual(told.map(({ operation, error }) => [operation, error.code, error.retryable]), [['open', 'PHIAL_STORE', false]])
})

/** Until the port is known for what it is. */
const timeToError = async (manager: MemcacheStore): Promise<void> => {
  for (let tries = 0; tries < 50; tries++) {
    if ((await outcomeOf(() => manager.get(key()))).error?.code === 'PHIAL_STORE' as string) return
    await sleep(20)
  }
}

interface Told {
  readonly operation: string
  readonly error: StoreError
}

const eventsDuring = async (work: () => Promise<void>): Promise<Told[]> => {
  const told: Told[] = []
  const listener = (message: unknown): void => void told.push(message as Told)
  subscribe('phial:store-error', listener)
  try {
    await work()
    return told
  } finally {
    unsubscribe('phial:store-error', listener)
  }
}

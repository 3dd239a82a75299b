import ava from 'ava'
import type { ExecutionContext } from 'ava'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DatastoreManager } from '../../backends/datastore/datastore-manager.js'
import { StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError } from '../../src/index.js'
import { serve } from '../support/app.js'
import { DatastoreEmulator, freshNamespace, missingEmulator, tellMissing } from '../support/datastore-emulator.js'
import { HOUR, keyOf, openDatastore, timed } from '../support/datastore-store.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { freePorts } from '../support/server-process.js'

tellMissing('the tests of datastore\'s outages are')
const test = missingEmulator === undefined ? ava.serial : (ava.serial.skip as unknown as typeof ava.serial)

/** Seconds. More than by default, so that a busy machine tells the same. */
const TIMEOUT = 2
/** Milliseconds in which a call is over, whatever happens. */
const IN_TIME = TIMEOUT * 1_000 + 3_000
/** Without what is tested here it is longer, or for ever. */
const RECOVERY = 4_000

const urlOf = (port: number): string => `http://127.0.0.1:${port}/phial-test`

/** An emulator of the test's own, to be killed and stopped. */
const ownEmulator = async (t: ExecutionContext, directory?: string): Promise<DatastoreEmulator> => {
  const emulator = await DatastoreEmulator.start(directory)
  t.teardown(() => emulator.kill())
  return emulator
}

/** The one of the tests that do it no harm. */
let shared: DatastoreEmulator

ava.before(async () => {
  if (missingEmulator === undefined) shared = await DatastoreEmulator.start()
})

ava.after.always(() => shared?.kill())

const proxied = async (t: ExecutionContext): Promise<FaultProxy> => {
  const proxy = await FaultProxy.start(shared.port)
  t.teardown(() => proxy.close())
  return proxy
}

/** A manager whose connection is there and works. */
const warm = async (t: ExecutionContext, port: number, context: { readonly namespace?: string } = {}): Promise<DatastoreManager> => {
  const manager = openDatastore(t, { url: urlOf(port), namespace: freshNamespace(), operationTimeout: TIMEOUT, ...context })
  for (let tries = 0; tries < 20; tries++) {
    const { error } = await timed(() => manager.get(keyOf('none')))
    if (error === undefined) return manager
  }
  throw new Error('does not get warm')
}

/** Milliseconds that it takes longer to succeed than a manager that is new: so a server that is slow itself does not count. */
const recovery = async (t: ExecutionContext, manager: DatastoreManager, port: number): Promise<number> => {
  const fresh = openDatastore(t, { url: urlOf(port), namespace: freshNamespace(), operationTimeout: TIMEOUT })
  const [mine, its] = await Promise.all([firstSuccess(manager), firstSuccess(fresh)])
  return mine - its
}

/** When it was; tried as often as the library does while a store is down. */
const firstSuccess = async (manager: DatastoreManager): Promise<number> => {
  const end = performance.now() + 60_000
  while ((await timed(() => manager.get(keyOf('none')))).error !== undefined) {
    if (performance.now() > end) return Infinity
    await sleep(100)
  }
  return performance.now()
}

const failing = async (t: ExecutionContext, work: () => Promise<unknown>, ...Kinds: readonly unknown[]): Promise<any> => {
  const { ms, error } = await timed(work)
  t.true(Kinds.includes(error?.constructor), `${error}`)
  t.true(error.retryable || error instanceof StoreOutcomeUnknownError)
  t.true(ms < IN_TIME, `${ms} ms`)
  return error
}

test('D02: not there at start: the manager is made, calls fail in time, and the first succeeds soon after it came', async (t) => {
  const [port] = await freePorts(1) as [number]
  const manager = openDatastore(t, { url: urlOf(port), namespace: freshNamespace(), operationTimeout: TIMEOUT })
  for (let call = 0; call < 3; call++) await failing(t, () => manager.get(keyOf('a')), StoreUnavailableError)
  await failing(t, () => manager.create(keyOf('a'), 'value', Date.now() + HOUR), StoreUnavailableError) // nothing was sent
  const emulator = await DatastoreEmulator.start(undefined, port)
  t.teardown(() => emulator.kill())
  const ms = await recovery(t, manager, port)
  t.true(ms < RECOVERY, `${ms} ms`)
  t.is(await manager.get(keyOf('a')), undefined)
})

test('D02: killed: errors in time, and the first success soon after its return; nothing needs a restart', async (t) => {
  const emulator = await ownEmulator(t)
  const manager = await warm(t, emulator.port)
  const version = (await manager.create(keyOf('a'), 'value', Date.now() + HOUR))!
  const inFlight = Array.from({ length: 20 }, () => timed(() => manager.get(keyOf('a'))))
  await emulator.kill()
  for (const { ms, error } of await Promise.all(inFlight)) {
    t.true(error === undefined || error instanceof StoreUnavailableError || error instanceof StoreTimeoutError, `${error}`)
    t.true(ms < IN_TIME)
  }
  for (let call = 0; call < 3; call++) {
    await failing(t, () => manager.get(keyOf('a')), StoreUnavailableError)
    await failing(t, () => manager.replace(keyOf('a'), 'other', version, Date.now() + HOUR), StoreUnavailableError)
  }
  await emulator.restart()
  const ms = await recovery(t, manager, emulator.port)
  t.true(ms < RECOVERY, `${ms} ms`)
})

test('D02: a restart of half a second is waited for, and no call fails', async (t) => {
  const proxy = await proxied(t)
  const manager = await warm(t, proxy.port)
  t.truthy(await manager.create(keyOf('a'), 'value', Date.now() + HOUR))
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) {
    await proxy.set({ kind: 'refuse' })
    proxy.drop()
    const reading = timed(() => manager.get(keyOf('a')))
    await sleep(300)
    await proxy.heal()
    const { ms, value } = await reading
    t.is(value?.value, 'value')
    rounds.push(ms)
  }
  t.true(Math.min(...rounds) < 850, `${rounds} ms`) // by itself gRPC tries again after a second
})

test('D02: while it is down, a connection is tried about twice a second, however long that lasts', async (t) => {
  const tries: number[] = []
  const server = createServer((socket) => {
    tries.push(performance.now())
    socket.on('error', () => {}).resetAndDestroy()
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const manager = openDatastore(t, { url: urlOf((server.address() as AddressInfo).port), operationTimeout: TIMEOUT })
  for (let call = 0; call < 6; call++) await failing(t, () => manager.get(keyOf('a')), StoreUnavailableError)
  const gaps = tries.slice(1).map((at, index) => at - tries[index]!).toSorted((one, other) => one - other)
  const [median = 0, longest = 0] = [gaps[Math.floor(gaps.length / 2)], gaps.at(-1)]
  t.true(median < 1_000 && longest < 2_500, `${gaps.map(Math.round)}`) // by itself gRPC comes to two minutes
})

test('D02: hung: time-outs in time; what was given up changes nothing newer when it wakes', async (t) => {
  const emulator = await ownEmulator(t)
  const manager = await warm(t, emulator.port)
  const later = Date.now() + HOUR
  const version = (await manager.create(keyOf('a'), 'first', later))!
  await emulator.hang()
  const error = await failing(t, () => manager.replace(keyOf('a'), 'given up', version, later), StoreTimeoutError)
  t.is(error.operation, 'replace')
  for (let call = 0; call < 4; call++) await failing(t, () => manager.get(keyOf('a')), StoreTimeoutError, StoreUnavailableError)
  emulator.wake()
  const ms = await recovery(t, manager, emulator.port)
  t.true(ms < RECOVERY, `${ms} ms`)
  const now = (await manager.get(keyOf('a')))!
  t.true(['first', 'given up'].includes(now.value))
  const next = await manager.replace(keyOf('a'), 'newer', now.version, later)
  for (let look = 0; look < 20; look++) {
    const record = await manager.get(keyOf('a'))
    if (next !== undefined) t.is(record?.value, 'newer')
    await sleep(10)
  }
})

test('a black hole: time-outs, and the first success soon after its end, on a new connection', async (t) => {
  const proxy = await proxied(t)
  const manager = await warm(t, proxy.port)
  await warm(t, proxy.port) // whose connection gRPC would have the new client share
  await proxy.set({ kind: 'black-hole' })
  for (let call = 0; call < 5; call++) await failing(t, () => manager.get(keyOf('none')), StoreTimeoutError, StoreUnavailableError)
  await proxy.heal()
  const ms = await recovery(t, manager, proxy.port)
  t.true(ms < RECOVERY, `${ms} ms`)
})

test('a server that takes connections and is silent: errors in time, and the first success soon after its waking; no heap of connections', async (t) => {
  const proxy = await proxied(t)
  await proxy.set({ kind: 'black-hole' })
  const manager = openDatastore(t, { url: urlOf(proxy.port), namespace: freshNamespace(), operationTimeout: TIMEOUT })
  for (let call = 0; call < 8; call++) await failing(t, () => manager.get(keyOf('none')), StoreTimeoutError, StoreUnavailableError)
  t.true(proxy.accepted > 3)
  await proxy.heal() // what connected before stays deaf
  const ms = await recovery(t, manager, proxy.port)
  t.true(ms < RECOVERY, `${ms} ms`)
  t.true(connectionsTo(proxy.port) < 7, `${connectionsTo(proxy.port)} connections`)
})

/** The established ones of this machine, by Linux; elsewhere none are counted. */
const connectionsTo = (port: number): number => {
  const table = existsSync('/proc/net/tcp') ? readFileSync('/proc/net/tcp', 'utf8') : ''
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table.split('\n').map((line) => line.trim().split(/\s+/)).filter(([, , to, state]) => to?.endsWith(remote) && state === '01').length
}

test('half-open: what was done is done once, and nobody is told; the next connection tells', async (t) => {
  const proxy = await proxied(t)
  const manager = await warm(t, proxy.port)
  const later = Date.now() + HOUR
  const version = (await manager.create(keyOf('a'), 'first', later))!
  await proxy.set({ kind: 'half-open' })
  await failing(t, () => manager.replace(keyOf('a'), 'second', version, later), StoreTimeoutError)
  await proxy.heal()
  const ms = await recovery(t, manager, proxy.port)
  t.true(ms < RECOVERY, `${ms} ms`)
  t.is((await manager.get(keyOf('a')))?.value, 'second')
  t.is(await manager.replace(keyOf('a'), 'third', version, later), undefined)
})

test('a connection that breaks after any number of bytes of the answer: the right value or an error, never another', async (t) => {
  const proxy = await proxied(t)
  const namespace = freshNamespace()
  const manager = await warm(t, proxy.port, { namespace })
  const later = Date.now() + HOUR
  let version = (await manager.create(keyOf('a'), '0', later))!
  let value = '0'
  for (let after = 0; after < 240; after += 6) {
    for (const kind of ['reset', 'close'] as const) {
      await proxy.set({ kind, direction: 'reply', after })
      const next = `${after} ${kind}`
      const { value: written, error } = await timed(() => manager.replace(keyOf('a'), next, version, later))
      t.true(error === undefined || error instanceof StoreError, `${error}`)
      await proxy.heal()
      const now = await openDatastore(t, { url: shared.url, namespace }).get(keyOf('a'))
      t.true([value, next].includes(now!.value))
      if (error === undefined) t.deepEqual([now!.value, now!.version], [next, written])
      ;({ value, version } = now!)
    }
  }
})

test('latency: below operation_timeout it works, above it is a time-out', async (t) => {
  const proxy = await proxied(t)
  const manager = await warm(t, proxy.port)
  for (const ms of [50, 200, 900]) {
    await proxy.set({ kind: 'latency', ms })
    const read = await timed(() => manager.get(keyOf('none')))
    t.is(read.error, undefined, `${ms}: ${read.error}`)
  }
  await proxy.set({ kind: 'latency', ms: 2_200 })
  await failing(t, () => manager.get(keyOf('none')), StoreTimeoutError)
  await proxy.heal()
  t.true((await recovery(t, manager, proxy.port)) < RECOVERY)
})

test('drip: an answer that comes a byte at a time is waited for, as long as there is time', async (t) => {
  const proxy = await proxied(t)
  const manager = await warm(t, proxy.port)
  await proxy.set({ kind: 'drip', ms: 2, bytes: 4 })
  t.is((await timed(() => manager.get(keyOf('none')))).error, undefined)
  await proxy.set({ kind: 'drip', ms: 100 })
  await failing(t, () => manager.get(keyOf('none')), StoreTimeoutError)
})

test('another protocol on the port: an error in time', async (t) => {
  const answers = { HTTP: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', redis: '-ERR unknown command\r\n', nothing: '' }
  for (const [name, text] of Object.entries(answers)) {
    const server = createServer((socket) => {
      socket.on('error', () => {}).end(text)
    }).listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const manager = openDatastore(t, { url: urlOf((server.address() as AddressInfo).port), operationTimeout: TIMEOUT })
    const { ms, error } = await timed(() => manager.get(keyOf('a')))
    t.true(error instanceof StoreError, `${name}: ${error}`)
    t.true(ms < IN_TIME, `${name}: ${ms} ms`)
  }
})

test('1,000 calls at once while it is down are all answered in time, and take no connections with them', async (t) => {
  const [port] = await freePorts(1) as [number]
  const manager = openDatastore(t, { url: urlOf(port), operationTimeout: TIMEOUT })
  await timed(() => manager.get(keyOf('a')))
  const all = await Promise.all(Array.from({ length: 1_000 }, (_, n) => timed(() => manager.get(keyOf(`${n}`)))))
  t.true(all.every(({ error }) => error instanceof StoreUnavailableError))
  t.true(all.every(({ ms }) => ms < IN_TIME), `${Math.max(...all.map(({ ms }) => ms))} ms`)
})

test('1,000 calls at once while it is there are all answered, a hundred at a time', async (t) => {
  const proxy = await proxied(t)
  const manager = openDatastore(t, { url: urlOf(proxy.port), namespace: freshNamespace(), operationTimeout: 60 })
  const all = await Promise.all(Array.from({ length: 1_000 }, (_, n) => manager.get(keyOf(`${n}`))))
  t.true(all.every((record) => record === undefined))
  t.is(proxy.accepted, 1)
})

// Restarts

test('D13: restarted with its disk: everything is there, and versions fit', async (t) => {
  const emulator = await ownEmulator(t, temporaryDirectory(t))
  const manager = await warm(t, emulator.port)
  const later = Date.now() + HOUR
  const version = (await manager.create(keyOf('a'), 'value', later))!
  await manager.addOwned(keyOf('owner'), keyOf('a'), later)
  await emulator.stop()
  await emulator.restart()
  t.true((await recovery(t, manager, emulator.port)) < RECOVERY)
  const record = await manager.get(keyOf('a'))
  t.deepEqual([record?.value, record?.version], ['value', version])
  t.truthy(await manager.replace(keyOf('a'), 'next', version, later))
  t.deepEqual(await manager.listOwned(keyOf('owner')), [keyOf('a')])
})

test('D13: restarted empty: the session is gone, which is an answer; the late writer is told, and nothing is brought back', async (t) => {
  const emulator = await ownEmulator(t)
  const app = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/add') await session.update('n', (n = 0) => n + 1)
    if (req.url === '/slow') {
      await emulator.restart()
      await session.set('late', 1).save()
    }
    res.end(JSON.stringify(session))
  }, { type: 'datastore', url: emulator.url, namespace: freshNamespace(), operationTimeout: 10, requestBudget: 30 })
  const browser = app.client()
  t.is(await browser.text('/add'), '{"n":1}')
  t.is((await browser.get('/slow')).status, 409)
  t.is(await browser.text('/'), '{}')
})

// Through HTTP

test('HTTP: hung: 503 in time and without a cookie, then at once; and 200 soon after it woke', async (t) => {
  const emulator = await ownEmulator(t)
  const app = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/add') await session.update('n', (n = 0) => n + 1)
    res.end(JSON.stringify(session))
  }, { type: 'datastore', url: emulator.url, namespace: freshNamespace(), operationTimeout: TIMEOUT, requestBudget: 2 * TIMEOUT })
  const browser = app.client()
  for (let tries = 0; tries < 20 && (await browser.get('/add')).status !== 200; tries++) await sleep(50)
  await emulator.hang()
  for (const path of ['/', '/add', '/', '/add', '/', '/']) {
    const { ms, value: answer } = await timed(() => browser.get(path))
    t.deepEqual([answer?.status, answer?.headers.getSetCookie()], [503, []])
    t.true(ms < 2 * IN_TIME, `${ms} ms`)
  }
  const all = await Promise.all(Array.from({ length: 10 }, () => timed(() => browser.get('/'))))
  t.true(all.map(({ ms }) => ms).toSorted((one, other) => one - other)[5]! < IN_TIME / 2)
  emulator.wake()
  const start = performance.now()
  while ((await browser.get('/')).status !== 200 && performance.now() - start < 20_000) await sleep(50)
  t.true(performance.now() - start < 3 * RECOVERY, `${performance.now() - start} ms`)
})

import test from 'ava'
import type { ExecutionContext } from 'ava'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultProxy } from '../support/fault-proxy.js'
import type { Fault } from '../support/fault-proxy.js'

interface Echo {
  readonly proxy: FaultProxy
  /** What reached the server. */
  readonly got: string[]
  dial(): Promise<Talker>
}

/** A server that answers `<` and what it was sent, behind a proxy. */
const echo = async (t: ExecutionContext): Promise<Echo> => {
  const got: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('data', (chunk) => {
      got.push(chunk.toString())
      socket.write(`<${chunk.toString()}`)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await FaultProxy.start((server.address() as AddressInfo).port)
  t.teardown(async () => {
    await proxy.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { proxy, got, dial: () => Talker.dial(t, proxy.port) }
}

class Talker {
  readonly socket: Socket
  text = ''
  end: 'fin' | 'ECONNRESET' | 'ECONNREFUSED' | undefined

  private constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('data', (chunk) => { this.text += chunk.toString() })
    this.socket.on('end', () => { this.end ??= 'fin' })
    this.socket.on('error', (error: NodeJS.ErrnoException) => { this.end ??= error.code as 'ECONNRESET' })
  }

  static async dial(t: ExecutionContext, port: number): Promise<Talker> {
    const talker = new Talker(port)
    t.teardown(() => talker.socket.destroy())
    await Promise.race([once(talker.socket, 'connect'), once(talker.socket, 'close')]).catch(() => undefined)
    return talker
  }

  async until(done: () => boolean): Promise<number> {
    const begun = performance.now()
    while (!done()) {
      if (performance.now() - begun > 5_000) throw new Error(`got ${JSON.stringify(this.text)}, ${this.end}`)
      await sleep(2)
    }
    return performance.now() - begun
  }

  hears(text: string): Promise<number> {
    return this.until(() => this.text === text)
  }
}

const cases: readonly [Fault, end: 'fin' | 'ECONNRESET' | undefined, text: RegExp, atServer: string][] = [
  [{ kind: 'pass' }, undefined, /^<hello$/, 'hello'],
  [{ kind: 'close', direction: 'request', after: 2 }, 'fin', /^(<he)?$/, 'he'],
  [{ kind: 'close', direction: 'reply', after: 3 }, 'fin', /^<he$/, 'hello'],
  [{ kind: 'reset', direction: 'request', after: 5 }, 'ECONNRESET', /^$/, 'hello'],
  [{ kind: 'reset', direction: 'reply', after: 0 }, 'ECONNRESET', /^$/, 'hello'],
  [{ kind: 'corrupt', direction: 'reply', after: 0 }, undefined, /^ihello$/, 'hello'],
  [{ kind: 'corrupt', direction: 'request', after: 4 }, undefined, /^<hell:$/, 'hell:'],
]

for (const [fault, end, text, atServer] of cases) {
  test(`fault proxy: ${JSON.stringify(fault)}`, async (t) => {
    const { proxy, got, dial } = await echo(t)
    await proxy.set(fault)
    const talker = await dial()
    talker.socket.write('hello')
    await talker.until(() => (end === undefined ? talker.text.length === 6 : talker.end !== undefined))
    await talker.until(() => got.join('') === atServer)
    t.is(talker.end, end)
    t.regex(talker.text, text)
    const next = await dial()
    next.socket.write('again')
    await next.hears('<again')
    t.is(got.join(''), `${atServer}again`)
  })
}

test('fault proxy: latency and drip are late, and keep the order', async (t) => {
  const { proxy, dial } = await echo(t)
  await proxy.set({ kind: 'latency', ms: 100 })
  const talker = await dial()
  talker.socket.write('a')
  t.true((await talker.hears('<a')) > 90)
  talker.socket.write('b')
  await talker.until(() => proxy.seen('reply') === 4)
  await proxy.heal()
  talker.socket.write('c')
  await talker.hears('<a<b<c')
  await proxy.set({ kind: 'drip', ms: 20 })
  talker.socket.write('12345')
  t.true((await talker.hears('<a<b<c<12345')) > 90)
})

test('fault proxy: what a stall kept comes late; what a black hole took never comes, and its connections stay deaf', async (t) => {
  const { proxy, got, dial } = await echo(t)
  const talker = await dial()
  await proxy.set({ kind: 'stall', direction: 'request' })
  talker.socket.write('a')
  await talker.until(() => proxy.seen('request') === 1)
  t.deepEqual(got, [])
  await proxy.heal()
  await talker.hears('<a')
  await proxy.set({ kind: 'black-hole' })
  talker.socket.write('b')
  const other = await dial()
  other.socket.write('c')
  await talker.until(() => proxy.seen('request') === 2)
  await proxy.heal()
  const later = await dial()
  for (const { socket } of [talker, other, later]) socket.write('d')
  await later.hears('<d')
  t.deepEqual([got, talker.text, other.text, talker.end], [['a', 'd'], '<a', '', undefined])
})

test('fault proxy: half-open does what it is asked and tells nobody; truncate tells a part', async (t) => {
  const { proxy, got, dial } = await echo(t)
  const [talker, other] = [await dial(), await dial()]
  await proxy.set({ kind: 'half-open' })
  talker.socket.write('a')
  await talker.until(() => proxy.seen('reply') === 2)
  await proxy.set({ kind: 'truncate', direction: 'reply', after: 1 })
  other.socket.write('b')
  await other.hears('<')
  await proxy.heal()
  for (const { socket } of [talker, other]) socket.write('c')
  await talker.until(() => got.length === 4)
  t.deepEqual([talker.text, other.text, talker.end, other.end], ['', '<', undefined, undefined])
})

test('fault proxy: refuses new connections, keeps those that are there, and listens again on its port', async (t) => {
  const { proxy, dial } = await echo(t)
  const talker = await dial()
  await proxy.set({ kind: 'refuse' })
  const refused = await dial()
  t.is(refused.end, 'ECONNREFUSED')
  talker.socket.write('a')
  await talker.hears('<a')
  t.is(proxy.connections, 1)
  proxy.drop()
  await talker.until(() => talker.end === 'ECONNRESET')
  await proxy.heal()
  const next = await dial()
  next.socket.write('b')
  await next.hears('<b')
  t.is(proxy.accepted, 2)
})

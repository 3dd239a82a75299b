import test from 'ava'
import { EventEmitter } from 'node:events'
import { NotSent } from '../../../backends/redis/errors.js'
import type { Client } from '../../../backends/redis/ioredis.js'
import { Masters } from '../../../backends/redis/masters.js'
import { Sentinels } from '../../../backends/redis/sentinels.js'
import type { Endpoint } from '../../../backends/redis/url.js'

interface Knowledge {
  readonly address?: readonly [host: string, port: string] | null
  readonly epoch?: string
  readonly flags?: string
  readonly replicas?: readonly (readonly string[])[]
  /** Answered to everything. */
  readonly error?: string
  readonly isSilent?: boolean
}

/** What it is asked is answered from what it knows. */
class FakeSentinel extends EventEmitter implements Client {
  readonly status = 'ready'
  readonly #knows: Knowledge
  isListening = false

  constructor(knows: Knowledge) {
    super()
    this.#knows = knows
  }

  async connect(): Promise<void> {}
  disconnect(): void {}
  pipeline(): never { throw new Error('not used') }

  async call(name: string, what?: string | number): Promise<unknown> {
    const { address = ['10.0.0.1', '6379'], epoch = '0', flags = 'master', replicas = [], error, isSilent = false } = this.#knows
    if (isSilent) return new Promise(() => {})
    if (error !== undefined) throw Object.assign(new Error(error), { name: 'ReplyError' })
    if (name === 'subscribe') this.isListening = true
    if (name !== 'sentinel') return 'PONG'
    return { 'get-master-addr-by-name': address, master: ['ip', '10.0.0.1', 'flags', flags, 'config-epoch', epoch], replicas }[String(what)]
  }
}

const sentinelsOf = (...known: readonly Knowledge[]): Sentinels => {
  const sentinels = known.map((_, n) => ({ host: '127.0.0.1', port: n + 1 }))
  const options = { sentinels, master: 'mymaster', patienceMs: 50, sentinelOf: ({ port }: Endpoint) => new FakeSentinel(known[port - 1]!) }
  return new Sentinels(options, () => {}, () => {})
}

const found = async (...known: readonly Knowledge[]): Promise<string> => {
  const sentinels = sentinelsOf(...known)
  try {
    const { host, port } = await sentinels.find()
    return `${host}:${port}`
  } finally {
    sentinels.close()
  }
}

const old = { address: ['10.0.0.1', '6379'], epoch: '3' } as const
const current = { address: ['10.0.0.2', '6379'], epoch: '4' } as const

test('R37: who knows of more failovers is believed, whoever answers first and however many say otherwise', async (t) => {
  t.is(await found(old, old, current), '10.0.0.2:6379')
  t.is(await found(current, old), '10.0.0.2:6379')
  t.is(await found({ ...old, epoch: '10' }, { ...current, epoch: '9' }), '10.0.0.1:6379', 'they are numbers')
})

test('R37: of those that know of as many, the majority is believed', async (t) => {
  t.is(await found({ ...old, epoch: '0' }, { ...current, epoch: '0' }, { ...current, epoch: '0' }), '10.0.0.2:6379')
})

test('who does not answer, or answers nonsense, is left out', async (t) => {
  t.is(await found({ isSilent: true }, { error: 'LOADING' }, current, { address: null }, { address: ['10.0.0.9', '0'] }, { ...old, epoch: 'many' }), '10.0.0.2:6379')
})

const promoted = ['name', 'x', 'ip', '10.0.0.3', 'port', '6380', 'flags', 'slave,promoted']
const failingOver = { ...current, flags: 'master,failover_in_progress', replicas: [['ip', '10.0.0.4', 'port', '1', 'flags', 'slave'], promoted] }

test('whom a sentinel is promoting is the master already, unless it is behind the others', async (t) => {
  t.is(await found(current, failingOver, current), '10.0.0.3:6380')
  t.is(await found(current, { ...failingOver, flags: 'master' }), '10.0.0.2:6379', 'it was promoted some time ago')
  t.is(await found(current, { ...failingOver, epoch: '3' }), '10.0.0.2:6379')
})

test('a promotion that comes to nothing is waited for for two seconds', async (t) => {
  const sentinels = sentinelsOf(failingOver)
  const begun = performance.now()
  while ((await sentinels.find()).host === '10.0.0.3') await new Promise((resolve) => setTimeout(resolve, 20))
  const ms = performance.now() - begun
  t.true(ms > 1_900 && ms < 3_000, `${ms} ms`)
  t.deepEqual(await sentinels.find(), { host: '10.0.0.2', port: 6379 })
  sentinels.close()
})

test('when no sentinel tells, it is said why', async (t) => {
  const failure = async (...known: readonly Knowledge[]): Promise<NotSent> => (await t.throwsAsync(found(...known), { instanceOf: NotSent }))!
  const unknown = await failure({ isSilent: true }, { address: null })
  t.true(unknown.isLasting)
  t.is(unknown.message, 'the sentinels know no master mymaster')
  const refused = await failure({ isSilent: true }, { error: 'NOAUTH Authentication required.' })
  t.true(refused.isLasting)
  t.is((refused.cause as Error).message, 'NOAUTH Authentication required.')
  t.false((await failure({ isSilent: true }, { isSilent: true })).isLasting)
  t.false((await failure({ isSilent: true }, { error: 'ERR max number of clients reached' })).isLasting)
})

/** A server with this role. */
class FakeServer extends EventEmitter implements Client {
  readonly status = 'ready'
  readonly role: string

  constructor(role: string) {
    super()
    this.role = role
  }

  async connect(): Promise<void> {}
  disconnect(): void {
    this.emit('end')
  }
  pipeline(): never { throw new Error('not used') }
  async call(name: string): Promise<unknown> {
    return name === 'role' ? [this.role, 0, []] : 'PONG'
  }
}

/** Masters as one sentinel knows them; what it knows may be changed. */
const oneSentinel = (knows: { address: readonly [string, string] }, roleOf: (host: string) => string = () => 'master') => {
  const listeners: FakeSentinel[] = []
  const masters = new Masters({
    sentinels: [{ host: '127.0.0.1', port: 1 }], master: 'mymaster', patienceMs: 50,
    sentinelOf: (_, isListener) => {
      const sentinel = new FakeSentinel({ ...knows })
      if (isListener) listeners.push(sentinel)
      return sentinel
    },
    serverOf: ({ host }) => new FakeServer(roleOf(host)),
  })
  const say = async (channel: string, message: string): Promise<void> => {
    while (!listeners[0]?.isListening) await tick()
    listeners[0].emit('message', channel, message)
    await tick(20)
  }
  const client = async () => {
    const made = masters.client()
    const seen = { isEnded: false }
    made.on('error', () => {})
    made.on('end', () => { seen.isEnded = true })
    await made.connect()
    return seen
  }
  return { masters, say, client }
}

const tick = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('R33: a master is left when it is said that another will be promoted, and not for other masters', async (t) => {
  const { masters, say, client } = oneSentinel({ address: ['10.0.0.1', '6379'] })
  const one = await client()
  await say('+failover-state-send-slaveof-noone', 'slave 10.0.0.9:1 10.0.0.9 1 @ mymaster-2 10.0.0.8 6379')
  t.false(one.isEnded)
  await say('+failover-state-send-slaveof-noone', 'slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379')
  t.true(one.isEnded)
  masters.close()
})

test('R33: who is just looking for the master looks again', async (t) => {
  const { masters, say } = oneSentinel({ address: ['10.0.0.1', '6379'] })
  await say('+promoted-slave', 'a first word, so that it is heard')
  const looking = masters.client()
  const connected = looking.connect()
  void say('+failover-state-send-slaveof-noone', 'slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379')
  await t.throwsAsync(connected, { instanceOf: NotSent })
  masters.close()
})

test('R34: a master that is none any more is left, whichever word told it', async (t) => {
  const knows: { address: readonly [string, string] } = { address: ['10.0.0.1', '6379'] }
  const { masters, say, client } = oneSentinel(knows)
  const one = await client()
  await say('+switch-master', 'mymaster 10.0.0.3 6379 10.0.0.1 6379')
  t.false(one.isEnded, 'it is the master')
  knows.address = ['10.0.0.2', '6379']
  await say('+switch-master', 'another 10.0.0.1 6379 10.0.0.2 6379')
  t.false(one.isEnded)
  await say('+switch-master', 'mymaster 10.0.0.1 6379 10.0.0.2 6379')
  t.true(one.isEnded)
  masters.close()
})

test('R34: a failover that nobody heard of is learnt of when the sentinel is heard again', async (t) => {
  const knows: { address: readonly [string, string] } = { address: ['10.0.0.1', '6379'] }
  const { masters, client } = oneSentinel(knows)
  const connecting = client()
  knows.address = ['10.0.0.2', '6379']
  const one = await connecting
  for (let round = 0; round < 200 && !one.isEnded; round++) await tick()
  t.true(one.isEnded)
  masters.close()
})

test('R37: who is not a master is not used, whoever names it', async (t) => {
  for (const role of ['slave', 'sentinel', '']) {
    const { masters, client } = oneSentinel({ address: ['10.0.0.1', '6379'] }, () => role)
    await t.throwsAsync(client(), { instanceOf: NotSent, message: /not a master/ })
    masters.close()
  }
})

import test from 'ava'
import { EventEmitter } from 'node:events'
import { NotSent } from '../../../backends/redis/errors.js'
import type { Client } from '../../../backends/redis/ioredis.js'
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

/** What it is asked is answered from what it knows; it announces nothing. */
class FakeSentinel extends EventEmitter implements Client {
  readonly status = 'ready'
  readonly #knows: Knowledge

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

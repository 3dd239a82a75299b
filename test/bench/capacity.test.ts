import test from 'ava'
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { entitySize } from '../../bench/capacity/entity-size.js'
import { bits, bytes, measuredAt, rounded } from '../../bench/capacity/figures.js'
import { factorOf } from '../../bench/capacity/growth-factors.js'
import type { Growth } from '../../bench/capacity/growth-factors.js'
import { DEFAULTS, STORES } from '../../bench/capacity/input.js'
import type { CapacityStore } from '../../bench/capacity/input.js'
import { needsOf } from '../../bench/capacity/needs.js'
import type { Needs } from '../../bench/capacity/needs.js'
import { asked, pageWith } from '../../bench/capacity/page.js'
import { cookieSize, recordSize } from '../../bench/capacity/record-size.js'
import type { Costs } from '../../bench/growth/costs.js'

const root = new URL('../../../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')
const measured = JSON.parse(read('bench/results/growth/costs.json')) as Costs
const grown = JSON.parse(read('bench/results/growth/growth.json')) as Growth

const capacity = (...args: string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [fileURLToPath(new URL('../../bench/capacity.js', import.meta.url)), ...args], { encoding: 'utf8', timeout: 60_000 })

/** Costs that can be reckoned with in the head: a session takes its record, a command 10 µs, a byte beside it none. */
const costs: Costs = {
  machine: measured.machine,
  stores: Object.fromEntries((['memory', 'file', 'redis', 'memcache'] as const).map((store) => [store, {
    footprints: [1_000, 2_000].map((record) => ({ record, bytes: record, diskBytes: 4_096, inodes: 1 })),
    owner: { bytes: 500, diskBytes: 8_192, inodes: 2 },
    read: { cpuUs: 20, serverCpuUs: 10, bytesIn: 100, bytesOut: 1_000 },
    save: { cpuUs: 50, serverCpuUs: 20, bytesIn: 1_200, bytesOut: 1_010 },
  }])),
}

const resultOf = ({ steps }: Needs, what: string): string | undefined => steps.find((step) => step.what === what)?.result
const redis = (input: Partial<typeof DEFAULTS>): Needs => needsOf('redis', { ...DEFAULTS, requests: 0.1, saves: 0.5, ...input }, costs)

test('the page holds what the calculator makes of the measured costs', (t) => {
  const page = read('docs/capacity.md')
  t.is(pageWith(page, measured, grown), page, 'npm run capacity -- --write')
  t.throws(() => pageWith(page.replace('end: table', ''), measured, grown), { message: /no place for table/ })
})

test('what was measured says when and on what, and has every store', (t) => {
  t.regex(measured.machine.at, /^\d{4}-\d\d-\d\dT/)
  t.true(measured.machine.cores > 0 && measured.machine.node.startsWith('v') && measured.machine.load.length === 2)
  t.deepEqual(Object.keys(measured.stores).sort(), ['file', 'memcache', 'memory', 'redis'])
})

test('commands, work and bandwidth of redis follow from the requests', (t) => {
  const needs = redis({ sessions: 1e6 })
  t.is(resultOf(needs, 'requests'), '100,000/s')
  t.is(resultOf(needs, 'of them saving'), '50,000/s')
  t.is(resultOf(needs, 'commands'), '150,000/s')
  t.is(resultOf(needs, 'the server\'s work'), '1.5 cores') // 100,000 × 10 µs + 50,000 × 10 µs more
  t.is(resultOf(needs, 'masters for work'), '3')
  t.is(resultOf(needs, 'application'), '7 cores') // (100,000 × 20 µs + 50,000 × 30 µs more) / 0.5
})

test('memory asks for masters, and each has its replicas', (t) => {
  const record = recordSize(1_000)
  t.is(resultOf(redis({ sessions: 1e4 }), 'memory'), bytes(1e4 * record))
  t.is(resultOf(redis({ sessions: 1e4, requests: 0 }), 'nodes'), '2')
  t.is(redis({ sessions: 1e4, requests: 0, replicas: 2 }).summary.nodes, '3 (1 master, 2 replicas, and 3 sentinels)')
  const needs = redis({ sessions: 1e8, requests: 0, nodeMemory: 10, replicas: 2 })
  t.is(resultOf(needs, 'masters for memory'), String(Math.ceil((1e8 * record) / 6e9)))
  t.is(resultOf(needs, 'nodes'), String(3 * Math.ceil((1e8 * record) / 6e9)))
  t.is(resultOf(redis({ sessions: 6e6, requests: 0, nodeMemory: 10 }), 'masters'), '3') // two would be enough for the memory
})

test('an owner takes room and commands, and a key takes room', (t) => {
  const owned = redis({ owners: true })
  t.is(resultOf(owned, 'memory a session'), bytes(recordSize(1_000, { owned: true }) + 500))
  t.is(resultOf(owned, 'commands'), '366,667/s') // 100,000 × 2 + 50,000 × 3 + 1e6 / 60 s touches
  t.is(resultOf(redis({ encrypted: true }), 'record'), bytes(recordSize(1_000, { encrypted: true })))
  t.true(recordSize(1_000, { encrypted: true }) > 1.33 * recordSize(1_000))
  t.true(cookieSize(1_000) > recordSize(1_000))
})

test('what one process or one machine cannot have is said', (t) => {
  const of = (store: 'memory' | 'file' | 'cookie', input: Partial<typeof DEFAULTS>): string => needsOf(store, { ...DEFAULTS, ...input }, costs).summary.nodes
  t.deepEqual([of('memory', { sessions: 1e6 }), of('memory', { sessions: 1e8 })], ['1 process, not more', 'not for so many'])
  t.is(of('memory', { sessions: 1.7e6, requests: 0 }), 'not for so many') // of 4 GB of heap, half is for others
  t.is(of('memory', { sessions: 1e6, requests: 1 }), 'not for so many')
  t.deepEqual([of('file', { sessions: 1e6 }), of('file', { sessions: 1e8, requests: 1 })], ['1, not more', 'not for so many'])
  t.deepEqual([of('cookie', { size: 1_000 }), of('cookie', { size: 5_000 })], ['none', 'does not fit'])
  for (const [store, what] of [['memory', 'processes'], ['file', 'nodes']] as const) {
    t.is(resultOf(needsOf(store, { ...DEFAULTS, sessions: 1e8, requests: 1 }, costs), what), 'not for so many')
  }
})

test('an entity has the size that Google\'s rules give', (t) => {
  // Key: PhialSession 13, name 65, namespace phial 6, 16. Properties: value 6 + 101, version 8 + 23, expires 8 + 8, purge 6 + 16. 32 besides.
  t.is(entitySize(100).entity, 100 + (107 + 31 + 16 + 22) + 32)
  t.is(entitySize(100).indexes, 2 * (100 + 13 + 22 + 32))
})

test('between measured sizes it goes straight, and on beyond the last', (t) => {
  const points = [{ record: 100, value: 10 }, { record: 300, value: 20 }, { record: 400, value: 40 }]
  t.deepEqual([100, 200, 350, 500, 50].map((record) => measuredAt(points, record)), [10, 15, 30, 60, 7.5])
  t.is(measuredAt([points[0]!], 900), 10)
})

test('figures are short', (t) => {
  t.deepEqual([0.0123456, 12.3456, 123.456, 12345.6].map(rounded), ['0.0123', '12.3', '123', '12,346'])
  t.deepEqual([0, 999, 1_584, 1.58e9, 2e15].map(bytes), ['0 bytes', '999 bytes', '1.58 kB', '1.58 GB', '2 PB'])
  t.is(bits(1e6), '8 Mbit/s')
})

test('it prints the working of all stores, or of those that are named', (t) => {
  const all = capacity('--sessions', '1e6', '--size', '500', '--requests', '0.1')
  t.is(all.status, 0, all.stderr)
  for (const store of STORES) t.regex(all.stdout, new RegExp(`^${store}$`, 'm'))
  t.regex(all.stdout, /^1,000,000 live sessions of 500 bytes, 0\.1 requests a second each, of which 20 % save$/m)
  t.regex(all.stdout, /^ {2}requests +100,000\/s {2}= {2}1,000,000 sessions × 0\.1 a second$/m)
  const some = capacity('--store', 'redis,cookie', '--owners')
  t.deepEqual([...some.stdout.matchAll(/^(\w+)$/gm)].map(([name]) => name), ['redis', 'cookie'])
  t.regex(capacity('--help').stdout, /--sessions N/)
})

test('the line of the table comes first, for the figures that were asked', (t) => {
  const { stdout } = capacity('--sessions', '1e8', '--requests', '1', '--store', 'memory,redis')
  t.regex(stdout, /^store +memory or disk +commands +bandwidth out of it, into it +nodes\nmemory +1\d\d GB +– +– +not for so many\nredis +1\d\d GB +120,000,000\/s +[\d.]+ [GT]bit\/s, .+ masters\)$/m)
})

test('what is asked for owners is reckoned as reads, on both sides', (t) => {
  const owned = { requests: 0.1, saves: 0.5, owners: true, sessions: 6e6 } // 600,000 reads, 300,000 saves, 100,000 touches
  const needs = needsOf('redis', { ...DEFAULTS, ...owned }, costs)
  // For owners 600,000 + 300,000 generations, and 300,000 + 100,000 entries in the index.
  t.is(resultOf(needs, 'commands'), '2,200,000/s')
  t.is(resultOf(needs, 'the server\'s work'), '22 cores') // (600,000 + 1,300,000) × 10 µs + 300,000 × 10 µs more
  t.is(resultOf(needs, 'application'), '94 cores') // ((600,000 + 1,300,000) × 20 µs + 300,000 × 30 µs more) / 0.5
  t.regex(needs.steps.find(({ what }) => what === 'into it')!.working, /1,300,000 for owners × 100\)/)
  t.is(resultOf(needsOf('memcache', { ...DEFAULTS, ...owned }, costs), 'commands'), '1,800,000/s') // no index
  t.is(resultOf(needsOf('datastore', { ...DEFAULTS, ...owned }, costs), 'reads'), '1,900,000/s')
})

test('what encrypting takes is said not to be reckoned', (t) => {
  for (const store of ['memory', 'file', 'redis', 'memcache'] as const) {
    const working = (encrypted: boolean): string => needsOf(store, { ...DEFAULTS, encrypted }, costs).steps.find(({ what }) => what === 'application')!.working
    t.regex(working(true), /encrypting takes was not measured, and is not in it/)
    t.notRegex(working(false), /encrypting/)
  }
})

const spread = (median: number): { median: number; low: number; high: number } => ({ median, low: median, high: median })
const cost = (cpu: number, ratio: number) => ({ us: spread(cpu), cpuUs: spread(cpu), ratio: spread(ratio), cpuRatio: spread(ratio) })
const growth: Growth = {
  count: [[1_000, 1], [100_000, 2], [1_000_000, 3]].map(([count, times]) =>
    ({ store: 'redis', count: count!, costs: Object.fromEntries(['read', 'read by id', 'read and save', 'request'].map((operation) => [operation, cost(10, times!)])) as never })),
  size: [[100, 5], [1_000, 10], [10_000, 40]].map(([of, cpu]) => ({ store: 'redis', of: of!, read: cost(cpu!, 1), save: cost(cpu!, 1) })),
}

test('an operation takes more CPU where sessions are more or larger, and never less than was measured', (t) => {
  const of = (input: Partial<typeof DEFAULTS>, store: 'redis' | 'memcache' | 'file' = 'redis') => factorOf(store, 'read', { ...DEFAULTS, ...input }, growth)
  t.deepEqual(of({ sessions: 1e6 }), { byCount: 3, bySize: 1 })
  t.deepEqual(of({ sessions: 1e9 }), { byCount: 3, bySize: 1 }) // nobody measured more
  t.deepEqual(of({ sessions: 1e4 }), { byCount: 1.5, bySize: 1 })
  t.deepEqual(of({ sessions: 10, size: 10_000 }, 'memcache'), { byCount: 1, bySize: 4 })
  t.deepEqual(of({ sessions: 1_000, size: 100 }), { byCount: 1, bySize: 1 })
  t.deepEqual(of({ sessions: 1e6 }, 'file'), { byCount: 1, bySize: 1 })
  const often = { ...DEFAULTS, sessions: 1e6, requests: 0.1, saves: 0.5 }
  const needs = needsOf('redis', often, costs, growth)
  t.is(resultOf(needs, 'CPU of a read'), '60 µs')
  t.is(resultOf(needs, 'application'), '21 cores') // (100,000 × 60 µs + 50,000 × 90 µs more) / 0.5
  const working = (known: Growth): string => needsOf('redis', often, costs, known).steps.find(({ what }) => what === 'CPU of a read')!.working
  t.deepEqual([growth, {}].map((known) => working(known).endsWith('; growth was not measured in full')), [false, true])
})

test('what phial refuses is not planned', (t) => {
  const of = (store: CapacityStore, size: number): Needs => needsOf(store, { ...DEFAULTS, size }, costs)
  for (const store of ['memory', 'file', 'redis', 'memcache', 'datastore'] as const) {
    const needs = of(store, 262_144)
    t.deepEqual([resultOf(needs, 'verdict'), needs.summary.nodes, needs.isRefused], ['does not fit', 'does not fit', true], store)
    t.regex(needs.steps.at(-1)!.working, /the record has 262,\d\d\d bytes, and session\.max_bytes, 262,144 unless it is set, takes no more/)
    t.is(of(store, 260_000).isRefused, undefined, store)
  }
  t.regex(of('memory', 1_100_000).steps.at(-1)!.working, /memory takes no more than 1,048,576, whatever/)
  t.regex(of('cookie', 5_000).steps.at(-1)!.working, /it has [67],\d\d\d octets, and one cookie takes 4,084: session\.cookie\.chunks = 2 or more/)
  t.regex(of('cookie', 50_000).steps.at(-1)!.working, /session\.cookie\.chunks is 8 at most: take another store/)
  const alone = capacity('--size', '5000', '--store', 'cookie')
  t.is(alone.status, 1, alone.stderr)
  t.regex(alone.stdout, /^ {2}verdict +does not fit {2}=/m)
  t.is(capacity('--size', '5000', '--store', 'cookie,redis').status, 0)
})

test('shares are told without the remainders of binary fractions', (t) => {
  t.regex(asked({ ...DEFAULTS, saves: 0.07 }), /of which 7 % save$/m)
})

test('memory says what settings so many sessions need', (t) => {
  const settings = (sessions: number): (string | undefined)[] => ['max_sessions', 'max_total_bytes'].map((what) => resultOf(needsOf('memory', { ...DEFAULTS, sessions }, costs), what))
  t.deepEqual(settings(1e5), [undefined, undefined])
  t.deepEqual(settings(1e6), ['1,000,000', String((1e6 * recordSize(1_000)).toLocaleString('en'))])
})

const refused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['--sessions', 'many'], /^--sessions: expected a whole number, 1 or more; got many$/],
  [['--sessions', '0'], /^--sessions: expected a whole number, 1 or more; got 0$/],
  [['--replicas', '1.5'], /^--replicas: expected a whole number, 0 or more; got 1\.5$/],
  [['--node-memory', '0'], /^--node-memory: expected a number, 0\.1 or more; got 0$/],
  [['--size', '0.5'], /^--size: expected a whole number from 1 to 20,000,000; got 0\.5$/],
  [['--size=-1'], /^--size: expected a whole number from 1 to 20,000,000; got -1$/],
  [['--saves', '2'], /^--saves: expected a number from 0 to 1; got 2$/],
  [['--requests', ''], /^--requests: expected a number, 0 or more; got nothing$/],
  [['--requests', 'Infinity'], /^--requests: expected a number, 0 or more; got Infinity$/],
  [['--store', 'memroy'], /^--store: expected some of memory, file, .+; got memroy$/],
  [['--store', 'memory,typo'], /^--store: .+; got typo$/],
  [['--store', 'memory,'], /^--store: .+; got nothing$/],
  [['--fast'], /^Unknown option '--fast'$/],
  [['costs.json'], /^Unexpected argument 'costs\.json'$/],
  [['--sessions'], /^Option '--sessions <value>' argument missing$/],
  [['--sessions', '--owners'], /^Option '--sessions' argument is ambiguous$/],
  [['--write', '--sessions', '5'], /^--write takes no other options$/],
]

for (const [args, says] of refused) {
  test(`what it cannot understand is refused in one line: ${args.join(' ')}`, (t) => {
    const { status, stdout, stderr } = capacity(...args)
    t.deepEqual([status, stdout], [2, ''])
    t.regex(stderr.replace('\n(--help tells what there is)\n', ''), says)
  })
}

test('the help tells what each number may be', (t) => {
  const { stdout } = capacity('--help')
  for (const text of ['whole number from 1 to 20,000,000', 'a number from 0 to 1', 'a number, 0.1 or more', 'at the busiest time', '--help']) t.true(stdout.includes(text), text)
})

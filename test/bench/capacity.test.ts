import test from 'ava'
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { entitySize } from '../../bench/capacity/entity-size.js'
import { bits, bytes, rounded } from '../../bench/capacity/figures.js'
import { DEFAULTS, STORES } from '../../bench/capacity/input.js'
import { measuredAt, needsOf } from '../../bench/capacity/needs.js'
import type { Needs } from '../../bench/capacity/needs.js'
import { pageWith } from '../../bench/capacity/page.js'
import { cookieSize, recordSize } from '../../bench/capacity/record-size.js'
import type { Costs } from '../../bench/growth/costs.js'

const root = new URL('../../../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')
const measured = JSON.parse(read('bench/results/growth/costs.json')) as Costs

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
  t.is(pageWith(page, measured), page, 'npm run capacity -- --write')
  t.throws(() => pageWith(page.replace('end: table', ''), measured), { message: /no place for table/ })
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
  const needs = redis({ sessions: 1e8, requests: 0, nodeMemory: 10, replicas: 2 })
  t.is(resultOf(needs, 'masters for memory'), String(Math.ceil((1e8 * record) / 6e9)))
  t.is(resultOf(needs, 'nodes'), String(3 * Math.ceil((1e8 * record) / 6e9)))
  t.is(resultOf(redis({ sessions: 6e6, requests: 0, nodeMemory: 10 }), 'masters'), '3') // two would be enough for the memory
})

test('an owner takes room and commands, and a key takes room', (t) => {
  const owned = redis({ owners: true })
  t.is(resultOf(owned, 'memory a session'), bytes(recordSize(1_000, { owned: true }) + 500))
  t.is(resultOf(owned, 'commands'), '350,000/s') // 100,000 × 2 + 50,000 × 3
  t.is(resultOf(redis({ encrypted: true }), 'record'), bytes(recordSize(1_000, { encrypted: true })))
  t.true(recordSize(1_000, { encrypted: true }) > 1.33 * recordSize(1_000))
  t.true(cookieSize(1_000) > recordSize(1_000))
})

test('what one process or one machine cannot have is said', (t) => {
  const of = (store: 'memory' | 'file' | 'cookie', input: Partial<typeof DEFAULTS>): string => needsOf(store, { ...DEFAULTS, ...input }, costs).summary.nodes
  t.deepEqual([of('memory', { sessions: 1e6 }), of('memory', { sessions: 1e8 })], ['1 process, not more', 'not for so many'])
  t.is(of('memory', { sessions: 1e6, requests: 1 }), 'not for so many')
  t.deepEqual([of('file', { sessions: 1e6 }), of('file', { sessions: 1e8, requests: 1 })], ['1, not more', 'not for so many'])
  t.deepEqual([of('cookie', { size: 1_000 }), of('cookie', { size: 5_000 })], ['none', 'not for so much data'])
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
  [['--fast'], /^Unknown option '--fast'; --help tells the options$/],
  [['memory'], /^Unexpected argument 'memory'; --help/],
  [['--sessions'], /^Option '--sessions <value>' argument missing; --help/],
  [['--sessions', '--owners'], /^Option '--sessions' argument is ambiguous; --help/],
  [['--write', '--sessions', '5'], /^--write takes no other options$/],
  [['--write', '--help'], /^--write takes no other options$/],
]

for (const [args, says] of refused) {
  test(`what it cannot understand is refused in one line: ${args.join(' ')}`, (t) => {
    const { status, stdout, stderr } = capacity(...args)
    t.deepEqual([status, stdout], [2, ''])
    t.regex(stderr.replace(/\n$/, ''), says)
  })
}

test('the help tells what each number may be', (t) => {
  const { stdout } = capacity('--help')
  for (const text of ['whole number from 1 to 20,000,000', 'a number from 0 to 1', 'a number, 0.1 or more', 'at the busiest time', '--help']) t.true(stdout.includes(text), text)
})

import test from 'ava'
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Results } from '../../bench/growth/report.js'
import { spreadOf } from '../../bench/growth/rounds.js'
import { sessionData } from '../../bench/growth/session-data.js'
import { redisProgram, tellMissing } from '../support/redis-server.js'

const PROGRAM = fileURLToPath(new URL('../../bench/growth/run.js', import.meta.url))

const grow = (...args: string[]): SpawnSyncReturns<string> => spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8', timeout: 110_000 })

const filesOfUs = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('phial-growth-'))

if (redisProgram === undefined) tellMissing('Growth on redis is', 'redis-server')

test('the short form measures each part, shows how far it is, and leaves a page with its plots', (t) => {
  const out = mkdtempSync(join(tmpdir(), 'growth-results-'))
  t.teardown(() => rmSync(out, { recursive: true, force: true }))
  const before = filesOfUs()
  const { status, stderr } = grow('--short', '--sizes', '1000', '--out', out)
  t.is(status, 0, stderr)
  t.regex(stderr, /file, 60 sessions: pauses/)
  t.deepEqual(filesOfUs().filter((name) => !before.includes(name)), [])

  const results = JSON.parse(readFileSync(join(out, 'growth.json'), 'utf8')) as Results
  const stores = redisProgram === undefined ? ['memory', 'file'] : ['memory', 'redis', 'file']
  const counted = results.count!.filter((row) => row.missing === undefined)
  t.deepEqual(counted.map(({ store, count }) => [store, count]), stores.flatMap((store) => [[store, 20], [store, 60]]))
  for (const { count, costs, pauses, memory } of counted) {
    for (const cost of Object.values(costs!)) t.true(cost.us.median > 0 && cost.us.low <= cost.us.median && cost.us.median <= cost.us.high)
    t.true(pauses!.reading.longest > 0 && pauses!.purging.purged > 0 && pauses!.purging.purged <= count)
    t.true(memory!.record > 1_000)
  }
  t.deepEqual(results.size!.map(({ store, of }) => [store, of]), [...stores.map((store) => [store, 1_000]), ['cookie', 1_000], ['cookie', 2_500]])
  t.deepEqual(results.cookies!.map(({ of }) => of), [1, 4])
  t.deepEqual(results.processes!.map(({ processes }) => processes), redisProgram === undefined ? [] : [1, 2, 1, 2])

  const page = readFileSync(join(out, 'growth.md'), 'utf8')
  const plots = [...page.matchAll(/!\[[^\]]+\]\(([^)]+\.svg)\)/g)].map(([, name]) => name!)
  t.deepEqual(readdirSync(out).sort(), [...plots, 'costs.json', 'growth.json', 'growth.md'].sort())
  t.notRegex([page, ...plots.map((name) => readFileSync(join(out, name), 'utf8'))].join(''), /NaN|undefined|Infinity/)
  t.true(page.includes('The short form'))
})

test('what cannot be understood is told, and nothing is measured', (t) => {
  for (const args of [['--stores', 'memory,tape'], ['--counts', '1e3,0'], ['--rounds', 'many'], ['--fast']]) {
    const { status, stderr } = grow(...args)
    t.is(status, 2)
    t.regex(stderr, /expected|Unknown option/)
  }
})

test('a session has exactly the bytes that it is to have, and is like no other', (t) => {
  for (const size of [60, 100, 1_000, 12_345, 1_000_000]) t.is(JSON.stringify(sessionData(size, 7)).length, size)
  t.notDeepEqual(sessionData(100, 1), sessionData(100, 2))
})

test('the spread of measurements is their median and quartiles', (t) => {
  t.deepEqual(spreadOf([5, 1, 3, 2, 4]), { median: 3, low: 2, high: 4 })
  t.deepEqual(spreadOf([2, 1]), { median: 1.5, low: 1.25, high: 1.75 })
  t.deepEqual(spreadOf([7]), { median: 7, low: 7, high: 7 })
})

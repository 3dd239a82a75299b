import test from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { contestants } from '../../bench/contestants.js'
import type { Report } from '../../bench/report/markdown.js'
import { wrk } from '../../bench/run/load.js'
import type { Block } from '../../bench/run/rounds.js'
import { scenarios } from '../../bench/scenarios.js'
import { temporaryDirectory } from '../support/every-backend.js'

const program = fileURLToPath(new URL('../../bench/index.js', import.meta.url))

if (wrk === undefined) process.stderr.write('\nthe tests that load a server skipped: wrk is not installed\n\n')
const testOfLoad = wrk === undefined ? test.skip : test

testOfLoad('the short form of the benchmark runs every server in every scenario: all do what they should, and have figures', async (t) => {
  t.timeout(300_000)
  const out = temporaryDirectory(t)
  const child = spawn(process.execPath, [program, '--short', '--out', out], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, NODE_V8_COVERAGE: undefined } })
  let said = ''
  child.stderr.on('data', (chunk) => { said += String(chunk) })
  t.deepEqual(await once(child, 'close'), [0, null], said)

  const { rows, skipped, blocks } = JSON.parse(readFileSync(join(out, 'http.json'), 'utf8')) as Report & { readonly skipped: { name: string }[]; readonly blocks: readonly Block[] }
  for (const { title, reason } of skipped) t.log(`${title} was not measured: ${reason}`)
  t.deepEqual([...rows, ...skipped].map(({ name }) => name).sort(), contestants.map(({ name }) => name).sort())
  for (const { name, group, cells, note } of rows) {
    t.is(note, undefined, name)
    t.deepEqual(Object.keys(cells), scenarios.map(({ letter }) => letter), name)
    for (const [letter, { commands, ...figures }] of Object.entries(cells)) {
      for (const [figure, { median, low, high }] of Object.entries(figures)) t.true(low > 0 && low <= median && median <= high, `${name} ${letter} ${figure}`)
      const isStored = 'RWC'.includes(letter) && ['redis', 'memcache', 'datastore'].includes(group)
      if (isStored) t.true(Object.keys(commands ?? {}).length > 0, `${name} ${letter}: no commands of the store`)
    }
  }
  for (const { name, bare } of blocks) for (const figures of bare) t.true(figures.perSecond > 0 && figures.cpuMicros > 0, name)
  for (const file of ['http.md', 'http.svg']) t.regex(readFileSync(join(out, file), 'utf8'), /phial/)
})

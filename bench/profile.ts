// `node dist/bench/profile.js phial-redis W`: where the CPU time of one server goes in one scenario.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { programNamed, scenarioNamed } from './options.js'
import { selfTimes } from './report/self-times.js'
import { ContestantProcess } from './run/contestant-process.js'
import { moveToLoadCore } from './run/cores.js'
import { Ends } from './run/ends.js'
import { load } from './run/load.js'
import { plantSeeds } from './run/seeds.js'
import { startStore } from './run/stores.js'

const SEEDS = 256
const LINES = 30

const { positionals: [name = '', letter = ''], values } = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string', default: '5' }, out: { type: 'string' } } })
const [program, { path, hasCookie }] = [programNamed(name), scenarioNamed(letter)]

moveToLoadCore()
const ends = new Ends()
const folder = mkdtempSync(join(tmpdir(), 'phial-bench-'))
ends.teardown(() => rmSync(folder, { recursive: true, force: true }))
try {
  const store = program.store && (await startStore(program.store, ends))
  const server = await ContestantProcess.start(program, store?.location ?? '', ['--cpu-prof', `--cpu-prof-dir=${folder}`])
  const cookieFile = hasCookie ? join(folder, 'cookies.txt') : undefined
  if (cookieFile !== undefined) await plantSeeds(server.url, SEEDS, cookieFile)
  const { requests, micros } = await load({ url: server.url, path, cookieFile, seconds: Number(values.seconds) })
  await server.stop()
  const profile = join(folder, readdirSync(folder).find((file) => file.endsWith('.cpuprofile'))!)
  console.log(`${name} ${letter}: ${Math.round(requests / (micros / 1e6))} requests a second, while profiled\n`)
  for (const { part, micros: own, place } of selfTimes(readFileSync(profile, 'utf8')).slice(0, LINES)) {
    console.log(`${(part * 100).toFixed(1).padStart(5)} %  ${(own / requests).toFixed(2).padStart(6)} µs  ${place}`)
  }
  if (values.out !== undefined) copyFileSync(profile, values.out)
} finally {
  await ends.run()
}

// `node dist/bench/profile.js phial-redis W`: where the CPU time of one server goes in one scenario.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { positive, refuse, runCommand } from './command.js'
import { programNamed, scenarioNamed } from './options.js'
import { selfTimes } from './report/self-times.js'
import { ContestantProcess } from './run/contestant-process.js'
import { moveToLoadCore } from './run/cores.js'
import { Ends } from './run/ends.js'
import { load, needsWrk } from './run/load.js'
import { plantSeeds } from './run/seeds.js'
import { startStore } from './run/stores.js'

const SEEDS = 256
const LINES = 30

const usage = `node dist/bench/profile.js SERVER SCENARIO [options]

  --seconds NUMBER    of load (5); the start of the server is part of the profile, and of a short one a great part
  --out FILE          keeps the profile: x.cpuprofile opens in the developer tools of a browser

Servers and scenarios are those that npm run bench -- --help tells.
`

const profile = async (name: string, letter: string, seconds: number, out: string | undefined): Promise<void> => {
  const [program, { path, hasCookie }] = [programNamed(name), scenarioNamed(letter)]
  if (out !== undefined && !existsSync(dirname(out))) refuse(`--out: there is no folder ${dirname(out)}`)
  needsWrk()
  moveToLoadCore()
  const ends = new Ends()
  const folder = mkdtempSync(join(tmpdir(), 'phial-bench-'))
  ends.teardown(() => rmSync(folder, { recursive: true, force: true }))
  try {
    const store = program.store && (await startStore(program.store, ends))
    const server = await ContestantProcess.start(program, store?.location ?? '', { nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`] })
    ends.teardown(() => server.stop()) // which writes into the folder
    const cookieFile = hasCookie ? join(folder, 'cookies.txt') : undefined
    if (cookieFile !== undefined) await plantSeeds(server.url, SEEDS, cookieFile)
    const { requests, micros } = await load({ url: server.url, path, cookieFile, seconds })
    await server.stop()
    const file = join(folder, readdirSync(folder).find((found) => found.endsWith('.cpuprofile'))!)
    console.log(`${name} ${letter}: ${Math.round(requests / (micros / 1e6))} requests a second, while profiled\n`)
    for (const { part, micros: own, place } of selfTimes(readFileSync(file, 'utf8')).slice(0, LINES)) {
      console.log(`${(part * 100).toFixed(1).padStart(5)} %  ${(own / requests).toFixed(2).padStart(6)} µs  ${place}`)
    }
    if (out !== undefined) copyFileSync(file, out)
  } finally {
    await ends.run()
  }
}

await runCommand(usage, async (args) => {
  const { positionals: [name, letter, ...more], values } =
    parseArgs({ args, allowPositionals: true, options: { seconds: { type: 'string', default: '5' }, out: { type: 'string' } } })
  if (name === undefined || letter === undefined || more.length > 0) refuse('expected a server and a scenario: phial-redis W')
  await profile(name, letter, positive('seconds', values.seconds), values.out)
  return 0
})

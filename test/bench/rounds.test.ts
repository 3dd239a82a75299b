import test from 'ava'
import type { ExecutionContext } from 'ava'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { contestants } from '../../bench/contestants.js'
import type { Contestant } from '../../bench/contestants.js'
import { readOptions } from '../../bench/options.js'
import { ContestantProcess } from '../../bench/run/contestant-process.js'
import { wrk } from '../../bench/run/load.js'
import { playRounds } from '../../bench/run/rounds.js'
import type { Progress } from '../../bench/run/rounds.js'
import { temporaryDirectory } from '../support/every-backend.js'

const testOfLoad = wrk === undefined ? test.skip : test

const announce = new URL('../../bench/servers/announce.js', import.meta.url).href
const good = contestants.find(({ name }) => name === 'least-memory')!

/** A server with this handler. */
const contestantOf = (t: ExecutionContext, name: string, handler: string): Contestant => {
  const file = join(temporaryDirectory(t), `${name}.mjs`)
  writeFileSync(file, `import { createServer } from 'node:http'
    import { announce } from '${announce}'
    announce(createServer(${handler}).listen(0, '127.0.0.1'))`)
  return { ...good, name, file }
}

test('a server that ends before it listens, or later, is told with what it printed', async (t) => {
  const broken = contestantOf(t, 'broken', 'no.such.thing')
  await t.throwsAsync(ContestantProcess.start(broken, ''), { message: /^broken ended by itself: [^]*ReferenceError: no is not defined/ })
  const brief = await ContestantProcess.start(contestantOf(t, 'brief', '() => { throw new Error("enough") }'), '')
  await t.throwsAsync(fetch(brief.url))
  await t.throwsAsync(brief.usage(), { message: /^brief ended by itself: [^]*Error: enough/ })
  await brief.stop()
})

test('a server that announces no port is told, and killed', async (t) => {
  const folder = temporaryDirectory(t)
  const [file, pidFile] = [join(folder, 'mute.mjs'), join(folder, 'pid')]
  writeFileSync(file, `import { writeFileSync } from 'node:fs'
    writeFileSync(${JSON.stringify(pidFile)}, String(process.pid))
    setInterval(() => {}, 1_000)`)
  const mute = { ...good, name: 'mute', file }
  await t.throwsAsync(ContestantProcess.start(mute, '', { startMs: 2_000 }), { message: 'mute announced no port within 2 s' })
  const isThere = (): boolean => existsSync(pidFile) && existsSync(`/proc/${readFileSync(pidFile, 'utf8')}`)
  for (const end = performance.now() + 10_000; isThere() && performance.now() < end;) await sleep(10)
  t.false(isThere())
})

testOfLoad('a server that fails is told with the reason, and the others are measured, round by round', async (t) => {
  const told: string[] = []
  const progress: Progress = { begins: ({ name }, round) => told.push(`${name} ${round}`), measured: ({ letter }) => told.push(letter), ended: () => {} }
  const failing = [
    contestantOf(t, 'hasty', '(req, res) => res.setHeader("Set-Cookie", "a=b").end("ok")'),
    contestantOf(t, 'mortal', '(req, res) => { globalThis.asked = (globalThis.asked ?? 0) + (req.url === "/"); if (globalThis.asked > 9) throw new Error("enough"); res.end("ok") }'),
  ]
  const options = { ...readOptions(['--short', '--scenarios', 'U,N', '--rounds', '2']), contestants: [...failing, good] }
  const blocks = await playRounds(options, new Map(), temporaryDirectory(t), progress)
  t.deepEqual(told, ['hasty 1', 'mortal 1', 'least-memory 1', 'U', 'N', 'least-memory 2', 'U', 'N', 'mortal 2', 'hasty 2'])
  t.deepEqual(blocks.map(({ name, round, samples }) => `${name} ${round} ${samples.length}`), ['hasty 1 0', 'mortal 1 0', 'least-memory 1 2', 'least-memory 2 2', 'mortal 2 0', 'hasty 2 0'])
  t.deepEqual(blocks.filter(({ name }) => name === 'hasty').map(({ failure }) => failure), Array(2).fill('U: an untouched session sets a cookie'))
  for (const { name, failure } of blocks) if (name === 'mortal') t.regex(failure!, /(connections failed|fetch failed|ended by itself)[^]*Error: enough/)
})

testOfLoad('what was disturbed is measured again, until it is not, or as often as is said; all of it is told', async (t) => {
  const silent: Progress = { begins: () => {}, measured: () => {}, ended: () => {} }
  const options = { ...readOptions(['--short', '--scenarios', 'N', '--rounds', '2']), contestants: [good], attempts: 3 }
  const verdicts = ['noise', undefined, 'noise', 'more noise', 'too much']
  const blocks = await playRounds(options, new Map(), temporaryDirectory(t), silent, () => verdicts.shift())
  t.deepEqual(blocks.map(({ round, disturbance }) => [round, disturbance]), [[1, 'noise'], [1, undefined], [2, 'noise'], [2, 'more noise'], [2, 'too much']])
})

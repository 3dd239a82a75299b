import test from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { clientOf } from '../support/app.js'
import type { Client, Teardown } from '../support/app.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { SECRET } from '../support/harness.js'

const program = fileURLToPath(new URL('../support/file-app.js', import.meta.url))

interface Running {
  readonly url: string
  kill(signal: NodeJS.Signals): Promise<void>
}

const start = async (t: Teardown, dataDir: string): Promise<Running> => {
  const child = spawn(process.execPath, [program, dataDir, SECRET], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  return {
    url: String(line).trim(),
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
    },
  }
}

/** The same browser at another of the processes: cookies know no ports. */
const at = ({ url }: Running, { jar }: Client): Client => clientOf(url, jar)

test('4 processes × 25 requests on one session: all keys are left, and updates count', async (t) => {
  const dataDir = temporaryDirectory(t)
  const processes = await Promise.all([1, 2, 3, 4].map(() => start(t, dataDir)))
  const browser = clientOf(processes[0]!.url)
  await browser.get('/set/first')
  await Promise.all(processes.flatMap((each, p) => Array.from({ length: 25 }, async (_, n) => {
    t.is((await at(each, browser).get(`/set/k${p}-${n}`)).status, 200)
    t.is((await at(each, browser).get('/add')).status, 200)
  })))
  const data = JSON.parse(await at(processes[3]!, browser).text('/'))
  t.is(Object.keys(data).length, 102)
  t.is(data.n, 100)
  for (const each of processes) await each.kill('SIGTERM')
})

test('a session that one process ended is gone in the others', async (t) => {
  const dataDir = temporaryDirectory(t)
  const [one, two] = await Promise.all([start(t, dataDir), start(t, dataDir)])
  const browser = clientOf(one!.url)
  await browser.get('/set/a')
  const thief = at(two!, { ...browser, jar: browser.jar.cloneSync()! })
  t.is(await thief.text('/'), '{"a":1}')
  await browser.get('/logout')
  t.is(await thief.text('/'), '{}')
})

test('a session outlives its process, killed at any moment while saving: never unreadable, nothing acknowledged lost', async (t) => {
  t.timeout(300_000)
  const rounds = Number(process.env['PHIAL_KILLS'] ?? 12)
  const dataDir = temporaryDirectory(t)
  let running = await start(t, dataDir)
  const browser = clientOf(running.url)
  await browser.get('/set/first')
  let acknowledged = 0
  for (let round = 0; round < rounds; round++) {
    let isDying = false
    const writers = Array.from({ length: 4 }, async () => {
      while (!isDying) {
        const answer = await at(running, browser).text('/add').catch(() => undefined)
        if (answer !== undefined) acknowledged = Math.max(acknowledged, JSON.parse(answer).n)
      }
    })
    const saves = acknowledged + 1 + Math.floor(Math.random() * 20)
    while (acknowledged < saves) await new Promise((resolve) => setTimeout(resolve, 1))
    const killed = running.kill('SIGKILL')
    isDying = true
    await Promise.all([killed, ...writers])
    running = await start(t, dataDir)
    const data = JSON.parse(await at(running, browser).text('/'))
    t.is(data.first, 1)
    t.true(data.n >= acknowledged, `${data.n} of ${acknowledged}`)
    t.is((await at(running, browser).get('/add')).status, 200)
    acknowledged = data.n + 1
  }
})

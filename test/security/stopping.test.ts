import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createManager } from '../../src/index.js'
import { SECRET } from '../support/harness.js'
import { acts, ask, countOf, directory, MODES, serveIn, STORED, Visitor } from './support.js'
import type { Reply } from './support.js'

const ROUNDS = countOf('PHIAL_ROUNDS', 4)

interface Child {
  readonly process: ChildProcess
  /** Every line that it has printed. */
  readonly lines: string[]
  line(): Promise<string>
  ended(): Promise<[code: number | null, signal: NodeJS.Signals | null]>
}

/** A program of this directory in a process of its own, killed with the test. */
const start = (t: ExecutionContext, program: string, args: readonly string[] = [], options: readonly string[] = []): Child => {
  const child = spawn(
    process.execPath, [...options, fileURLToPath(new URL(program, import.meta.url)), ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exit
  })
  const lines: string[] = []
  const waiting: ((line: string) => void)[] = []
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    for (const take of waiting.splice(0)) take(line)
  })
  return { process: child, lines, line: () => new Promise((resolve) => waiting.push(resolve)), ended: () => exit }
}

test('S210: SIGTERM with 200 requests in flight loses no write that was acknowledged: file', async (t) => {
  const dataDir = directory(t)
  const settings = { ...STORED[1]!.settings(t), dataDir }
  const server = start(t, 'stopping-process.js', [JSON.stringify(settings)])
  const port = Number(await server.line())
  const asked = Array.from(
    { length: 200 },
    (_, n): Promise<Reply | undefined> => ask(port, `/set?user=user${n}`, { connection: 'close' }).catch(() => undefined)
  )
  await Promise.race(asked)
  server.process.kill('SIGTERM')
  const replies = await Promise.all(asked)
  t.deepEqual(await server.ended(), [0, null])
  const manager = createManager({ secret: SECRET, secure: false, ...settings })
  t.teardown(() => manager.close())
  let acknowledged = 0
  for (const [n, reply] of replies.entries()) {
    if (reply?.status !== 200) continue
    acknowledged++
    t.is((await manager.getById(reply.setCookies[0]!.slice('phial='.length, 'phial='.length + 43)))?.get('user'), `user${n}`)
  }
  t.true(acknowledged > 0)
  t.deepEqual([...new Set(replies.map((reply) => reply?.status))].filter((status) => ![200, 503, undefined].includes(status)), [])
})

for (const mode of MODES) {
  test(`S211: after close() requests that use their session get a 503, others are served, and managers say so: ${mode.name}`, async (t) => {
    const { port, manager } = await serveIn(t, mode, async (req, res) => {
      if (req.url === '/static') res.end('static')
      else await acts(req, res)
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    await Promise.all([manager.close(), manager.close()])
    await manager.close()
    for (const path of ['/', '/set?a=1', '/logout']) {
      const { status, headers, setCookies, body } = await visitor.ask(path)
      t.deepEqual([status, headers['retry-after'], setCookies, body], [503, '1', [], 'Service Unavailable\n'], path)
    }
    t.is(await visitor.body('/static'), 'static')
    const calls = [
      () => manager.create(), () => manager.getById('A'.repeat(43)), () => manager.list({ owner: 'a' }), () => manager.revoke({ owner: 'a' }),
      () => manager.check(), () => manager.purgeExpired(),
    ]
    for (const call of calls) await t.throwsAsync(async () => call(), { code: 'PHIAL_CLOSED' })
  })

  test(`S211: a session that is held while its manager closes cannot be written any more: ${mode.name}`, async (t) => {
    const app = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      await app.manager.close()
      await session.set('a', 1).save()
      res.end('saved')
    })
    const { status, setCookies } = await ask(app.port)
    t.deepEqual([status, setCookies], [503, []])
  })
}

for (const how of ['SIGKILL', 'exit'] as const) {
  test(`S212: ${how} in the middle of saving leaves the old session or the new one, whole, and none older than was acknowledged: file`, async (t) => {
    const dataDir = directory(t)
    const settings = { ...STORED[1]!.settings(t), dataDir }
    let id = ''
    let known = 0
    for (let round = 0; round < ROUNDS; round++) {
      const saver = start(
        t, 'saving-process.js', [JSON.stringify(settings), id, how === 'exit' ? String(5 + Math.floor(Math.random() * 40)) : '']
      )
      const first = await saver.line()
      id = first.split(' ')[1]!
      for (let lines = Math.random() * 20; lines > 0 && how === 'SIGKILL'; lines--) await saver.line()
      if (how === 'SIGKILL') saver.process.kill('SIGKILL')
      await saver.ended()
      known = Math.max(known, ...saver.lines.map((line) => Number(line.split(' ')[0])))
      const manager = createManager({ secret: SECRET, secure: false, ...settings })
      const session = await manager.getById(id)
      const n = session?.get('n')
      t.true(n >= known, `${n} of ${known}`)
      t.is(session?.get('text'), String(n % 10).repeat(5000))
      await session!.set('after', round).save()
      await manager.close()
    }
    t.true(known > 0)
  })
}

test('S213: the longer it runs the more neither memory nor timers nor sockets it keeps', async (t) => {
  const soak = start(t, 'soak-process.js', [String(countOf('PHIAL_REQUESTS', 600))], ['--expose-gc'])
  const { heap, resources } = JSON.parse(await soak.line())
  t.deepEqual(await soak.ended(), [0, null])
  t.deepEqual(resources[1], resources[0])
  t.true(heap[1] - heap[0] < 4_000_000, `${heap}`)
})

test('S214: neither importing the library nor using each of its backends adds a listener to the process', async (t) => {
  const child = start(t, 'listeners-process.js', [JSON.stringify(MODES.map((mode) => mode.settings(t)))])
  const { before, imported, used } = JSON.parse(await child.line())
  t.deepEqual(await child.ended(), [0, null])
  t.deepEqual([imported, used], [before, before])
})

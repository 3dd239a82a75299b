import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'

const backend = new URL('../../backends/memory.js', import.meta.url).href

const prelude = `
  import { memoryBackend } from ${JSON.stringify(backend)}
  const options = { maxSessions: 1e7, maxTotalBytes: 1e12, purgeInterval: 60 }
  const context = { namespace: 'test', now: Date.now, maxBytes: 262144, options }
  const open = () => memoryBackend.open(context)
  const key = 'a'.repeat(64)
`

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program in a process of its own, which ends by itself or is killed when the test ends. */
const run = async (t: ExecutionContext, program: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> => {
  const flags = ['--expose-gc', '--max-old-space-size=8000', '--input-type=module']
  const child = spawn(process.execPath, [...flags, '-e', prelude + program], { env: { ...process.env, ...env } })
  t.teardown(() => child.kill('SIGKILL'))
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: code as number | null, stdout, stderr }
}

test('S052: neither the purge timer nor a lease keeps the process alive', async (t) => {
  const { code, stdout } = await run(t, `
    const manager = open()
    await manager.create(key, 'value', Date.now() + 60_000)
    await manager.lock(key, 600_000, Date.now())
    await manager.addOwned(key, key, Date.now() + 60_000)
    process.on('exit', () => console.log('ended after', Math.round(process.uptime() / 60), 'minutes'))
  `)
  t.is(code, 0)
  t.is(stdout, 'ended after 0 minutes\n')
})

test('S052: a purge that the timer began keeps no process alive either', async (t) => {
  const { code, stdout } = await run(t, `
    const count = 20_000
    let looks = 0
    const now = () => (looks += 1)
    const manager = memoryBackend.open({ ...context, now, options: { ...options, purgeInterval: 0.001 } })
    for (let i = 0; i < count; i += 1) await manager.create(String(i).padStart(64, '0'), 'value', 1e12)
    looks = 0
    while (looks === 0) await new Promise((resolve) => setImmediate(resolve))
    process.on('exit', () => console.log(looks < count ? 'ended before the purge' : 'waited for the purge'))
  `)
  t.is(code, 0)
  t.is(stdout, 'ended before the purge\n')
})

test('a purge that was asked for is waited for', async (t) => {
  const { code, stdout } = await run(t, `
    const manager = open()
    for (let i = 0; i < 5_000; i += 1) await manager.create(String(i).padStart(64, '0'), 'value', Date.now() - 1)
    manager.purgeExpired().then((count) => console.log(count))
  `)
  t.is(code, 0)
  t.is(stdout, '5000\n')
})

test('S152: in production it is warned of once, with a code', async (t) => {
  const program = 'open()\nopen()'
  const loud = await run(t, program, { NODE_ENV: 'production' })
  t.is(loud.stderr.match(/\[PHIAL_MEMORY\] PhialWarning/gu)?.length, 1, loud.stderr)
  const quiet = await run(t, program, { NODE_ENV: 'development' })
  t.notRegex(quiet.stderr, /PHIAL_MEMORY/u)
})

const SESSIONS = Number(process.env['PHIAL_TEST_SESSIONS'] ?? 20_000)

test(`P01: beside its data each of ${SESSIONS} sessions takes at most 250 bytes`, async (t) => {
  const { stdout, stderr } = await run(t, `
    import { createHash } from 'node:crypto'
    const size = 1_000
    const manager = open()
    await manager.create(key, 'value', Date.now() + 60_000)
    const used = () => {
      for (let round = 0; round < 3; round += 1) gc() // what lies outside of the heap is freed by the next one
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const before = used()
    for (let i = 0; i < ${SESSIONS}; i += 1) {
      const value = Buffer.alloc(size, String(i)).toString('latin1')
      await manager.create(createHash('sha256').update(String(i)).digest('hex'), value, Date.now() + 60_000.5)
    }
    console.log((used() - before) / ${SESSIONS} - size)
  `)
  const beside = Number(stdout)
  t.true(beside > 100 && beside <= 250, `${beside} bytes ${stderr}`)
})

import test from 'ava'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'

const programs = ['index', 'profile', 'growth/run'] as const

const run = async (program: string, ...args: string[]): Promise<{ readonly code: unknown; readonly out: string; readonly errors: string }> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../bench/${program}.js`, import.meta.url)), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, errors] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code, out, errors }
}

for (const program of programs) {
  test(`bench/${program} tells how it is used`, async (t) => {
    const { code, out, errors } = await run(program, '--help')
    t.deepEqual([code, errors], [0, ''])
    t.regex(out, /--out/)
  })

  test(`bench/${program} tells in a line what it was asked for and is not there`, async (t) => {
    const { code, out, errors } = await run(program, '--long')
    t.deepEqual([code, out], [2, ''])
    t.is(errors, "Unknown option '--long'\n(--help tells what there is)\n")
  })
}

test('a profile is of a server and a scenario, for a time', async (t) => {
  const usage = '\n(--help tells what there is)\n'
  t.deepEqual((await run('profile')).errors, `expected a server and a scenario: phial-redis W${usage}`)
  t.deepEqual((await run('profile', 'phial-memory', 'R', '--seconds=-2')).errors, `--seconds: expected a number over 0; got -2${usage}`)
})

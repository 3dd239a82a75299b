import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../support/every-backend.js'

const script = fileURLToPath(new URL('../../../.ci/run', import.meta.url))

/** The last line, and the status, when `npm test` prints this and ends so. */
const counted = (t: ExecutionContext, output: string, status = 0, lintStatus = 0): [string, number | null] => {
  const folder = temporaryDirectory(t)
  writeFileSync(join(folder, 'output'), output)
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\n[ "$1" = test ] || exit ${lintStatus}\ncat '${join(folder, 'output')}'\nexit ${status}\n`)
  chmodSync(join(folder, 'npm'), 0o755)
  const ended = spawnSync(script, { encoding: 'utf8', env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` } })
  return [ended.stdout.trimEnd().split('\n').at(-1)!, ended.status]
}

/** As the runner writes it. */
const report = (...lines: string[]): string => ['', '  - [skip] redis › R01: down', '  ✔ a › one', '  ✔ a › two', '  ─', '', ...lines.map((line) => `  ${line}`), ''].join('\n')

const testInShell = process.platform === 'win32' ? test.skip : test

testInShell('the closing line counts what passed, what failed and what was skipped', (t) => {
  t.deepEqual(counted(t, report('2 tests passed')), ['2 passed, 0 failed, 0 skipped', 0])
  t.deepEqual(counted(t, report('1 test passed', '1 test skipped')), ['1 passed, 0 failed, 1 skipped', 0])
  t.deepEqual(counted(t, report('2 tests passed', '148 tests skipped', '2 tests todo')), ['2 passed, 0 failed, 150 skipped', 0])
  t.deepEqual(counted(t, report('1 test failed', '3 tests skipped'), 1), ['2 passed, 1 failed, 3 skipped', 1])
  t.deepEqual(counted(t, report('1 test failed', '1 uncaught exception', '3 tests skipped'), 1), ['2 passed, 2 failed, 3 skipped', 1])
})

testInShell('it ends as a failure when nothing ran, when the coverage is too low, and when lint finds something', (t) => {
  t.deepEqual(counted(t, 'no tests\n'), ['0 passed, 1 failed, 0 skipped', 1])
  t.deepEqual(counted(t, report('2 tests passed'), 1), ['2 passed, 1 failed, 0 skipped', 1])
  t.deepEqual(counted(t, report('2 tests passed'), 0, 1), ['2 passed, 1 failed, 0 skipped', 1])
})

// Writes package-lock.json anew after a change of dependencies: `node tools/lock.js`, or `node tools/lock.js bench` for those of the benchmark.
// The addresses that npm notes in it are of whatever registry it was run against, so they are left out; versions and integrity hashes stay,
// and npm needs no more.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL(`../${process.argv[2] ?? '.'}/`, import.meta.url))
const { status } = spawnSync('npm', ['install', '--package-lock-only', '--omit-lockfile-registry-resolved=false'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
if (status !== 0) process.exit(status ?? 1)

const file = `${root}package-lock.json`
const lock = JSON.parse(readFileSync(file, 'utf8'))
for (const entry of Object.values(lock.packages)) delete entry.resolved
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)

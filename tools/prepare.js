// Makes a fresh clone ready: installs what is missing, then builds. Runs before `npm start` and `npm test`; before the latter with
// --servers, which looks for the servers that the tests talk to.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { prepareServers } from './servers.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

const run = (command, args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** npm writes `node_modules/.package-lock.json` last, so its age tells whether the last install finished and is current. */
const isInstalled = () => {
  const installed = `${root}node_modules/.package-lock.json`
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${root}package-lock.json`).mtimeMs
}

if (!isInstalled()) run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
run(process.execPath, [`${root}node_modules/typescript/bin/tsc`])
if (process.argv.includes('--servers')) prepareServers()

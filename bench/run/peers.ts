import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../bench/', import.meta.url))

/** Without a network it is soon said. */
const FEW_RETRIES = ['--fetch-retries=2', '--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=5000']

/** npm writes this file last. */
const isInstalled = (): boolean => {
  const installed = `${folder}node_modules/.package-lock.json`
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs
}

/** Installs what phial is measured beside, apart from what phial itself needs. Says what is wrong if that fails. */
export const installPeers = (): string | undefined => {
  if (isInstalled()) return undefined
  process.stderr.write('Installing the peers in bench/node_modules\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...FEW_RETRIES], { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  return status === 0 ? undefined : 'its package could not be installed in bench/'
}

const require = createRequire(`${folder}package.json`)

/** The versions that are measured. */
export const peerVersions = (): Record<string, string> => {
  const { dependencies } = require('./package.json') as { dependencies: Record<string, string> }
  const versionOf = (name: string): string => (require(`${folder}node_modules/${name}/package.json`) as { version: string }).version
  return Object.fromEntries(Object.keys(dependencies).map((name) => [name, versionOf(name)]))
}

// Gets the servers that the tests talk to, the browser that talks to the demo, and the load of the benchmark, where the system's package manager may: Debian's, as root or by sudo without a password.
// What is missing afterwards is said once; its tests are skipped, and counted as skipped. Nothing here fails `npm test`, before which
// it runs. Where all is there it looks at a few paths and does nothing.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Each is called as its program is. Those of a line are asked for together: a system that has no chromium may have the servers. */
const packages = [['redis-server', 'memcached'], ['chromium'], ['wrk']]

const jarInSdk = 'google-cloud-sdk/platform/cloud-datastore-emulator/CloudDatastore.jar'
const sdkFolders = ['/usr/lib', '/usr/share', '/opt', '/usr/local', '/usr/local/share', '/opt/homebrew/share', homedir()]

const hasProgram = name => (process.env.PATH ?? '').split(delimiter).some(folder => isProgram(join(folder, name)))

const isProgram = path => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const hasEmulator = () => {
  const { DATASTORE_EMULATOR_JAR: named } = process.env
  return named === undefined ? sdkFolders.some(folder => existsSync(join(folder, jarInSdk))) : existsSync(named)
}

/** What begins a command that is run by root; `undefined` when none can be. */
const byRoot = () => {
  if (process.getuid?.() === 0) return []
  const may = hasProgram('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore', timeout: 5_000 }).status === 0
  return may ? ['sudo', '-n'] : undefined
}

/**
 * Debian starts what it installs, on the usual ports, unless `policy-rc.d` forbids it. The lists of packages are fetched when it does not
 * work without. Whatever hangs has an end, and Ctrl-C reaches it.
 */
const script = `
policy=$1; shift
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy" || exit 1
fi
run() { timeout --foreground -k 10 180 apt-get -qq -o DPkg::Lock::Timeout=60 -o Acquire::http::Timeout=15 "$@"; }
install() { run install -y --no-install-recommends "$@"; }
install "$@" 2> /dev/null || { run update && install "$@"; }
`

const install = (names, policy) => {
  const root = hasProgram('apt-get') ? byRoot() : undefined
  if (root === undefined) return
  console.error(`Installing what the tests need and is not there: ${names.join(', ')} (apt-get; nothing of it is started)`)
  const [command, ...args] = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1', 'sh', '-c', script, 'sh', policy, ...names]
  spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

const isThere = name => hasProgram(name) || (name === 'chromium' && existsSync(process.env.CHROMIUM ?? ''))

const missingOf = names => names.filter(name => !isThere(name))

/** A line for each thing that is not there, with a way to get it. */
const wanted = () => [
  ...missingOf(packages.flat()).map(name => `${name}: apt-get install ${name}, or as your system has it`),
  ...(hasProgram('java') ? [] : ['java, which the Datastore emulator runs on: apt-get install default-jre-headless, or as your system has it']),
  ...(hasEmulator() ? [] : ['the Datastore emulator: gcloud components install cloud-datastore-emulator, or set DATASTORE_EMULATOR_JAR to CloudDatastore.jar']),
]

/** `policy`: where Debian looks whether it may start what it installs. */
export const prepareServers = (policy = '/usr/sbin/policy-rc.d') => {
  try {
    for (const names of packages.map(missingOf)) if (names.length > 0) install(names, policy)
    const lines = wanted().map(line => `  ${line}\n`)
    if (lines.length > 0) console.error(`Not there, so the tests that need it are skipped, and counted as skipped:\n${lines.join('')}`)
  } catch (error) {
    console.error(`Nobody could look for the servers of the tests: ${error.message}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) prepareServers(process.argv[2])

import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../support/every-backend.js'
import { findProgram } from '../support/server-process.js'

const tool = fileURLToPath(new URL('../../../tools/servers.js', import.meta.url))
const isRoot = process.getuid?.() === 0

/** A machine with nothing but the programs that it is given. */
class Machine {
  readonly #programs: string
  readonly #home: string
  readonly #tool: string
  readonly policy: string

  constructor(t: ExecutionContext) {
    this.#home = temporaryDirectory(t)
    this.#programs = join(this.#home, 'bin')
    this.#tool = join(this.#home, 'servers.mjs')
    this.policy = join(this.#home, 'policy-rc.d')
    mkdirSync(this.#programs)
    for (const folder of [this.#home, this.#programs]) chmodSync(folder, 0o777) // also for who is not root
    copyFileSync(tool, this.#tool)
    for (const name of ['sh', 'env', 'true', 'timeout', 'rm', 'chmod']) symlinkSync(findProgram(name)!, join(this.#programs, name))
    this.has('chromium').has('wrk')
  }

  lacks(name: string): this {
    rmSync(join(this.#programs, name))
    return this
  }

  has(name: string, script = 'exit 0'): this {
    writeFileSync(join(this.#programs, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(this.#programs, name), 0o755)
    return this
  }

  /** Notes how it is called, and whether the policy is there; then does what it does for that command. */
  hasApt(onInstall: string, onUpdate = 'exit 0'): this {
    const note = `{ [ -x '${this.policy}' ] && echo "policy $('${this.policy}'; echo $?)"; echo "$DEBIAN_FRONTEND $*"; } >> '${this.#log}'`
    return this.has('apt-get', `${note}\ncase "$*" in *update*) ${onUpdate} ;; *) ${onInstall} ;; esac`)
  }

  /** What brings both programs. */
  get installing(): string {
    const files = ['redis-server', 'memcached'].map((name) => `'${join(this.#programs, name)}'`)
    return files.map((file) => `{ [ -e ${file} ] || echo '#!/bin/sh' > ${file}; chmod -f 755 ${file}; true; }`).join(' && ')
  }

  /** Who is not root may be by a sudo that asks for nothing. */
  hasSudo(): this {
    return this.has('sudo', 'shift; exec "$@"')
  }

  /** Runs the tool as nobody in particular, or as root. What it says, and the calls of apt-get. */
  run(t: ExecutionContext, { asRoot = false, env = {} }: { asRoot?: boolean; env?: NodeJS.ProcessEnv } = {}): { said: string; calls: string[] } {
    const who = isRoot && !asRoot ? { uid: 65_534, gid: 65_534 } : {}
    const jar = join(this.#home, 'CloudDatastore.jar')
    writeFileSync(jar, '')
    const { status, stdout, stderr, error } = spawnSync(process.execPath, [this.#tool, this.policy], {
      ...who, cwd: this.#home, encoding: 'utf8', env: { PATH: this.#programs, HOME: this.#home, DATASTORE_EMULATOR_JAR: jar, NODE_V8_COVERAGE: undefined, ...env },
    })
    t.deepEqual([status, stdout, error], [0, '', undefined], stderr)
    return { said: stderr, calls: existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trim().split('\n') : [] }
  }

  get #log(): string {
    return join(this.#home, 'calls')
  }
}

const testHere = ['sh', 'env', 'timeout'].every((name) => findProgram(name) !== undefined) ? test : test.skip

const INSTALL = 'noninteractive -qq -o DPkg::Lock::Timeout=60 -o Acquire::http::Timeout=15 install -y --no-install-recommends redis-server memcached'
const UPDATE = 'noninteractive -qq -o DPkg::Lock::Timeout=60 -o Acquire::http::Timeout=15 update'
const NOT_THERE = 'Not there, so the tests that need it are skipped, and counted as skipped:'

testHere('where all servers are there nothing is run and nothing said', (t) => {
  const machine = new Machine(t).has('java').has('redis-server').has('memcached').hasSudo()
  t.deepEqual(machine.hasApt('exit 0').run(t), { said: '', calls: [] })
})

testHere('what is missing is installed by who may, and is not started: nothing but a line about it', (t) => {
  const machine = new Machine(t).has('java').hasSudo()
  const { said, calls } = machine.hasApt(machine.installing).run(t)
  t.is(said, 'Installing what the tests need and is not there: redis-server, memcached (apt-get; nothing of it is started)\n')
  t.deepEqual(calls, ['policy 101', INSTALL])
  t.false(existsSync(machine.policy))
  t.deepEqual(machine.run(t).calls.length, 2)
})

testHere('only what is missing is asked for', (t) => {
  const machine = new Machine(t).has('java').has('memcached').hasSudo()
  t.deepEqual(machine.hasApt(machine.installing).run(t).calls, ['policy 101', INSTALL.replace(' memcached', '')])
})

testHere('the browser is asked for apart from the servers: where a system has no package of it, they come all the same', (t) => {
  const machine = new Machine(t).has('java').hasSudo().lacks('chromium')
  const { said, calls } = machine.hasApt(`case "$*" in *chromium) exit 100 ;; esac; ${machine.installing}`).run(t)
  const ofChromium = INSTALL.replace('redis-server memcached', 'chromium')
  t.deepEqual(calls.filter((call) => !call.startsWith('policy')), [INSTALL, ofChromium, UPDATE, ofChromium])
  t.true(said.endsWith(`${NOT_THERE}\n  chromium: apt-get install chromium, or as your system has it\n\n`), said)
})

testHere('what loads the benchmark is asked for on its own, too', (t) => {
  const machine = new Machine(t).has('java').has('redis-server').has('memcached').hasSudo().lacks('wrk')
  const { said, calls } = machine.hasApt('exit 100').run(t)
  t.true(calls.includes(INSTALL.replace('redis-server memcached', 'wrk')))
  t.true(said.endsWith(`${NOT_THERE}\n  wrk: apt-get install wrk, or as your system has it\n\n`), said)
})

testHere('a browser elsewhere is named in CHROMIUM', (t) => {
  const machine = new Machine(t).has('java').has('redis-server').has('memcached').lacks('chromium').hasSudo().hasApt('exit 0')
  t.deepEqual(machine.run(t, { env: { CHROMIUM: process.execPath } }), { said: '', calls: [] })
  t.regex(machine.run(t, { env: { CHROMIUM: '/nowhere' } }).said, /chromium: apt-get install chromium/)
})

const testAsRoot = isRoot ? testHere : test.skip

testAsRoot('root needs no sudo', (t) => {
  const machine = new Machine(t).has('java')
  t.deepEqual(machine.hasApt(machine.installing).run(t, { asRoot: true }).calls, ['policy 101', INSTALL])
  t.false(existsSync(machine.policy))
})

testHere('a policy of the machine is left as it is', (t) => {
  const machine = new Machine(t).has('java').hasSudo()
  writeFileSync(machine.policy, '#!/bin/sh\nexit 104\n', { mode: 0o755 })
  t.deepEqual(machine.hasApt(machine.installing).run(t).calls, ['policy 104', INSTALL])
  t.is(readFileSync(machine.policy, 'utf8'), '#!/bin/sh\nexit 104\n')
})

testHere('the lists of packages are fetched when it does not work without', (t) => {
  const machine = new Machine(t).has('java').hasSudo()
  const { said, calls } = machine.hasApt(`[ -e '${machine.policy}.fetched' ] && ${machine.installing}`, `: > '${machine.policy}.fetched'`).run(t)
  t.deepEqual(calls, ['policy 101', INSTALL, 'policy 101', UPDATE, 'policy 101', INSTALL])
  t.notRegex(said, /Not there/)
})

testHere('an installation that fails fails nothing: it is said what to do, and the policy is gone', (t) => {
  const machine = new Machine(t).hasSudo()
  const { said, calls } = machine.hasApt('echo "E: no network" >&2; exit 100', 'exit 100').run(t, { env: { DATASTORE_EMULATOR_JAR: '/nowhere.jar' } })
  t.deepEqual(calls.filter((call) => !call.startsWith('policy')), [INSTALL, UPDATE])
  t.is(said.slice(said.indexOf('\n') + 1), `${NOT_THERE}
  redis-server: apt-get install redis-server, or as your system has it
  memcached: apt-get install memcached, or as your system has it
  java, which the Datastore emulator runs on: apt-get install default-jre-headless, or as your system has it
  the Datastore emulator: gcloud components install cloud-datastore-emulator, or set DATASTORE_EMULATOR_JAR to CloudDatastore.jar

`)
  t.false(existsSync(machine.policy))
})

testHere('who may not install is told what to install, and nothing is tried', (t) => {
  const machine = new Machine(t).has('java').has('redis-server')
  const said = `${NOT_THERE}\n  memcached: apt-get install memcached, or as your system has it\n\n`
  t.deepEqual(machine.run(t), { said, calls: [] })
  t.deepEqual(machine.hasApt('exit 0').run(t), { said, calls: [] })
  t.deepEqual(machine.has('sudo', 'exit 1').run(t), { said, calls: [] })
})

testHere('the emulator is found where its SDK is installed, without being named', (t) => {
  const machine = new Machine(t).has('java').has('redis-server').has('memcached')
  const home = join(machine.policy, '..', 'home')
  mkdirSync(join(home, 'google-cloud-sdk/platform/cloud-datastore-emulator'), { recursive: true })
  writeFileSync(join(home, 'google-cloud-sdk/platform/cloud-datastore-emulator/CloudDatastore.jar'), '')
  t.is(machine.run(t, { env: { HOME: home, DATASTORE_EMULATOR_JAR: undefined } }).said, '')
})

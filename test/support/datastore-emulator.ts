import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Teardown } from './app.js'
import { findProgram, freePorts, ServerProcess } from './server-process.js'

const JAR = 'platform/cloud-datastore-emulator/CloudDatastore.jar'
const MAIN = 'com.google.cloud.datastore.emulator.CloudDatastore'

const { DATASTORE_EMULATOR_JAR, CLOUDSDK_ROOT_DIR, HOME = '/' } = process.env
const SDKS = [CLOUDSDK_ROOT_DIR, '/usr/lib/google-cloud-sdk', '/usr/share/google-cloud-sdk', '/opt/google-cloud-sdk', `${HOME}/google-cloud-sdk`]
const jar = [DATASTORE_EMULATOR_JAR, ...SDKS.map((sdk) => sdk && join(sdk, JAR))].find((path) => path && existsSync(path))

const java = findProgram('java')

/** What is not installed, if the tests cannot have an emulator. */
export const missingEmulator: string | undefined =
  jar === undefined ? 'the Datastore emulator (DATASTORE_EMULATOR_JAR may name its CloudDatastore.jar)'
  : java === undefined ? 'java, which the Datastore emulator runs on,'
  : undefined

/** Says why tests are skipped, when they are. */
export const tellMissing = (what: string): void => {
  if (missingEmulator !== undefined) process.stderr.write(`\n${what} skipped: ${missingEmulator} is not installed\n\n`)
}

/** The client looks for Google's metadata server, but where it is told that there is none. */
process.env['METADATA_SERVER_DETECTION'] = 'none'

/** The emulator, as a process of its own. It keeps all in memory unless it is given a directory. */
export class DatastoreEmulator {
  readonly port: number
  readonly #directory: string | undefined
  /** It leaves files where it was started, also when it keeps all in memory. */
  readonly #home: string
  #server: ServerProcess

  private constructor(port: number, directory: string | undefined, home: string, server: ServerProcess) {
    this.port = port
    this.#home = home
    this.#directory = directory
    this.#server = server
  }

  static async start(directory?: string, at?: number): Promise<DatastoreEmulator> {
    for (let tries = 1; ; tries++) {
      const port = at ?? (await freePorts(1))[0]!
      const home = mkdtempSync(join(tmpdir(), 'phial-emulator-'))
      try {
        return new DatastoreEmulator(port, directory, home, await run(port, directory, home))
      } catch (error) {
        rmSync(home, { recursive: true, force: true })
        if (at !== undefined || tries === 3) throw error // it starts slowly: somebody may have taken the port meanwhile
      }
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/phial-test`
  }

  /** Resolves when all of its threads have stopped. */
  async hang(): Promise<void> {
    this.#server.signal('SIGSTOP')
    const tasks = `/proc/${this.#server.pid}/task`
    const isRunning = (): boolean => readdirSync(tasks).some((task) => !/^State:\s+T/m.test(readFileSync(`${tasks}/${task}/status`, 'utf8')))
    if (!existsSync(tasks)) await sleep(500)
    else while (isRunning()) await sleep(5)
  }

  wake(): void {
    this.#server.signal('SIGCONT')
  }

  async kill(): Promise<void> {
    await this.#server.kill()
    rmSync(this.#home, { recursive: true, force: true })
  }

  /** Lets it end by itself: only then is all on its disk. */
  async stop(): Promise<void> {
    this.#server.signal('SIGTERM')
    while (this.#server.isRunning) await sleep(20)
  }

  /** Kills it, if it still runs, and starts it at the same place. */
  async restart(): Promise<void> {
    await this.#server.kill()
    mkdirSync(this.#home, { recursive: true })
    this.#server = await run(this.port, this.#directory, this.#home)
  }
}

/** The wrapper script that comes with it leaves java behind when it is killed. */
const run = async (port: number, directory: string | undefined, home: string): Promise<ServerProcess> => {
  if (directory !== undefined) mkdirSync(join(directory, 'WEB-INF'), { recursive: true }) // what makes it a project's
  const storage = directory === undefined ? ['--store_on_disk=false'] : ['--store_on_disk=true', directory]
  const server = await ServerProcess.start(java!, [
    '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', jar!, MAIN, 'start',
    '--host=127.0.0.1', `--port=${port}`, '--consistency=1.0', ...storage,
  ], /is now running/, process.env, home)
  try {
    await answering(port)
    return server
  } catch (error) {
    await server.kill() // else it would keep the process of the tests alive
    throw error
  }
}

const answering = async (port: number): Promise<void> => {
  const end = performance.now() + 30_000
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()).catch(String)
    if (answer.trim() === 'Ok') return
    if (performance.now() > end) throw new Error(`the emulator is not ready: ${answer}`)
    await sleep(20)
  }
}

let borrowed: { users: number; readonly emulator: Promise<DatastoreEmulator> } | undefined

/** The emulator that the tests of this process share: started for the first of them, stopped after the last. */
export const borrowEmulator = async (t: Teardown): Promise<DatastoreEmulator> => {
  const mine = (borrowed ??= { users: 0, emulator: DatastoreEmulator.start() })
  mine.users += 1
  t.teardown(async () => {
    if (--mine.users > 0) return
    borrowed = undefined
    await (await mine.emulator).kill()
  })
  return mine.emulator
}

/** One that no other test has. */
export const freshNamespace = (): string => `test-${randomUUID()}`

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { within } from '../../backends/datastore/within.js'
import type { Program } from '../contestants.js'
import type { Usage } from '../servers/announce.js'
import { onServerCore } from './cores.js'

const PRINTED_CHARS = 2_000

export interface StartOptions {
  readonly nodeArgs?: readonly string[]
  /** Default a minute. */
  readonly startMs?: number
}

/** The server of a contestant, in a process of its own on a core of its own. */
export class ContestantProcess {
  readonly #child: ChildProcess
  /** Rejects when it has ended, with what it printed last. */
  readonly #ended: Promise<never>
  #url = ''
  #printed = ''

  private constructor({ name, file, args }: Program, location: string, nodeArgs: readonly string[]) {
    const [command, ...rest] = [...onServerCore, process.execPath, ...nodeArgs, file, ...args(location)]
    this.#child = spawn(command!, rest, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { ...process.env, NODE_ENV: 'production' } })
    this.#child.stderr!.on('data', (chunk) => { this.#printed = `${this.#printed}${chunk}`.slice(-PRINTED_CHARS) })
    // No `close` of its own comes from a child that was disconnected here.
    this.#ended = Promise.all([once(this.#child, 'exit'), once(this.#child.stderr!, 'close')]).then(() => { throw new Error(`${name} ended by itself: ${this.#printed}`) })
    this.#ended.catch(() => {})
  }

  /** Resolves when it listens. Rejects when that takes longer than `startMs`. */
  static async start(program: Program, location: string, { nodeArgs = [], startMs = 60_000 }: StartOptions = {}): Promise<ContestantProcess> {
    const server = new ContestantProcess(program, location, nodeArgs)
    const { port } = await within(server.#message<{ port: number }>(), performance.now() + startMs, () => server.#tooLate(program.name, startMs))
    server.#url = `http://127.0.0.1:${port}`
    return server
  }

  get url(): string {
    return this.#url
  }

  /** The last of what it has complained of. */
  get printed(): string {
    return this.#printed
  }

  usage(): Promise<Usage> {
    this.#child.send('usage', () => {}) // it may have ended
    return this.#message()
  }

  /** Lets it end by itself, which writes its profile if it makes one. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#ended.catch(() => {})
  }

  #tooLate(name: string, ms: number): Error {
    this.#child.kill('SIGKILL')
    return new Error(`${name} announced no port within ${ms / 1_000} s`)
  }

  async #message<T>(): Promise<T> {
    const [message] = await Promise.race([once(this.#child, 'message'), this.#ended])
    return message as T
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Teardown } from './app.js'
import { sharedBy } from './shared.js'
import type { Borrow } from './shared.js'
import { findProgram, freePorts, ServerProcess } from './server-process.js'

export const redisProgram: string | undefined = findProgram('redis-server')

/** `VALKEY_SERVER` names one that is not installed. */
export const valkeyProgram: string | undefined = process.env['VALKEY_SERVER'] ?? findProgram('valkey-server')

/** Tests of this file need the program: when it is missing they are skipped, and it is said why. */
export const tellMissing = (what: string, name: string): void => {
  process.stderr.write(`\n${what} skipped: ${name} is not installed\n\n`)
}

export interface RedisServerOptions {
  readonly program?: string | undefined
  /** Arguments of the command line, such as `--maxmemory 1mb`. */
  readonly args?: readonly string[]
  /** A command that ends in running what follows it: `['unshare', '-m', …]`. */
  readonly wrapper?: readonly string[]
  /** Where it keeps its files; a directory that goes with the server when absent. */
  readonly directory?: string
  readonly port?: number
}

/** A server on a free loopback port, in a directory of its own, that writes to the disk only when it is told to. */
export class RedisServer {
  readonly port: number
  readonly directory: string
  readonly #command: readonly string[]
  readonly #args: readonly string[]
  #process: ServerProcess | undefined
  #admin: Redis | undefined

  private constructor(port: number, directory: string, command: readonly string[], args: readonly string[]) {
    this.port = port
    this.directory = directory
    this.#command = command
    this.#args = args
  }

  /** Stopped, and its files removed, with the test. */
  static async start(t: Teardown, options: RedisServerOptions = {}): Promise<RedisServer> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'phial-redis-'))
    const port = options.port ?? (await freePorts(1))[0]!
    const server = new RedisServer(port, directory, [...(options.wrapper ?? []), options.program ?? redisProgram!], options.args ?? [])
    t.teardown(async () => {
      await server.kill()
      rmSync(directory, { recursive: true, force: true })
    })
    await server.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Again, after `kill`, on the same port and files. */
  async start(ready: RegExp = /eady to accept connections/): Promise<void> {
    const [program, ...before] = this.#command
    const args = [...before, '--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.directory, '--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', ...this.#args]
    this.#process = await ServerProcess.start(program!, args, ready)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal)
  }

  async kill(): Promise<void> {
    this.#admin?.disconnect()
    this.#admin = undefined
    await this.#process?.kill()
  }

  /** A connection of the test's own, past any proxy. */
  get admin(): Redis {
    if (this.#admin === undefined) {
      this.#admin = new Redis(this.port, '127.0.0.1', { disableClientInfo: true, enableReadyCheck: false })
      this.#admin.on('error', () => undefined)
    }
    return this.#admin
  }

  /** What clients ask from now on, as MONITOR tells it; what scripts do is left out. Grows while the test runs. */
  async commands(t: Teardown): Promise<string[][]> {
    const seen: string[][] = []
    const socket = connect(this.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    let rest = ''
    const begun = new Promise<void>((resolve, reject) => {
      socket.on('error', reject).on('data', (chunk) => {
        const lines = (rest + chunk.toString('latin1')).split('\r\n')
        rest = lines.pop()!
        for (const line of lines) {
          const [, source, words] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? []
          if (words === undefined) resolve()
          else if (source !== 'lua') seen.push([...words.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word!.replaceAll(/\\(.)/g, '$1')))
        }
      })
    })
    socket.write('MONITOR\r\n')
    await begun
    return seen
  }

  /** Runs a command: `server.run('config', 'set', 'maxmemory', '1mb')`. */
  run(...command: [string, ...(string | number)[]]): Promise<unknown> {
    return this.admin.call(...command)
  }
}

const servers = new Map<string, Borrow<RedisServer>>()

/** The server that the tests of this process share, each with a namespace of its own: started for the first of them, stopped after the last. */
export const borrowRedis = (t: Teardown, program: string = redisProgram!): Promise<RedisServer> => {
  let borrow = servers.get(program)
  if (borrow === undefined) servers.set(program, (borrow = sharedBy((end) => RedisServer.start(end, { program }))))
  return borrow(t)
}

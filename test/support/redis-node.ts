import { Redis } from 'ioredis'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisProgram } from './redis-server.js'
import { ServerProcess } from './server-process.js'
import { tlsFiles } from './tls.js'

/** One redis server (or sentinel) of a group, in a directory of its own: killed by pid, and started again with what it has on its disk. */
export class RedisNode {
  /** For the test. */
  readonly port: number
  /** For clients and for the others of its group: the same, or the one for TLS. */
  readonly clientPort: number
  readonly #args: readonly string[]
  #process: ServerProcess | undefined
  #isRunning = false
  #isHung = false

  private constructor(port: number, clientPort: number, args: readonly string[]) {
    this.port = port
    this.clientPort = clientPort
    this.#args = args
  }

  /** With a configuration file of its own as the first of the arguments, or only arguments. */
  static async start(directory: string, port: number, args: readonly string[], configFile?: string, clientPort: number = port): Promise<RedisNode> {
    const home = join(directory, String(port))
    mkdirSync(home, { recursive: true })
    const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--daemonize', 'no']
    const node = new RedisNode(port, clientPort, [...(configFile === undefined ? [] : [configFile]), ...common, ...args])
    await node.start()
    return node
  }

  get pid(): number {
    return this.#process!.pid
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  get isHung(): boolean {
    return this.#isHung
  }

  async start(): Promise<void> {
    this.#process = await ServerProcess.start(redisProgram!, this.#args, /Ready to accept connections|Sentinel ID is/)
    this.#isRunning = true
  }

  hang(): void {
    this.#isHung = true
    this.#process!.signal('SIGSTOP')
  }

  wake(): void {
    this.#isHung = false
    this.#process!.signal('SIGCONT')
  }

  async kill(): Promise<void> {
    this.#isRunning = this.#isHung = false
    await this.#process?.kill()
  }

  /** One command on a connection of its own. */
  ask(...command: readonly (string | number)[]): Promise<unknown> {
    const [name, ...args] = command
    return this.#connected((client) => client.call(String(name), ...args))
  }

  /**
   * Whether what is written here gets to so many replicas. One that was just made says that it is in step, and yet may get nothing for a
   * second or two, until it has told its master.
   */
  replicatesTo(replicas: number, key: string): Promise<boolean> {
    return this.#connected(async (client) => {
      await client.set(key, 'probe', 'PX', 1)
      return (await client.wait(replicas, 3000)) >= replicas
    })
  }

  async #connected<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis({ port: this.port, host: '127.0.0.1', lazyConnect: true, retryStrategy: null, commandTimeout: 5000, connectTimeout: 5000, disableClientInfo: true, enableReadyCheck: false })
    client.on('error', () => {})
    try {
      return await work(client)
    } finally {
      client.disconnect()
    }
  }

  /** A field of `INFO`. */
  async info(field: string): Promise<string | undefined> {
    return new RegExp(`^${field}:(.*)\\r$`, 'm').exec(String(await this.ask('INFO')))?.[1]
  }
}

export const SERVER_ARGS: readonly string[] = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', '--enable-debug-command', 'yes']

/** For a group that talks over TLS, with the certificates in this directory; a client needs none. */
export const tlsArgs = (directory: string, clientPort: number): string[] =>
  ['--tls-port', String(clientPort), '--tls-replication', 'yes', '--tls-auth-clients', 'no', ...tlsFiles(directory)]

/** Looks again until it is `true`; anything else, and what fails while looking, is "not yet", and is told when it was never so. */
export const until = async (what: string, isSo: () => unknown, withinMs = 20_000): Promise<void> => {
  const end = Date.now() + withinMs
  let last: unknown
  while (Date.now() < end) {
    try {
      last = await isSo()
      if (last === true) return
    } catch (error) {
      last = error
    }
    await sleep(20)
  }
  throw new Error(`not within ${withinMs} ms: ${what} (${String(last)})`)
}

/** Ports are asked for and let go before they are used, so that somebody else may take one: then the whole group is begun again. */
export const startedGroup = async <Group>(start: () => Promise<Group>): Promise<Group> => {
  for (let tries = 1; ; tries++) {
    try {
      return await start()
    } catch (error) {
      if (tries === 3 || !String(error).includes('Address already in use')) throw error
    }
  }
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { findProgram, freePorts, ServerProcess } from './server-process.js'

export const MEMCACHED: string | undefined = findProgram('memcached')

export interface MemcachedOptions {
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** A real memcached on a loopback port of its own. */
export class MemcachedServer {
  readonly port: number
  readonly #options: MemcachedOptions
  #process: ServerProcess | undefined

  private constructor(port: number, options: MemcachedOptions) {
    this.port = port
    this.#options = options
  }

  static async start(options: MemcachedOptions = {}): Promise<MemcachedServer> {
    for (let tries = 1; ; tries++) {
      const [port] = await freePorts(1)
      const server = new MemcachedServer(port!, options)
      try {
        await server.start()
        return server
      } catch (error) {
        await server.kill()
        if (tries === 3) throw error // somebody else may have taken the port
      }
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get url(): string {
    return `memcache://${this.address}`
  }

  /** On the same port, with nothing in it. */
  async start(): Promise<void> {
    const { args = [], env = {} } = this.#options
    // As root it wants to be told whom to run as. As somebody else it would outlive the tests: who changes users is not killed with its parent.
    const user = userInfo().uid === 0 ? ['-u', 'root'] : []
    const common = ['-l', '127.0.0.1', '-p', String(this.port), '-U', '0', '-t', '1', '-vv', ...user]
    this.#process = await ServerProcess.start(MEMCACHED!, [...common, ...args], /server listening/, { ...process.env, ...env })
    if (!args.includes('-S')) await this.say('verbosity 0', /OK/)
  }

  /** Resolves when all of it stands still. */
  async hang(): Promise<void> {
    const { pid } = this.#process!
    this.#process!.signal('SIGSTOP')
    const threads = `/proc/${pid}/task`
    if (!existsSync(threads)) return sleep(100)
    const stands = (thread: string): boolean => /\) [Tt] /.test(readFileSync(`${threads}/${thread}/stat`, 'latin1'))
    while (!readdirSync(threads).every(stands)) await sleep(5)
  }

  wake(): void {
    this.#process!.signal('SIGCONT')
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** One command of the text protocol, on a connection of its own: what comes back up to `end`. */
  say(command: string, end: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1')
      let text = ''
      socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer to ${command}: ${text}`)))
      socket.on('error', reject)
      socket.on('close', () => reject(new Error(`closed at ${command}: ${text}`)))
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1')
        if (!end.test(text)) return
        socket.destroy()
        resolve(text)
      })
      socket.write(`${command}\r\n`)
    })
  }

  async flush(): Promise<void> {
    await this.say('flush_all', /OK/)
  }

  /** The server's own counts. */
  async stats(): Promise<ReadonlyMap<string, number>> {
    const text = await this.say('stats', /^END\r\n/m)
    return new Map([...text.matchAll(/^STAT (\S+) (\d+)\r$/gm)].map(([, name, count]) => [name!, Number(count)]))
  }

  /** Commands on items so far, by kind. */
  async commands(): Promise<Record<'get' | 'set' | 'touch' | 'delete', number>> {
    const stats = await this.stats()
    const sum = (...names: string[]): number => names.reduce((total, name) => total + (stats.get(name) ?? 0), 0)
    return { get: sum('cmd_get'), set: sum('cmd_set'), touch: sum('cmd_touch'), delete: sum('delete_hits', 'delete_misses') }
  }
}

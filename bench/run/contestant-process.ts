import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Contestant } from '../contestants.js'
import type { Usage } from '../servers/announce.js'
import { onServerCore } from './cores.js'

/** The server of a contestant, in a process of its own on a core of its own. */
export class ContestantProcess {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
  }

  /** Resolves when it listens; rejects with what it printed when it ends before. */
  static async start({ name, program, args }: Contestant, location: string, nodeArgs: readonly string[] = []): Promise<ContestantProcess> {
    const [command, ...rest] = [...onServerCore, process.execPath, ...nodeArgs, program, ...args(location)]
    const child = spawn(command!, rest, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { ...process.env, NODE_ENV: 'production' } })
    let printed = ''
    child.stderr!.on('data', (chunk) => { printed = `${printed}${chunk}`.slice(-2_000) })
    const ended = once(child, 'exit').then(() => { throw new Error(`${name} ended before it listened:\n${printed}`) })
    const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }]
    ended.catch(() => {})
    return new ContestantProcess(child, port)
  }

  async usage(): Promise<Usage> {
    const answer = once(this.#child, 'message')
    this.#child.send('usage')
    const [usage] = (await answer) as [Usage]
    return usage
  }

  /** Lets it end by itself, which writes its profile if it makes one. */
  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}

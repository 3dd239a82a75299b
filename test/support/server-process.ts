import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { delimiter, join } from 'node:path'

/** The path of a program, or `undefined` when it is not installed. */
export const findProgram = (name: string): string | undefined =>
  (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/**
 * Above the last one that `fetch` refuses (https://fetch.spec.whatwg.org/#port-blocking), and below those that systems give to connections
 * that are made: of these, one that was free a moment ago is soon somebody's.
 */
const [FIRST_PORT, PAST_LAST_PORT] = [10_081, 32_768]

/** Loopback ports that were free a moment ago, each a different one. */
export const freePorts = async (count: number): Promise<number[]> => {
  const probes = await Promise.all(Array.from({ length: count }, onFreePort))
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port)
  await Promise.all(probes.map((probe) => new Promise((done) => probe.close(done))))
  return ports
}

const onFreePort = async (): Promise<Server> => {
  for (;;) {
    const probe = createServer().listen(randomInt(FIRST_PORT, PAST_LAST_PORT), '127.0.0.1')
    try {
      await once(probe, 'listening')
      return probe
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

/** On Linux: runs a program that is killed when who started it is gone, also when that was killed itself, or timed out. */
const withParent = findProgram('setpriv')

/** A real server, run as a process of its own and stopped by its pid. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
  }

  /** Resolves when a line of its output matches `ready`; rejects with that output when it ends before. */
  static async start(command: string, args: readonly string[], ready: RegExp, env: NodeJS.ProcessEnv = process.env, cwd?: string): Promise<ServerProcess> {
    const [program = command, ...before] = withParent === undefined ? [] : [withParent, '--pdeathsig', 'KILL', command]
    const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env, cwd })
    const server = new ServerProcess(child)
    let output = ''
    await new Promise<void>((resolve, reject) => {
      const look = (chunk: Buffer): void => {
        output += chunk.toString()
        if (ready.test(output)) resolve()
      }
      child.stdout!.on('data', look)
      child.stderr!.on('data', look)
      child.once('error', reject)
      child.once('exit', (code, signal) => reject(new Error(`${command} ended (${code ?? signal}) before it was ready:\n${output}`)))
    })
    for (const stream of [child.stdout!, child.stderr!]) stream.removeAllListeners('data').resume()
    return server
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** `SIGSTOP` hangs it, `SIGCONT` wakes it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Ends it at once, without a chance to say goodbye. May be called twice. */
  async kill(): Promise<void> {
    if (!this.isRunning) return
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

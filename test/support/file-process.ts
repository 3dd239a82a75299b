import type { ExecutionContext } from 'ava'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const childProgram: string = fileURLToPath(new URL('file-child.js', import.meta.url))

/** What the other process's call failed with. */
export interface RemoteError {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly operation?: string
  readonly retryable?: boolean
  readonly cause?: string
}

interface Reply {
  readonly id?: number
  readonly value?: unknown
  readonly error?: RemoteError
  readonly ready?: number
  readonly acknowledged?: number
}

interface ProcessSettings {
  readonly sync?: boolean
  /** Commands that the process runs inside of: `['strace', '-f']`. */
  readonly wrapper?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Another process with a store, killed when the test is over. */
export class FileProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  readonly #ready: Promise<void>
  readonly #closed: Promise<unknown>
  #calls = 0
  #pid = 0
  stderr = ''
  /** The last number that `saveForEver` told. */
  acknowledged = 0

  constructor(t: ExecutionContext, directory: string, settings: ProcessSettings = {}) {
    const [command = '', ...args] = [...(settings.wrapper ?? []), process.execPath, childProgram, directory, settings.sync ? 'sync' : '']
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { ...process.env, ...settings.env } })
    this.#child.setMaxListeners(0)
    this.#closed = once(this.#child, 'close')
    this.#child.stderr?.on('data', text => (this.stderr += text))
    this.#ready = new Promise((resolve, reject) => {
      this.#child.on('message', (reply: Reply) => {
        if (reply.ready !== undefined) {
          this.#pid = reply.ready
          resolve()
        }
        if (reply.acknowledged !== undefined) this.acknowledged = reply.acknowledged
        if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply)
      })
      this.#child.once('exit', (code, signal) => reject(new Error(`the process ended (${code ?? signal})`)))
    })
    this.#ready.catch(() => {})
    t.teardown(() => this.kill())
  }

  /** Resolves when the process can be called. */
  get ready(): Promise<void> {
    return this.#ready
  }

  /** What the call resolved to there. Rejects if it failed, or the process ended. */
  async call<T>(method: string, ...args: unknown[]): Promise<T> {
    const { value, error } = await this.#ask(method, args)
    if (error !== undefined) throw new Error(`${method} failed in the other process: ${JSON.stringify(error)}`)
    return value as T
  }

  /** What the call failed with there. */
  async failure(method: string, ...args: unknown[]): Promise<RemoteError> {
    const { value, error } = await this.#ask(method, args)
    if (error === undefined) throw new Error(`${method} succeeded in the other process: ${JSON.stringify(value)}`)
    return error
  }

  /** To the process itself, not to its wrapper. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal)
  }

  async kill(): Promise<void> {
    await this.#ready.catch(() => {})
    if (!this.#hasEnded) this.signal('SIGKILL')
    await this.ended()
  }

  async ended(): Promise<void> {
    await this.#closed
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #ask(method: string, args: unknown[]): Promise<Reply> {
    await this.#ready
    const id = ++this.#calls
    const reply = new Promise<Reply>((resolve, reject) => {
      this.#waiting.set(id, resolve)
      this.#child.once('exit', () => reject(new Error(`the process ended during ${method}`)))
    })
    this.#child.send({ id, method, args })
    return reply
  }
}

/** Whether a command that a test needs works on this machine. */
export const works = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

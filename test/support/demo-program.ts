import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Teardown } from './app.js'

/** The top of the repository, from `dist/test/support`. */
export const root: string = fileURLToPath(new URL('../../..', import.meta.url))

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProgramOptions {
  readonly cwd: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** A program of ours in a process of its own: what it says, and how it ends. */
export class Program {
  /** All that it has written so far, to stdout and stderr. */
  output = ''
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess
  #isOver = false
  #said: (() => void)[] = []

  constructor(script: string, { cwd, args = [], env = {} }: ProgramOptions) {
    const child = spawn(process.execPath, [script, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => this.#hear(String(chunk)))
    this.ended = new Promise((resolve) => child.on('close', (code, signal) => {
      this.#isOver = true
      this.#hear('')
      resolve({ code, signal })
    }))
  }

  /** Waits until it has said this. Rejects when it ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output)
      if (found !== null) return found
      if (this.#isOver) throw new Error(`ended without saying ${pattern}, but:\n${this.output}`)
      await new Promise<void>((resolve) => this.#said.push(resolve))
    }
  }

  get isOver(): boolean {
    return this.#isOver
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ending> {
    this.signal(signal)
    return this.ended
  }

  #hear(text: string): void {
    this.output += text
    for (const tell of this.#said.splice(0)) tell()
  }
}

export const start = (t: Teardown, script: string, options: ProgramOptions): Program => {
  const program = new Program(script, options)
  t.teardown(() => program.stop())
  return program
}

/** A folder of the test's own, removed after it. */
export const folder = (t: Teardown): string => {
  const path = mkdtempSync(join(tmpdir(), 'phial-demo-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A port that nobody listens on now, and that no system gives away by itself (these begin at 32768). */
export const freePort = async (): Promise<number> => {
  const port = randomInt(10_000, 32_768)
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
  return isFree ? port : freePort()
}

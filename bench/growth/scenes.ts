import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { atExit } from './cleanup.js'
import { loadServer } from './http-load.js'
import type { Asks, Cost, Operation, SceneSpec } from './scene.js'

const PROGRAM = fileURLToPath(new URL('scene-process.js', import.meta.url))

/** A scene in a process of its own, so that its memory and its pauses are its own. Asked one thing at a time. */
export class Scene {
  readonly spec: SceneSpec
  readonly #child: ChildProcess
  readonly #leave: () => void

  constructor(spec: SceneSpec, tell: (progress: string) => void = () => {}) {
    this.spec = spec
    this.#child = fork(PROGRAM, [JSON.stringify(spec)], { execArgv: ['--expose-gc'] })
    this.#leave = atExit(() => this.#child.kill('SIGKILL'))
    this.#child.on('message', ({ progress }: { progress?: string }) => progress !== undefined && tell(progress))
  }

  ask<A extends keyof Asks>(ask: A, ...args: Asks[A]['args']): Promise<Asks[A]['answer']> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#child.off('message', hear).off('exit', ended)
      }
      const hear = (said: { answer?: Asks[A]['answer']; error?: string; progress?: string }): void => {
        if (said.progress !== undefined) return
        settle()
        if (said.error === undefined) resolve(said.answer!)
        else reject(new Error(said.error))
      }
      const ended = (code: number | null, signal: string | null): void => reject(new Error(`a scene ended: ${code ?? signal}`))
      this.#child.on('message', hear).once('exit', ended)
      this.#child.send({ ask, args })
    })
  }

  async round(operation: Operation, ms: number): Promise<Cost> {
    if (operation !== 'request') return this.ask('round', operation, ms)
    const { port, cookies } = await this.ask('serve')
    const before = await this.ask('cpu')
    const began = performance.now()
    const operations = await loadServer(port, cookies, ms)
    return { operations, us: (1000 * (performance.now() - began)) / operations, cpuUs: ((await this.ask('cpu')) - before) / operations }
  }

  /** May be called twice. */
  async end(): Promise<void> {
    this.#leave()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    await this.ask('close').catch(() => {})
    if (this.#child.connected) this.#child.disconnect()
    else this.#child.kill('SIGKILL')
    await exited
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { createManager } from '../../src/index.js'
import { SessionError } from '../../src/errors.js'
import { keyOf } from '../../src/record/id.js'
import type { Session, SessionManager, SettingsInput } from '../../src/index.js'
import { SECRET } from './harness.js'

export interface Failure {
  /** When it was told, on the clock of `performance.now()`. */
  readonly at: number
  readonly code: string
  readonly error: unknown
}

/** What is left of what was acknowledged. */
export interface Ledger {
  readonly acknowledged: { readonly writes: number; readonly updates: number; readonly ends: number }
  readonly lost: { readonly writes: number; readonly updates: number; readonly ends: number }
  /** Updates that count more often than they were asked for. */
  readonly doubled: number
}

/** Milliseconds that each worker rests between two rounds. */
const REST = 3

/**
 * Sessions in use, as by several requests at once: some are written, one is counted up by several, and others are made and then
 * ended or renewed. It goes on through whatever happens, and remembers what was acknowledged.
 */
export class SessionLoad {
  readonly failures: Failure[] = []
  calls = 0
  /** Of one call, in milliseconds. */
  slowestMs = 0
  /** Of the sessions that stay: their keys in the store. */
  readonly keys: readonly string[]
  readonly #manager: SessionManager
  readonly #counted: string
  readonly #written = new Map<string, number[]>()
  #updates = { asked: 0, acknowledged: 0 }
  readonly #ended: string[] = []
  readonly #seenAgain = new Set<string>()
  readonly #workers: Promise<unknown>[]
  #isOn = true

  private constructor(manager: SessionManager, ids: readonly string[], counted: string) {
    this.#manager = manager
    this.#counted = counted
    this.keys = [...ids, counted].map(keyOf)
    const works = [...ids.map((id) => this.#writer(id)), ...Array.from({ length: 4 }, () => () => this.#update()), ...Array.from({ length: 4 }, (_, n) => () => this.#end(n % 2 === 0))]
    this.#workers = works.map((work) => this.#repeat(work))
  }

  static async begin(settings: SettingsInput): Promise<SessionLoad> {
    const manager = createManager({ secret: SECRET, secure: false, ...settings })
    const ids = await Promise.all(Array.from({ length: 9 }, async () => {
      const session = await manager.create()
      await session.set('n', 0).save()
      return session.id
    }))
    return new SessionLoad(manager, ids.slice(1), ids[0]!)
  }

  /** How long after this moment calls still failed, in milliseconds; 0 when none did. */
  failedFor(since: number): number {
    return Math.max(0, ...this.failures.map(({ at }) => at - since))
  }

  /** Of the failures, each once. */
  get codes(): string[] {
    return [...new Set(this.failures.map(({ code }) => code))].sort()
  }

  /** Rejects with what was thrown that is no error of the library. */
  async stop(): Promise<void> {
    this.#isOn = false
    await Promise.all(this.#workers)
    const strange = this.failures.find(({ error }) => !(error instanceof SessionError))
    if (strange !== undefined) throw strange.error
  }

  /** Looks at what is there, when all is well again. */
  async ledger(): Promise<Ledger> {
    let lostWrites = 0
    let writes = 0
    for (const [id, numbers] of this.#written) {
      const kept = (await this.#manager.getById(id))?.get('n') as number | undefined
      writes += numbers.length
      lostWrites += numbers.filter((n) => n > (kept ?? -1)).length
    }
    const { asked, acknowledged } = this.#updates
    const count = ((await this.#manager.getById(this.#counted))?.get('n') ?? 0) as number
    for (const id of this.#ended) await this.#lookAgain(id)
    return {
      acknowledged: { writes, updates: acknowledged, ends: this.#ended.length },
      lost: { writes: lostWrites, updates: Math.max(0, acknowledged - count), ends: this.#seenAgain.size },
      doubled: Math.max(0, count - asked),
    }
  }

  close(): Promise<void> {
    this.#isOn = false
    return this.#manager.close()
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    while (this.#isOn) {
      try {
        await work()
      } catch (error) {
        this.failures.push({ at: performance.now(), code: String((error as { code?: unknown }).code), error })
      }
      await sleep(REST)
    }
  }

  async #timed<T>(call: Promise<T>): Promise<T> {
    const from = performance.now()
    this.calls++
    try {
      return await call
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - from)
    }
  }

  async #get(id: string): Promise<Session> {
    const session = await this.#timed(this.#manager.getById(id))
    if (session !== undefined) return session
    await sleep(500)
    const isBack = (await this.#manager.getById(id)) !== undefined
    throw new Error(`a session that nobody ended is gone${isBack ? ', and back' : ''}`)
  }

  #writer(id: string): () => Promise<void> {
    let n = 0
    const acknowledged: number[] = []
    this.#written.set(id, acknowledged)
    return async () => {
      const session = await this.#get(id)
      await this.#timed(session.set('n', ++n).save())
      acknowledged.push(n)
    }
  }

  async #update(): Promise<void> {
    const session = await this.#get(this.#counted)
    this.#updates.asked++
    await this.#timed(session.update('n', (n: number) => n + 1))
    this.#updates.acknowledged++
  }

  async #end(isForGood: boolean): Promise<void> {
    const session = await this.#manager.create()
    await this.#timed(session.set('user', 'ann').save())
    const { id } = session
    await this.#timed(isForGood ? session.destroy() : session.regenerateId())
    this.#ended.push(id)
    await this.#lookAgain(this.#ended[Math.floor(Math.random() * this.#ended.length)]!)
  }

  async #lookAgain(id: string): Promise<void> {
    if ((await this.#timed(this.#manager.getById(id))) !== undefined) this.#seenAgain.add(id)
  }
}

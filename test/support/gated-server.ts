import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ExecutionContext } from 'ava'
import { failureAnswer } from '../../src/http/failure-answer.js'
import type { GatedResponse } from '../../src/http/gated-response.js'
import type { HeaderEdits } from '../../src/http/header-edits.js'
import { ResponseGate, type GateHooks } from '../../src/http/response-gate.js'
import { listen } from './raw-http.js'

export type GatedHandler = (req: IncomingMessage, res: ServerResponse, gate: ResponseGate, log: string[]) => unknown

export interface GatedServer {
  readonly port: number
  /** What the hooks were told, in order. */
  readonly log: string[]
  /** Settles when the gate of that many responses was told that the exchange is over. */
  over(count?: number): Promise<void>
}

/** A server that puts a gate on every response. */
export const gatedServer = async (
  t: ExecutionContext,
  handler: GatedHandler,
  hooks: Partial<GateHooks> = {},
  budgetMs = 20_000
): Promise<GatedServer> => {
  const log: string[] = []
  const ends = counter()
  const server = createServer((req, res) => {
    const gate = gateOn(res, { ...hooks, over: (how) => { hooks.over?.(how); ends.count() } }, log, budgetMs)
    handler(req, res, gate, log)
  })
  return { port: await listen(t, server), log, over: (count = 1) => ends.reached(count) }
}

/** A gate whose hooks do nothing but note what they are told, where none are given. */
export const gateOn = (res: GatedResponse, hooks: Partial<GateHooks>, log: string[], budgetMs = 20_000): ResponseGate =>
  new ResponseGate(res, {
    beforeHead(status) {
      log.push(`head ${status}`)
      return hooks.beforeHead?.(status)
    },
    beforeEnd() {
      log.push('end')
      return hooks.beforeEnd?.()
    },
    headers() {
      log.push('headers')
      return hooks.headers?.() ?? []
    },
    answer(error, raw) {
      log.push(`answer ${codeOf(error)}`)
      return hooks.answer ? hooks.answer(error, raw) : failureAnswer(error)
    },
    over(how) {
      log.push(how)
      hooks.over?.(how)
    }
  }, { budgetMs })

export const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error)

/** What a session that set its cookie adds to the head. */
export const sessionCookie: HeaderEdits = { cookies: new Map([['id', 'id=1; HttpOnly']]), vary: 'Cookie', noStore: true }

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export const deferred = <T = void>(): Deferred<T> => {
  let settle!: Pick<Deferred<T>, 'resolve' | 'reject'>
  const promise = new Promise<T>((resolve, reject) => { settle = { resolve, reject } })
  return { promise, ...settle }
}

/** Lets others wait until something has happened so many times. */
export const counter = (): { count(): void; reached(times: number): Promise<void> } => {
  let seen = 0
  const waiting: { times: number; done: () => void }[] = []
  return {
    count() {
      seen++
      for (const { times, done } of waiting) if (seen >= times) done()
    },
    reached: (times) => new Promise((done) => seen >= times ? done() : void waiting.push({ times, done }))
  }
}

/** Lets all that is due run: microtasks, ticks, and one turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

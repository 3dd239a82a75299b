import type { Socket } from 'node:net'
import { SessionClosedError } from '../../src/errors.js'
import { Patience } from '../../src/patience.js'
import { inOnePacket } from '../one-packet.js'
import type { MemjsResponse, MemjsServer } from './client.js'
import { CallFailure, type Reason } from './failures.js'
import { hangUp } from './hang-up.js'
import { frameOf, OPCODE, RESPONSE, STATUS, type Command } from './wire.js'

export interface Reply {
  readonly status: number
  /** 16 hexadecimal digits. */
  readonly cas: string
  readonly body: Buffer
}

/** What `stats settings` tells of how the server is run. */
export type ServerSettings = ReadonlyMap<string, string>

export interface ConnectionOptions {
  /** Says in errors whose connection it is. */
  readonly name: string
  /** Milliseconds for the first answer. */
  readonly timeoutMs: number
  /** A reply that is longer is none. */
  readonly mostReplyBytes: number
  /** Looks at the server before anything is asked of it. What it throws is everybody's failure. */
  readonly check: (settings: ServerSettings) => void
  readonly onEnd: () => void
}

/** A command, until it is answered. */
interface Pending {
  readonly command: Command
  /** Whether this reply was the last one to it. */
  readonly answered: (response: MemjsResponse) => boolean
  readonly failed: (error: Error) => void
  readonly patience: Patience
  /** Somebody waits for it. */
  isAwaited: boolean
  isSettled: boolean
  sentAt: number
}

/** The part of `timeoutMs` after which a connection counts as hung, if it answers nobody who waits. */
const HUNG = 0.8

/** What may wait on one connection; the bursts of a busy process are far below. */
const MOST_CALLS = 10_000
const MOST_BYTES = 64 * 1024 * 1024

/** Commands are numbered up to here, and then from 1 again: memjs's own numbers throw once they pass 2,147,483,647. */
const MOST_OPAQUE = 0xffff

/** What memcached says, as text, to a connection above its limit (`-c`). */
const TOO_MANY = 'ERROR Too many open connections'

/** memjs's own time-outs, in seconds: out of the way. */
const NEVER = 1_000_000

let connections = 0

/**
 * One connection, and none after it. memjs's `Server` would connect again after a failure, but then it answers nobody when a connection was
 * closed in good order, lets the end of the old socket clear away the new one, and puts half a reply before the next. So it is thrown away
 * with whatever went wrong, and who waits is answered here.
 *
 * Nothing is sent before the server has told its settings: until then, whatever fails surely had no effect. The socket keeps no process
 * alive; the time-outs of those who wait do.
 */
export class Connection {
  static readonly serverOptions: { readonly timeout: number; readonly conntimeout: number; readonly keepAlive: boolean } =
    { timeout: NEVER, conntimeout: NEVER, keepAlive: true }

  readonly id: number = ++connections
  /** Resolves when it is ready. Rejects with `CallFailure`, or what `check` threw. */
  readonly ready: Promise<void>
  readonly #server: MemjsServer
  readonly #options: ConnectionOptions
  #socket: Socket | undefined
  /** Asked before it was ready; then none. */
  #early: Set<Pending> | undefined = new Set()
  /** Sent, in order. A `Map` by their numbers, which come and go, would make garbage collection a fifth of what a call costs. */
  readonly #sent: Pending[] = []
  #lastNumber = 0
  #bytes = 0
  #awaited = 0
  #heardAt = 0
  #hasAnswered = false
  /** Why it takes nothing more. */
  #over: Error | undefined
  #isEnded = false
  #whenIdle: (() => void) | undefined
  #closing: Promise<void> | undefined

  /** Connects. `server` was not used yet. */
  constructor(server: MemjsServer, options: ConnectionOptions) {
    this.#server = server
    this.#options = options
    const { responseHandler } = server
    server.responseHandler = (data) => {
      responseHandler.call(server, data)
      this.#check(server.responseBuffer)
    }
    this.ready = this.#open()
    this.ready.catch(() => {}) // those who ask are told
  }

  /** It has answered as memcached does. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  /** `deadline` is on the clock of `performance.now()`. Rejects with `CallFailure`, `SessionClosedError`, or what `check` threw. */
  ask(command: Command, deadline: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const ms = deadline - performance.now()
      const refusal = this.#over ?? (ms > 0 ? this.#crowded() : this.#failure('unreachable'))
      if (refusal !== undefined) return reject(refusal)
      const pending = this.#pending(command, ms, reject, ({ header: { status, cas }, val }) => {
        resolve({ status, cas: cas.toString('hex'), body: val })
        return true
      })
      pending.isAwaited = true
      this.#awaited += 1
      this.#bytes += bytesOf(command)
      if (this.#early === undefined) this.#send(pending)
      else this.#early.add(pending)
    })
  }

  /** Takes nothing more, and ends when those who wait are answered. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#over ??= new SessionClosedError('the memcache store is closed')
    if (this.#awaited > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
    this.#end(this.#failure('lost'))
  }

  async #open(): Promise<void> {
    try {
      this.#options.check(await this.#settings())
    } catch (error) {
      this.#end(error as Error)
      throw error
    }
    const early = this.#early ?? []
    this.#early = undefined
    this.#heardAt = performance.now()
    for (const pending of early) this.#send(pending)
  }

  /** Nobody waits for them: they keep no process alive. */
  #settings(): Promise<ServerSettings> {
    const found = new Map<string, string>()
    return new Promise((resolve, reject) => {
      const pending = this.#pending({ opcode: OPCODE.stat, key: 'settings' }, this.#options.timeoutMs, reject, ({ header, key, val }) => {
        found.set(key.toString(), val.toString())
        const isLast = header.totalBodyLength === 0 || header.status !== STATUS.ok
        if (isLast) resolve(found)
        return isLast
      })
      pending.patience.unref()
      this.#send(pending)
      this.#socket = this.#server._socket
      // For a name with several addresses each attempt has a handle of its own, which knows nothing of what the first was told.
      this.#socket?.unref().once('connect', () => this.#socket?.setNoDelay().unref()).once('close', () => this.#end(this.#failure('lost')))
    })
  }

  #pending(command: Command, ms: number, failed: Pending['failed'], answered: Pending['answered']): Pending {
    const patience = new Patience(ms, () => this.#giveUp(pending))
    const pending: Pending = { command, answered, failed, patience, isAwaited: false, isSettled: false, sentAt: 0 }
    return pending
  }

  #send(pending: Pending): void {
    const { command } = pending
    const number = (this.#lastNumber = next(this.#lastNumber))
    pending.sentAt = performance.now()
    this.#sent.push(pending)
    const received = (response: MemjsResponse): void => this.#received(pending, response)
    this.#server.onResponse(number, Object.assign(received, { quiet: command.opcode === OPCODE.stat }))
    this.#server.onError(number, (error) => this.#end(this.#failure(typeof error === 'string' ? 'locked' : 'lost', error)))
    inOnePacket(this.#socket)
    this.#server.write(frameOf(command, number))
  }

  #crowded(): CallFailure | undefined {
    const isCrowded = this.#sent.length + (this.#early?.size ?? 0) >= MOST_CALLS || this.#bytes >= MOST_BYTES
    return isCrowded ? this.#failure('crowded') : undefined
  }

  /** Replies come in the order of the commands: anything else is a damaged stream. */
  #received(pending: Pending, response: MemjsResponse): void {
    const { magic, opcode } = response.header
    if (pending !== this.#sent[0] || magic !== RESPONSE || opcode !== pending.command.opcode) return this.#end(this.#failure('foreign'))
    this.#hasAnswered = true
    if (pending.isAwaited) this.#heardAt = performance.now()
    if (!pending.answered(response)) return
    this.#sent.shift()
    this.#settle(pending)
  }

  /** The reply to what was sent may still come, and its place in the order is kept. */
  #giveUp(pending: Pending): void {
    const wasEarly = this.#early?.delete(pending) === true
    pending.failed(this.#failure(wasEarly ? 'unreachable' : 'silent'))
    this.#settle(pending)
    if (wasEarly || !pending.isAwaited) return
    const silentMs = performance.now() - Math.max(this.#heardAt, this.#sent[0]?.sentAt ?? Infinity)
    if (silentMs >= HUNG * this.#options.timeoutMs) this.#end(this.#failure('lost', new Error('it hangs')))
  }

  #settle(pending: Pending): void {
    if (pending.isSettled) return
    pending.isSettled = true
    pending.patience.end()
    if (!pending.isAwaited) return
    this.#bytes -= bytesOf(pending.command)
    this.#awaited -= 1
    if (this.#awaited === 0) this.#whenIdle?.()
  }

  /** What is left is the beginning of a reply, or no reply. */
  #check(rest: Buffer): void {
    if (rest.length === 0) return
    if (rest[0] === RESPONSE) {
      const isTooLong = rest.length >= 12 && rest.readUInt32BE(8) > this.#options.mostReplyBytes
      if (isTooLong) this.#end(this.#failure('foreign', new Error('a reply is too long')))
    } else if (TOO_MANY.startsWith(rest.toString('latin1', 0, TOO_MANY.length))) {
      this.#end(this.#failure('unreachable', new Error('it has as many connections as it takes (-c)')))
    } else {
      this.#end(this.#failure('foreign'))
    }
  }

  #end(error: Error): void {
    if (this.#isEnded) return
    this.#isEnded = true
    // A server that has answered is what it should be: what came was damaged on its way.
    const why = error instanceof CallFailure && error.reason === 'foreign' && this.#hasAnswered ? this.#failure('lost', error) : error
    const unsent = why instanceof CallFailure && (why.reason === 'lost' || why.reason === 'silent') ? this.#failure('unreachable', why) : why
    this.#over ??= unsent
    hangUp(this.#socket)
    for (const pending of this.#sent) this.#fail(pending, why)
    for (const pending of this.#early ?? []) this.#fail(pending, unsent)
    this.#options.onEnd()
  }

  #fail(pending: Pending, error: Error): void {
    pending.failed(error)
    this.#settle(pending)
  }

  #failure(reason: Reason, cause?: unknown): CallFailure {
    return new CallFailure(reason, this.#options.name, cause)
  }
}

const next = (number: number): number => (number % MOST_OPAQUE) + 1

const bytesOf = ({ body }: Command): number => body?.length ?? 0

import type { Socket } from 'node:net'
import { SessionClosedError } from '../../src/errors.js'
import type { MemjsResponse, MemjsServer } from './client.js'
import { CallFailure, type Reason } from './failures.js'
import { frameOf, OPCODE, RESPONSE, STATUS, type Command } from './wire.js'

export interface Reply {
  readonly status: number
  /** 16 hexadecimal digits. */
  readonly cas: string
  readonly body: Buffer
}

export interface ConnectionOptions {
  /** Says in errors whose connection it is. */
  readonly name: string
  /** Milliseconds without a word, while something is asked, after which it counts as hung. */
  readonly patienceMs: number
  /** A reply that is longer is none. */
  readonly mostReplyBytes: number
  readonly onEnd: () => void
}

/** A command that was sent, or waits for the connection. */
interface Pending {
  readonly command: Command
  readonly since: number
  readonly timer: NodeJS.Timeout
  /** Somebody waits for it. */
  isAwaited: boolean
  /** Whether this reply was the last one to it. */
  readonly answered: (response: MemjsResponse) => boolean
  readonly failed: (error: Error) => void
}

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
 * It keeps the process alive only while somebody waits for an answer.
 */
export class Connection {
  static readonly serverOptions: { readonly timeout: number; readonly conntimeout: number; readonly keepAlive: boolean } =
    { timeout: NEVER, conntimeout: NEVER, keepAlive: true }

  readonly id: number = ++connections
  readonly #server: MemjsServer
  readonly #options: ConnectionOptions
  readonly #pending = new Map<number, Pending>()
  #socket: Socket | undefined
  #opaque = 0
  #bytes = 0
  #awaited = 0
  /** What was asked has been sent. */
  #isReady = false
  #isProven = false
  #heardAt: number = performance.now()
  /** Why it takes nothing more. */
  #over: Error | undefined
  #isEnded = false
  #whenIdle: (() => void) | undefined

  /** `server` was not used yet. */
  constructor(server: MemjsServer, options: ConnectionOptions) {
    this.#server = server
    this.#options = options
    server.once('authenticated', () => {
      this.#isReady = true
      this.#heardAt = performance.now()
    })
    const { responseHandler } = server
    server.responseHandler = (data) => {
      responseHandler.call(server, data)
      this.#check(server.responseBuffer)
    }
  }

  /** It has answered as memcached does. */
  get isProven(): boolean {
    return this.#isProven
  }

  /** `deadline` is on the clock of `performance.now()`. Rejects with `CallFailure`, or `SessionClosedError` once it was closed. */
  ask(command: Command, deadline: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const answered = ({ header: { status, cas }, val }: MemjsResponse): true => {
        resolve({ status, cas: cas.toString('hex'), body: val })
        return true
      }
      this.#send(command, deadline, { isAwaited: true, answered, failed: reject })
    })
  }

  /** A group of the server's statistics. Nobody waits for them: asking keeps no process alive. */
  statistics(group: string, deadline: number): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    return new Promise((resolve, reject) => {
      const answered = ({ header, key, val }: MemjsResponse): boolean => {
        found.set(key.toString(), val.toString())
        const isLast = header.totalBodyLength === 0 || header.status !== STATUS.ok
        if (isLast) resolve(found)
        return isLast
      }
      this.#send({ opcode: OPCODE.stat, key: group }, deadline, { isAwaited: false, answered, failed: reject })
    })
  }

  /** Takes nothing more, and ends when those who wait are answered. */
  async close(): Promise<void> {
    this.#over ??= new SessionClosedError('the memcache store is closed')
    if (this.#awaited > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
    this.#end('lost')
  }

  #send(command: Command, deadline: number, rest: Pick<Pending, 'isAwaited' | 'answered' | 'failed'>): void {
    const since = performance.now()
    const refusal = this.#over ?? this.#refusal(deadline - since)
    if (refusal !== undefined) return rest.failed(refusal)
    const opaque = (this.#opaque = (this.#opaque % MOST_OPAQUE) + 1)
    const pending: Pending = { command, since, timer: setTimeout(() => this.#isLate(opaque, pending), deadline - since), ...rest }
    this.#pending.set(opaque, pending)
    this.#bytes += bytesOf(command)
    if (pending.isAwaited) this.#await(1)
    else pending.timer.unref()
    const received = (response: MemjsResponse): void => this.#received(opaque, response)
    this.#server.onResponse(opaque, Object.assign(received, { quiet: command.opcode === OPCODE.stat }))
    this.#server.onError(opaque, (error) => this.#end(typeof error === 'string' ? 'locked' : 'lost', error))
    this.#server.write(frameOf(command, opaque))
    if (this.#socket === undefined) this.#adopt(this.#server._socket)
  }

  #refusal(ms: number): Error | undefined {
    if (this.#pending.size >= MOST_CALLS || this.#bytes >= MOST_BYTES) return this.#failure('crowded')
    return ms > 0 ? undefined : this.#failure('unreachable')
  }

  #adopt(socket: Socket | undefined): void {
    if (socket === undefined) return
    this.#socket = socket
    socket.setNoDelay()
    socket.once('close', () => this.#end('lost'))
    if (this.#awaited === 0) socket.unref()
  }

  #await(change: 1 | -1): void {
    this.#awaited += change
    if (this.#awaited > 0) return void this.#socket?.ref()
    this.#socket?.unref()
    this.#whenIdle?.()
  }

  /** Replies come in the order of the commands: anything else is a damaged stream. */
  #received(opaque: number, response: MemjsResponse): void {
    const pending = this.#pending.get(opaque)
    if (pending === undefined) return
    const [next] = this.#pending.values()
    const { magic, opcode } = response.header
    if (pending !== next || magic !== RESPONSE || opcode !== pending.command.opcode) return this.#end('foreign')
    this.#isProven = true
    this.#heardAt = performance.now()
    if (pending.answered(response)) this.#settle(opaque, pending)
  }

  #settle(opaque: number, pending: Pending): void {
    this.#pending.delete(opaque)
    this.#bytes -= bytesOf(pending.command)
    clearTimeout(pending.timer)
    this.#leave(pending)
  }

  #leave(pending: Pending): void {
    if (!pending.isAwaited) return
    pending.isAwaited = false
    this.#await(-1)
  }

  /** An answer that came while this process was busy with something else is not late: timers go before what came. */
  #isLate(opaque: number, pending: Pending): void {
    setImmediate(() => {
      if (this.#pending.get(opaque) === pending) this.#giveUp(pending)
    })
  }

  /** The reply may still come, and its place in the order is kept. A connection over which nothing comes at all is hung. */
  #giveUp(pending: Pending): void {
    pending.failed(this.#failure(this.#isReady ? 'silent' : 'unreachable'))
    this.#leave(pending)
    const [oldest] = this.#pending.values()
    const silentMs = performance.now() - Math.max(this.#heardAt, oldest!.since)
    if (silentMs >= this.#options.patienceMs) this.#end('lost', new Error('it hangs'))
  }

  /** What is left is the beginning of a reply, or no reply. */
  #check(rest: Buffer): void {
    if (rest.length === 0) return
    if (rest[0] === RESPONSE) {
      if (rest.length >= 12 && rest.readUInt32BE(8) > this.#options.mostReplyBytes) this.#end('foreign', new Error('a reply is too long'))
    } else if (TOO_MANY.startsWith(rest.toString('latin1', 0, TOO_MANY.length))) {
      this.#end('unreachable', new Error('it has as many connections as it takes (-c)'))
    } else {
      this.#end('foreign')
    }
  }

  #end(reason: Reason, cause?: unknown): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#over ??= this.#failure('unreachable', cause)
    const failure = this.#failure(this.#seenAs(reason), cause)
    this.#destroy(this.#pending.size > 0)
    for (const [opaque, pending] of this.#pending) {
      pending.failed(failure)
      this.#settle(opaque, pending)
    }
    this.#options.onEnd()
  }

  /** What was not sent yet surely had no effect, and a server that has answered before is what it should be. */
  #seenAs(reason: Reason): Reason {
    if (reason === 'lost' && !this.#isReady) return 'unreachable'
    return reason === 'foreign' && this.#isProven ? 'lost' : reason
  }

  #failure(reason: Reason, cause?: unknown): CallFailure {
    return new CallFailure(reason, this.#options.name, cause)
  }

  /** With an RST the system also takes back what it could not send yet: a write that was given up is not to arrive when the network heals. */
  #destroy(takesBack: boolean): void {
    const socket = this.#socket
    if (takesBack && socket?.remoteAddress !== undefined && !socket.destroyed) socket.resetAndDestroy() // a TCP socket, and connected
    else socket?.destroy()
  }
}

const bytesOf = ({ body }: Command): number => body?.length ?? 0

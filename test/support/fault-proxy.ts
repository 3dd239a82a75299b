import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Of the bytes: `request` goes from the client to the server, `reply` comes back. */
export type Direction = 'request' | 'reply'

/**
 * What a network may do. It holds for the connections that are there and for new ones, until another is set.
 *
 * - `pass`: nothing.
 * - `latency`: bytes are late by `ms`, in order. Default `reply`.
 * - `drip`: `bytes` (default 1) every `ms`. Default `reply`.
 * - `stall`: bytes are kept, and delivered, late, when another fault is set. Default both ways.
 * - `black-hole`: bytes vanish both ways, and no FIN passes. A connection that lost bytes stays deaf for ever.
 * - `half-open`: as a black hole, but requests reach the server: what they do is done, and nobody is told.
 * - `refuse`: nobody listens. Connections that are there go on.
 * - `reset`: after so many bytes the client gets an RST, and the server a FIN behind what has passed. Once; then it passes.
 * - `close`: the same with a FIN for the client.
 * - `truncate`: after so many bytes the rest vanishes, and the connection stays open and deaf in this direction. Once.
 * - `corrupt`: the byte at this place (from 0) comes out with its bits 0x55 turned. Once.
 *
 * Bytes are counted from the moment that the fault is set, over all connections.
 */
export type Fault =
  | { readonly kind: 'pass' | 'black-hole' | 'half-open' | 'refuse' }
  | { readonly kind: 'latency'; readonly ms: number; readonly direction?: Direction }
  | { readonly kind: 'drip'; readonly ms: number; readonly bytes?: number; readonly direction?: Direction }
  | { readonly kind: 'stall'; readonly direction?: Direction }
  | { readonly kind: 'reset' | 'close' | 'truncate' | 'corrupt'; readonly direction: Direction; readonly after: number }

/** A TCP proxy on a loopback port of its own before a server, whose faults are switched while it runs. */
export class FaultProxy {
  /** Where the server listens: may be changed, for new connections. */
  targetPort: number
  readonly #server: Server
  readonly #links = new Set<Link>()
  #port = 0
  #line: Line = new Line({ kind: 'pass' })
  #accepted = 0

  private constructor(targetPort: number) {
    this.targetPort = targetPort
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client))
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort)
    await proxy.#listen()
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#links.size
  }

  /** Connections that were ever made. */
  get accepted(): number {
    return this.#accepted
  }

  /** Bytes that came in since the fault was set. */
  seen(direction: Direction): number {
    return this.#line.seen[direction]
  }

  /** Resolves when it holds. */
  async set(fault: Fault): Promise<void> {
    const before = this.#line
    this.#line = new Line(fault)
    before.end()
    if (fault.kind === 'refuse') await this.#stopListening()
    else if (!this.#server.listening) await this.#listen()
  }

  heal(): Promise<void> {
    return this.set({ kind: 'pass' })
  }

  /** Resets every connection that is there. */
  drop(): void {
    for (const link of this.#links) link.cut('reset')
  }

  /** May be called twice. */
  async close(): Promise<void> {
    await this.set({ kind: 'refuse' })
    this.drop()
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async #stopListening(): Promise<void> {
    if (!this.#server.listening) return
    // The callback waits for the connections; the port is free at once.
    this.#server.close()
    await sleep(0)
  }

  #accept(client: Socket): void {
    this.#accepted += 1
    const link = new Link(client, connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true }), () => this.#line)
    this.#links.add(link)
    link.whenOver(() => this.#links.delete(link))
  }
}

/** A fault that holds, and what it has counted. */
class Line {
  readonly fault: Fault
  readonly seen: Record<Direction, number> = { request: 0, reply: 0 }
  readonly ended: Promise<void>
  isSpent = false
  end!: () => void

  constructor(fault: Fault) {
    this.fault = fault
    this.ended = new Promise((resolve) => { this.end = resolve })
  }
}

/** A client's connection and the one to the server behind it. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #line: () => Line
  readonly #isDeaf: Record<Direction, boolean> = { request: false, reply: false }
  #isCut = false

  constructor(client: Socket, server: Socket, line: () => Line) {
    this.#client = client
    this.#server = server
    this.#line = line
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => this.cut('reset'))
    this.#pump('request', client, server)
    this.#pump('reply', server, client)
  }

  whenOver(tell: () => void): void {
    this.#client.once('close', tell)
  }

  cut(how: 'reset' | 'close'): void {
    if (this.#isCut) return
    this.#isCut = true
    this.#server.end(() => this.#server.destroySoon())
    if (how === 'close') this.#client.end(() => this.#client.destroySoon())
    else this.#client.resetAndDestroy()
  }

  #pump(direction: Direction, from: Socket, to: Socket): void {
    let before = Promise.resolve()
    from.on('data', (chunk: Buffer) => {
      const line = this.#line()
      line.seen[direction] += chunk.length
      const start = line.seen[direction] - chunk.length
      const dueAt = performance.now() + delayOf(line.fault, direction)
      before = before.then(() => this.#deliver({ direction, chunk, start, dueAt, line }, to))
    })
    from.on('end', () => {
      before = before.then(async () => {
        if (isHeld(this.#line().fault, direction)) await this.#line().ended
        const { kind } = this.#line().fault
        if (!this.#isDeaf[direction] && !this.#isCut && kind !== 'black-hole') to.end()
      })
    })
    from.on('close', () => {
      // A peer that is gone is gone for the other, too, but for a network that tells nobody.
      void before.then(() => {
        if (this.#isDeaf.request || this.#isDeaf.reply) return
        if (from.errored === null) to.end()
        else to.destroy()
      })
    })
  }

  async #deliver({ direction, chunk, start, dueAt, line }: Delivery, to: Socket): Promise<void> {
    const { fault } = line
    const wait = dueAt - performance.now()
    if (wait > 0) await sleep(wait)
    if (isHeld(fault, direction)) await line.ended
    if (fault.kind === 'black-hole' || (fault.kind === 'half-open' && direction === 'reply')) this.#isDeaf[direction] = true
    if (this.#isDeaf[direction] || to.destroyed || this.#isCut) return
    if (fault.kind === 'drip' && applies(fault, direction)) return drip(chunk, fault, to)
    if (!('after' in fault) || fault.direction !== direction || line.isSpent) return void to.write(chunk)
    this.#strike(direction, chunk, fault.after - start, line, to)
  }

  #strike(direction: Direction, chunk: Buffer, at: number, line: Line, to: Socket): void {
    const { kind } = line.fault
    line.isSpent = kind === 'corrupt' ? at < chunk.length : at <= chunk.length
    if (kind === 'corrupt' && line.isSpent) chunk[at]! ^= 0x55
    if (kind === 'corrupt' || !line.isSpent) return void to.write(chunk)
    if (kind === 'truncate') this.#isDeaf[direction] = true
    const passed = chunk.subarray(0, at)
    if (passed.length > 0) to.write(passed)
    if (kind === 'reset' || kind === 'close') this.cut(kind)
  }
}

interface Delivery {
  readonly direction: Direction
  readonly chunk: Buffer
  /** How many bytes came before it. */
  readonly start: number
  readonly dueAt: number
  /** What held when it came. */
  readonly line: Line
}

const applies = ({ direction = 'reply' }: { readonly direction?: Direction }, to: Direction): boolean => direction === to

const delayOf = (fault: Fault, direction: Direction): number => (fault.kind === 'latency' && applies(fault, direction) ? fault.ms : 0)

const isHeld = (fault: Fault, direction: Direction): boolean => fault.kind === 'stall' && (fault.direction ?? direction) === direction

const drip = async (chunk: Buffer, { bytes = 1, ms }: { readonly bytes?: number; readonly ms: number }, to: Socket): Promise<void> => {
  for (let at = 0; at < chunk.length && !to.destroyed; at += bytes) {
    to.write(chunk.subarray(at, at + bytes))
    await sleep(ms)
  }
}

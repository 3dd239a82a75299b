import { warnOnce } from '../../src/diagnostics.js'
import { SessionClosedError, TooLargeError } from '../../src/errors.js'
import type { MemjsServer } from './client.js'
import { Connection, type ServerSettings } from './connection.js'
import { CallFailure, Unfit } from './failures.js'
import { speaksLikeRedis } from './speaks-like-redis.js'
import type { Address } from './url.js'

export interface HostOptions {
  readonly address: Address
  /** Makes what is one connection to it, once it is used. */
  readonly makeServer: () => MemjsServer
  /** Milliseconds for an answer. */
  readonly timeoutMs: number
  readonly maxValueBytes: number
}

/** What an item takes beside the value, at most: its key, memcached's heads of an item and of its chunks, and ours. */
export const ITEM_OVERHEAD = 1024

/** How long a port counts as that of something else, in milliseconds. */
const FOREIGN_MS = 1_000

const MIB = 1024 * 1024

/** One memcached server, and the one connection to it: made when it is needed, and made anew when it has ended. */
export class Host {
  readonly #options: HostOptions
  #connection: Connection | undefined
  #looking: Promise<void> | undefined
  #isClosed = false
  #foreignUntil = 0
  #maxValueBytes: number

  constructor(options: HostOptions) {
    this.#options = options
    this.#maxValueBytes = options.maxValueBytes
  }

  get name(): string {
    return this.#options.address.name
  }

  /** The connection that there is, or a new one. Throws `SessionClosedError`, or `CallFailure` where a moment ago something else answered. */
  connect(): Connection {
    if (this.#isClosed) throw new SessionClosedError('the memcache store is closed')
    if (this.#connection !== undefined) return this.#connection
    if (performance.now() < this.#foreignUntil) throw this.#foreign()
    const { makeServer, timeoutMs, maxValueBytes } = this.#options
    const connection = new Connection(makeServer(), {
      name: this.name,
      timeoutMs,
      mostReplyBytes: 2 * maxValueBytes + MIB,
      check: (settings) => this.#heed(settings),
      onEnd: () => {
        if (this.#connection === connection) this.#connection = undefined
      },
    })
    this.#connection = connection
    this.#looking = this.#lookAt(connection)
    this.#looking.catch(() => {}) // those who ask are told
    return connection
  }

  /** Connects, and rejects when no sessions can be kept on it. Keeps no process alive. */
  async look(): Promise<void> {
    this.connect()
    await this.#looking
  }

  /** Throws `TooLargeError`. */
  assertFits(value: string): void {
    if (Buffer.byteLength(value) > this.#maxValueBytes) throw this.tooLarge(value)
  }

  tooLarge(value: string): TooLargeError {
    const size = Buffer.byteLength(value)
    const limit = Math.min(this.#maxValueBytes, size - 1) // the server may have been the first to know
    return new TooLargeError(`the record has ${size} bytes; ${limit} fit into memcached`, size, limit)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#connection?.close()
  }

  async #lookAt(connection: Connection): Promise<void> {
    const { address, timeoutMs } = this.#options
    try {
      await connection.ready
    } catch (error) {
      const isSilent = error instanceof CallFailure && error.reason === 'silent' && !connection.hasAnswered
      if (!isSilent || !(await speaksLikeRedis(address, timeoutMs))) throw error
      this.#foreignUntil = performance.now() + FOREIGN_MS
      throw this.#foreign()
    }
  }

  #heed(settings: ServerSettings): void {
    const { maxValueBytes } = this.#options
    const itemBytes = Number(settings.get('item_size_max') ?? Infinity)
    this.#maxValueBytes = Math.min(maxValueBytes, itemBytes - ITEM_OVERHEAD)
    if (this.#maxValueBytes < maxValueBytes) {
      const tooMuch = `session.memcache.max_value_bytes = ${maxValueBytes} is too much for it`
      warnOnce('PHIAL_MEMCACHE_ITEM_SIZE', `${this.name} takes items of ${itemBytes} bytes (-I): ${tooMuch}`)
    }
    if (settings.get('cas_enabled') === 'no') throw new Unfit(`${this.name} ${WITHOUT_CAS}`)
  }

  #foreign(): CallFailure {
    return new CallFailure('foreign', this.name, new Error('it answers as redis does'))
  }
}

export const WITHOUT_CAS = 'is run without CAS (-C), without which writes undo each other'

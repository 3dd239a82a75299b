import { warnOnce } from '../../src/diagnostics.js'
import { SessionClosedError } from '../../src/errors.js'
import { NotSent, notConnected, ofClient, Refused } from './errors.js'
import type { Client } from './ioredis.js'

/** Where commands go: the way to the servers. */
export interface Link {
  /** A client that is ready for commands. Rejects with `NotSent` when there is none at the deadline, on the clock of `performance.now()`. */
  ready(deadline: number): Promise<Client>
  /** The same without waiting; `undefined` when there is none. */
  now(): Client | undefined
  /** Told that this client has fallen silent, or is connected to a replica: if it is still the one in use, it is given up and another made. */
  renew(client: Client): void
  close(): void
}

/** Milliseconds between two tries: at once at first, twice a second in the end, and not all processes together. */
const pauseBefore = (failures: number): number => Math.min(20 * 2 ** failures, 500) * (0.5 + Math.random() / 2)

/** Milliseconds between two questions to a server that is reading its data from the disk. */
const LOADING_PAUSE = 100

/**
 * A connection of our own. One client after the other is made: when its connection ends, or proves to be dead, it is thrown away with
 * whatever it may still hold. A client is used when it has answered one command, so that a network that takes connections and lets
 * nothing through, or a server that hangs, is met here and not by requests.
 */
export class OwnLink implements Link {
  readonly #make: () => Client
  readonly #patienceMs: number
  readonly #whenReady: (client: Client) => void
  readonly #waiting = new Set<Waiting>()
  #client: Client | undefined
  #isReady = false
  #failures = 0
  /** Why there is no connection now. */
  #trouble: NotSent | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** `patienceMs` is how long a server may take to accept a connection, and then to answer the first command. */
  constructor(make: () => Client, patienceMs: number, whenReady: (client: Client) => void = () => {}) {
    this.#make = make
    this.#patienceMs = patienceMs
    this.#whenReady = whenReady
    this.#connect()
  }

  now(): Client | undefined {
    return this.#isReady && this.#client!.stream?.writable !== false ? this.#client : undefined
  }

  async ready(deadline: number): Promise<Client> {
    const now = this.now()
    if (now !== undefined) return now
    if (this.#isReady) this.#ended(this.#client!, undefined)
    if (this.#isClosed) throw closed()
    if (this.#trouble?.isLasting) throw this.#trouble
    return new Promise((resolve, reject) => {
      const give = (outcome: Client | Error): void => {
        clearTimeout(timer)
        this.#waiting.delete(give)
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      }
      const timer = setTimeout(() => give(this.#trouble ?? new NotSent('no connection was made in time')), deadline - performance.now())
      this.#waiting.add(give)
    })
  }

  renew(client: Client): void {
    if (client !== this.#client) return
    this.#giveUp(new NotSent('the connection was given up: the server fell silent, or is a replica'))
  }

  close(): void {
    this.#isClosed = true
    this.#isReady = false
    clearTimeout(this.#timer)
    this.#tell(closed())
    this.#client?.disconnect()
  }

  #connect(): void {
    const client = (this.#client = this.#make())
    let trouble: unknown
    client.on('error', (error: unknown) => { trouble ??= fatal(error) })
    client.on('end', () => this.#ended(client, trouble))
    this.#prove(client, () => trouble).catch((error: unknown) => this.#ended(client, trouble ?? error))
  }

  async #prove(client: Client, trouble: () => unknown): Promise<void> {
    await this.#inTime(client.connect())
    // A database that cannot be chosen is an error event only, and what follows would go to the database 0.
    if (trouble() !== undefined) throw trouble()
    await this.#ping(client)
    if (client !== this.#client || this.#isClosed) return
    this.#isReady = true
    this.#failures = 0
    this.#trouble = undefined
    this.#tell(client)
    this.#whenReady(client)
  }

  async #ping(client: Client): Promise<void> {
    try {
      await this.#inTime(client.call('ping'))
    } catch (cause) {
      const error = ofClient(cause)
      if (!(error instanceof Refused)) throw cause
      if (error.code === 'NOPERM') return // it did answer
      if (error.code !== 'LOADING') throw error
      this.#trouble = notConnected(error)
      await new Promise((resolve) => setTimeout(resolve, LOADING_PAUSE).unref())
      return this.#ping(client)
    }
  }

  #inTime<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new NotSent('the server did not answer the first command')), this.#patienceMs).unref()
      promise.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  /** What ends a connection that has proved itself passes, whatever it is. */
  #ended(client: Client, cause: unknown): void {
    if (client !== this.#client) return
    this.#giveUp(this.#isReady ? new NotSent('the connection ended', cause) : cause instanceof NotSent ? cause : notConnected(cause))
  }

  #giveUp(trouble: NotSent): void {
    const client = this.#client
    this.#client = undefined
    this.#isReady = false
    this.#trouble = trouble
    client?.disconnect()
    if (this.#isClosed) return
    if (trouble.isLasting) {
      const { cause = trouble } = trouble
      warnOnce('PHIAL_REDIS_REFUSED', `session.type = redis: the server cannot be used like this: ${(cause as Error).message}`)
      this.#tell(trouble)
    }
    this.#timer = setTimeout(() => this.#connect(), pauseBefore(this.#failures++)).unref()
  }

  #tell(outcome: Client | Error): void {
    for (const give of this.#waiting) give(outcome)
  }
}

type Waiting = (outcome: Client | Error) => void

export const closed = (): SessionClosedError => new SessionClosedError('the redis namespace manager is closed')

/** What an `error` event tells. A refusal that has to do with a command of the start (AUTH, SELECT) lasts until a person mends it … */
const fatal = (error: unknown): unknown => {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return error
  const refused = new Refused(error.message)
  const isSelect = (error as { command?: { name?: unknown } }).command?.name === 'select'
  return isSelect && refused.code !== 'NOAUTH' ? new NotSent('the database cannot be chosen', refused, true) : refused
}

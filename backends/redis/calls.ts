import { Patience } from '../../src/patience.js'
import { InFlight } from '../in-flight.js'
import { inOnePacket } from '../one-packet.js'
import { NotSent, ofClient, Refused, Unanswered } from './errors.js'
import type { Client, Command } from './ioredis.js'
import { closed } from './link.js'
import type { Link } from './link.js'
import { charsIn, Room } from './room.js'

/** Sends one command. Deadlines are on the clock of `performance.now()`. */
export interface Sender {
  /**
   * Rejects with `Refused`, `NotSent` or `Unanswered`; after `close` with `SessionClosedError`. `isAsking`: it goes to a node of a cluster
   * that is about to get the key's slot, and serves it only to those who say that they were sent.
   */
  send(command: Command, deadline: number, isAsking?: boolean): Promise<unknown>
}

/** After a call was given up, milliseconds without a sign of life until the connection is, too. */
const SILENCE_MS = 300

/** A connection is made anew at most this often (milliseconds) because the server turned out to be a replica. */
const REPLICA_PAUSE = 1_000

/** Calls over one link: each is settled at its deadline, they are bounded, and a connection that went silent is noticed. */
export class Calls implements Sender {
  readonly #link: Link
  readonly #inFlight = new InFlight()
  /** A call that was given up takes room for as long as it may still be answered. */
  readonly #room = new Room()
  /** On the clock of `performance.now()`. */
  #lastReplyAt = 0
  #silence: NodeJS.Timeout | undefined
  #lastReplicaAt = -Infinity
  #isClosed = false

  constructor(link: Link) {
    this.#link = link
  }

  send(command: Command, deadline: number, isAsking = false): Promise<unknown> {
    return this.run((client) => {
      inOnePacket(client.stream)
      if (isAsking) client.call('asking').catch(() => {}) // what came of it is told by the command
      return client.call(...command)
    }, deadline, charsIn(command))
  }

  /** Those of a `Cluster` that the application made; else this server. */
  async masters(deadline: number): Promise<readonly Sender[]> {
    const client = await this.ready(deadline)
    if (client.nodes === undefined) return [this]
    return client.nodes('master').map((node) => ({ send: (command: Command, until: number) => this.run(() => node.call(...command), until, charsIn(command)) }))
  }

  /** The client that is in use now. */
  ready(deadline: number): Promise<Client> {
    return this.#link.ready(deadline)
  }

  /** `work`, which sends so many characters, is done once, and again after a server refused it for being a replica. */
  async run<T>(work: (client: Client) => Promise<T>, deadline: number, chars: number): Promise<T> {
    if (this.#isClosed) throw closed()
    this.#room.check(chars)
    return this.#inFlight.run(async () => {
      const client = this.#link.now() ?? (await this.#client(deadline, chars)) // at once, so that room is taken before the next call
      try {
        return await this.#answer(client, work, deadline, chars)
      } catch (error) {
        if (!this.#isNewsOfReplica(error)) throw error
        this.#link.renew(client)
        return this.#answer(await this.#client(deadline, chars), work, deadline, chars)
      }
    })
  }

  /** Takes no more calls, lets those under way come to their end, and lets go of the connection. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#inFlight.none()
    clearTimeout(this.#silence)
    this.#link.close()
  }

  #client(deadline: number, chars: number): Promise<Client> {
    return this.#room.hold(chars, () => this.#link.ready(deadline))
  }

  #answer<T>(client: Client, work: (client: Client) => Promise<T>, deadline: number, chars: number): Promise<T> {
    const sentAt = performance.now()
    if (deadline <= sentAt) return Promise.reject(new NotSent('the time for it is spent'))
    return new Promise((resolve, reject) => {
      const patience = new Patience(deadline - sentAt, () => {
        reject(new Unanswered())
        this.#listen(client, sentAt)
      })
      // Late answers, to whatever, are signs of life.
      this.#room.hold(chars, () => work(client)).then((reply) => {
        patience.end()
        this.#lastReplyAt = performance.now()
        resolve(reply)
      }, (cause: unknown) => {
        patience.end()
        const error = ofClient(cause)
        if (error instanceof Refused) this.#lastReplyAt = performance.now()
        reject(error)
      })
    })
  }

  /** Gives a connection up that told nothing since a call was sent that is now given up. */
  #listen(client: Client, sentAt: number): void {
    if (this.#lastReplyAt >= sentAt || this.#silence !== undefined) return
    this.#silence = setTimeout(() => {
      this.#silence = undefined
      if (this.#lastReplyAt < sentAt) this.#link.renew(client)
    }, SILENCE_MS).unref()
  }

  #isNewsOfReplica(error: unknown): boolean {
    const isNews = error instanceof Refused && error.code === 'READONLY' && performance.now() - this.#lastReplicaAt > REPLICA_PAUSE
    if (isNews) this.#lastReplicaAt = performance.now()
    return isNews
  }
}

import { connect } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientSource, DatastoreClient } from './client.js'
import { Failure } from './failure.js'
import { within } from './within.js'

/** What a client's stub has, where it speaks gRPC. */
interface Channel {
  getConnectivityState(tryToConnect: boolean): number
  watchConnectivityState(state: number, deadline: Date, callback: (error?: Error) => void): void
}

const READY = 2
const CONNECTING = 1

/** A client, and who uses it. */
class Link {
  readonly client: DatastoreClient
  readonly channel: Promise<Channel | undefined>
  /** 0: it is not. */
  connectingSince = 0
  #users = 0
  #isRetired = false

  constructor(client: DatastoreClient) {
    this.client = client
    // Before it is initialized no other method may be called: a failure would become an unhandled rejection, too.
    const stub = (async () => client.initialize?.())() as Promise<{ getChannel?(): Channel } | undefined>
    const late = (): Error => new Error('no credentials were found in time')
    this.channel = within(stub, performance.now() + INITIALIZING_MS, late, 'idle').then((made) => made?.getChannel?.())
    this.channel.then((channel) => channel?.getConnectivityState(true), () => {}) // so that the first call finds it connected
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#users += 1
    try {
      return await work()
    } finally {
      this.#users -= 1
      if (this.#isRetired) void this.retire()
    }
  }

  /** Closed as soon as nobody uses it. */
  async retire(): Promise<void> {
    this.#isRetired = true
    if (this.#users === 0) await this.channel.then(() => this.client.close()).catch(() => {})
  }
}

const INITIALIZING_MS = 10_000
/** So many calls in a row go unanswered before the connection is doubted. */
const MOST_SILENT = 2
/** A handshake is doubted after so long: gRPC waits for one for ever. */
const HANDSHAKE_MS = 500
/** Behind an HTTP proxy nobody can look whether the server answers: then a client is replaced this often. */
const BLIND_MS = 120_000

/**
 * One client and its connection, made anew when it cannot be initialized, or hangs. Before another takes the place of one that hangs it is
 * seen whether the server answers at all: gRPC leaves a connection that it could not finish open for ever, and a process has only so many.
 */
export class Connection {
  readonly #source: ClientSource
  #link: Link | undefined
  #silent = 0
  #look: Promise<void> | undefined
  #replacedAt = performance.now()
  #isClosed = false

  constructor(source: ClientSource) {
    this.#source = source
    this.#link = new Link(source.make())
  }

  /** Does the work with a client that is connected. Rejects with a `Failure` when there is none until the deadline (of `performance.now()`). */
  async use<T>(deadline: number, work: (client: DatastoreClient) => Promise<T>): Promise<T> {
    if (this.#silent >= MOST_SILENT) await Promise.race([this.#lookForAnother(), sleep((deadline - performance.now()) / 2)])
    for (;;) {
      const link = (this.#link ??= new Link(this.#source.make()))
      const channel = await this.#initialized(link, deadline)
      const isReady = channel === undefined || (await this.#isReady(link, channel, deadline))
      if (isReady && this.#link === link) return link.use(() => work(link.client)) // else another has taken its place
      if (performance.now() >= deadline) throw Failure.unreached('could not reach the server in time')
    }
  }

  answered(): void {
    this.#silent = 0
  }

  timedOut(): void {
    this.#silent += 1
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#letGo()
  }

  /** A failure is not remembered. */
  async #initialized(link: Link, deadline: number): Promise<Channel | undefined> {
    try {
      return await within(link.channel, deadline, () => Failure.unreached('found no credentials in time'))
    } catch (error) {
      if (error instanceof Failure) throw error
      if (this.#link === link) this.#link = undefined
      throw Failure.broken(error)
    }
  }

  /** Waits a little, and tells whether it is ready now. Who asks a closed channel to connect wakes it, and nobody closes it again. */
  async #isReady(link: Link, channel: Channel, deadline: number): Promise<boolean> {
    if (this.#link !== link) return false
    const state = channel.getConnectivityState(true)
    const now = performance.now()
    if (state !== CONNECTING) link.connectingSince = 0
    if (state === READY) return true
    if (state === CONNECTING && now - (link.connectingSince ||= now) > HANDSHAKE_MS) void this.#lookForAnother()
    const until = Math.min(deadline, now + 100)
    await new Promise<void>((changed) => channel.watchConnectivityState(state, new Date(Date.now() + until - now), () => changed()))
    return this.#link === link && channel.getConnectivityState(true) === READY
  }

  /** Replaces the client if the server answers a new connection. One at a time; never rejects. */
  #lookForAnother(): Promise<void> {
    const { own } = this.#source
    if (own === undefined || this.#isClosed) return Promise.resolve()
    this.#look ??= answers(own.origin).catch(() => false)
      .then((isThere) => {
        const isTime = isThere || performance.now() - this.#replacedAt > BLIND_MS
        if (!isTime || this.#isClosed) return
        this.#replacedAt = performance.now()
        this.#silent = 0
        void this.#letGo()
      })
      .finally(() => { this.#look = undefined })
    return this.#look
  }

  async #letGo(): Promise<void> {
    const link = this.#link
    this.#link = undefined
    if (this.#source.own !== undefined) await link?.retire()
  }
}

/** Whether an HTTP/2 server is there. It is told nothing; whether it is the right one, the client finds out. */
const answers = (origin: string): Promise<boolean> => new Promise((resolve) => {
  const session = connect(origin, { rejectUnauthorized: false })
  const end = (isThere: boolean): void => {
    clearTimeout(timer)
    session.destroy()
    resolve(isThere)
  }
  const timer = setTimeout(end, HANDSHAKE_MS, false)
  session.once('remoteSettings', () => end(true))
  for (const over of ['error', 'close']) session.on(over, () => end(false))
})

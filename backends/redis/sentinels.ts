import { warnOnce } from '../../src/diagnostics.js'
import { NotSent, notConnected, ofClient, Refused } from './errors.js'
import type { Client } from './ioredis.js'
import { OwnLink } from './link.js'
import { addressOf } from './url.js'
import type { Endpoint } from './url.js'

export interface SentinelsOptions {
  readonly sentinels: readonly Endpoint[]
  /** The master's name. */
  readonly master: string
  /** Milliseconds after which a sentinel that did not answer is left out. */
  readonly patienceMs: number
  /** A client of a sentinel, not connected yet; `isListener`: for messages that nobody asked for. */
  sentinelOf(sentinel: Endpoint, isListener: boolean): Client
}

/** What one sentinel knows. */
interface View {
  readonly master: Endpoint
  /** Counts the failovers: who knows of more of them is right. */
  readonly epoch: number
  /** The replica that it is making the master. */
  readonly promoted: Endpoint | undefined
}

/**
 * Asks all sentinels for the master, each time anew, and believes the one who knows of the latest failover: a sentinel that was cut off
 * still names the old master, which, cut off or just woken up, takes itself for one for ten seconds or more.
 *
 * In a planned failover the old master goes on, and what is written to it after the new one was promoted is lost
 * (github.com/redis/redis/issues/6062). The sentinel in charge says whom it promotes some 50 ms before it does, and names the new master
 * to clients a second later; so the old one is left when the first is said, for the one of whom it is said.
 */
export class Sentinels {
  readonly #options: SentinelsOptions
  readonly #watches: OwnLink[]
  #promotion: { readonly address: string; readonly seenAt: number } | undefined

  /** `onLeave` is told that the master will be another in a moment, `onNews` that it may be. */
  constructor(options: SentinelsOptions, onLeave: () => void, onNews: () => void) {
    this.#options = options
    const listen = (client: Client): void => {
      client.on('message', (channel: string, message: string) => {
        if (!message.split(' ').includes(options.master)) return
        if (channel === BEFORE) onLeave()
        else onNews()
      })
      // What was said before we listened went unheard.
      client.call('subscribe', BEFORE, ...AFTER).then(onNews, (error: unknown) => {
        if (ofClient(error) instanceof Refused) warnOnce('PHIAL_REDIS_SENTINEL', `session.type = redis: a sentinel does not let us hear of failovers: ${(error as Error).message}`)
      })
    }
    this.#watches = options.sentinels.map((sentinel) => new OwnLink(() => options.sentinelOf(sentinel, true), options.patienceMs, listen))
  }

  /** Where the master is. Rejects with `NotSent` when no sentinel tells. */
  async find(): Promise<Endpoint> {
    const answers = await Promise.allSettled(this.#options.sentinels.map((sentinel) => this.#ask(sentinel)))
    const views = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    const epoch = Math.max(...views.map((view) => view.epoch))
    const latest = views.filter((view) => view.epoch === epoch)
    if (latest.length > 0) return this.#promotedIn(latest) ?? mostNamed(latest.map(({ master: named }) => named))
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as NotSent] : []))
    throw failures.find(({ isLasting }) => isLasting) ?? failures[0]!
  }

  close(): void {
    for (const watch of this.#watches) watch.close()
  }

  /** A promotion that comes to nothing is called off by the sentinel after `failover-timeout`, three minutes by default: too long to wait for. */
  #promotedIn(views: readonly View[]): Endpoint | undefined {
    const promoted = views.find((view) => view.promoted !== undefined)?.promoted
    const address = promoted && addressOf(promoted)
    if (address !== this.#promotion?.address) this.#promotion = address === undefined ? undefined : { address, seenAt: performance.now() }
    return this.#promotion !== undefined && performance.now() - this.#promotion.seenAt < PROMOTION_PATIENCE ? promoted : undefined
  }

  async #ask(sentinel: Endpoint): Promise<View> {
    const client = this.#options.sentinelOf(sentinel, false)
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        const fail = (error: unknown): void => reject(error instanceof NotSent ? error : noSentinel(error))
        timer = setTimeout(() => fail(new NotSent('no sentinel answers')), this.#options.patienceMs)
        client.on('error', fail)
        this.#view(client).then(resolve, fail)
      })
    } finally {
      clearTimeout(timer)
      client.disconnect()
    }
  }

  async #view(client: Client): Promise<View> {
    await client.connect()
    const name = this.#options.master
    const asked = ['get-master-addr-by-name', 'master', 'replicas'].map((what) => client.call('sentinel', what, name))
    for (const answer of asked) answer.catch(() => {})
    if ((await asked[0]) === null) throw new NotSent(`the sentinels know no master ${name}`, undefined, true)
    const [address, master, replicas] = await Promise.all(asked)
    const [host, port] = listOf(address)
    const fields = fieldsOf(master)
    const isFailingOver = flagsOf(fields).includes('failover_in_progress')
    const promoted = isFailingOver ? listOf(replicas).map(fieldsOf).find((replica) => flagsOf(replica).includes('promoted')) : undefined
    return { master: endpointOf(host, port), epoch: Number(fields.get('config-epoch')) || 0, promoted: promoted && endpointOf(promoted.get('ip'), promoted.get('port')) }
  }
}

/** Said by the sentinel in charge before it promotes somebody, and by all of them after. */
const BEFORE = '+failover-state-send-slaveof-noone'
const AFTER = ['+promoted-slave', '+switch-master']

/** Milliseconds that who is promoted may take to become the master, before the old one is believed again. */
const PROMOTION_PATIENCE = 2000

const noSentinel = (error: unknown): NotSent => {
  const told = ofClient(error)
  return notConnected(told instanceof Refused ? told : error)
}

const listOf = (answer: unknown): readonly unknown[] => (Array.isArray(answer) ? answer : [])

/** Names and values in turn. */
const fieldsOf = (answer: unknown): ReadonlyMap<string, string> => {
  const flat = listOf(answer).map(String)
  return new Map(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : [])))
}

const flagsOf = (fields: ReadonlyMap<string, string>): string[] => (fields.get('flags') ?? '').split(',')

const endpointOf = (host: unknown, port: unknown): Endpoint => {
  if (typeof host !== 'string' || host === '' || !(Number(port) > 0 && Number(port) < 65_536)) throw new NotSent('a sentinel names no address')
  return { host, port: Number(port) }
}

const mostNamed = (endpoints: readonly Endpoint[]): Endpoint => {
  const votes = (endpoint: Endpoint): number => endpoints.filter((other) => addressOf(other) === addressOf(endpoint)).length
  return [...endpoints].sort((one, other) => votes(other) - votes(one))[0]!
}

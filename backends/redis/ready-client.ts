import { ConfigError } from '../../src/errors.js'
import { NotSent } from './errors.js'
import type { Client } from './ioredis.js'
import { closed } from './link.js'
import type { Link } from './link.js'

/** A client that the application made, in `session.redis.client`. */
export interface ReadyClient extends Client {
  readonly options: Readonly<Record<string, unknown>>
  duplicate(): ReadyClient
  off(event: string, listener: (...args: any[]) => void): unknown
}

const SETTING = 'redis.client'

const refused = (fault: string): ConfigError => new ConfigError(`${SETTING}: ${fault}`, { setting: SETTING })

/**
 * What can be seen to break a promise is refused.
 *
 * - `maxRetriesPerRequest` other than 0: a save that was answered with an error would be executed later, when the connection is back; and
 *   one whose answer was lost would be executed again. A `Cluster` does the same with a `retryDelayOnFailover`.
 * - `keyPrefix`: the namespace is the prefix; SCAN would not know of another.
 * - `scaleReads` other than `master`: a replica may not know yet that a session was ended, nor the newest of an owner's.
 * - a `Cluster` with `wait_replicas`: it does not tell which of its connections a write went over.
 */
export const checkReadyClient = (client: object, waitReplicas: number): ReadyClient => {
  const isClient = ['call', 'pipeline', 'connect', 'disconnect', 'duplicate', 'on', 'off'].every((name) => typeof (client as Record<string, unknown>)[name] === 'function')
  if (!isClient) throw refused('expected a Redis or a Cluster of ioredis')
  const ready = client as ReadyClient
  if (ready.nodes === undefined) checkOptions(ready.options, 'client.duplicate({ maxRetriesPerRequest: 0 })')
  else checkCluster(ready.options as ClusterOptions, waitReplicas)
  return ready
}

interface ClusterOptions {
  readonly redisOptions?: Readonly<Record<string, unknown>>
  readonly keyPrefix?: unknown
  readonly scaleReads?: unknown
  readonly retryDelayOnFailover?: unknown
}

const checkOptions = ({ maxRetriesPerRequest, keyPrefix }: Readonly<Record<string, unknown>>, remedy: string): void => {
  if (maxRetriesPerRequest !== 0) {
    throw refused(`its maxRetriesPerRequest is ${String(maxRetriesPerRequest)}, not 0: what was given up would be executed later; use ${remedy}`)
  }
  if (keyPrefix) throw refused('has a keyPrefix; session.namespace is the prefix of the keys')
}

const checkCluster = ({ redisOptions = {}, keyPrefix, scaleReads, retryDelayOnFailover }: ClusterOptions, waitReplicas: number): void => {
  const remedy = 'new Cluster(nodes, { retryDelayOnFailover: 0, redisOptions: { maxRetriesPerRequest: 0 } })'
  checkOptions({ ...redisOptions, keyPrefix: keyPrefix ?? redisOptions['keyPrefix'] }, remedy)
  if (retryDelayOnFailover !== 0) throw refused(`its retryDelayOnFailover is not 0: what was given up would be executed later; use ${remedy}`)
  if (scaleReads !== 'master') throw refused('reads from replicas (scaleReads), which may not know yet that a session was ended')
  if (waitReplicas > 0) throw refused('is a Cluster, which cannot wait for replicas; name its nodes in session.url instead')
}

/** Commands go to a client that the application made, or to a copy of it: it is used when it is ready, and connects by its own rules. */
export class ReadyLink implements Link {
  readonly #client: ReadyClient
  readonly #isOurs: boolean
  readonly #waiting = new Set<(error: Error) => void>()

  /** `isOurs`: it is ended with the link. */
  constructor(client: ReadyClient, isOurs: boolean) {
    this.#client = client
    this.#isOurs = isOurs
    if (isOurs) client.on('error', () => {})
  }

  now(): Client | undefined {
    return this.#client.status === 'ready' ? this.#client : undefined
  }

  async ready(deadline: number): Promise<Client> {
    const client = this.#client
    if (client.status === 'ready') return client
    if (client.status === 'wait') client.connect().catch(() => {})
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        client.off('ready', become)
        this.#waiting.delete(stop)
        settle()
      }
      const become = (): void => end(() => resolve(client))
      const stop = (error: Error): void => end(() => reject(error))
      const timer = setTimeout(() => stop(new NotSent(`the application's client is not ready (${client.status})`)), deadline - performance.now())
      client.on('ready', become)
      this.#waiting.add(stop)
    })
  }

  renew(): void {}

  close(): void {
    for (const stop of this.#waiting) stop(closed())
    if (this.#isOurs) this.#client.disconnect()
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { redisBackend } from '../../backends/redis.js'
import type { RedisManager } from '../../backends/redis/manager.js'
import type { RedisOptions } from '../../backends/redis.js'
import type { Teardown } from './app.js'

const noSealer = { seal: () => '', open: () => undefined }

export interface RedisStoreSettings {
  readonly url?: string
  readonly namespace?: string
  readonly operationTimeout?: number
  readonly now?: () => number
  readonly options?: Partial<RedisOptions>
}

/** A manager of the backend, as the library makes it. */
export const openRedis = ({ url, namespace = 'app', operationTimeout = 1, now = Date.now, options = {} }: RedisStoreSettings): RedisManager =>
  redisBackend.open({ namespace, now, url, operationTimeout, options: { waitReplicas: 0, ...options }, maxBytes: 262_144, sealer: noSealer }) as RedisManager

/** One that is closed with the test. */
export const newRedis = (t: Teardown, settings: RedisStoreSettings): RedisManager => {
  const manager = openRedis(settings)
  t.teardown(() => manager.close())
  return manager
}

export const keyOf = (name: string): string => createHash('sha256').update(name).digest('hex')
export const newKey = (): string => randomBytes(32).toString('hex')
export const inAnHour = (): number => Date.now() + 3_600_000

import { cachedManager, type CachedOptions } from '../../backends/cached.js'
import { FaultyStore } from './faulty-store.js'
import { Clock } from './harness.js'
import { Connection, type EveryAbility, openMemory } from './memory-fixture.js'

export interface CachedProcess {
  readonly manager: EveryAbility
  /** What stands between this process and the servers. */
  readonly store: FaultyStore
  readonly cache: FaultyStore
}

export interface CachedServers {
  readonly clock: Clock
  readonly store: EveryAbility
  readonly cache: EveryAbility
  /** A process with connections of its own to both. */
  process(options?: Partial<CachedOptions>): CachedProcess
}

/** A store and a cache that several processes share. */
export const cachedServers = (): CachedServers => {
  const clock = new Clock()
  const [store, cache] = [openMemory({}, clock.now), openMemory({}, clock.now)]
  const process = (options: Partial<CachedOptions> = {}): CachedProcess => {
    const [toStore, toCache] = [new FaultyStore(new Connection(store)), new FaultyStore(new Connection(cache))]
    const manager = cachedManager({ store: toStore.manager, cache: toCache.manager, now: clock.now, cacheTimeoutMs: 50, ...options })
    return { manager: manager as EveryAbility, store: toStore, cache: toCache }
  }
  return { clock, store, cache, process }
}

/** A fill is not waited for. */
export const filled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

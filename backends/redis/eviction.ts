import { warnOnce } from '../../src/diagnostics.js'
import type { Client } from './ioredis.js'

/**
 * Warns when the server is set up to give live records up: each one ends a session, and a lost entry of an owner's index is a session
 * that a revocation misses. Answers whether the server told. One that does not is believed.
 */
export const lookAtEviction = async (client: Client): Promise<boolean> => {
  try {
    const policy = /^maxmemory_policy:(.*?)\r?$/m.exec(String(await client.call('info', 'memory')))?.[1] ?? 'noeviction'
    if (policy !== 'noeviction') {
      warnOnce('PHIAL_REDIS_EVICTION', `redis: maxmemory-policy is ${policy}: when its memory is full, the server ends sessions that are in use; set it to noeviction`)
    }
    return true
  } catch {
    return false // the user may not ask, or the connection has ended: then the next one is looked at
  }
}

import type { Lease } from '../../../src/namespace-manager.js'
import { NEVER } from './careless.js'
import type { Mutant } from './mutant.js'

const leased = (lease: Lease | undefined, release: (lease: Lease) => Promise<void>): Lease | undefined =>
  lease && { release: () => release(lease) }

export const lockableMutants: readonly Mutant[] = [
  {
    fault: 'lock: excludes nobody',
    caughtBy: 'lock: undefined when the key is not free',
    server: () => ({ lock: async () => ({ release: async () => undefined }) }),
  },
  {
    fault: 'lock: is never given',
    caughtBy: 'lock: a key that is free is leased at once',
    server: () => ({ lock: async () => undefined }),
  },
  {
    fault: 'lock: holds in one manager only',
    caughtBy: 'lock: one holder at a time',
    connection: (real) => {
      const mine = `${Math.random()}`
      return { lock: (key, leaseMs, waitUntil) => real.lock(key + mine, leaseMs, waitUntil) }
    },
  },
  {
    fault: 'lock: who waits is given the key after a while, free or not',
    caughtBy: 'lock: undefined when the key was not free until waitUntil',
    server: (real) => ({ lock: async (...args) => (await real.lock(...args)) ?? { release: async () => undefined } }),
  },
  {
    fault: 'lock: who waits is given the key at once',
    caughtBy: 'lock: who waits gets the key when it is released, and not before',
    server: (real, { now }) => ({
      lock: async (key, leaseMs, waitUntil) =>
        waitUntil > now() ? { release: async () => undefined } : real.lock(key, leaseMs, waitUntil),
    }),
  },
  {
    fault: 'lock: nobody waits',
    caughtBy: 'lock: who waits gets the key when it is released',
    server: (real, { now }) => ({ lock: (key, leaseMs) => real.lock(key, leaseMs, now()) }),
  },
  {
    fault: 'lock: who gave up is given the key nevertheless',
    caughtBy: 'lock: who gave up waiting is not given the key afterwards',
    server: (real, { now }) => ({
      lock: async (key, leaseMs, waitUntil) => {
        const lease = await real.lock(key, leaseMs, waitUntil)
        if (lease === undefined) void real.lock(key, leaseMs, now() + 600_000).catch(() => undefined)
        return lease
      },
    }),
  },
  {
    fault: 'lock: there is one for all keys',
    caughtBy: 'lock: keys do not wait for each other',
    server: (real) => ({ lock: (_key, leaseMs, waitUntil) => real.lock('all', leaseMs, waitUntil) }),
  },
  {
    fault: 'lock: a lease does not end by itself',
    caughtBy: 'lock: a lease ends by itself',
    server: (real) => ({ lock: (key, _leaseMs, waitUntil) => real.lock(key, NEVER, waitUntil) }),
  },
  {
    fault: 'lock: a key has one lease time, set by the first',
    caughtBy: 'lock: the next lease is a whole one',
    server: (real) => {
      const times = new Map<string, number>()
      return {
        lock: (key, leaseMs, waitUntil) => {
          const first = times.get(key) ?? leaseMs
          times.set(key, first)
          return real.lock(key, first, waitUntil)
        },
      }
    },
  },
  {
    fault: 'release: frees the key, whoever holds it',
    caughtBy: 'release: may be called twice, and frees nobody else\'s',
    server: (real) => {
      const holders = new Map<string, Lease>()
      return {
        lock: async (key, leaseMs, waitUntil) => {
          const lease = await real.lock(key, leaseMs, waitUntil)
          if (lease !== undefined) holders.set(key, lease)
          return leased(lease, async () => holders.get(key)?.release())
        },
      }
    },
  },
  {
    fault: 'release: is checked once, but not after the end of the lease',
    caughtBy: 'release: after the lease has ended it frees nobody else\'s',
    server: (real) => {
      const holders = new Map<string, Lease>()
      return {
        lock: async (key, leaseMs, waitUntil) => {
          let isReleased = false
          const lease = await real.lock(key, leaseMs, waitUntil)
          if (lease !== undefined) holders.set(key, lease)
          return leased(lease, async () => {
            if (!isReleased) await holders.get(key)?.release()
            isReleased = true
          })
        },
      }
    },
  },
  {
    fault: 'lock: keeps others from reading',
    caughtBy: 'lock: is advisory',
    server: (real, { now }) => ({
      create: async (key, value, expiresAt) => {
        const lease = await real.lock(key, NEVER, now())
        if (lease === undefined) return undefined
        await lease.release()
        return real.create(key, value, expiresAt)
      },
    }),
  },
]

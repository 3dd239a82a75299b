import type { Lease } from '../../../src/namespace-manager.js'
import type { EveryAbility } from '../memory-fixture.js'
import type { Mutant } from './mutant.js'

const NEVER = 1e15

/** Every key that was created, whatever became of it. */
const rememberingKeys = (real: EveryAbility): { created: Map<string, number>; create: EveryAbility['create'] } => {
  const created = new Map<string, number>()
  return {
    created,
    create: async (key, value, expiresAt) => {
      created.set(key, expiresAt)
      return real.create(key, value, expiresAt)
    },
  }
}

const enumerableMutants: readonly Mutant[] = [
  {
    fault: 'keys: gives one that is not there',
    caughtBy: 'keys: none in an empty store',
    server: (real) => ({
      async *keys() {
        yield* real.keys()
        yield 'the last'
      },
    }),
  },
  {
    fault: 'keys: gives a page only',
    caughtBy: 'keys: every live key',
    server: (real) => ({
      async *keys() {
        let count = 0
        for await (const key of real.keys()) if ((count += 1) <= 100) yield key
      },
    }),
  },
  {
    fault: 'keys: gives expired and deleted ones',
    caughtBy: 'keys: no expired one',
    server: (real) => {
      const { created, create } = rememberingKeys(real)
      return {
        create,
        async *keys() {
          yield* created.keys()
        },
      }
    },
  },
  {
    fault: 'keys: gives deleted ones until they expire',
    caughtBy: 'keys: no deleted one',
    server: (real, { now }) => {
      const { created, create } = rememberingKeys(real)
      return {
        create,
        async *keys() {
          for (const [key, expiresAt] of created) if (expiresAt > now()) yield key
        },
      }
    },
  },
  {
    fault: 'keys: gives those of another namespace',
    caughtBy: 'keys: of no other namespace',
    server: (real, { first }) => ({
      async *keys() {
        yield* real.keys()
        if (first() !== real) yield* first()?.keys() ?? []
      },
    }),
  },
  {
    fault: 'keys: starts with the newest and ends when something is written',
    caughtBy: 'keys: those that are there all the time appear',
    server: (real) => {
      let writes = 0
      return {
        create: (key, value, expiresAt) => {
          writes += 1
          return real.create(key, value, expiresAt)
        },
        async *keys() {
          const before = writes
          for await (const key of real.keys()) {
            if (writes !== before) return
            yield key
          }
        },
      }
    },
  },
  {
    fault: 'keys: one who stops early closes the listing for all',
    caughtBy: 'keys: a reader may stop early',
    server: (real) => {
      let isBroken = false
      return {
        async *keys() {
          if (isBroken) return
          isBroken = true
          yield* real.keys()
          isBroken = false
        },
      }
    },
  },
  {
    fault: 'keys: gives the owners, too',
    caughtBy: 'keys: the index of the owners is not among them',
    server: (real) => {
      const owners = new Set<string>()
      return {
        addOwned: (owner, key, expiresAt) => {
          owners.add(owner)
          return real.addOwned(owner, key, expiresAt)
        },
        async *keys() {
          yield* real.keys()
          yield* owners
        },
      }
    },
  },
]

const purgeableMutants: readonly Mutant[] = [
  { fault: 'purgeExpired: does not count', caughtBy: 'purgeExpired: removes expired records only, and says how many', server: (real) => ({ purgeExpired: async () => (await real.purgeExpired()) && 0 }) },
  { fault: 'purgeExpired: counts what it looked at', caughtBy: 'purgeExpired: 0 when nothing has expired', server: (real) => ({ purgeExpired: async () => (await real.purgeExpired()) + 1 }) },
  {
    fault: 'purgeExpired: goes by the first expiry',
    caughtBy: 'purgeExpired: leaves what was touched or replaced in time',
    server: (real, { now }) => {
      const { created, create } = rememberingKeys(real)
      return {
        create,
        purgeExpired: async () => {
          let count = await real.purgeExpired()
          for (const [key, expiresAt] of created) {
            if (expiresAt > now() || (await real.get(key)) === undefined) continue
            await real.delete(key)
            count += 1
          }
          return count
        },
      }
    },
  },
  {
    fault: 'purgeExpired: purges every namespace',
    caughtBy: 'purgeExpired: removes nothing of another namespace',
    server: (real, { all }) => ({
      purgeExpired: async () => {
        let count = await real.purgeExpired()
        for (const other of all()) if (other !== real) count += await other.purgeExpired()
        return count
      },
    }),
  },
  {
    fault: 'purgeExpired: looks first, and removes later',
    caughtBy: 'purgeExpired: never removes a record that is written anew meanwhile',
    server: (real, { now }) => {
      const { created, create } = rememberingKeys(real)
      return {
        create,
        purgeExpired: async () => {
          const over = [...created].filter(([, expiresAt]) => expiresAt <= now()).map(([key]) => key)
          const count = await real.purgeExpired()
          for (const key of over) await real.delete(key)
          return count
        },
      }
    },
  },
]

const purgingOwnersMutants: readonly Mutant[] = [
  {
    fault: 'purgeExpired: goes by the last time given for an entry',
    caughtBy: 'purgeExpired: leaves the owners\' entries whose time has not come',
    server: (real, { now }) => {
      const ends = new Map<string, readonly [owner: string, key: string, expiresAt: number]>()
      return {
        addOwned: (owner, key, expiresAt) => {
          ends.set(owner + key, [owner, key, expiresAt])
          return real.addOwned(owner, key, expiresAt)
        },
        purgeExpired: async () => {
          for (const [owner, key, expiresAt] of ends.values()) if (expiresAt <= now()) await real.removeOwned(owner, key)
          return real.purgeExpired()
        },
      }
    },
  },
]

const leased = (lease: Lease | undefined, release: (lease: Lease) => Promise<void>): Lease | undefined =>
  lease && { release: () => release(lease) }

const lockableMutants: readonly Mutant[] = [
  { fault: 'lock: excludes nobody', caughtBy: 'lock: undefined when the key is not free', server: () => ({ lock: async () => ({ release: async () => undefined }) }) },
  { fault: 'lock: is never given', caughtBy: 'lock: a key that is free is leased at once', server: () => ({ lock: async () => undefined }) },
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
      lock: async (key, leaseMs, waitUntil) => (waitUntil > now() ? { release: async () => undefined } : real.lock(key, leaseMs, waitUntil)),
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

const ownerMutants: readonly Mutant[] = [
  { fault: 'listOwned: fails for an owner that has none', caughtBy: 'listOwned: none for an owner', server: (real) => ({ listOwned: async (owner) => [...(await real.listOwned(owner)), ''] }) },
  { fault: 'addOwned: is not in yet when it resolves', caughtBy: 'addOwned: the entry is in when it resolves', server: (real) => ({ addOwned: async (...args) => void setTimeout(() => void real.addOwned(...args).catch(() => undefined), 5) }) },
  {
    fault: 'addOwned: loses entries that are added at the same time',
    caughtBy: 'owners: of entries added at the same time none is lost',
    server: () => {
      const index = new Map<string, string[]>()
      const change = async (owner: string, edit: (keys: readonly string[]) => string[]): Promise<void> => {
        const before = index.get(owner) ?? []
        await new Promise((resolve) => void setImmediate(resolve))
        index.set(owner, edit(before))
      }
      return {
        addOwned: (owner, key) => change(owner, (keys) => [...keys.filter((one) => one !== key), key]),
        removeOwned: (owner, key) => change(owner, (keys) => keys.filter((one) => one !== key)),
        listOwned: async (owner) => index.get(owner) ?? [],
      }
    },
  },
  {
    fault: 'addOwned: twice is twice',
    caughtBy: 'addOwned: twice is once',
    server: () => {
      const index = new Map<string, string[]>()
      return {
        addOwned: async (owner, key) => void index.set(owner, [...(index.get(owner) ?? []), key]),
        removeOwned: async (owner, key) => {
          const keys = index.get(owner) ?? []
          if (keys.includes(key)) index.set(owner, keys.toSpliced(keys.indexOf(key), 1))
        },
        listOwned: async (owner) => index.get(owner) ?? [],
      }
    },
  },
  ...[
    { fault: 'with the first time given', caughtBy: 'again with a later time', choose: (before: number | undefined, after: number) => before ?? after },
    { fault: 'with the last time given', caughtBy: 'again with an earlier time', choose: (_before: number | undefined, after: number) => after },
    { fault: 'at once', caughtBy: 'the entry lasts at least until', choose: () => 0 },
  ].map(({ fault, caughtBy, choose }): Mutant => ({
    fault: `addOwned: the entry ends ${fault}`,
    caughtBy: `addOwned: ${caughtBy}`,
    server: (real, { now }) => {
      const ends = new Map<string, number>()
      return {
        addOwned: async (owner, key, expiresAt) => {
          ends.set(owner + key, choose(ends.get(owner + key), expiresAt))
          await real.addOwned(owner, key, expiresAt)
        },
        listOwned: async (owner) => (await real.listOwned(owner)).filter((key) => (ends.get(owner + key) ?? 0) > now()),
      }
    },
  })),
  {
    fault: 'addOwned: the whole index ends with the last entry that was added',
    caughtBy: 'addOwned: an entry that ends takes none of the others with it',
    server: (real, { now }) => {
      const ends = new Map<string, number>()
      const endIfOver = async (owner: string): Promise<void> => {
        if ((ends.get(owner) ?? NEVER) > now()) return
        for (const key of await real.listOwned(owner)) await real.removeOwned(owner, key)
      }
      return {
        addOwned: async (owner, key, expiresAt) => {
          await endIfOver(owner)
          ends.set(owner, expiresAt)
          await real.addOwned(owner, key, expiresAt)
        },
      }
    },
  },
  {
    fault: 'listOwned: only keys that have a record',
    caughtBy: 'listOwned: a superset of the owner\'s keys',
    server: (real) => ({
      listOwned: async (owner) => {
        const live: string[] = []
        for (const key of await real.listOwned(owner)) if ((await real.get(key)) !== undefined) live.push(key)
        return live
      },
    }),
  },
  {
    fault: 'removeOwned: takes out all entries of the owner',
    caughtBy: 'removeOwned: takes out this entry of this owner',
    server: (real) => ({
      removeOwned: async (owner) => {
        for (const key of await real.listOwned(owner)) await real.removeOwned(owner, key)
      },
    }),
  },
  { fault: 'removeOwned: does nothing', caughtBy: 'removeOwned: takes out this entry of this owner', server: () => ({ removeOwned: async () => undefined }) },
  {
    fault: 'removeOwned: what is not there is an error',
    caughtBy: 'removeOwned: what is not there is not an error',
    server: (real) => ({
      removeOwned: async (owner, key) => {
        if (!(await real.listOwned(owner)).includes(key)) throw new Error('no such entry')
        await real.removeOwned(owner, key)
      },
    }),
  },
  {
    fault: 'owners: a key has one owner',
    caughtBy: 'owners: each has its own keys',
    server: (real) => {
      const hands = new Map<string, string[]>()
      return {
        addOwned: async (owner, key, expiresAt) => {
          hands.set(key, [...(hands.get(key) ?? []), owner])
          await real.addOwned(owner, key, expiresAt)
        },
        removeOwned: async (_owner, key) => {
          for (const owner of hands.get(key) ?? []) await real.removeOwned(owner, key)
        },
      }
    },
  },
  {
    fault: 'removeOwned: undoes what was added meanwhile',
    caughtBy: 'owners: entries added while others are removed stay',
    server: (real) => ({
      removeOwned: async (owner, key) => {
        const before = await real.listOwned(owner)
        await new Promise((resolve) => void setImmediate(resolve))
        for (const one of await real.listOwned(owner)) if (one === key || !before.includes(one)) await real.removeOwned(owner, one)
      },
    }),
  },
  {
    fault: 'a restart loses the owners',
    caughtBy: 'durable: the owner index outlives a restart',
    connection: (real) => {
      const mine = new Set<string>()
      return {
        addOwned: (owner, key, expiresAt) => {
          mine.add(key)
          return real.addOwned(owner, key, expiresAt)
        },
        listOwned: async (owner) => (await real.listOwned(owner)).filter((key) => mine.has(key)),
      }
    },
  },
]

export const abilityMutants: readonly Mutant[] = [...enumerableMutants, ...purgeableMutants, ...purgingOwnersMutants, ...lockableMutants, ...ownerMutants]

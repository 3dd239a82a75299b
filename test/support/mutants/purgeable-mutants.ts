import { rememberingKeys } from './careless.js'
import type { Mutant } from './mutant.js'

export const purgeableMutants: readonly Mutant[] = [
  {
    fault: 'purgeExpired: does not count',
    caughtBy: 'purgeExpired: removes expired records only, and says how many',
    server: (real) => ({ purgeExpired: async () => (await real.purgeExpired()) && 0 }),
  },
  {
    fault: 'purgeExpired: counts what it looked at',
    caughtBy: 'purgeExpired: 0 when nothing has expired',
    server: (real) => ({ purgeExpired: async () => (await real.purgeExpired()) + 1 }),
  },
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

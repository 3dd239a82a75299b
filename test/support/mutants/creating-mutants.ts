import { put, turn } from './careless.js'
import { deleting, type Mutant } from './mutant.js'

export const creatingMutants: readonly Mutant[] = [
  {
    fault: 'create: stores nothing',
    caughtBy: 'create: the version of the new record',
    server: () => ({ create: async () => 'a version' }),
  },
  {
    fault: 'create: writes over a live record',
    caughtBy: 'create: undefined, changing nothing, when a live record is there',
    server: (real) => ({ create: (key, value, expiresAt) => put(real, key, value, expiresAt) }),
  },
  {
    fault: 'create: refused, it moves the expiry',
    caughtBy: 'create: undefined, changing nothing, when a live record is there',
    server: (real) => ({
      create: async (key, value, expiresAt) => {
        const version = await real.create(key, value, expiresAt)
        if (version === undefined) await real.touch(key, expiresAt)
        return version
      },
    }),
  },
  {
    fault: 'create: sees only the records of its own manager',
    caughtBy: 'create: the next request finds the live record there, too',
    connection: (real) => {
      const mine = new Set<string>()
      return {
        create: async (key, value, expiresAt) => {
          if (!mine.has(key)) await real.delete(key)
          mine.add(key)
          return real.create(key, value, expiresAt)
        },
      }
    },
  },
  {
    fault: 'create: an expired record is in its way',
    caughtBy: 'create: an expired record is no record',
    server: (real) => {
      const there = new Set<string>()
      return {
        create: async (key, value, expiresAt) => {
          if (there.has(key)) return undefined
          there.add(key)
          return real.create(key, value, expiresAt)
        },
        delete: deleting((key, version) => {
          there.delete(key)
          return version === undefined ? real.delete(key) : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'create: a deleted record is in its way for ever',
    caughtBy: 'create: a deleted record is no record',
    server: (real) => {
      const deleted = new Set<string>()
      return {
        create: async (key, value, expiresAt) => (deleted.has(key) ? undefined : real.create(key, value, expiresAt)),
        delete: deleting((key, version) => {
          deleted.add(key)
          return version === undefined ? real.delete(key) : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'create: free 1 ms before the end',
    caughtBy: 'create: refused 1 ms before the end',
    server: (real, { now }) => ({
      create: async (key, value, expiresAt) => {
        if (((await real.get(key))?.expiresAt ?? 0) <= now() + 1) await real.delete(key)
        return real.create(key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'create: looks, then writes',
    caughtBy: 'create: of several at once one wins',
    server: (real) => ({
      create: async (key, value, expiresAt) => {
        if ((await real.get(key)) !== undefined) return undefined
        await turn()
        return put(real, key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'create: looks for expired records, then writes over them',
    caughtBy: 'create: of several at once on an expired record',
    server: (real) => {
      const known = new Set<string>()
      return {
        create: async (key, value, expiresAt) => {
          const isOver = known.has(key) && (await real.get(key)) === undefined
          known.add(key)
          if (!isOver) return real.create(key, value, expiresAt)
          await turn()
          return put(real, key, value, expiresAt)
        },
      }
    },
  },
]

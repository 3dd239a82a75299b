import { NEVER } from './careless.js'
import type { Mutant } from './mutant.js'

export const ownerMutants: readonly Mutant[] = [
  {
    fault: 'listOwned: fails for an owner that has none',
    caughtBy: 'listOwned: none for an owner',
    server: (real) => ({ listOwned: async (owner) => [...(await real.listOwned(owner)), ''] }),
  },
  {
    fault: 'addOwned: is not in yet when it resolves',
    caughtBy: 'addOwned: the entry is in when it resolves',
    server: (real) => ({
      addOwned: async (...args) => void setTimeout(() => void real.addOwned(...args).catch(() => undefined), 5),
    }),
  },
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
    { fault: 'with the first time given', caughtBy: 'again with a later time', choose: (before: number, after: number) => before || after },
    { fault: 'with the last time given', caughtBy: 'again with an earlier time', choose: (_before: number, after: number) => after },
    { fault: 'at once', caughtBy: 'the entry lasts at least until', choose: () => 0 },
  ].map(({ fault, caughtBy, choose }): Mutant => ({
    fault: `addOwned: the entry ends ${fault}`,
    caughtBy: `addOwned: ${caughtBy}`,
    server: (real, { now }) => {
      const ends = new Map<string, number>()
      return {
        addOwned: async (owner, key, expiresAt) => {
          ends.set(owner + key, choose(ends.get(owner + key) ?? 0, expiresAt))
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
  {
    fault: 'removeOwned: does nothing',
    caughtBy: 'removeOwned: takes out this entry of this owner',
    server: () => ({ removeOwned: async () => undefined }),
  },
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

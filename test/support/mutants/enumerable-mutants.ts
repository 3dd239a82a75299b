import { rememberingKeys } from './careless.js'
import type { Mutant } from './mutant.js'

export const enumerableMutants: readonly Mutant[] = [
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

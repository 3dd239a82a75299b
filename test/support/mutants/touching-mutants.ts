import { put, remembering, turn } from './careless.js'
import type { Mutant } from './mutant.js'

export const touchingMutants: readonly Mutant[] = [
  {
    fault: 'touch: creates',
    caughtBy: 'touch: false when there is no record, and never creates',
    server: (real) => ({
      touch: async (key, expiresAt) => (await real.touch(key, expiresAt)) || (await real.create(key, '', expiresAt)) !== undefined,
    }),
  },
  {
    fault: 'touch: always says true',
    caughtBy: 'touch: false when there is no record',
    server: (real) => ({ touch: async (key, at) => (await real.touch(key, at)) || true }),
  },
  {
    fault: 'touch: moves nothing',
    caughtBy: 'touch: true, and the expiry moves to a later time',
    server: (real) => ({ touch: async (key) => (await real.get(key)) !== undefined }),
  },
  {
    fault: 'touch: says false',
    caughtBy: 'touch: of a record that an earlier request made',
    server: (real) => ({ touch: async (key, at) => (await real.touch(key, at)) && false }),
  },
  {
    fault: 'touch: only lengthens the life',
    caughtBy: 'touch: true, and the expiry moves to an earlier time',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        return record !== undefined && real.touch(key, Math.max(expiresAt, record.expiresAt ?? 0))
      },
    }),
  },
  {
    fault: 'touch: gives a new version',
    caughtBy: 'touch: moves the expiry only',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        return record !== undefined && (await real.replace(key, record.value, record.version, expiresAt)) !== undefined
      },
    }),
  },
  {
    fault: 'touch: revives the expired and the deleted',
    caughtBy: 'touch: false when the record has expired',
    server: (real) => {
      const { written, ...writes } = remembering(real)
      return {
        ...writes,
        touch: async (key, expiresAt) => {
          if (await real.touch(key, expiresAt)) return true
          const before = written.get(key)
          return before !== undefined && (await real.create(key, before, expiresAt)) !== undefined
        },
      }
    },
  },
  {
    fault: 'touch: revives at the end',
    caughtBy: 'touch: true 1 ms before the end',
    server: (real, { now }) => {
      const ends = new Map<string, number>()
      return {
        create: (key, value, expiresAt) => {
          ends.set(key, expiresAt)
          return real.create(key, value, expiresAt)
        },
        touch: async (key, expiresAt) => {
          if (ends.get(key) !== now()) return real.touch(key, expiresAt)
          return (await put(real, key, '', expiresAt)) !== undefined
        },
      }
    },
  },
  {
    fault: 'touch: reads, and writes back what it read',
    caughtBy: 'touch: at once with replaces it undoes none of them',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        if (record === undefined) return false
        await turn()
        await put(real, key, record.value, expiresAt)
        return true
      },
    }),
  },
]

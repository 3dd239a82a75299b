import { remembering, turn } from './careless.js'
import { deleting, type Mutant } from './mutant.js'

export const deletingMutants: readonly Mutant[] = [
  {
    fault: 'delete: does nothing',
    caughtBy: 'delete: removes the record',
    server: () => ({ delete: deleting(async () => undefined) }),
  },
  {
    fault: 'delete: only what was never written again',
    caughtBy: 'delete: without a version, whatever the record holds',
    server: (real) => {
      const made = new Map<string, string>()
      return {
        create: async (key, value, expiresAt) => {
          const version = await real.create(key, value, expiresAt)
          if (version !== undefined) made.set(key, version)
          return version
        },
        delete: deleting((key, version) => real.delete(key, version ?? made.get(key) ?? '')),
      }
    },
  },
  {
    fault: 'delete: only in the manager that made the record',
    caughtBy: 'delete: of a record that an earlier request made',
    connection: (real) => {
      const mine = new Set<string>()
      return {
        create: (key, value, expiresAt) => {
          mine.add(key)
          return real.create(key, value, expiresAt)
        },
        delete: deleting(async (key, version) => {
          if (!mine.has(key)) return version === undefined ? undefined : false
          return version === undefined ? real.delete(key) : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'delete: what is not there is an error',
    caughtBy: 'delete: removing what is not there is not an error',
    server: (real) => ({
      delete: deleting(async (key, version) => {
        if ((await real.get(key)) === undefined) throw new Error('no such record')
        return version === undefined ? real.delete(key) : real.delete(key, version)
      }),
    }),
  },
  {
    fault: 'delete with a version: does not look at it',
    caughtBy: 'delete with a version: false, changing nothing, when the record has another',
    server: (real) => ({
      delete: deleting(async (key, version) => {
        const isThere = (await real.get(key)) !== undefined
        await real.delete(key)
        return version === undefined ? undefined : isThere
      }),
    }),
  },
  {
    fault: 'delete with a version: always says true',
    caughtBy: 'delete with a version: false when there is no record',
    server: (real) => ({
      delete: deleting(async (key, version) => (version === undefined ? real.delete(key) : (await real.delete(key, version)) || true)),
    }),
  },
  {
    fault: 'delete with a version: never says true',
    caughtBy: 'delete with a version: true when it removed',
    server: (real) => ({
      delete: deleting(async (key, version) => (version === undefined ? real.delete(key) : (await real.delete(key, version)) && false)),
    }),
  },
  {
    fault: 'delete with a version: a touch makes the version another',
    caughtBy: 'delete with a version: a touch leaves the version as it was',
    server: (real) => {
      const touched = new Set<string>()
      return {
        touch: (key, expiresAt) => {
          touched.add(key)
          return real.touch(key, expiresAt)
        },
        delete: deleting(async (key, version) => {
          if (version === undefined) return real.delete(key)
          return touched.has(key) ? false : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'delete with a version: looks, then deletes',
    caughtBy: 'delete with a version: of several at once',
    server: (real) => ({
      delete: deleting(async (key, version) => {
        if (version === undefined) return real.delete(key)
        if ((await real.get(key))?.version !== version) return false
        await turn()
        await real.delete(key)
        return true
      }),
    }),
  },
  {
    fault: 'delete: a manager writes what it has read',
    caughtBy: 'delete: a manager that read the record before cannot bring it back',
    connection: (real) => {
      const { written, ...writes } = remembering(real)
      return {
        ...writes,
        touch: async (key, expiresAt) => {
          const value = written.get(key)
          return (await real.touch(key, expiresAt)) || (value !== undefined && (await real.create(key, value, expiresAt)) !== undefined)
        },
      }
    },
  },
  {
    fault: 'delete: is undone by a touch that was on its way',
    caughtBy: 'delete: at once with writes, touches and reads',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        if (record === undefined) return false
        await turn()
        return (await real.touch(key, expiresAt)) || (await real.create(key, record.value, expiresAt)) !== undefined
      },
    }),
  },
]

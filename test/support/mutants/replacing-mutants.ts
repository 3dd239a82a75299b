import { put, remembering, turn } from './careless.js'
import type { Mutant } from './mutant.js'

export const replacingMutants: readonly Mutant[] = [
  {
    fault: 'replace: stores nothing',
    caughtBy: 'replace: with the version that is there',
    server: () => ({ replace: async () => 'a version' }),
  },
  {
    fault: 'replace: does not look at the version',
    caughtBy: 'replace: with an older version',
    server: (real) => ({
      replace: async (key, value, _version, expiresAt) => {
        const record = await real.get(key)
        return record && real.replace(key, value, record.version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: refused, it moves the expiry',
    caughtBy: 'replace: with an older version',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const next = await real.replace(key, value, version, expiresAt)
        if (next === undefined) await real.touch(key, expiresAt)
        return next
      },
    }),
  },
  {
    fault: 'replace: takes a part of the version, and blanks round it',
    caughtBy: 'replace: with a version that never was',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const record = await real.get(key)
        return real.replace(key, value, record?.version.startsWith(version.trim()) ? record.version : version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: makes what is not there',
    caughtBy: 'replace: of what is not there',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) =>
        (await real.get(key)) === undefined ? real.create(key, value, expiresAt) : real.replace(key, value, version, expiresAt),
    }),
  },
  {
    fault: 'replace: revives',
    caughtBy: 'replace: of an expired record',
    server: (real) => {
      const { written, create } = remembering(real)
      return {
        create,
        replace: async (key, value, version, expiresAt) => {
          const isGone = written.has(key) && (await real.get(key)) === undefined
          return isGone ? real.create(key, value, expiresAt) : real.replace(key, value, version, expiresAt)
        },
      }
    },
  },
  {
    fault: 'replace: takes an expired record at its end',
    caughtBy: 'replace: taken 1 ms before the end',
    server: (real, { now }) => {
      const ends = new Map<string, number>()
      return {
        replace: async (key, value, version, expiresAt) => {
          if (ends.get(key) === now()) return put(real, key, value, expiresAt)
          ends.set(key, expiresAt)
          return real.replace(key, value, version, expiresAt)
        },
      }
    },
  },
  {
    fault: 'replace: keeps the expiry',
    caughtBy: 'replace: moves the expiry to a later time',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) =>
        real.replace(key, value, version, (await real.get(key))?.expiresAt ?? expiresAt),
    }),
  },
  {
    fault: 'replace: only lengthens the life',
    caughtBy: 'replace: moves the expiry to an earlier time',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) =>
        real.replace(key, value, version, Math.max(expiresAt, (await real.get(key))?.expiresAt ?? 0)),
    }),
  },
  {
    fault: 'replace: by the same value writes nothing',
    caughtBy: 'replace: by the same value',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const record = await real.get(key)
        const isSame = record?.value === value && record.version === version
        return isSame ? version : real.replace(key, value, version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: leaves the tail of a longer value',
    caughtBy: 'replace: a shorter value leaves nothing',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const tail = (await real.get(key))?.value.slice(value.length) ?? ''
        return real.replace(key, value + tail, version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: looks, then writes',
    caughtBy: 'replace: of several at once with one version one wins',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        if ((await real.get(key))?.version !== version) return undefined
        await turn()
        return put(real, key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: the manager asks its own memory for the version',
    caughtBy: 'replace: a version that another manager made out of date',
    connection: (real) => {
      const known = new Map<string, string>()
      return {
        create: async (key, value, expiresAt) => {
          const version = await real.create(key, value, expiresAt)
          if (version !== undefined) known.set(key, version)
          return version
        },
        replace: async (key, value, version, expiresAt) => {
          const isKnown = known.get(key) === version
          const next = await real.replace(key, value, isKnown ? ((await real.get(key))?.version ?? version) : version, expiresAt)
          if (next !== undefined) known.set(key, next)
          return next
        },
      }
    },
  },
]

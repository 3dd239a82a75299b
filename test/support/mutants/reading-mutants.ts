import type { EveryAbility } from '../memory-fixture.js'
import { NEVER, remembering } from './careless.js'
import type { Mutant } from './mutant.js'

export const readingMutants: readonly Mutant[] = [
  {
    fault: 'get: makes what is missing',
    caughtBy: 'get: a record that was never made is missing',
    server: (real) => ({ get: async (key, touch) => (await real.get(key, touch)) ?? { value: '', version: '' } }),
  },
  {
    fault: 'get: gives what was read before',
    caughtBy: 'get: the live record, with the value and the version of the last write',
    server: (real) => {
      const cache = new Map<string, Awaited<ReturnType<EveryAbility['get']>>>()
      return {
        get: async (key, touch) => {
          const record = cache.get(key) ?? (await real.get(key, touch))
          cache.set(key, record)
          return record
        },
      }
    },
  },
  {
    fault: 'get: gives a new version each time',
    caughtBy: 'get: reading changes neither',
    server: (real, { now }) => ({
      get: async (key, touch) => {
        const { value, version, expiresAt = now() } = (await real.get(key, touch)) ?? {}
        if (value === undefined || version === undefined) return undefined
        return { value, version: (await real.replace(key, value, version, expiresAt)) ?? version, expiresAt }
      },
    }),
  },
  {
    fault: 'get: moves the expiry unasked',
    caughtBy: 'get: without a touch the expiry stays',
    server: (real) => ({ get: (key, touch) => real.get(key, touch ?? { expiresAt: NEVER, ifBefore: NEVER }) }),
  },
  {
    fault: 'get: tells an expiry in seconds',
    caughtBy: 'get: the expiry, where it is told',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        return record && { ...record, expiresAt: Math.floor((record.expiresAt ?? 0) / 1_000) }
      },
    }),
  },
  {
    fault: 'get: hands out the object that it keeps',
    caughtBy: 'get: the answer is the caller\'s own',
    server: (real) => {
      const handedOut = new Map<string, Awaited<ReturnType<EveryAbility['get']>>>()
      return {
        get: async (key, touch) => {
          const record = await real.get(key, touch)
          if (record === undefined || handedOut.has(record.version)) return record && handedOut.get(record.version)
          handedOut.set(record.version, record)
          return record
        },
      }
    },
  },
  {
    fault: 'get with a touch: is not applied',
    caughtBy: 'get with a touch: the next request sees the record touched',
    server: (real) => ({ get: (key) => real.get(key) }),
  },
  {
    fault: 'get with a touch: is not applied, but said to be',
    caughtBy: 'get with a touch: one that is due moves the expiry',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key)
        return record && { ...record, touched: touch !== undefined }
      },
    }),
  },
  {
    fault: 'get with a touch: is applied when it is not due',
    caughtBy: 'get with a touch: one that is not due leaves the expiry',
    server: (real) => ({ get: (key, touch) => real.get(key, touch && { ...touch, ifBefore: NEVER }) }),
  },
  {
    fault: 'get with a touch: due at ifBefore',
    caughtBy: 'get with a touch: due while the expiry is before ifBefore',
    server: (real) => ({ get: (key, touch) => real.get(key, touch && { ...touch, ifBefore: touch.ifBefore + 1 }) }),
  },
  {
    fault: 'get with a touch: the expiry told is the one after it',
    caughtBy: 'get with a touch: the expiry, where it is told, is the one before the touch',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        return record?.touched && touch ? { ...record, expiresAt: touch.expiresAt } : record
      },
    }),
  },
  {
    fault: 'get with a touch: rewrites the record',
    caughtBy: 'get with a touch: leaves the value and the version as they were',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        if (record?.touched && touch) await real.replace(key, record.value, record.version, touch.expiresAt)
        return record
      },
    }),
  },
  {
    fault: 'get with a touch: creates',
    caughtBy: 'get with a touch: never creates',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        if (record === undefined && touch) await real.create(key, '', touch.expiresAt)
        return record
      },
    }),
  },
  {
    fault: 'get with a touch: revives',
    caughtBy: 'get with a touch: does not revive an expired record',
    server: (real) => {
      const { written, ...writes } = remembering(real)
      return {
        ...writes,
        get: async (key, touch) => {
          const record = await real.get(key, touch)
          const before = written.get(key)
          if (record === undefined && touch && before !== undefined) await real.create(key, before, touch.expiresAt)
          return record
        },
      }
    },
  },
]

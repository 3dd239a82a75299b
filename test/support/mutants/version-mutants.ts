import { deleting, type Mutant } from './mutant.js'

/** Versions that are made anew of something: what the real one is told as, and back. */
const versioned = (fault: string, caughtBy: string, tell: (key: string, value: string, count: number) => string): Mutant => ({
  fault: `version: ${fault}`,
  caughtBy: `version: ${caughtBy}`,
  server: (real) => {
    const counts = new Map<string, number>()
    const told = new Map<string, { real: string; told: string }>()
    const note = (key: string, value: string, version: string | undefined): string | undefined => {
      if (version === undefined) return undefined
      counts.set(key, (counts.get(key) ?? 0) + 1)
      told.set(key, { real: version, told: tell(key, value, counts.get(key) ?? 0) })
      return told.get(key)?.told
    }
    const toReal = (key: string, version: string): string => {
      const known = told.get(key)
      return known?.told === version ? known.real : `not ${version}`
    }
    return {
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        return record && { ...record, version: told.get(key)?.told ?? '' }
      },
      create: async (key, value, expiresAt) => {
        const version = await real.create(key, value, expiresAt)
        if (version !== undefined) counts.delete(key)
        return note(key, value, version)
      },
      replace: async (key, value, version, expiresAt) =>
        note(key, value, await real.replace(key, value, toReal(key, version), expiresAt)),
      delete: deleting((key, version) => (version === undefined ? real.delete(key) : real.delete(key, toReal(key, version)))),
    }
  },
})

export const versionMutants: readonly Mutant[] = [
  versioned('counts from 1 again after a delete', 'a record that is deleted and made again', (key, _value, count) => `${key} ${count}`),
  versioned('counts from 1 again after the end', 'a record that expired and was made again', (key, _value, count) => `${key} ${count}`),
  versioned('is a hash of the value', 'no two writes share one', (key, value) => `${key} ${value}`),
  versioned('counts for each key', 'no two writes share one, of different keys either', (_key, _value, count) => `${count}`),
]

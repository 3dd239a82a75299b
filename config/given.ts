import type { Origin } from './origin.js'
import type { SettingName, SettingValues } from './table.js'

/** A value, checked, and where it came from. */
export interface Given<V = unknown> {
  readonly value: V
  readonly origin: Origin
}

/** What was given, by TypeScript name: `timeout`, `memory.maxSessions`. */
export type GivenSettings = ReadonlyMap<string, Given>

export const getGiven = <N extends SettingName>(given: GivenSettings, name: N): Given<SettingValues[N]> | undefined =>
  given.get(name) as Given<SettingValues[N]> | undefined

/** Settings that say the same thing in different ways: one that overrides takes the place of all of them. */
const alternatives: readonly (readonly SettingName[])[] = [
  ['secret', 'secretFile', 'validateKey'],
  ['dataDir', 'cacheDir'],
]

/** What was meant for one type is not for another that takes its place. */
const ofTheType: readonly SettingName[] = ['url', 'cache']

export const override = (given: GivenSettings, overrides: GivenSettings): GivenSettings => {
  const kept = new Map(given)
  for (const group of alternatives) {
    if (group.some(name => overrides.has(name))) for (const name of group) kept.delete(name)
  }
  if (overrides.has('type') && overrides.get('type')!.value !== given.get('type')?.value) for (const name of ofTheType) kept.delete(name)
  return new Map([...kept, ...overrides])
}

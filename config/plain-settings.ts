import type { Given, GivenSettings } from './given.js'
import { inTypeScript } from './notation.js'
import type { OptionTables } from './option-tables.js'
import { unfit } from './origin.js'
import type { SettingsInput } from './table.js'
import { targetsIn } from './targets.js'
import { unknownName } from './unknown-name.js'

/** What a person wrote, checked value by value. Throws `ConfigError` naming the setting at the first fault. */
export const readPlainSettings = (input: SettingsInput, tables: OptionTables): GivenSettings => {
  const targets = targetsIn(inTypeScript, tables)
  const given = new Map<string, Given>()
  for (const [name, value] of flatten(input, tables)) {
    const origin = { setting: name }
    const target = targets.get(name)
    if (target === undefined) throw unknownName(origin, name, inTypeScript, tables)
    if (value !== undefined) given.set(name, { value: target.kind.check(value, origin), origin })
  }
  return given
}

/** `{ memory: { maxSessions: 1 } }` → `['memory.maxSessions', 1]` */
const flatten = (input: SettingsInput, tables: OptionTables): [string, unknown][] =>
  Object.entries(input).flatMap(([name, value]): [string, unknown][] => {
    if (!Object.hasOwn(tables, name)) return [[name, value]]
    if (value === undefined) return []
    if (typeof value !== 'object' || value === null) throw unfit({ setting: name }, 'an object with options of the backend', value)
    return Object.entries(value).map(([option, given]) => [`${name}.${option}`, given])
  })

import type { Kind } from './kinds.js'
import { inIni, inTypeScript, type Notation } from './notation.js'
import { kindOfOption, type OptionTables } from './option-tables.js'
import { table, type SettingName } from './table.js'

/** A setting, or an option of a backend, that a value can be given to. */
export interface Target {
  /** Its name in TypeScript: `cookieDomain`, `memory.maxSessions`. */
  readonly id: string
  readonly kind: Kind<unknown>
  readonly typeScriptOnly: boolean
  written(notation: Notation): string
}

export const settingNames: readonly SettingName[] = Object.keys(table) as SettingName[]

export const targetsOf = (tables: OptionTables): Target[] => [
  ...settingNames.map(settingTarget),
  ...Object.entries(tables).flatMap(([type, options]) => Object.keys(options).map(name => optionTarget(type, name, tables))),
]

/** What may be written there, by how it is written. */
export const targetsIn = (notation: Notation, tables: OptionTables): ReadonlyMap<string, Target> => {
  const usable = targetsOf(tables).filter(target => notation !== inIni || !target.typeScriptOnly)
  return new Map(usable.map(target => [target.written(notation), target]))
}

const settingTarget = (name: SettingName): Target => ({
  id: name,
  kind: table[name].kind,
  typeScriptOnly: table[name].ini === undefined,
  written: notation => notation.setting(name),
})

const optionTarget = (type: string, name: string, tables: OptionTables): Target => ({
  id: inTypeScript.option(type, name),
  kind: kindOfOption(tables[type]![name]!),
  typeScriptOnly: false,
  written: notation => notation.option(type, name),
})

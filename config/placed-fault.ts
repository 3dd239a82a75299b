import { placedAt, SettingError } from '../src/errors.js'
import { inIni, inTypeScript } from './notation.js'
import type { OptionTables } from './option-tables.js'
import { givenBy, SettingsSource } from './settings-source.js'
import { targetFinder, type Target } from './targets.js'

/** A fault that shows only when a setting is put to use, told of it as its author wrote it: in the INI file, with the place there. */
export const placedFault = (error: unknown, input: unknown, overrides: object = {}, tables: OptionTables = {}): unknown => {
  if (!(error instanceof SettingError) || error.file !== undefined || error.setting === undefined) return error
  const target = targetOf(error.setting, tables)
  if (target === undefined) return error
  if (!(input instanceof SettingsSource) || holds(overrides, target.id)) return placedAt(error, { setting: target.id })
  return placedAt(error, givenBy(input).get(target.id)?.origin ?? { setting: target.written(inIni), file: input.file })
}

/** Those who found the fault may have written the setting in either way. */
const targetOf = (setting: string, tables: OptionTables): Target | undefined =>
  targetFinder(inTypeScript, tables)(setting) ?? targetFinder(inIni, tables)(`session.${setting.replace(/^session\./, '')}`)

const holds = (input: object, id: string): boolean => {
  const value = id.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], input)
  return value !== undefined
}

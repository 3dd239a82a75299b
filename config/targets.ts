import { isBackendName } from './backend-kinds.js'
import type { Kind } from './kinds.js'
import { inIni, inTypeScript, type Notation } from './notation.js'
import { kindOfOption, type OptionTables } from './option-tables.js'
import { table, type SettingName } from './table.js'

/** A setting, or an option of a backend, that a value can be given to. */
export interface Target {
  /** Its name in a program: `cookieDomain`, `memory.maxSessions`, `backends.front.url`. */
  readonly id: string
  readonly kind: Kind<unknown>
  readonly typeScriptOnly: boolean
  /** Each of `session.backends` has one of its own, too. */
  readonly isPerBackend: boolean
  written(notation: Notation): string
}

export const settingNames: readonly SettingName[] = Object.keys(table) as SettingName[]

export const targetsOf = (tables: OptionTables): Target[] => [
  ...settingNames.map(settingTarget),
  ...Object.entries(tables).flatMap(([type, options]) => Object.keys(options).map(name => optionTarget(type, name, tables))),
]

/** Finds what may be written there, by how it is written. */
export const targetFinder = (notation: Notation, tables: OptionTables): ((written: string) => Target | undefined) => {
  const usable = targetsOf(tables).filter(target => notation !== inIni || !target.typeScriptOnly)
  const targets = new Map(usable.map(target => [target.written(notation), target]))
  return written => {
    const { backend, rest } = partsOf(written)
    if (backend === undefined) return targets.get(written)
    const target = targets.get(rest)
    return target?.isPerBackend === true ? targetAt(backend, target) : undefined
  }
}

/** `session.backends.front.url` → `front`, `session.url` */
export const partsOf = (written: string): { readonly backend?: string; readonly rest: string } => {
  const [, prefix = '', backend, rest] = /^(session\.)?backends\.([^.]*)\.(.+)$/.exec(written) ?? []
  return backend === undefined || !isBackendName(backend) ? { rest: written } : { backend, rest: prefix + rest! }
}

const targetAt = (backend: string, target: Target): Target => ({
  ...target,
  id: target.written(inTypeScript.at(backend)),
  isPerBackend: false,
  written: notation => target.written(notation.at(backend)),
})

const settingTarget = (name: SettingName): Target => ({
  id: name,
  kind: table[name].kind,
  typeScriptOnly: table[name].ini === undefined,
  isPerBackend: table[name].isPerBackend === true,
  written: notation => notation.setting(name),
})

const optionTarget = (type: string, name: string, tables: OptionTables): Target => {
  const row = tables[type]![name]!
  return {
    id: inTypeScript.option(type, name),
    kind: kindOfOption(row),
    typeScriptOnly: row.type === 'object',
    isPerBackend: true,
    written: notation => notation.option(type, name),
  }
}

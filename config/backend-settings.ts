import { reveal } from '../src/hidden.js'
import type { BackendSettings } from '../src/settings.js'
import type { GivenSettings } from './given.js'
import { inTypeScript } from './notation.js'
import { camelCase, type OptionTables } from './option-tables.js'
import { fault } from './origin.js'
import { readPlainBackend } from './plain-settings.js'
import type { SettingName, SettingValues } from './table.js'
import { partsOf } from './targets.js'

/** What a backend has when nothing was written of it. */
type Defaults = Pick<BackendSettings, 'namespace'> & Partial<Pick<BackendSettings, 'type' | 'dataDir'>>

/** What was given of the backend whose settings begin with `path`: nothing for the main one, `backends.front.` for one of the others. */
export const backendSettings = (given: GivenSettings, path: string, defaults: Defaults, tables: OptionTables): BackendSettings => {
  const value = <N extends SettingName>(name: N): SettingValues[N] | undefined => given.get(path + name)?.value as SettingValues[N] | undefined
  return Object.freeze({
    type: value('type') ?? defaults.type ?? refuse(given, path),
    url: value('url'),
    namespace: value('namespace') ?? defaults.namespace,
    dataDir: value('dataDir') ?? defaults.dataDir,
    lockDir: value('lockDir'),
    backendOptions: completeOptions(given, path, tables),
  })
}

export const namedBackends = (given: GivenSettings, defaults: Defaults, tables: OptionTables): Readonly<Record<string, BackendSettings>> => {
  const names = new Set([...given.keys()].flatMap(id => partsOf(id).backend ?? []))
  return Object.freeze(Object.fromEntries([...names].map(name => [name, backendSettings(given, `backends.${name}.`, defaults, tables)])))
}

/** What a program wrote of a backend where another was to be named. Faults are told of `place`: `migrating.from.url`. */
export const backendFrom = (input: object, place: string, defaults: Defaults, tables: OptionTables): BackendSettings =>
  backendSettings(readPlainBackend(input, place, tables), `${place}.`, defaults, tables)

/** The same words, so that both would keep their records under the same keys. */
export const isSameStore = (one: BackendSettings, other: BackendSettings): boolean =>
  one.type === other.type && reveal(one.url) === reveal(other.url) && one.namespace === other.namespace && one.dataDir === other.dataDir
  && optionsOf(one).every((value, index) => value === optionsOf(other)[index])

const optionsOf = ({ type, backendOptions }: BackendSettings): unknown[] => {
  const word = typeof type === 'string' ? type : (type as { readonly type?: unknown }).type
  return Object.values(backendOptions[String(word)] ?? {}).map(reveal)
}

const refuse = (given: GivenSettings, path: string): never => {
  const [, { origin } = { origin: undefined }] = [...given].find(([id]) => id.startsWith(path)) ?? []
  throw fault({ ...origin, setting: `${origin?.file === undefined ? '' : 'session.'}${path}type` }, 'required: the type of this backend')
}

const completeOptions = (given: GivenSettings, path: string, tables: OptionTables): BackendSettings['backendOptions'] => {
  const byType = Object.entries(tables).map(([type, options]) => {
    const values = Object.entries(options).map(([name, row]) => {
      const id = path + inTypeScript.option(type, name)
      return [camelCase(name), given.has(id) ? given.get(id)!.value : row.default]
    })
    return [type, Object.freeze(Object.fromEntries(values))]
  })
  return Object.freeze(Object.fromEntries(byType))
}

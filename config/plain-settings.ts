import { backendName, backendsByName } from './backend-kinds.js'
import type { Given, GivenSettings } from './given.js'
import { inTypeScript } from './notation.js'
import type { OptionTables } from './option-tables.js'
import { unfit } from './origin.js'
import type { SettingsInput } from './table.js'
import { targetFinder } from './targets.js'
import { unknownName } from './unknown-name.js'

/** What a person wrote, checked value by value. Throws `ConfigError` naming the setting at the first fault. */
export const readPlainSettings = (input: SettingsInput, tables: OptionTables): GivenSettings =>
  check(flatten(Object.entries(input), tables), '', tables)

/** The same of one backend, where `place` is what it was written for. */
export const readPlainBackend = (input: object, place: string, tables: OptionTables): GivenSettings =>
  check(flatten(Object.entries(input), tables), `${place}.`, tables)

const check = (written: readonly [string, unknown][], path: string, tables: OptionTables): GivenSettings => {
  const find = targetFinder(inTypeScript, tables)
  const given = new Map<string, Given>()
  for (const [name, value] of written) {
    const origin = { setting: path + name }
    const target = find(name)
    if (target === undefined || (path !== '' && !target.isPerBackend)) throw unknownName(origin, name, inTypeScript, tables)
    if (value !== undefined) given.set(path + name, { value: target.kind.check(value, origin), origin })
  }
  return given
}

/** `{ memory: { maxSessions: 1 } }` → `['memory.maxSessions', 1]`, `{ backends: { front: { url } } }` → `['backends.front.url', url]` */
const flatten = (entries: readonly [string, unknown][], tables: OptionTables, path = ''): [string, unknown][] =>
  entries.flatMap(([name, value]): [string, unknown][] => {
    const at = path + name
    if (at === 'backends') return backendsIn(value).flatMap(([setting, backend]) => flatten(backend, tables, `${setting}.`))
    if (!Object.hasOwn(tables, name)) return [[at, value]]
    const options = entriesOf(value, () => { throw unfit({ setting: at }, 'an object with options of the backend', value) })
    return options.map(([option, given]) => [`${at}.${option}`, given])
  })

const backendsIn = (value: unknown): [string, [string, unknown][]][] =>
  entriesOf(value, () => backendsByName.check(value, { setting: 'backends' })).map(([name, backend]) => {
    const setting = `backends.${backendName.check(name, { setting: 'backends' })}`
    return [setting, entriesOf(backend, () => { throw unfit({ setting }, 'an object with the settings of the backend', backend) })]
  })

const entriesOf = (value: unknown, refuse: () => never): [string, unknown][] => {
  if (value === undefined) return []
  return typeof value === 'object' && value !== null ? Object.entries(value) : refuse()
}

import { camelCase } from './option-tables.js'
import { table, type SettingName } from './table.js'

/** How the names of settings are written in one place. */
export interface Notation {
  readonly place: string
  setting(name: SettingName): string
  /** A backend's own option, by the name in its table. */
  option(type: string, name: string): string
  /** The same place, where what belongs to a backend is that of the one of this name. */
  at(backend: string): Notation
}

const namesInIni = (path: string): Notation => ({
  place: 'in an INI file',
  setting: name => {
    const { ini, isPerBackend = false } = table[name]
    return ini === undefined ? name : `session.${isPerBackend ? path : ''}${ini}`
  },
  option: (type, name) => `session.${path}${type}.${name}`,
  at: backend => namesInIni(`backends.${backend}.`),
})

const namesInTypeScript = (path: string): Notation => ({
  place: 'in a program',
  setting: name => (table[name].isPerBackend === true ? path : '') + name,
  option: (type, name) => `${path}${type}.${camelCase(name)}`,
  at: backend => namesInTypeScript(`backends.${backend}.`),
})

/** `session.cookie_domain`, `session.memory.max_sessions`, `session.backends.front.url` */
export const inIni: Notation = namesInIni('')

/** `cookieDomain`, `memory.maxSessions`, `backends.front.url` */
export const inTypeScript: Notation = namesInTypeScript('')

import { camelCase } from './option-tables.js'
import { table, type SettingName } from './table.js'

/** How the names of settings are written in one place. */
export interface Notation {
  readonly place: string
  setting(name: SettingName): string
  /** A backend's own option, by the name in its table. */
  option(type: string, name: string): string
}

/** `session.cookie_domain`, `session.memory.max_sessions` */
export const inIni: Notation = {
  place: 'in an INI file',
  setting: name => (table[name].ini === undefined ? name : `session.${table[name].ini}`),
  option: (type, name) => `session.${type}.${name}`,
}

/** `cookieDomain`, `memory.maxSessions` */
export const inTypeScript: Notation = {
  place: 'in TypeScript',
  setting: name => name,
  option: (type, name) => `${type}.${camelCase(name)}`,
}

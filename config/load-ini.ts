import { fileURLToPath } from 'node:url'
import type { Given } from './given.js'
import { readIniFile } from './ini-file.js'
import type { IniSection } from './ini-section.js'
import { inIni } from './notation.js'
import type { OptionTables } from './option-tables.js'
import { fault, type Origin } from './origin.js'
import { SettingsSource } from './settings-source.js'
import { targetFinder, type Target } from './targets.js'
import { unknownName } from './unknown-name.js'

export interface LoadIniOptions {
  /** Default `app:main`. */
  readonly section?: string | undefined
}

/**
 * Reads the keys `session.*` and `beaker.session.*` of one section, what `[DEFAULT]` holds included, and `cache_dir`, which
 * Pylons writes without a prefix and which counts where the sessions have none of their own. All other keys are others'.
 *
 * Relative paths start at the file's directory. Throws `ConfigError` with file, line and setting at the first fault.
 * `tables` holds the backends' own options.
 */
export const loadIni = (path: string | URL, options: LoadIniOptions = {}, tables: OptionTables = {}): SettingsSource => {
  const section = readIniFile(iniPath(path)).section(options.section ?? 'app:main')
  return new SettingsSource(section.file.path, section.name, readSettings(section, tables))
}

export const iniPath = (path: string | URL): string => {
  if (typeof path !== 'string' && !(path instanceof URL)) throw new TypeError('expected the path of an INI file')
  return typeof path === 'string' ? path : fileURLToPath(path)
}

const readSettings = (section: IniSection, tables: OptionTables): Map<string, Given> => {
  const find = targetFinder(inIni, tables)
  const given = new Map<string, Given>()
  for (const key of section.keys) {
    const name = settingOf(key)
    if (name === undefined) continue
    const target = find(name)
    if (target === undefined) throw unknownName(originOf(key, section), name, inIni, tables)
    const other = given.get(target.id)?.origin
    if (other !== undefined) throw fault(originOf(key, section), `is there already, as ${other.setting} on line ${other.line}`)
    given.set(target.id, readValue(key, section, target))
  }
  addSharedCacheDir(given, section, find)
  return given
}

/** `beaker.session.timeout` and `session.timeout` are one setting; `Session.timeout` is a slip, and other keys are none of ours. */
export const settingOf = (key: string): string | undefined => /^(?:beaker\.)?(session\..*)$/i.exec(key)?.[1]

const addSharedCacheDir = (given: Map<string, Given>, section: IniSection, find: (name: string) => Target | undefined): void => {
  if (given.has('cacheDir') || section.line('cache_dir') === undefined) return
  given.set('cacheDir', readValue('cache_dir', section, find('session.cache_dir')!))
}

const readValue = (key: string, section: IniSection, target: Target): Given => {
  const { text, fromEnvironment } = section.text(key)!
  const shown = fromEnvironment ? `what ${section.raw(key)} stands for` : undefined
  const origin = { ...originOf(key, section), shown }
  return Object.freeze({ value: target.kind.check(target.kind.read(text), origin), origin: Object.freeze(origin) })
}

const originOf = (key: string, section: IniSection): Origin => ({
  setting: key,
  file: section.file.path,
  line: section.line(key),
  base: section.file.directory,
})

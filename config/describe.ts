import { inIni, inTypeScript } from './notation.js'
import { kindOfOption, type OptionTables } from './option-tables.js'
import { table } from './table.js'
import { settingNames } from './targets.js'
import type { OptionRow } from '../src/namespace-manager.js'

/** One setting, or one option of a backend, in words. */
interface Description {
  /** As written in an INI file; absent: in a program only. */
  readonly ini: string | undefined
  readonly typeScript: string
  readonly type: string
  readonly default: string
  readonly sentence: string
  /** What `development.ini` shows after the "=". */
  readonly shown: string
}

/** What the demonstration needs; everything else in `development.ini` is a comment. */
const live: ReadonlyMap<string, string> = new Map([
  ['session.type', 'file'],
  ['session.data_dir', '%(here)s/data'],
  ['session.secret_file', '%(here)s/data/secret'],
  ['session.secure', 'auto'],
])

const opening = `# Settings for development: every one there is, with its default. Take the "#" off a line to change it.
# docs/options.md tells more. For production, write session.secure = true.

[app:main]
`

/** The text of `development.ini`. */
export const describeIni = (tables: OptionTables): string =>
  [opening, ...[...settings(), ...options(tables)].filter(({ ini }) => ini !== undefined).map(iniLines)].join('\n')

const iniLines = ({ ini, type, sentence, shown, default: fallback }: Description): string => {
  const line = live.has(ini!) ? `${ini} = ${live.get(ini!)}` : `#${ini} = ${shown}`
  return `# ${sentence}\n# Expects ${type}. Default: ${fallback}.\n${line.trimEnd()}\n`
}

/** The tables of `docs/options.md`, in Markdown. */
export const describeTables = (tables: OptionTables): string => {
  const byType = Object.keys(tables).map(type => [`### Options of \`${type}\``, markdown(options({ [type]: tables[type]! }))])
  return [['### Settings', markdown(settings())], ...byType].map(parts => parts.join('\n\n')).join('\n\n')
}

const markdown = (descriptions: readonly Description[]): string => {
  if (descriptions.length === 0) return 'None.'
  const rows = descriptions.map(({ ini, typeScript, type, default: fallback, sentence }) =>
    [ini === undefined ? '–' : `\`${ini}\``, `\`${typeScript}\``, type, fallback, sentence])
  return [['in an INI file', 'in a program', 'type', 'default', ''], ['---', '---', '---', '---', '---'], ...rows]
    .map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

const settings = (): Description[] => settingNames.map(name => {
  const { ini, kind, default: value, defaultNote, example, sentence } = table[name]
  return {
    ini: ini === undefined ? undefined : inIni.setting(name),
    typeScript: name,
    type: kind.label,
    default: defaultNote ?? (value === undefined ? 'none' : String(value)),
    sentence,
    shown: example ?? String(value),
  }
})

const options = (tables: OptionTables): Description[] => Object.entries(tables).flatMap(([type, rows]) =>
  Object.entries(rows).map(([name, row]) => ({
    ini: row.type === 'object' ? undefined : inIni.option(type, name),
    typeScript: inTypeScript.option(type, name),
    type: kindOfOption(row).label,
    default: row.default === undefined ? 'none' : String(row.default),
    sentence: row.sentence,
    shown: row.default === undefined ? exampleOf(row) : String(row.default),
  })))

const exampleOf = ({ type, least = 1 }: OptionRow): string => {
  switch (type) {
    case 'boolean': return 'false'
    case 'count': case 'seconds': return String(least)
    case 'backend': return 'NAME'
    default: return ''
  }
}

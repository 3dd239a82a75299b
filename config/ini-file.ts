import { parse } from 'ini'
import { dirname, resolve } from 'node:path'
import { readIniLines, type IniLine } from './ini-lines.js'
import { IniSection, type IniEntry } from './ini-section.js'
import { fault } from './origin.js'
import { readTextFile } from './read-text-file.js'

/** An INI file of `[sections]` with `key = value` lines. What it refuses is a `ConfigError` with file and line. */
export class IniFile {
  /** As it was given, for errors. */
  readonly path: string
  readonly directory: string
  readonly #sections: ReadonlyMap<string, ReadonlyMap<string, IniEntry>>
  readonly #numbers: ReadonlyMap<string, number>

  constructor(path: string, text: string) {
    this.path = path
    this.directory = dirname(resolve(path))
    const lines = readIniLines(text, path)
    this.#numbers = numberLines(lines, path)
    this.#sections = readSections(lines, this.#numbers)
  }

  get sections(): string[] {
    return [...this.#sections.keys()].filter(name => name !== 'DEFAULT')
  }

  /** The section, with what `[DEFAULT]` holds and it does not. Throws `ConfigError`, naming the sections there are. */
  section(name: string): IniSection {
    const own = this.#sections.get(name)
    if (own === undefined) {
      const there = this.sections.map(section => `[${section}]`).join(', ')
      throw fault({ file: this.path }, `there is no section [${name}]; there ${there === '' ? 'is none at all' : `are: ${there}`}`)
    }
    return new IniSection(this, { name, line: this.#numbers.get(idOf(name))! }, own, this.#sections.get('DEFAULT'))
  }
}

export const readIniFile = (path: string): IniFile => new IniFile(path, readTextFile(resolve(path), { file: path }))

/**
 * The `ini` package keeps no lines, cuts values at "#" and ";", and splits sections at dots. So it is handed lines that
 * are checked, and quoted so that it takes each as it stands; their numbers are remembered beside it.
 */
const readSections = (lines: readonly IniLine[], numbers: ReadonlyMap<string, number>): Map<string, Map<string, IniEntry>> => {
  const sections: Record<string, Record<string, unknown>> = parse(lines.map(quote).join('\n'))
  return new Map(Object.entries(sections).map(([section, values]) => [section, entriesOf(section, values, numbers)]))
}

const entriesOf = (section: string, values: Record<string, unknown>, numbers: ReadonlyMap<string, number>): Map<string, IniEntry> =>
  // `ini` makes true, false and null of their words, even quoted ones
  new Map(Object.entries(values).map(([key, value]) => [key, { raw: String(value), line: numbers.get(idOf(section, key))! }]))

const quote = (line: IniLine): string => {
  if ('section' in line) return `[${JSON.stringify(line.section.replaceAll('.', '\\.'))}]`
  return `${JSON.stringify(line.key)} = ${JSON.stringify(line.raw)}`
}

/** The line of each section and key. Refuses those that come twice, and keys before the first section. */
const numberLines = (lines: readonly IniLine[], file: string): Map<string, number> => {
  const numbers = new Map<string, number>()
  let section: string | undefined
  for (const line of lines) {
    if ('section' in line) section = line.section
    else if (section === undefined) throw fault({ file, line: line.line }, `${line.key} stands before the first [section]`)
    const id = 'section' in line ? idOf(line.section) : idOf(section!, line.key)
    const first = numbers.get(id)
    const name = 'section' in line ? `[${line.section}]` : line.key
    if (first !== undefined) throw fault({ file, line: line.line }, `${name} is there twice, first on line ${first}`)
    numbers.set(id, line.line)
  }
  return numbers
}

/** Neither names nor keys hold a line end. */
const idOf = (section: string, key = ''): string => `${section}\n${key}`

import { fault } from './origin.js'

export interface IniEntry {
  /** As it stands after the "=", comment and quotes included. */
  readonly raw: string
  readonly line: number
}

export interface IniText {
  readonly text: string
  /** It holds the value of an environment variable, which no error should show. */
  readonly fromEnvironment: boolean
}

/** The file that a section belongs to. */
export interface IniPlace {
  readonly path: string
  readonly directory: string
}

/** No sound file gets near these: they end what grows by naming itself. */
const deepest = 10
const longest = 65_536

export interface IniHead {
  readonly name: string
  readonly line: number
}

/** A section's values, each read when asked for, so that a fault in a line nobody asks for harms nobody. */
export class IniSection {
  readonly file: IniPlace
  readonly name: string
  /** Where its head stands. */
  readonly headLine: number
  /** The keys that stand in the section itself. */
  readonly ownKeys: readonly string[]
  readonly #entries: ReadonlyMap<string, IniEntry>
  readonly #texts = new Map<string, IniText>()

  constructor(file: IniPlace, head: IniHead, own: ReadonlyMap<string, IniEntry>, defaults: ReadonlyMap<string, IniEntry> = new Map()) {
    this.file = file
    this.name = head.name
    this.headLine = head.line
    this.ownKeys = [...own.keys()]
    this.#entries = new Map([...defaults, ...own])
  }

  /** What `[DEFAULT]` holds included. */
  get keys(): string[] {
    return [...this.#entries.keys()]
  }

  line(key: string): number | undefined {
    return this.#entries.get(key)?.line
  }

  raw(key: string): string | undefined {
    return this.#entries.get(key)?.raw
  }

  /** The value, without comment and quotes, with all references put in; `undefined` when there is none. */
  text(key: string): IniText | undefined {
    return this.#read(key, [])
  }

  /** `trail`: the keys that led here, each naming the next. */
  #read(key: string, trail: readonly string[]): IniText | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    let text = this.#texts.get(key)
    if (text === undefined) this.#texts.set(key, (text = this.#expand(key, entry, [...trail, key])))
    return text
  }

  #expand(key: string, entry: IniEntry, trail: readonly string[]): IniText {
    const refuse: Refuse = message => fault({ setting: key, file: this.file.path, line: entry.line }, message)
    let fromEnvironment = false
    let length = 0
    const put = (part: string): string => {
      if ((length += part.length) > longest) throw refuse(`more than ${longest} characters, references put in`)
      return part
    }
    const text = unquote(entry.raw, refuse).replaceAll(reference, (whole, variable?: string, environment?: string) => {
      if (environment !== undefined) {
        fromEnvironment = true
        return put(fromProcess(environment, refuse))
      }
      if (variable === undefined) return literal(whole, refuse)
      const found = this.#refer(variable, trail, refuse)
      fromEnvironment ||= found.fromEnvironment
      return put(found.text)
    })
    return { text, fromEnvironment }
  }

  #refer(variable: string, trail: readonly string[], refuse: Refuse): IniText {
    if (trail.includes(variable)) throw refuse(`%(${variable})s leads back to itself`)
    if (trail.length >= deepest) throw refuse(`%(${variable})s is more than ${deepest} references deep`)
    const found = this.#read(variable, trail)
    if (found !== undefined) return found
    if (variable === 'here') return { text: this.file.directory, fromEnvironment: false }
    throw refuse(`%(${variable})s: there is no ${JSON.stringify(variable)} in [${this.name}] or [DEFAULT]`)
  }
}

type Refuse = (message: string) => Error

/** All in one pass: what is put in is not looked at again, so a secret from the environment may hold any of this. */
const reference = /%\(([^()]*)\)s|\$\{([^{}]*)\}|%%|%\(|\$\$\{|\$\{/g

const literal = (whole: string, refuse: Refuse): string => {
  if (whole === '%%') return '%'
  if (whole === '$${') return '${'
  throw refuse(whole === '%(' ? '"%(" without ")s": %%( stands for a plain one' : '"${" without "}": $${ stands for a plain one')
}

const fromProcess = (variable: string, refuse: Refuse): string => {
  if (!/^[A-Za-z_]\w*$/.test(variable)) throw refuse('"${" without the name of a variable: $${ stands for a plain one')
  const value = process.env[variable]
  if (typeof value !== 'string') throw refuse(`the environment variable ${variable} is not set`)
  return value
}

/**
 * A comment starts at a "#" or ";" after a blank. Between double quotes stands what JSON reads there, between single
 * ones what stands there; a comment may follow.
 */
const unquote = (raw: string, refuse: Refuse): string => {
  if (!/^["']/.test(raw)) return raw.replace(/(?:^|\s)[#;].*$/, '').trimEnd()
  const [, double, single] = /^(?:("(?:[^"\\]|\\.)*")|'([^']*)')(?:\s*$|\s+[#;])/.exec(raw) ?? []
  if (single !== undefined) return single
  try {
    return JSON.parse(double!) as string
  } catch {
    throw refuse('quotes that do not match, or a "\\" between double ones that JSON does not know')
  }
}

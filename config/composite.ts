import { isAbsolute, resolve } from 'node:path'
import type { AppPart, MapPart, ModuleUse, Part, SessionPart } from '../src/composite.js'
import type { ConfigErrorDetails } from '../src/errors.js'
import { readUrlPrefix } from '../src/url-prefix.js'
import { readIniFile, type IniFile } from './ini-file.js'
import type { IniSection } from './ini-section.js'
import { settingOf } from './load-ini.js'
import { fault, unfit } from './origin.js'
import { originOf, ownText, placeOf } from './own-text.js'
import { adviceForKey, adviceForUse, wordFor } from './paste-words.js'

/**
 * Reads what an INI file in Paste's form describes: the application `section`, by its name (`main`) or its whole head (`composite:main`),
 * and all that it leads to. Throws `ConfigError` with file and line.
 */
export const readComposite = (path: string, section: string): Part => new Composite(readIniFile(path)).root(section)

const APPLICATIONS = ['app', 'application', 'composite', 'composit', 'filter-app', 'pipeline'] as const
const FILTERS = ['filter'] as const

/** No sound file gets near it. */
const deepest = 100

const expected = {
  app: 'a module with a handler, such as ./apps/home.js',
  map: 'urlmap',
  filter: 'session, or a module with a filter, such as ./filters/log.js',
}

class Composite {
  readonly #file: IniFile
  readonly #applications = new Map<string, Part>()

  constructor(file: IniFile) {
    this.#file = file
  }

  root(name: string): Part {
    const place = { file: this.#file.path }
    if (!name.includes(':')) return this.#application(name, place, [])
    const { name: head } = this.#file.section(name)
    if (!APPLICATIONS.some((kind) => head.startsWith(`${kind}:`))) throw fault(place, `[${head}] is no application`)
    return this.#read(head, place, [])
  }

  #application(name: string, place: ConfigErrorDetails, trail: readonly string[]): Part {
    return this.#read(this.#find(name, APPLICATIONS, place), place, trail)
  }

  #find(name: string, kinds: readonly string[], place: ConfigErrorDetails): string {
    const heads = kinds.map((kind) => `${kind}:${name}`)
    const there = heads.filter((head) => this.#file.sections.includes(head))
    if (there.length > 1) throw fault(place, `${there.map(bracketed).join(' and ')} have the same name`)
    return there[0] ?? this.#missing(kinds, name, place)
  }

  #missing(kinds: readonly string[], name: string, place: ConfigErrorDetails): never {
    const there = this.#file.sections.filter((head) => kinds.some((kind) => head.startsWith(`${kind}:`)))
    const list = there.length === 0 ? 'none of this kind' : there.map(bracketed).join(', ')
    throw fault(place, `there is no ${kinds === FILTERS ? 'filter' : 'application'} named ${JSON.stringify(name)}; there are: ${list}`)
  }

  /** `trail`: the sections that led here, each naming the next. */
  #read(head: string, place: ConfigErrorDetails, trail: readonly string[]): Part {
    if (trail.includes(head)) throw fault(place, `leads back to where it came from: ${[...trail, head].map(bracketed).join(', ')}`)
    if (trail.length >= deepest) throw fault(place, `more than ${deepest} sections deep`)
    let part = this.#applications.get(head)
    if (part === undefined) {
      const section = this.#file.section(head)
      refuseForeignKeys(section)
      part = this.#readAs(head.slice(0, head.indexOf(':')), section, [...trail, head])
      this.#applications.set(head, part)
    }
    return part
  }

  #readAs(kind: string, section: IniSection, trail: readonly string[]): Part {
    if (kind === 'filter-app') return this.#filterApp(section, trail)
    if (kind === 'pipeline') return underItsSession(section, this.#pipeline(section, trail))
    return underItsSession(section, kind.startsWith('composit') ? this.#map(section, trail) : app(section))
  }

  #map(section: IniSection, trail: readonly string[]): MapPart {
    if (readUse(section, ['urlmap'], expected.map) !== 'urlmap') throw unfitUse(section, expected.map)
    const routes = new Map<string, Part>()
    for (const key of otherKeys(section, 'use')) {
      const prefix = prefixOf(section, key)
      if (routes.has(prefix)) throw fault(placeOf(section, key), 'is there twice: slashes at the end make no difference')
      routes.set(prefix, this.#application(ownText(section, key)!, placeOf(section, key), trail))
    }
    if (routes.size === 0) throw fault(placeOf(section, 'use'), 'urlmap without a prefix, such as / = home')
    return { kind: 'map', routes }
  }

  #filterApp(section: IniSection, trail: readonly string[]): Part {
    const place = placeOf(section, 'next')
    const name = ownText(section, 'next')
    if (name === undefined) throw fault(place, 'is missing: the application that stands behind this')
    return filtered(section, this.#application(name, place, trail), 'next')
  }

  #pipeline(section: IniSection, trail: readonly string[]): Part {
    const place = placeOf(section, 'pipeline')
    const names = (ownText(section, 'pipeline') ?? '').split(/\s+/).filter((name) => name !== '')
    if (names.length === 0) throw fault(place, 'is missing: names of filters and, at the end, of an application')
    refuseKeys(section, 'pipeline')
    const filters = names.slice(0, -1).map((name) => this.#file.section(this.#find(name, FILTERS, place)))
    for (const filter of filters) refuseForeignKeys(filter)
    return filters.reduceRight((next, filter) => filtered(filter, next), this.#application(names.at(-1)!, place, trail))
  }
}

const bracketed = (head: string): string => `[${head}]`

const app = (section: IniSection): AppPart => {
  const use = readUse(section, [], expected.app)
  const module = moduleUse(section, use, otherKeys(section, 'use'))
  const [option] = Object.keys(module.options)
  if (option === undefined || module.isCalled) return { kind: 'app', module }
  throw fault(placeOf(section, option), `a handler takes no options; a factory is called with them: use = ${module.written}()`)
}

/** A `[filter-app:…]`, whose application is named by one of its keys, or a `[filter:…]` of a pipeline. */
const filtered = (section: IniSection, next: Part, ...keys: string[]): Part => {
  const use = readUse(section, ['session'], expected.filter)
  if (use === 'session') {
    refuseKeys(section, 'use', 'cache_dir', ...keys)
    return sessionOf(section, next)
  }
  const module = moduleUse(section, use, otherKeys(section, 'use', ...keys))
  if (module.isCalled) throw fault(placeOf(section, 'use'), `a filter is always called: write ${module.written.slice(0, -2)}`)
  return underItsSession(section, { kind: 'filter', module, next })
}

/** Sections that hold session settings themselves are under such a session. What is in `[DEFAULT]` is for those that have one. */
const underItsSession = (section: IniSection, part: Part): Part => (hasSettings(section) ? sessionOf(section, part) : part)

const sessionOf = (section: IniSection, next: Part): SessionPart =>
  ({ kind: 'session', section: section.name, place: placeOf(section, 'use'), next })

const hasSettings = (section: IniSection): boolean => section.ownKeys.some((key) => settingOf(key) !== undefined)

/** Own keys but these, and but those that are read as settings. */
const otherKeys = (section: IniSection, ...known: string[]): string[] =>
  section.ownKeys.filter((key) => settingOf(key) === undefined && !known.includes(key) && !(key === 'cache_dir' && hasSettings(section)))

const refuseKeys = (section: IniSection, ...known: string[]): void => {
  const [key] = otherKeys(section, ...known)
  if (key === undefined) return
  throw fault(placeOf(section, key), 'unknown here: settings of sessions are written session.NAME, and what %(NAME)s stands for in [DEFAULT]')
}

const refuseForeignKeys = (section: IniSection): void => {
  for (const key of section.ownKeys) {
    const advice = adviceForKey(key)
    if (advice !== undefined) throw fault(placeOf(section, key), advice)
  }
}

const prefixOf = (section: IniSection, key: string): string => {
  try {
    return readUrlPrefix(key)
  } catch (error) {
    throw fault(placeOf(section, key), (error as TypeError).message, error)
  }
}

/** One of the words, or the path of a module with what stands behind it. */
const readUse = (section: IniSection, words: readonly string[], wanted: string): string => {
  const text = ownText(section, 'use')
  if (text === undefined) throw fault(placeOf(section, 'use'), `is missing: expected ${wanted}`)
  const word = wordFor(text)
  if (words.includes(word) || /^\.{1,2}[/\\]/.test(text) || isAbsolute(text)) return word
  throw unfitUse(section, wanted)
}

const unfitUse = (section: IniSection, wanted: string): Error => {
  const { text } = section.text('use')!
  return unfit(originOf(section, 'use'), wanted, text, adviceForUse(text))
}

/** `%(here)s` may be in a directory such as `c#`: a name has no slash, and stands behind the last `#`. */
const USE = /^(.*?)(?:#([^#()\s/\\]+))?(\(\))?$/

const moduleUse = (section: IniSection, written: string, keys: readonly string[]): ModuleUse => {
  const [, path = '', name = 'default', call] = USE.exec(written)!
  const options = Object.fromEntries(keys.map((key) => [key, ownText(section, key)!]))
  return { written, path: resolve(section.file.directory, path), name, isCalled: call !== undefined, options, place: placeOf(section, 'use') }
}

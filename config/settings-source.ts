import { inspect } from 'node:util'
import type { GivenSettings } from './given.js'

let readGiven: (source: SettingsSource) => GivenSettings

/** The settings of one section of an INI file, checked one by one, and where each stands. Prints without secrets. */
export class SettingsSource {
  /** As it was given to `loadIni`. */
  readonly file: string
  readonly section: string
  readonly #given: GivenSettings

  static {
    readGiven = source => source.#given
    Object.defineProperty(SettingsSource.prototype, inspect.custom, { value: print })
  }

  constructor(file: string, section: string, given: GivenSettings) {
    this.file = file
    this.section = section
    this.#given = given
    Object.freeze(this)
  }

  /** The file, the section, and each setting's value by its TypeScript name. */
  toJSON(): Record<string, unknown> {
    const settings = Object.fromEntries([...this.#given].map(([name, { value }]) => [name, value]))
    return { file: this.file, section: this.section, settings }
  }
}

function print(this: SettingsSource, _depth: number, options: object): string {
  return `SettingsSource ${inspect(this.toJSON(), options)}`
}

export const givenBy = (source: SettingsSource): GivenSettings => readGiven(source)

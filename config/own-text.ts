import type { Place } from '../src/composite.js'
import type { IniSection } from './ini-section.js'
import type { Origin } from './origin.js'

/** The value of a key that stands in the section itself: what is in `[DEFAULT]` is there to be referred to. */
export const ownText = (section: IniSection, key: string): string | undefined =>
  section.ownKeys.includes(key) ? section.text(key)!.text : undefined

/** Of a key that is missing, the place is the section's head. */
export const placeOf = (section: IniSection, key: string): Place =>
  ({ setting: key, file: section.file.path, line: section.ownKeys.includes(key) ? section.line(key) : section.headLine })

/** Of a value that is there. */
export const originOf = (section: IniSection, key: string): Origin =>
  ({ ...placeOf(section, key), shown: section.text(key)!.fromEnvironment ? section.raw(key) : undefined })

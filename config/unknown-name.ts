import type { ConfigError } from '../src/errors.js'
import { inIni, type Notation } from './notation.js'
import type { OptionTables } from './option-tables.js'
import { fault, type Origin } from './origin.js'
import { peerWords } from './peer-words.js'
import { partsOf, targetsOf, type Target } from './targets.js'

/** The error for a name that no setting has, with what to write instead. `written` is the name without a prefix of Beaker's. */
export const unknownName = (origin: Origin, written: string, notation: Notation, tables: OptionTables): ConfigError => {
  const { backend, rest } = partsOf(written.replace(/^session\./i, '').replace(/^backends\b/i, 'backends'))
  const advice = adviceFor(rest, backend === undefined ? notation : notation.at(backend), backend !== undefined, tables)
  return fault(origin, advice === undefined ? 'unknown setting' : `unknown setting; ${advice}`)
}

const adviceFor = (written: string, notation: Notation, isOfBackend: boolean, tables: OptionTables): string | undefined => {
  const targets = targetsOf(tables)
  const parts = written.split('.')
  const tail = parts.at(-1)!
  if (parts[0] === 'backends') return `${notation.setting('backends')} and the like, where NAME has letters, digits, _ and -`
  const option = spelling(targets.find(target => namesOf(target).some(name => name.endsWith(`.${plain(tail)}`))), notation)
  return (
    spelling(targets.find(target => isSpelling(target, written)), notation) ??
    (isOfBackend ? option : undefined) ??
    peerWords.get(plain(tail))?.(name => notation.setting(name)) ??
    spelling(targets.find(target => isSpelling(target, tail)), notation) ??
    (parts.length > 1 && !Object.hasOwn(tables, parts[0]!) ? unknownType(parts[0]!, tables) : undefined) ??
    option ??
    nearest(written, targets, notation)
  )
}

/** `cookie_domain`, `cookieDomain` and `COOKIE-DOMAIN` are one word. Parts stay parts. */
const plain = (word: string): string => word.toLowerCase().replaceAll(/[^a-z\d.]/g, '')

const isSpelling = (target: Target, word: string): boolean => namesOf(target).includes(plain(word))

const namesOf = (target: Target): string[] => [plain(target.id), plain(target.written(inIni).replace(/^session\./, ''))]

const spelling = (target: Target | undefined, notation: Notation): string | undefined => {
  if (target === undefined) return undefined
  return target.typeScriptOnly ? `only in a program: ${target.id}` : `${notation.place}: ${target.written(notation)}`
}

const unknownType = (type: string, tables: OptionTables): string =>
  `no backend ${JSON.stringify(type)} takes options; these do: ${Object.keys(tables).join(', ') || 'none'}`

/** Longer words are no slips of the hand. */
const longestWord = 64

const nearest = (written: string, targets: readonly Target[], notation: Notation): string | undefined => {
  const word = plain(written)
  if (word.length > longestWord) return undefined
  const usable = targets.filter(target => notation.place !== inIni.place || !target.typeScriptOnly)
  const ranked = usable.map(target => ({ target, edits: Math.min(...namesOf(target).map(name => editsBetween(word, name))) }))
  const best = ranked.reduce((least, next) => (next.edits < least.edits ? next : least))
  return best.edits <= Math.max(1, word.length / 3) ? `did you mean ${best.target.written(notation)}?` : undefined
}

/** How many letters must be put in, left out or changed to make one of the other (Levenshtein). */
const editsBetween = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1)!
}

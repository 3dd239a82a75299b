import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { bare, contestants, groups } from './contestants.js'
import type { Contestant } from './contestants.js'
import { scenarios } from './scenarios.js'
import type { Scenario } from './scenarios.js'

export interface BenchOptions {
  readonly contestants: readonly Contestant[]
  readonly scenarios: readonly Scenario[]
  /** Of each measurement, and of the load before it, of which nothing is told. */
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly rounds: number
  readonly seeds: number
  /** How often what was disturbed is measured; `undefined` where nobody looks whether it was. */
  readonly attempts: number | undefined
  readonly out: string
}

export const usage: string = `npm run bench -- [options]

  --only NAMES        groups (${groups.join(', ')}) or servers, apart by commas
  --scenarios LETTERS ${scenarios.map(({ letter, title }) => `${letter}: ${title}`).join('\n                      ')}
  --seconds NUMBER    of each measurement (5)
  --rounds NUMBER     (3)
  --short             a fraction of a second each, one round, undisturbed or not: only shows that everything runs
  --out FOLDER        where the results go (bench/results, or bench/results/short)

servers: ${contestants.map(({ name }) => name).join(', ')}
`

/** Throws `TypeError` for what is not there. */
export const readOptions = (args: string[]): BenchOptions => {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: groups.join() }, scenarios: { type: 'string', default: scenarios.map(({ letter }) => letter).join() },
      seconds: { type: 'string' }, rounds: { type: 'string' }, short: { type: 'boolean', default: false }, out: { type: 'string' },
    },
  })
  const short = values.short
  const seconds = positive('seconds', values.seconds ?? (short ? '0.1' : '5'))
  return {
    contestants: values.only.split(',').flatMap((word) => named('server or group', word, contestants.filter(({ name, group }) => name === word || group === word))),
    scenarios: values.scenarios.split(',').flatMap((word) => named('scenario', word, scenarios.filter(({ letter }) => letter === word.toUpperCase()))),
    seconds, warmUpSeconds: short ? 0 : Math.min(seconds / 4, 2), seeds: short ? 32 : 256, attempts: short ? undefined : 3,
    rounds: positive('rounds', values.rounds ?? (short ? '1' : '3')),
    out: values.out ?? fileURLToPath(new URL(`../../bench/results/${short ? 'short' : ''}`, import.meta.url)),
  }
}

/** One server, also one that is no row of the table. */
export const contestantNamed = (name: string): Contestant => named('server', name, [bare, ...contestants].filter((one) => one.name === name))[0]!

export const scenarioNamed = (word: string): Scenario => named('scenario', word, scenarios.filter(({ letter }) => letter === word.toUpperCase()))[0]!

const named = <T>(what: string, word: string, found: readonly T[]): readonly T[] => {
  if (found.length === 0) throw new TypeError(`no such ${what}: ${word}`)
  return found
}

const positive = (name: string, text: string): number => {
  const number = Number(text)
  if (!(number > 0)) throw new TypeError(`--${name}: expected a number over 0; got ${text}`)
  return number
}

import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { bare, contestants, groups } from './contestants.js'
import type { Contestant, Program } from './contestants.js'
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
    contestants: chosen('server or group', contestants, values.only, ({ name, group }, word) => name === word || group === word),
    scenarios: chosen('scenario', scenarios, values.scenarios, hasLetter),
    seconds, warmUpSeconds: short ? 0 : Math.min(seconds / 4, 2), seeds: short ? 32 : 256, attempts: short ? undefined : 3,
    rounds: positive('rounds', values.rounds ?? (short ? '1' : '3')),
    out: values.out ?? fileURLToPath(new URL(`../../bench/results/${short ? 'short' : ''}`, import.meta.url)),
  }
}

/** One server, also the bare one. */
export const programNamed = (name: string): Program => chosen('server', [bare, ...contestants], name, (one) => one.name === name)[0]!

export const scenarioNamed = (letter: string): Scenario => chosen('scenario', scenarios, letter, hasLetter)[0]!

const hasLetter = ({ letter }: Scenario, word: string): boolean => letter === word.toUpperCase()

/** Those that one of the words means, in their own order, which for scenarios is one that they can be run in. */
const chosen = <T>(what: string, all: readonly T[], words: string, means: (one: T, word: string) => boolean): readonly T[] => {
  const list = words.split(',')
  const unknown = list.find((word) => !all.some((one) => means(one, word)))
  if (unknown !== undefined) throw new TypeError(`no such ${what}: ${unknown}`)
  return all.filter((one) => list.some((word) => means(one, word)))
}

const positive = (name: string, text: string): number => {
  const number = Number(text)
  if (!(number > 0)) throw new TypeError(`--${name}: expected a number over 0; got ${text}`)
  return number
}

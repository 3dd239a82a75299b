import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { countFrom, positive, refuse } from './command.js'
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
  /** Sessions whose cookies the requests carry. */
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
  --sessions NUMBER   whose cookies the requests carry, in turn (256)
  --short             a fraction of a second each, one round, 32 sessions, disturbed or not: only shows that everything runs
  --out FOLDER        where the results go: bench/results, of a part (--only, --scenarios, --sessions) bench/results/part,
                      of the short form bench/results/short

servers: ${contestants.map(({ name }) => name).join(', ')}
`

/** Throws `UsageError` for what is not there. */
export const readOptions = (args: string[]): BenchOptions => {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' }, scenarios: { type: 'string' },
      seconds: { type: 'string' }, rounds: { type: 'string' }, sessions: { type: 'string' }, short: { type: 'boolean', default: false }, out: { type: 'string' },
    },
  })
  const short = values.short
  const seconds = positive('seconds', values.seconds ?? (short ? '0.1' : '5'))
  const isPart = values.only !== undefined || values.scenarios !== undefined || values.sessions !== undefined
  const folder = short ? 'short' : isPart ? 'part' : ''
  return {
    contestants: chosen('server or group', contestants, values.only, ({ name, group }, word) => name.toLowerCase() === word || group === word),
    scenarios: chosen('scenario', scenarios, values.scenarios, hasLetter),
    seconds, warmUpSeconds: short ? 0 : Math.min(seconds / 4, 2), seeds: countFrom(1, 'sessions', values.sessions ?? (short ? '32' : '256')), attempts: short ? undefined : 3,
    rounds: countFrom(1, 'rounds', values.rounds ?? (short ? '1' : '3')),
    out: values.out ?? fileURLToPath(new URL(`../../bench/results/${folder}`, import.meta.url)),
  }
}

/** One server, also the bare one. */
export const programNamed = (name: string): Program => chosen('server', [bare, ...contestants], name, (one, word) => one.name.toLowerCase() === word)[0]!

export const scenarioNamed = (letter: string): Scenario => chosen('scenario', scenarios, letter, hasLetter)[0]!

const hasLetter = ({ letter }: Scenario, word: string): boolean => letter.toLowerCase() === word

/** Those that one of the words means, in their own order, which for scenarios is one that they can be run in. Without words, all. */
const chosen = <T>(what: string, all: readonly T[], words: string | undefined, means: (one: T, word: string) => boolean): readonly T[] => {
  if (words === undefined) return all
  const list = words.split(',').map((word) => word.trim().toLowerCase())
  const unknown = list.find((word) => !all.some((one) => means(one, word)))
  if (unknown !== undefined) refuse(`no such ${what}: ${unknown || '(none named)'}`)
  return all.filter((one) => list.some((word) => means(one, word)))
}

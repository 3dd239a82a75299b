import { parseArgs } from 'node:util'
import { refuse } from '../command.js'

export const STORES = ['memory', 'file', 'redis', 'memcache', 'datastore', 'cookie'] as const
export type CapacityStore = (typeof STORES)[number]

/** What is asked: so many sessions, used like this, on machines like that. */
export interface CapacityInput {
  /** Live at the same time. */
  readonly sessions: number
  /** Of a session's data, bytes of JSON. */
  readonly size: number
  /** That read their session, per second and live session, at the busiest time. */
  readonly requests: number
  /** Of these, the share that saves it, too. */
  readonly saves: number
  /** Sessions have an owner each. */
  readonly owners: boolean
  /** `encrypt_key` is set. */
  readonly encrypted: boolean
  /** Of each redis server. */
  readonly replicas: number
  /** Of a machine of redis or memcached, in GB (10^9 bytes). */
  readonly nodeMemory: number
}

export const DEFAULTS: CapacityInput = { sessions: 1e6, size: 1_000, requests: 0.01, saves: 0.2, owners: false, encrypted: false, replicas: 1, nodeMemory: 16 }

/** More than any store takes in one record. */
const MOST_SIZE = 20_000_000
/** In GB. A smaller machine has no room for anything but its own system. */
const LEAST_MEMORY = 0.1

interface Expected {
  readonly whole?: boolean
  readonly least: number
  readonly most?: number
}

const NUMBERS = {
  sessions: { whole: true, least: 1 },
  size: { whole: true, least: 1, most: MOST_SIZE },
  requests: { least: 0 },
  saves: { least: 0, most: 1 },
  replicas: { whole: true, least: 0 },
  'node-memory': { least: LEAST_MEMORY },
} as const satisfies Readonly<Record<string, Expected>>

const wordsOf = ({ whole, least, most }: Expected): string =>
  `a ${whole ? 'whole ' : ''}number${most === undefined ? `, ${least} or more` : ` from ${least} to ${most.toLocaleString('en')}`}`

export const USAGE: string = `npm run capacity -- [options]

  --sessions N      live at the same time; ${wordsOf(NUMBERS.sessions)} (${DEFAULTS.sessions})
  --size N          bytes of a session's data, as JSON; ${wordsOf(NUMBERS.size)} (${DEFAULTS.size})
  --requests N      that read their session, per second and live session, at the busiest time; ${wordsOf(NUMBERS.requests)} (${DEFAULTS.requests})
  --saves N         of these requests, the share that saves; ${wordsOf(NUMBERS.saves)} (${DEFAULTS.saves})
  --owners          sessions have an owner, each another
  --encrypted       encrypt_key is set
  --replicas N      of each redis server; ${wordsOf(NUMBERS.replicas)} (${DEFAULTS.replicas})
  --node-memory N   of a machine of redis or memcached, in GB; ${wordsOf(NUMBERS['node-memory'])} (${DEFAULTS.nodeMemory})
  --store LIST      of ${STORES.join(', ')} (all)
  --write           writes the tables and the working into docs/capacity.md; alone
  --help            this text

Answers 1 when none of the stores takes such sessions, and 2 for options that it does not understand.
`

export interface Command {
  readonly input: CapacityInput
  readonly stores: readonly CapacityStore[]
  readonly does: 'print' | 'write'
}

/** Throws `UsageError`, or what `parseArgs` throws, for what it does not understand. */
export const commandOf = (args: readonly string[]): Command => {
  const values = parse(args)
  if (values.write && args.length > 1) refuse('--write takes no other options')
  const number = (name: keyof typeof NUMBERS, otherwise: number): number => (values[name] === undefined ? otherwise : numberOf(name, values[name]))
  const input: CapacityInput = {
    sessions: number('sessions', DEFAULTS.sessions), size: number('size', DEFAULTS.size), requests: number('requests', DEFAULTS.requests),
    saves: number('saves', DEFAULTS.saves), owners: values.owners, encrypted: values.encrypted, replicas: number('replicas', DEFAULTS.replicas),
    nodeMemory: number('node-memory', DEFAULTS.nodeMemory),
  }
  return { input, stores: values.store === undefined ? STORES : storesOf(values.store), does: values.write ? 'write' : 'print' }
}

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const

const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: { sessions: text, size: text, requests: text, saves: text, owners: flag, encrypted: flag, replicas: text, 'node-memory': text, store: text, write: flag },
  }).values

const numberOf = (name: keyof typeof NUMBERS, written: string): number => {
  const expected: Expected = NUMBERS[name]
  const { whole = false, least, most = Number.MAX_VALUE } = expected
  const value = Number(written)
  const isGood = written.trim() !== '' && value >= least && value <= most && (!whole || Number.isSafeInteger(value))
  return isGood ? value : refuse(`--${name}: expected ${wordsOf(expected)}; got ${written === '' ? 'nothing' : written}`)
}

const storesOf = (list: string): CapacityStore[] =>
  list.split(',').map((name) => {
    const store = STORES.find((one) => one === name.trim())
    return store ?? refuse(`--store: expected some of ${STORES.join(', ')}; got ${name === '' ? 'nothing' : name}`)
  })

import { parseArgs } from 'node:util'
import { countFrom, refuse } from '../command.js'
import type { StoreName } from './scene.js'

export interface GrowthOptions {
  readonly parts: readonly Part[]
  readonly stores: readonly StoreName[]
  readonly counts: readonly number[]
  readonly sizes: readonly number[]
  readonly cookies: readonly number[]
  readonly processes: readonly number[]
  /** Sessions of each scene that does not grow by their number. */
  readonly few: number
  /** How often each scene is measured, in turn with those that it is compared with. */
  readonly rounds: number
  readonly roundMs: number
  readonly pauseMs: number
  readonly out: string
  readonly isShort: boolean
}

export const PARTS = ['count', 'size', 'cookies', 'processes', 'costs'] as const
export type Part = (typeof PARTS)[number]

const STORES: readonly StoreName[] = ['memory', 'redis', 'file']

export const usage: string = `npm run bench:growth -- [options]

  --short               small and quick: shows that it runs, and measures nothing
  --parts LIST          of ${PARTS.join(', ')}
  --stores LIST         of ${STORES.join(', ')}
  --counts LIST         sessions in a store; 1000,100000,1000000
  --sizes LIST          bytes of a session's data; 100,1000,10000,100000,1000000
  --cookies LIST        cookies in a request; 1,3,10,30,100,280
  --processes LIST      server processes on one redis; 1,2,3,4
  --rounds N            9
  --round-ms N          of each operation in a round; 150
  --pause-ms N          of reading, in which the longest pause is looked for; 5000
  --out DIRECTORY       bench/results/growth
`

/** Throws `UsageError`. */
export const growthOptions = (args: readonly string[]): GrowthOptions => {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false }, parts: text, stores: text, counts: text, sizes: text, cookies: text,
      processes: text, rounds: text, 'round-ms': text, 'pause-ms': text, out: text,
    },
  })
  const isShort = values.short
  const numbers = (name: 'counts' | 'sizes' | 'cookies' | 'processes', long: string, short: string): number[] => listOf(values[name] ?? (isShort ? short : long)).map((count) => countFrom(1, name, count))
  const number = (name: 'rounds' | 'round-ms' | 'pause-ms', long: number, short: number): number => (values[name] === undefined ? (isShort ? short : long) : countFrom(1, name, values[name]))
  return {
    isShort,
    parts: oneOf(PARTS, values.parts),
    stores: oneOf(STORES, values.stores),
    counts: numbers('counts', '1000,100000,1000000', '20,60'),
    sizes: numbers('sizes', '100,1000,10000,100000,1000000', '100,1000'),
    cookies: numbers('cookies', '1,3,10,30,100,280', '1,4'),
    processes: numbers('processes', '1,2,3,4', '1,2'),
    few: isShort ? 20 : 1_000,
    rounds: number('rounds', 9, 2),
    roundMs: number('round-ms', 150, 5),
    pauseMs: number('pause-ms', 5_000, 20),
    out: values.out ?? 'bench/results/growth',
  }
}

const listOf = (text: string): string[] => text.split(',').map((item) => item.trim()).filter((item) => item !== '')

const oneOf = <T extends string>(known: readonly T[], text: string | undefined): T[] => {
  const asked = text === undefined ? known : listOf(text)
  return asked.map((item) => known.find((one) => one === item) ?? refuse(`${item}: expected one of ${known.join(', ')}`))
}

import type { Contestant } from '../contestants.js'
import type { Figures } from '../run/measure.js'
import type { Block } from '../run/rounds.js'
import type { Counts } from '../run/stores.js'

/** The median of the rounds, and what they lie between. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** A server in a scenario. */
export interface Cell {
  readonly perSecond: Spread
  /** Its rate as a part of the bare server's, of the same round. */
  readonly ratio: Spread
  readonly cpuMicros: Spread
  /** The bare server's CPU time as a part of its. */
  readonly cpuRatio: Spread
  readonly p99Ms: Spread
  readonly commands: Counts | undefined
}

export interface Row extends Pick<Contestant, 'name' | 'title' | 'kind' | 'group'> {
  /** By the letter of the scenario; empty when there is nothing to tell. */
  readonly cells: Readonly<Record<string, Cell>>
  /** Why cells are empty, or how many rounds do not count. */
  readonly note?: string
}

/** One row for each contestant, of the blocks that count. */
export const summarize = (contestants: readonly Contestant[], blocks: readonly Block[], rounds: number): Row[] =>
  contestants.map(({ name, title, kind, group }) => {
    const own = blocks.filter((block) => block.name === name)
    const good = own.filter(({ disturbance, failure }) => disturbance === undefined && failure === undefined)
    const failure = own.find((block) => block.failure !== undefined)?.failure
    const letters = good[0]?.samples.map(({ letter }) => letter) ?? []
    const cells = failure === undefined ? Object.fromEntries(letters.map((letter) => [letter, cellOf(letter, good)])) : {}
    const note = failure === undefined ? disturbed(good.length, rounds, own) : `failed: ${failure.split('\n')[0]}`
    return { name, title, kind, group, cells, ...(note && { note }) }
  })

const disturbed = (good: number, rounds: number, own: readonly Block[]): string | undefined => {
  if (good === rounds) return undefined
  const last = own.findLast(({ disturbance }) => disturbance !== undefined)?.disturbance
  return good === 0 ? `disturbed each time: ${last}` : `${rounds - good} of ${rounds} rounds were disturbed each time: ${last}`
}

const cellOf = (letter: string, blocks: readonly Block[]): Cell => {
  const pairs = blocks.map(({ samples, bare }) => ({ own: samples.find((sample) => sample.letter === letter)!, bare }))
  const over = (figure: (own: Figures, bare: Figures) => number): Spread =>
    spreadOf(pairs.map(({ own, bare: [before, after] }) => (figure(own, before) + figure(own, after)) / 2))
  return {
    perSecond: over((own) => own.perSecond),
    ratio: over((own, bare) => own.perSecond / bare.perSecond),
    cpuMicros: over((own) => own.cpuMicros),
    cpuRatio: over((own, bare) => bare.cpuMicros / own.cpuMicros),
    p99Ms: over((own) => own.p99Ms),
    commands: commandsOf(pairs.map(({ own }) => own.commands)),
  }
}

const commandsOf = (all: readonly (Counts | undefined)[]): Counts | undefined => {
  if (all[0] === undefined) return undefined
  const names = new Set(all.flatMap((counts) => Object.keys(counts ?? {})))
  return Object.fromEntries(Array.from(names, (name) => [name, spreadOf(all.map((counts) => counts?.[name] ?? 0)).median]))
}

export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return { median: (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2, low: sorted[0]!, high: sorted.at(-1)! }
}

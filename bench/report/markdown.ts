import { MOST_OTHERS, MOST_SWING } from '../run/disturbance.js'
import type { Counts } from '../run/stores.js'
import type { Scenario } from '../scenarios.js'
import type { Cell, Row, Spread } from './summary.js'

export interface Report {
  readonly date: string
  readonly machine: Readonly<Record<string, string | number | boolean | undefined>>
  readonly seconds: number
  readonly rounds: number
  /** Whose cookies the requests carry. */
  readonly sessions: number
  /** Whether it was looked whether the machine was disturbed. */
  readonly isChecked: boolean
  readonly scenarios: readonly Pick<Scenario, 'letter' | 'title'>[]
  readonly rows: readonly Row[]
  /** Servers that were not measured, and why. */
  readonly skipped: readonly { readonly title: string; readonly reason: string }[]
}

/** The tables, each with a row for a server and a column for a scenario. */
export const markdown = (report: Report): string => {
  const table = (title: string, show: (cell: Cell) => string, rows = report.rows): string => `## ${title}\n\n${tableOf({ ...report, rows }, show)}\n`
  const counted = report.rows.filter(({ cells }) => Object.values(cells).some(({ commands }) => commands !== undefined))
  return [
    `# phial beside others, over HTTP\n\n${conditions(report)}\n`,
    table('Requests per second, as a part of the bare server’s', ({ ratio }) => withSpread(ratio, 2)),
    table('CPU time of the server for a request, in microseconds', ({ cpuMicros }) => withSpread(cpuMicros, cpuMicros.median < 100 ? 1 : 0)),
    table('The bare server’s CPU time for a request, as a part of it', ({ cpuRatio }) => withSpread(cpuRatio, 2)),
    table('Requests per second', ({ perSecond }) => Math.round(perSecond.median).toLocaleString('en')),
    table('The slowest in a hundred at a steady pace, as wrk reckons it, in milliseconds', ({ p99Ms }) => withSpread(p99Ms, 1)),
    ...(counted.length === 0 ? [] : [table('Commands of the store for a request, with those that scripts run', ({ commands = {} }) => commandsShown(commands), counted)]),
    ...notes(report),
  ].join('\n')
}

const conditions = ({ date, machine, seconds, rounds, sessions, isChecked, scenarios }: Report): string => `${date}; ${machine['cpu']}, ${machine['cores']} cores, \
${machine['system']}, Node ${machine['node']}. The server ${machine['serverHasACore'] ? 'on a core of its own' : '**not** on a core of its own'}; 32 connections with keep-alive, ${sessions.toLocaleString('en')} sessions. \
${rounds === 1 ? `One round of ${seconds} s.` : `Median of ${rounds} rounds of ${seconds} s, with the lowest and the highest in brackets.`} ${isChecked
  ? `A measurement counts when others used at most ${MOST_OTHERS * 100} % of a core, and the bare server’s rates before and after it differ by at most ${MOST_SWING * 100} %.`
  : '**Nobody looked whether the machine was disturbed: this shows that everything runs, and no more.**'}

${scenarios.map(({ letter, title }) => `- **${letter}**: ${title}`).join('\n')}`

const tableOf = ({ scenarios, rows }: Report, show: (cell: Cell) => string): string => {
  const letters = scenarios.map(({ letter }) => letter)
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const head = [line(['', '', ...letters]), line(['---', '---', ...letters.map(() => '---:')])]
  const body = rows.map(({ group, title, kind, cells }) =>
    line([group, kind === 'phial' ? `**${title}**` : title, ...letters.map((letter) => (cells[letter] === undefined ? '–' : show(cells[letter])))]))
  return [...head, ...body].join('\n')
}

const withSpread = ({ median, low, high }: Spread, digits: number): string =>
  low === high ? median.toFixed(digits) : `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`

const commandsShown = (commands: Counts): string => {
  const named = Object.entries(commands).map(([name, rate]) => (Math.abs(rate - 1) < 0.02 ? name : `${rate.toFixed(2)} ${name}`))
  return named.length === 0 ? '0' : named.join(' + ')
}

const notes = ({ rows, skipped }: Report): string[] => {
  const lines = [
    ...rows.filter(({ note }) => note !== undefined).map(({ group, title, note }) => `- ${group}, ${title}: ${note}`),
    ...skipped.map(({ title, reason }) => `- ${title}: not measured; ${reason}`),
  ]
  return lines.length === 0 ? [] : [`## What is missing\n\n${lines.join('\n')}\n`]
}

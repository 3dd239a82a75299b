import { wasBusy } from '../growth/machine.js'
import type { CostedStore, Costs } from '../growth/costs.js'
import { rounded } from './figures.js'
import { factorOf } from './growth-factors.js'
import type { Growth } from './growth-factors.js'
import { DEFAULTS, STORES } from './input.js'
import type { CapacityInput } from './input.js'
import { needsOf } from './needs.js'
import type { Needs } from './needs.js'

export const COUNTS = [1e4, 1e6, 1e8] as const

/** Between these lines stands what the calculator writes, in the page. */
const markers = (name: string): readonly [string, string] => [`<!-- begin: ${name}, written by npm run capacity -- --write -->\n`, `<!-- end: ${name} -->`]

/** The page with its parts as the measured costs make them. Throws where a part is missing. */
export const pageWith = (page: string, costs: Costs, growth: Growth): string =>
  Object.entries(partsOf(costs, growth)).reduce((text, [name, content]) => {
    const [begin, end] = markers(name)
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from < 0 || to < from) throw new TypeError(`the page has no place for ${name}`)
    return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
  }, page)

const partsOf = (costs: Costs, growth: Growth): Readonly<Record<string, string>> => ({
  measured: measuredOn(costs),
  table: tableOf(costs, growth),
  cpu: cpuTable(costs, growth),
  working: STORES.map((store) => `### ${store}\n\n\`\`\`\n${workingOf(needsOf(store, DEFAULTS, costs, growth))}\`\`\`\n`).join('\n'),
})

export const measuredOn = ({ machine }: Costs): string => {
  const { at, node, cores, processor, memoryGb, load, servers } = machine
  return `Measured ${at.slice(0, 10)} on ${cores} cores (${processor}), ${memoryGb} GB, Node ${node.slice(1)}, redis ${servers['redis']}, memcached ${servers['memcached']}; load average ${load[0].toFixed(1)} before${wasBusy(machine) ? ': **preliminary, others were at work**' : ''}.\n`
}

const HEADS = ['store', 'live sessions', 'memory or disk', 'commands', 'bandwidth out of it, into it', 'nodes']

const tableOf = (costs: Costs, growth: Growth): string =>
  markdown(HEADS, STORES.flatMap((store) => COUNTS.map((sessions) => {
    const [name, ...cells] = cellsOf(needsOf(store, { ...DEFAULTS, sessions }, costs, growth))
    return [name!, sessions.toLocaleString('en'), ...cells]
  })))

const cellsOf = ({ store, summary }: Needs): string[] => [store, summary.room, summary.commands, summary.bandwidth, summary.nodes]

const markdown = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')

/** The table above the workings: a line for each store, as on the page. */
export const inShort = (all: readonly Needs[]): string => {
  const rows = [HEADS.filter((head) => head !== 'live sessions'), ...all.map(cellsOf)]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return rows.map((cells) => `${cells.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}\n`).join('')
}

const COSTED: readonly CostedStore[] = ['memory', 'file', 'redis', 'memcache']

/** The CPU time that is reckoned with beside what the growth tables tell, which was measured otherwise. */
const cpuTable = (costs: Costs, growth: Growth): string => {
  const heads = ['store', 'operation', 'with 1,000 sessions, one call at a time', ...COUNTS.map((sessions) => `× for ${sessions.toLocaleString('en')}`), 'growth tables: fewest sessions', 'most sessions']
  return markdown(heads, COSTED.flatMap((store) => (['read', 'save'] as const).map((call) => {
    const times = COUNTS.map((sessions) => rounded(factorOf(store, call, { ...DEFAULTS, sessions }, growth).byCount))
    return [store, call === 'read' ? 'read' : 'read and save', rounded(costs.stores[store]![call].cpuUs), ...times, ...inGrowth(store, call, growth)]
  })))
}

const inGrowth = (store: CostedStore, call: 'read' | 'save', { count = [] }: Growth): [fewest: string, most: string] => {
  const rows = count.filter((row) => row.store === store && row.costs !== undefined).toSorted((a, b) => a.count - b.count)
  const told = [rows[0], rows.at(-1)].map((row) => (row === undefined ? '–' : rounded(row.costs![call === 'read' ? 'read' : 'read and save'].cpuUs.median)))
  return [told[0]!, told[1]!]
}

export const workingOf = ({ steps }: Needs): string => {
  const width = Math.max(...steps.map((step) => step.what.length))
  return steps.map(({ what, working, result }) => `${what.padEnd(width)}  ${result}  =  ${working}\n`).join('')
}

export const asked = ({ sessions, size, requests, saves, owners, encrypted }: CapacityInput): string =>
  `${sessions.toLocaleString('en')} live sessions of ${size.toLocaleString('en')} bytes, ${requests} requests a second each, of which ${rounded(saves * 100)} % save${owners ? ', with owners' : ''}${encrypted ? ', encrypted' : ''}\n`

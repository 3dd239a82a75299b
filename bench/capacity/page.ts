import { wasBusy } from '../growth/machine.js'
import type { Costs } from '../growth/costs.js'
import { DEFAULTS, STORES } from './input.js'
import type { CapacityInput } from './input.js'
import { needsOf } from './needs.js'
import type { Needs } from './needs.js'

export const COUNTS = [1e4, 1e6, 1e8] as const

/** Between these lines stands what the calculator writes, in the page. */
const markers = (name: string): readonly [string, string] => [`<!-- begin: ${name}, written by npm run capacity -- --write -->\n`, `<!-- end: ${name} -->`]

/** The page with its parts as the measured costs make them. Throws where a part is missing. */
export const pageWith = (page: string, costs: Costs): string =>
  Object.entries(partsOf(costs)).reduce((text, [name, content]) => {
    const [begin, end] = markers(name)
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from < 0 || to < from) throw new TypeError(`the page has no place for ${name}`)
    return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
  }, page)

const partsOf = (costs: Costs): Readonly<Record<string, string>> => ({
  measured: measuredOn(costs),
  table: tableOf(costs),
  working: STORES.map((store) => `### ${store}\n\n\`\`\`\n${workingOf(needsOf(store, DEFAULTS, costs))}\`\`\`\n`).join('\n'),
})

export const measuredOn = ({ machine }: Costs): string => {
  const { at, node, cores, processor, memoryGb, load, servers } = machine
  return `Measured ${at.slice(0, 10)} on ${cores} cores (${processor}), ${memoryGb} GB, Node ${node.slice(1)}, redis ${servers['redis']}, memcached ${servers['memcached']}; load average ${load[0].toFixed(1)} before${wasBusy(machine) ? ': **preliminary, others were at work**' : ''}.\n`
}

const tableOf = (costs: Costs): string => {
  const heads = ['store', 'live sessions', 'memory or disk', 'commands', 'bandwidth out of it, into it', 'nodes']
  const rows = STORES.flatMap((store) => COUNTS.map((sessions) => {
    const { summary } = needsOf(store, { ...DEFAULTS, sessions }, costs)
    return [store, sessions.toLocaleString('en'), summary.room, summary.commands, summary.bandwidth, summary.nodes]
  }))
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

export const workingOf = ({ steps }: Needs): string => {
  const width = Math.max(...steps.map((step) => step.what.length))
  return steps.map(({ what, working, result }) => `${what.padEnd(width)}  ${result}  =  ${working}\n`).join('')
}

export const asked = ({ sessions, size, requests, saves, owners, encrypted }: CapacityInput): string =>
  `${sessions.toLocaleString('en')} live sessions of ${size.toLocaleString('en')} bytes, ${requests} requests a second each, of which ${saves * 100} % save${owners ? ', with owners' : ''}${encrypted ? ', encrypted' : ''}\n`

import { barPlot, linePlot } from '../plot.js'
import type { Axis } from '../plot.js'
import type { CountRow } from './by-count.js'
import { SIZE } from './by-count.js'
import type { ProcessRow } from './by-processes.js'
import type { GrowthRow } from './by-size.js'
import type { Costs } from './costs.js'
import { wasBusy } from './machine.js'
import type { Machine } from './machine.js'
import type { CostSpread, Spread } from './rounds.js'
import { OPERATIONS } from './scene.js'

export interface Results {
  readonly machine: Machine
  readonly isShort: boolean
  readonly count?: readonly CountRow[]
  readonly size?: readonly GrowthRow[]
  readonly cookies?: readonly GrowthRow[]
  readonly processes?: readonly ProcessRow[]
  readonly costs?: Costs
}

/** What is to hold, and who asks for it. */
export const GOALS = { ratio: 1.2, bytes: 300, pauseMs: 20 } as const

/** The page, and the plots that it shows: file name → content. */
export const reportOf = (results: Results): ReadonlyMap<string, string> => {
  const { machine, count, size, cookies, processes } = results
  const files = new Map<string, string>()
  const plot = (name: string, alt: string, svg: string): string => {
    files.set(`${name}.svg`, svg)
    return `![${alt}](${name}.svg)\n`
  }
  const parts = [
    head(results),
    count && byCountPart(count, plot),
    size && growthPart(size, plot, 'size', 'By the size of a session', { title: 'bytes of a session\'s data', log: true }),
    cookies && growthPart(cookies, plot, 'cookies', 'By the number of cookies in a request', { title: 'cookies in the request, of about 55 octets each', log: true }),
    cookies && 'Sessions are in memory. What `node:http` needs to read the header is not in it; it takes 16 KiB at most, which are about 280 such cookies.\n',
    processes && processesPart(processes, machine, plot),
  ]
  files.set('growth.md', parts.filter((part) => part).join('\n'))
  files.set('growth.json', `${JSON.stringify(results, undefined, 1)}\n`)
  if (results.costs) files.set('costs.json', `${JSON.stringify(results.costs, undefined, 1)}\n`)
  return files
}

type Plot = (name: string, alt: string, svg: string) => string

const head = ({ machine, isShort }: Results): string => {
  const { at, node, cores, processor, memoryGb, load, servers } = machine
  const doubt = isShort ? ' **The short form: it shows that it runs, and no figure means anything.**' : wasBusy(machine) ? ' **Preliminary: others were at work on the machine.**' : ''
  return `# Growth

Measured ${at.slice(0, 16).replace('T', ' ')} UTC: Node ${node.slice(1)}, redis ${servers['redis']}, ${cores} cores (${processor}), ${memoryGb} GB; load average ${load.map((value) => value.toFixed(1)).join(' before, ')} after.${doubt}

Made by \`npm run bench:growth\`. A *read* is \`manager.open(req).load()\` of a request with a signed cookie and the reading of a key; a *read and save* changes a key and saves
it besides. Both are calls in the process, without HTTP: what HTTP takes is the same whatever grows here, and would hide it. Sessions are picked at random among all that there are. Times are those of
one operation, with one at a time in memory and cookie, 16 at once on file (without \`sync\`) and 32 on redis. Each scene is in a process of its own; those that are
compared take turns. Figures are medians, with quartiles behind them or as bars.
`
}

const byCountPart = (rows: readonly CountRow[], plot: Plot): string => {
  const stores = [...new Set(rows.map((row) => row.store))]
  const there = rows.filter((row) => row.costs !== undefined)
  const lines = (of: (row: CountRow) => Spread) => stores.map((name) => ({ name, points: there.filter((row) => row.store === name).map((row) => point(row.count, of(row))) }))
  const x: Axis = { title: 'sessions in the store', log: true }
  const missing = rows.filter((row) => row.missing !== undefined)
  return `## By the number of sessions

Of ${SIZE.toLocaleString('en')} bytes of data each.

${plot('read-by-count', 'time of a read by the number of sessions', linePlot({ title: 'A read, by the number of sessions', x, y: { title: 'µs a read', log: true }, lines: lines((row) => row.costs!.read.us) }))}
${plot('save-by-count', 'time of a read and save by the number of sessions', linePlot({ title: 'A read and save, by the number of sessions', x, y: { title: 'µs a read and save', log: true }, lines: lines((row) => row.costs!['read and save'].us) }))}
${table(
  ['store', 'sessions', ...OPERATIONS.flatMap((operation) => (operation === 'request' ? ['HTTP request that reads, µs of CPU', 'to the fewest'] : [`${operation}, µs`, 'µs of CPU', 'to the fewest']))],
  there.map((row) => [row.store, int(row.count), ...OPERATIONS.flatMap((operation) => {
    const cost = row.costs![operation]
    return operation === 'request' ? [spread(cost.cpuUs, 1), cost.cpuRatio.median.toFixed(2)] : figures(cost)
  })]),
)}
"To the fewest" is the ratio to the smallest store, round by round; in brackets that of CPU time alone, which others on the machine disturb less. The goal: a read at most ${GOALS.ratio} times.
"By id" is \`manager.getById\`: without a cookie to verify. A *request* comes over HTTP to a handler that reads; what is told is the server's CPU time, with that of \`node:http\`.

${verdict(there)}
### Memory and room

${table(
  ['store', 'sessions', 'this process: heap, external, resident, bytes a session', 'beside its record', 'beside its data', 'where it is kept, bytes a session', 'made in, s'],
  there.map(({ store, count, memory, footprint, seededMs }) => {
    const { heap, external, rss, record } = memory!
    const own = store === 'memory' ? [int(heap + external - record), int(heap + external - SIZE)] : ['', '']
    const kept = footprint === undefined ? '' : footprint.diskBytes === undefined ? int(footprint.bytes) : `${int(footprint.bytes)}; on the disk ${int(footprint.diskBytes)}, ${footprint.inodes?.toFixed(2)} inodes`
    return [store, int(count), [heap, external, rss].map(int).join(', '), ...own, kept, (seededMs! / 1000).toFixed(1)]
  }),
)}
A *record* is what phial hands to the store: ${int(there[0]?.memory?.record ?? 0)} bytes for ${SIZE.toLocaleString('en')} bytes of data that were saved once, up to 95 more after five further saves. Resident memory holds what was
garbage meanwhile, too. The goal: memory holds at most ${GOALS.bytes} bytes beside each session's own data.

### Pauses of the event loop

${plot('pauses', 'longest pauses of the event loop', pausePlot(there))}
${table(
  ['store', 'sessions', ...['reading', 'purging'].flatMap((what) => [`while ${what}: longest, ms`, 'by itself', 'without collection', 'longest collection']), 'slowest read meanwhile, ms', 'purged', 'in, s'],
  there.map(({ store, count, pauses }) => {
    const { reading, purging } = pauses!
    return [store, int(count), ...[...[reading, purging].flatMap((pause) => [pause.longest, pause.own, pause.working, pause.collecting]), purging.slowestRead].map((ms) => ms.toFixed(1)), int(purging.purged), (purging.lastedMs / 1000).toFixed(1)]
  }),
)}
Turns of the event loop follow each other without rest, and the longest gap between two is the pause; two readers go on meanwhile. "By itself": what the
process took of it, without waiting for a core that others had; "without collection": of that, without the garbage collection in it. On a quiet machine the first two are nearly alike. redis ends sessions by itself: there some end in the server while others are read, and nothing is purged. The goal: no pause over ${GOALS.pauseMs} ms.
${missing.length === 0 ? '' : `\nNot measured: ${missing.map((row) => `${row.store}, ${int(row.count)}: ${row.missing}`).join('; ')}.\n`}`
}

const verdict = (rows: readonly CountRow[]): string => {
  const most = Math.max(...rows.map((row) => row.count))
  const said = rows.filter((row) => row.count === most).map(({ store, costs, memory, pauses }) => {
    const { ratio: read, cpuRatio } = costs!.read
    const own = store === 'memory' ? `; ${int(memory!.heap + memory!.external - SIZE)} bytes beside the data (at most ${GOALS.bytes})` : ''
    return `- ${store}: a read ${read.median.toFixed(2)} times the cost at the fewest (${cpuRatio.median.toFixed(2)} of CPU; at most ${GOALS.ratio}), a request over HTTP ${costs!.request.cpuRatio.median.toFixed(2)} times${own}; longest pause while purging ${pauses!.purging.own.toFixed(1)} ms (at most ${GOALS.pauseMs}), without garbage collection ${pauses!.purging.working.toFixed(1)}; while reading alone ${pauses!.reading.own.toFixed(1)}, ${pauses!.reading.working.toFixed(1)}`
  })
  return `At ${int(most)} sessions, and in brackets the goal:\n\n${said.join('\n')}\n`
}

const pausePlot = (rows: readonly CountRow[]): string => barPlot({
  title: 'Longest pause of the event loop', y: { title: 'ms', log: false }, groups: rows.map((row) => `${row.store}\n${short(row.count)}`),
  series: [
    { name: 'while reading', bars: rows.map((row) => ({ value: row.pauses!.reading.own })) },
    { name: 'while purging', bars: rows.map((row) => ({ value: row.pauses!.purging.own })) },
  ],
  marks: [{ name: 'goal', y: GOALS.pauseMs }],
})

const growthPart = (rows: readonly GrowthRow[], plot: Plot, name: string, title: string, x: Axis): string => {
  const stores = [...new Set(rows.map((row) => row.store))]
  const lines = (['read', 'save'] as const).flatMap((operation) => stores.map((store) =>
    ({ name: `${store}, ${operation}`, points: rows.filter((row) => row.store === store).map((row) => point(row.of, row[operation].us)) })))
  return `## ${title}

${plot(`by-${name}`, title.toLowerCase(), linePlot({ title, x, y: { title: 'µs; "save" is a read and save', log: true }, lines }))}
${table(['store', x.title, ...['read', 'read and save'].flatMap((operation) => [`${operation}, µs`, 'µs of CPU', 'to the first'])],
  rows.map(({ store, of, read, save }) => [store, int(of), ...[read, save].flatMap(figures)]))}`
}

const processesPart = (rows: readonly ProcessRow[], { cores }: Machine, plot: Plot): string => {
  const operations = [...new Set(rows.map((row) => row.operation))]
  const lines = operations.map((name) => ({ name, points: rows.filter((row) => row.operation === name).map((row) => point(row.processes, row.perSecond)) }))
  return `## By the number of server processes on one redis

${plot('by-processes', 'operations a second by the number of processes', linePlot({ title: 'All processes together, on one redis', x: { title: 'processes' }, y: { title: 'operations a second' }, lines }))}
${table(['operation', 'processes', 'operations a second, all together', 'CPU of the processes, µs each', 'CPU of redis, µs each'],
  rows.map(({ operation, processes, perSecond, processCpuUs, redisCpuUs }) => [operation, int(processes), spread(perSecond, 0), spread(processCpuUs, 1), spread(redisCpuUs, 1)]))}
This machine has ${cores} cores, and redis is on one of them: from ${cores} processes on they share what is left, so operations a second cannot grow with them. What can be taken to a larger machine is the CPU time an
operation takes of a process and of redis: their ratio is the number of processes, on a core each, that keep one redis busy.
`
}

const point = (x: number, { median, low, high }: Spread) => ({ x, y: median, low, high })
const int = (value: number): string => Math.round(value).toLocaleString('en')
const short = (count: number): string => (count >= 1e6 ? `${count / 1e6} M` : count >= 1e3 ? `${count / 1e3} k` : `${count}`)
const spread = ({ median, low, high }: Spread, digits: number): string => {
  const [middle, from, to] = [median, low, high].map((value) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }))
  return `${middle} (${from}–${to})`
}
const figures = (cost: CostSpread): string[] => [spread(cost.us, 1), cost.cpuUs.median.toFixed(1), ratio(cost)]
const ratio = ({ ratio: all, cpuRatio }: CostSpread): string => `${all.median.toFixed(2)} (${cpuRatio.median.toFixed(2)})`
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')

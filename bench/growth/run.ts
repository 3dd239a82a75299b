// `npm run bench:growth`: see docs/capacity.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { byCount } from './by-count.js'
import { byProcesses } from './by-processes.js'
import { byCookies, bySize } from './by-size.js'
import { measureCosts } from './costs.js'
import { lookAtMachine } from './machine.js'
import { growthOptions } from './options.js'
import type { GrowthOptions, Part } from './options.js'
import { reportOf } from './report.js'
import type { Results } from './report.js'

const run = async (options: GrowthOptions): Promise<void> => {
  const began = performance.now()
  const seconds = (): string => `${Math.round((performance.now() - began) / 1000)} s`.padStart(6)
  const tell = (progress: string): void => void process.stderr.write(`${seconds()}  ${progress}\n`)
  const machine = lookAtMachine()
  const part = <R>(name: Part, measure: (options: GrowthOptions, tell: (progress: string) => void) => Promise<R>): Promise<R | undefined> =>
    options.parts.includes(name) ? measure(options, tell) : Promise.resolve(undefined)
  const measured = {
    costs: await part('costs', measureCosts),
    cookies: await part('cookies', byCookies),
    size: await part('size', bySize),
    processes: await part('processes', byProcesses),
    count: await part('count', byCount),
  }
  const there = Object.fromEntries(Object.entries(measured).filter(([, rows]) => rows !== undefined))
  const results: Results = { machine: machine(), isShort: options.isShort, ...there }
  mkdirSync(options.out, { recursive: true })
  for (const [name, content] of reportOf(results)) writeFileSync(join(options.out, name), content)
  tell(`written to ${options.out}`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const options = growthOptions(process.argv.slice(2))
if (options !== undefined) await run(options)

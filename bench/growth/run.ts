// `npm run bench:growth`: see docs/capacity.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../command.js'
import { byCount } from './by-count.js'
import type { CountRow } from './by-count.js'
import { byProcesses } from './by-processes.js'
import { byCookies, bySize } from './by-size.js'
import { measureCosts } from './costs.js'
import { lookAtMachine } from './machine.js'
import { growthOptions, usage } from './options.js'
import type { GrowthOptions, Part } from './options.js'
import { reportOf } from './report.js'
import type { Results } from './report.js'

const run = async (options: GrowthOptions): Promise<void> => {
  const began = performance.now()
  const seconds = (): string => `${Math.round((performance.now() - began) / 1000)} s`.padStart(6)
  const tell = (progress: string): void => void process.stderr.write(`${seconds()}  ${progress}\n`)
  const machine = lookAtMachine()
  const count: CountRow[] = []
  let results: Results = { machine: machine(), isShort: options.isShort }
  /** What was measured so far is kept also when the rest is interrupted. */
  const keep = (more: Partial<Results>): void => {
    results = { ...results, ...more, machine: machine() }
    mkdirSync(options.out, { recursive: true })
    for (const [name, content] of reportOf(results)) writeFileSync(join(options.out, name), content)
  }
  const measures: Record<Part, () => Promise<void>> = {
    costs: async () => keep({ costs: await measureCosts(options, tell) }),
    cookies: async () => keep({ cookies: await byCookies(options, tell) }),
    size: async () => keep({ size: await bySize(options, tell) }),
    processes: async () => keep({ processes: await byProcesses(options, tell) }),
    count: async () => {
      for (const store of options.stores) {
        count.push(...(await byCount(store, options, tell)))
        keep({ count })
      }
    },
  }
  for (const [part, measure] of Object.entries(measures)) if (options.parts.includes(part as Part)) await measure()
  tell(`written to ${options.out}`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

await runCommand(usage, async (args) => {
  await run(growthOptions(args))
  return 0
})

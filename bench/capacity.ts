// `npm run capacity -- --sessions 1e6 --size 1000 …`: what stores need, with the working. The page docs/capacity.md is made of it.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Costs } from './growth/costs.js'
import { USAGE, commandOf } from './capacity/input.js'
import type { Command } from './capacity/input.js'
import { STORES, needsOf } from './capacity/needs.js'
import { asked, measuredOn, pageWith, workingOf } from './capacity/page.js'

const COSTS = new URL('../../bench/results/growth/costs.json', import.meta.url)
const PAGE = new URL('../../docs/capacity.md', import.meta.url)

const run = ({ input, stores = STORES, does }: Command): void => {
  if (does === 'help') return void process.stdout.write(USAGE)
  const costs = JSON.parse(readFileSync(COSTS, 'utf8')) as Costs
  if (does === 'write') return writeFileSync(PAGE, pageWith(readFileSync(PAGE, 'utf8'), costs))
  process.stdout.write(`${asked(input)}${measuredOn(costs)}`)
  for (const name of stores) {
    const store = STORES.find((one) => one === name)
    if (store === undefined) throw new TypeError(`--store: expected some of ${STORES.join(', ')}; got ${name}`)
    process.stdout.write(`\n${store}\n${workingOf(needsOf(store, input, costs)).replaceAll(/^/gm, '  ').trimEnd()}\n`)
  }
}

run(commandOf(process.argv.slice(2)))

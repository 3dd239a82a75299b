// `npm run capacity -- --sessions 1e6 --size 1000 …`: what stores need, with the working. The page docs/capacity.md is made of it.
import { readFileSync, writeFileSync } from 'node:fs'
import { runCommand } from './command.js'
import type { Costs } from './growth/costs.js'
import type { Growth } from './capacity/growth-factors.js'
import { USAGE, commandOf } from './capacity/input.js'
import type { Command } from './capacity/input.js'
import { needsOf } from './capacity/needs.js'
import { asked, inShort, measuredOn, pageWith, workingOf } from './capacity/page.js'

const COSTS = new URL('../../bench/results/growth/costs.json', import.meta.url)
const GROWTH = new URL('../../bench/results/growth/growth.json', import.meta.url)
const PAGE = new URL('../../docs/capacity.md', import.meta.url)

/** Answers the exit code. */
const run = ({ input, stores, does }: Command): number => {
  const costs = JSON.parse(readFileSync(COSTS, 'utf8')) as Costs
  const growth = JSON.parse(readFileSync(GROWTH, 'utf8')) as Growth
  if (does === 'write') {
    writeFileSync(PAGE, pageWith(readFileSync(PAGE, 'utf8'), costs, growth))
    return 0
  }
  const all = stores.map((store) => needsOf(store, input, costs, growth))
  process.stdout.write(`${asked(input)}${measuredOn(costs)}\n${inShort(all)}`)
  for (const needs of all) process.stdout.write(`\n${needs.store}\n${workingOf(needs).replaceAll(/^/gm, '  ').trimEnd()}\n`)
  return all.every(({ isRefused }) => isRefused) ? 1 : 0
}

await runCommand(USAGE, async (args) => run(commandOf(args)))

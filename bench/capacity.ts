// `npm run capacity -- --sessions 1e6 --size 1000 …`: what stores need, with the working. The page docs/capacity.md is made of it.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Costs } from './growth/costs.js'
import type { Growth } from './capacity/growth-factors.js'
import { USAGE, commandOf } from './capacity/input.js'
import type { Command } from './capacity/input.js'
import { needsOf } from './capacity/needs.js'
import { asked, inShort, measuredOn, pageWith, workingOf } from './capacity/page.js'

const COSTS = new URL('../../bench/results/growth/costs.json', import.meta.url)
const GROWTH = new URL('../../bench/results/growth/growth.json', import.meta.url)
const PAGE = new URL('../../docs/capacity.md', import.meta.url)

const run = ({ input, stores, does }: Command): void => {
  if (does === 'help') return void process.stdout.write(USAGE)
  const costs = JSON.parse(readFileSync(COSTS, 'utf8')) as Costs
  const growth = JSON.parse(readFileSync(GROWTH, 'utf8')) as Growth
  if (does === 'write') return writeFileSync(PAGE, pageWith(readFileSync(PAGE, 'utf8'), costs, growth))
  const all = stores.map((store) => needsOf(store, input, costs, growth))
  process.stdout.write(`${asked(input)}${measuredOn(costs)}\n${inShort(all)}`)
  for (const needs of all) process.stdout.write(`\n${needs.store}\n${workingOf(needs).replaceAll(/^/gm, '  ').trimEnd()}\n`)
  if (all.every(({ isRefused }) => isRefused)) process.exitCode = 1
}

/** What was asked, or one line that says why that cannot be. */
const understood = (args: readonly string[]): Command | undefined => {
  try {
    return commandOf(args)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 2
    return undefined
  }
}

const command = understood(process.argv.slice(2))
if (command !== undefined) run(command)

// `npm run bench`: phial, the least work that its job needs and what users would pick instead, side by side over HTTP.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { runCommand } from './command.js'
import { readOptions, usage } from './options.js'
import type { BenchOptions } from './options.js'
import type { Contestant } from './contestants.js'
import { bars } from './report/bars.js'
import { markdown } from './report/markdown.js'
import { progressLines } from './report/progress.js'
import { summarize } from './report/summary.js'
import { moveToLoadCore } from './run/cores.js'
import { Ends } from './run/ends.js'
import { needsWrk } from './run/load.js'
import { describeMachine } from './run/machine.js'
import { installPeers, peerVersions } from './run/peers.js'
import { playRounds } from './run/rounds.js'
import { missing, startStore } from './run/stores.js'
import type { Store, StoreName } from './run/stores.js'

const main = async (options: BenchOptions): Promise<boolean> => {
  const peersMissing = options.contestants.some(({ kind }) => kind === 'peer') ? installPeers() : undefined
  const skipped = options.contestants.flatMap(({ name, title, kind, store }) => {
    const reason = (store && missing[store]) ?? (kind === 'peer' ? peersMissing : undefined)
    return reason === undefined ? [] : [{ name, title, reason }]
  })
  const contestants = options.contestants.filter(({ name }) => !skipped.some((one) => one.name === name))
  if (contestants.length === 0) {
    process.stderr.write(`there is nothing to measure: ${skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}\n`)
    return false
  }
  moveToLoadCore()
  const ends = new Ends()
  const folder = mkdtempSync(join(tmpdir(), 'phial-bench-'))
  ends.teardown(() => rmSync(folder, { recursive: true, force: true }))
  try {
    const stores = await startStores(contestants, ends)
    const blocks = await playRounds({ ...options, contestants }, stores, folder, progressLines({ ...options, contestants }))
    const report = {
      date: new Date().toISOString().slice(0, 10), machine: describeMachine(), peers: peersMissing === undefined ? peerVersions() : {},
      seconds: options.seconds, rounds: options.rounds, sessions: options.seeds, isChecked: options.attempts !== undefined,
      scenarios: options.scenarios, rows: summarize(contestants, blocks, options.rounds), skipped,
    }
    mkdirSync(options.out, { recursive: true })
    const write = (name: string, text: string): void => writeFileSync(join(options.out, name), text)
    write('http.md', markdown(report))
    write('http.svg', bars(report))
    write('http.json', `${JSON.stringify({ ...report, blocks }, null, 2)}\n`)
    process.stderr.write(`${blocks.length} blocks measured; the tables are in ${join(relative('', options.out), 'http.md')}\n`)
    return blocks.every(({ failure }) => failure === undefined)
  } finally {
    await ends.run()
  }
}

const startStores = async (contestants: readonly Contestant[], ends: Ends): Promise<Map<StoreName, Store>> => {
  const stores = new Map<StoreName, Store>()
  for (const { store } of contestants) if (store !== undefined && !stores.has(store)) stores.set(store, await startStore(store, ends))
  return stores
}

await runCommand(usage, async (args) => {
  const options = readOptions(args)
  needsWrk()
  return (await main(options)) ? 0 : 1
})

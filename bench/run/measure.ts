import type { Usage } from '../servers/announce.js'
import type { ContestantProcess } from './contestant-process.js'
import { load } from './load.js'
import type { Load } from './load.js'
import { watchOthers } from './quiet.js'
import type { Counts, Store } from './stores.js'

/** What was seen of a server under one load. */
export interface Figures {
  readonly requests: number
  readonly perSecond: number
  /** CPU time of the server's process for each request, in microseconds. */
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** How often a request runs each command of the store, where that can be told. */
  readonly commands: Counts | undefined
  /** Which part of a core was used by what has nothing to do with it, where that can be told. */
  readonly others: number | undefined
}

export const measure = async (server: ContestantProcess, what: Omit<Load, 'url'>, store?: Store): Promise<Figures> => {
  const before = await look(server, store)
  const others = watchOthers()
  const { requests, micros, p50Micros, p99Micros } = await load({ ...what, url: server.url })
  const othersShare = others()
  const after = await look(server, store)
  return {
    requests, perSecond: requests / (micros / 1e6), cpuMicros: (after.usage.cpuMicros - before.usage.cpuMicros) / requests,
    p50Ms: p50Micros / 1_000, p99Ms: p99Micros / 1_000, commands: after.commands && perRequest(before.commands!, after.commands, requests), others: othersShare,
  }
}

interface Look {
  readonly usage: Usage
  readonly commands: Counts | undefined
}

const look = async (server: ContestantProcess, store: Store | undefined): Promise<Look> => {
  const usage = await server.usage()
  return { usage, commands: await store?.commands?.(usage) }
}

/** Those that come with one request in a hundred or less are somebody's housekeeping. */
const perRequest = (before: Counts, after: Counts, requests: number): Counts =>
  Object.fromEntries(Object.entries(after).map(([name, count]) => [name, (count - (before[name] ?? 0)) / requests] as const).filter(([, rate]) => rate > 0.01))

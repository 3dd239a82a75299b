import type { ExecutionContext } from 'ava'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SettingsInput } from '../../src/index.js'
import type { RedisNode } from './redis-node.js'
import { SessionLoad } from './session-load.js'
import type { Ledger } from './session-load.js'

/** Servers that choose another master when one fails. */
export interface FailoverGroup {
  readonly url: string
  heal(): Promise<void>
}

export interface Failover {
  /** Milliseconds from the fault until somebody was the master. */
  readonly promotedAfter: number
  /** Milliseconds from the fault until the last call failed; 0 when none did. */
  readonly failedFor: number
  readonly load: SessionLoad
  readonly ledger: Ledger
}

export interface FailoverPlan {
  readonly settings?: SettingsInput
  /** Who may become the master. */
  readonly heirs: readonly RedisNode[]
  fault(): Promise<unknown> | void
  /** While sessions are in use, some time after somebody became the master. */
  afterwards?(): Promise<unknown> | void
}

/** Lets a fault happen while sessions are in use, waits until all is well again, and counts. */
export const failOver = async (t: ExecutionContext, group: FailoverGroup, { settings = {}, heirs, fault, afterwards }: FailoverPlan): Promise<Failover> => {
  t.timeout(120_000)
  const load = await SessionLoad.begin({ type: 'redis', url: group.url, namespace: randomUUID(), ...settings })
  t.teardown(() => load.close())
  await sleep(500)
  const begun = performance.now()
  await fault()
  const promotedAfter = (await anyMaster(heirs)) - begun
  await sleep(2_500)
  await afterwards?.()
  await load.stop()
  await group.heal()
  const failedFor = load.failedFor(begun)
  const ledger = await load.ledger()
  t.log(`a new master after ${Math.round(promotedAfter)} ms; errors for ${Math.round(failedFor)} ms: ${load.failures.length} of ${load.calls} calls (${load.codes.join(', ') || 'none'});`
    + ` slowest call ${Math.round(load.slowestMs)} ms; acknowledged ${JSON.stringify(ledger.acknowledged)}, lost ${JSON.stringify(ledger.lost)}`)
  return { promotedAfter, failedFor, load, ledger }
}

const anyMaster = async (servers: readonly RedisNode[]): Promise<number> => {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(20)) {
    const roles = await Promise.all(servers.map((server) => server.info('role').catch(() => undefined)))
    if (roles.includes('master')) return performance.now()
  }
  throw new Error('nobody became the master')
}

/** Over what is promised, for a machine that has other things to do. */
export const SLACK_MS = 500

/** What holds in every failover: errors are the library's and pass, no call hangs, nothing is counted twice, and no ended session is seen again. */
export const holdsThrough = (t: ExecutionContext, { load, ledger }: Failover): void => {
  const expected = ['PHIAL_STORE_OUTCOME_UNKNOWN', 'PHIAL_STORE_TIMEOUT', 'PHIAL_STORE_UNAVAILABLE']
  t.deepEqual(load.codes.filter((code) => !expected.includes(code)), [])
  t.true(load.slowestMs < 2_000 + SLACK_MS, `a call took ${load.slowestMs} ms`)
  t.is(ledger.doubled, 0)
}

export const NOTHING: Ledger['lost'] = { writes: 0, updates: 0, ends: 0 }

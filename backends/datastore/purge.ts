import { tryUntil } from './attempts.js'
import type { EntityResult, Filter, Key, PropertyFilter } from './client.js'
import { baseOf, purgeMark, seenIn } from './entities.js'
import { pagesOf } from './pages.js'
import type { Service } from './service.js'
import type { Space } from './space.js'

/** Clocks may differ by this. */
const GRACE_MS = 60_000
const SHARDS = [...'0123456789abcdef']

export interface PurgeTask {
  readonly service: Service
  readonly space: Space
  readonly now: () => number
  readonly deadline: () => number
  readonly shouldStop: () => boolean
}

/**
 * Removes what has been dead for over a minute, of all kinds, a page at a time: what dies in an hour that has begun is looked at, and what
 * is dead is removed unless it was changed since. Gives the number of records removed.
 */
export const purge = async (task: PurgeTask): Promise<number> => {
  const { records, owners, leases } = task.space.kinds
  const removed = await purgeKind(task, records)
  await purgeKind(task, owners)
  await purgeKind(task, leases)
  return removed
}

const purgeKind = async (task: PurgeTask, kind: string): Promise<number> => {
  let removed = 0
  for (const shard of SHARDS) {
    const filter = diedIn(shard, task.now() - GRACE_MS)
    for await (const page of pagesOf(task.service, { kind, filter, order: 'purge', paths: [], deadline: task.deadline })) {
      if (task.shouldStop()) return removed
      removed += await removeDead(task, page)
    }
  }
  return removed
}

const diedIn = (shard: string, until: number): Filter => {
  const where = (op: PropertyFilter['op'], text: string): { propertyFilter: PropertyFilter } =>
    ({ propertyFilter: { property: { name: 'purge' }, op, value: { stringValue: text } } })
  return { compositeFilter: { op: 'AND', filters: [where('GREATER_THAN_OR_EQUAL', `${shard}:`), where('LESS_THAN_OR_EQUAL', purgeMark(shard, until))] } }
}

const removeDead = async ({ service, now, deadline }: PurgeTask, page: readonly EntityResult[]): Promise<number> => {
  const keys = page.map(({ entity }) => entity?.key).filter((key): key is Key => key !== undefined && key !== null)
  if (keys.length === 0) return 0
  const until = deadline()
  const { found } = await tryUntil(until, () => service.lookup(keys, until, ['expires']))
  const dead = found.filter((one) => (seenIn(one).expiresAt ?? Infinity) <= now() - GRACE_MS)
  if (dead.length === 0) return 0
  const removals = dead.map((one) => ({ delete: one.entity!.key!, ...baseOf(seenIn(one)) }))
  const results = await tryUntil(until, () => service.commit(removals, until))
  return results.filter(({ conflictDetected }) => !conflictDetected).length
}

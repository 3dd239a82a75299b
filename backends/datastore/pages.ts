import { tryUntil } from './attempts.js'
import type { EntityResult, Filter, Query } from './client.js'
import type { Service } from './service.js'

/** Entities got at a time. */
const PAGE = 100

/** As text, or as the number that stands for it. (The emulator says of every page, empty ones too, that there are more results.) */
const NOT_FINISHED: ReadonlySet<unknown> = new Set(['NOT_FINISHED', 1])

export interface Search {
  readonly kind: string
  readonly filter?: Filter
  readonly order?: string
  /** The properties that are wanted; none: keys alone, which cost less. More may come. */
  readonly paths: readonly string[]
  /** Until when a page may take, asked for each. */
  readonly deadline: () => number
}

/** What a query finds, a page at a time. */
export async function* pagesOf(service: Service, { kind, filter, order, paths, deadline }: Search): AsyncGenerator<readonly EntityResult[]> {
  const query: Query = {
    kind: [{ name: kind }],
    limit: { value: PAGE },
    ...(filter && { filter }),
    ...(order !== undefined && { order: [{ property: { name: order } }] }),
    ...(paths.length === 0 && { projection: [{ property: { name: '__key__' } }] }),
  }
  let startCursor: Query['startCursor']
  for (;;) {
    const until = deadline()
    const page = { ...query, ...(startCursor && { startCursor }) }
    const { entityResults, endCursor, moreResults } = await tryUntil(until, () => service.query(page, until, paths))
    const found = entityResults ?? []
    yield found
    if (found.length < PAGE && !NOT_FINISHED.has(moreResults)) return
    startCursor = endCursor ?? startCursor
  }
}

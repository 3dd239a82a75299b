import { tryUntil } from './attempts.js'
import type { Filter, PropertyFilter } from './client.js'
import { baseOf, entityOf, LATEST, nameOf, seenIn } from './entities.js'
import { pagesOf } from './pages.js'
import type { Service } from './service.js'
import type { Space } from './space.js'
import type { Write } from './write.js'

/** Which keys an owner has: an entity each, whose name is the owner's and the key's, so that the names of an owner stand together. */
export class OwnerEntries {
  readonly #service: Service
  readonly #space: Space
  readonly #now: () => number

  constructor(service: Service, space: Space, now: () => number) {
    this.#service = service
    this.#space = space
    this.#now = now
  }

  /** Looks first: an entry is put in to last a quarter longer, so that most calls find one that lasts. */
  async add(owner: string, key: string, expiresAt: number, write: Write): Promise<void> {
    const entry = this.#space.owned(owner, key)
    const needed = Math.min(expiresAt, LATEST)
    const entity = entityOf(entry, {}, needed + Math.max(0, needed - this.#now()) / 4)
    await tryUntil(write.deadline, async () => {
      for (;;) {
        const { found: [result] } = await this.#service.lookup([entry], write.deadline)
        const seen = result && seenIn(result)
        if (seen !== undefined && (seen.expiresAt ?? 0) >= needed) return
        if ((await write.commit(seen === undefined ? { insert: entity } : { update: entity, ...baseOf(seen) })) !== undefined) return
      }
    })
  }

  async remove(owner: string, key: string, write: Write): Promise<void> {
    await tryUntil(write.deadline, () => write.commit({ delete: this.#space.owned(owner, key) }))
  }

  async list(owner: string, deadline: number): Promise<string[]> {
    const keys: string[] = []
    const search = { kind: this.#space.kinds.owners, filter: this.#entriesOf(owner), paths: [], deadline: () => deadline }
    for await (const page of pagesOf(this.#service, search)) {
      for (const { entity } of page) keys.push(nameOf(entity?.key).slice(owner.length))
    }
    return keys
  }

  #entriesOf(owner: string): Filter {
    const where = (op: PropertyFilter['op'], key: string): { propertyFilter: PropertyFilter } =>
      ({ propertyFilter: { property: { name: '__key__' }, op, value: { keyValue: this.#space.owned(owner, key) } } })
    return { compositeFilter: { op: 'AND', filters: [where('GREATER_THAN_OR_EQUAL', ''), where('LESS_THAN', 'g')] } } // keys are hexadecimal
  }
}

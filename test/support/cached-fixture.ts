import { setImmediate } from 'node:timers/promises'
import { cachedManager } from '../../backends/cached.js'
import type { NamespaceManager } from '../../src/namespace-manager.js'
import type { ContractFixture } from '../contract/index.js'
import { pairedFixture } from './paired-fixture.js'

/** One backend with another as its cache. */
export const cachedFixture = (store: ContractFixture, cache: ContractFixture): ContractFixture =>
  pairedFixture(store, cache, store.supports, ([from, before], now) => cachedManager({ store: from, cache: before, now }))

/** The same, where the cache holds a copy of whatever a call is about. */
export const warmFixture = (store: ContractFixture, cache: ContractFixture): ContractFixture =>
  pairedFixture(store, cache, store.supports, ([from, before], now) => warm(cachedManager({ store: from, cache: before, now })))

const ABOUT_RECORDS = new Set<string | symbol>(['get', 'create', 'replace', 'touch', 'delete'])

const warm = (manager: NamespaceManager): NamespaceManager =>
  new Proxy(manager, {
    get(_, name) {
      const member = Reflect.get(manager, name) as unknown
      if (typeof member !== 'function') return member
      if (!ABOUT_RECORDS.has(name)) return member.bind(manager)
      return async (key: string, ...rest: unknown[]): Promise<unknown> => {
        await manager.get(key)
        await setImmediate() // the copy is put behind the reader's back
        return member.call(manager, key, ...rest) as unknown
      }
    },
  })

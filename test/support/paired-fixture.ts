import type { NamespaceManager, StoredRecord } from '../../src/namespace-manager.js'
import { withMethods } from '../security/support.js'
import type { ContractFixture, ContractStore, OwnClock } from '../contract/index.js'

/** What a wrapper of two managers is made of. */
export type Pair = readonly [one: NamespaceManager, other: NamespaceManager]

type Wrap = (pair: Pair, now: () => number) => NamespaceManager

/** Both go by clocks that are set, or both by the machine's. */
export const isOfOneClock = (one: ContractFixture, other: ContractFixture): boolean => (one.ownClock === undefined) === (other.ownClock === undefined)

/**
 * A fixture of what wraps two backends, each with a store of its own. Where they tell time in different ways it goes by the first one's clock,
 * and the other's, whatever it shows, is not moved. `scope: 'process'`: the same manager is opened each time.
 */
export const pairedFixture = (one: ContractFixture, other: ContractFixture, supports: ContractFixture['supports'], wrap: Wrap): ContractFixture => ({
  supports,
  patienceMs: 60_000, // two stores, of which one may be files, and many cases at a time
  ...ownClockOf(isOfOneClock(one, other) ? [one, other] : [one]),
  async createStore() {
    const stores = [await one.createStore(), await other.createStore()] as const
    const [{ now }, { now: otherNow }] = stores
    const open = async (namespace: string | undefined): Promise<NamespaceManager> =>
      wrap([await stores[0].open(namespace), timedBy(await stores[1].open(namespace), () => otherNow() - now())], now)
    const opened = new Map<string, Promise<NamespaceManager>>()
    const openOnce = (namespace = ''): Promise<NamespaceManager> => {
      const manager = opened.get(namespace) ?? open(namespace || undefined)
      opened.set(namespace, manager)
      return manager
    }
    return {
      open: supports.scope === 'process' ? openOnce : open,
      now,
      advance: (ms) => inAll(isOfOneClock(one, other) ? stores : [stores[0]], (store) => store.advance(ms)),
      restart: () => inAll(stores, (store) => store.restart?.()),
      dispose: () => inAll(stores, (store) => store.dispose()),
    }
  },
})

const inAll = async (stores: readonly ContractStore[], call: (store: ContractStore) => unknown): Promise<void> =>
  void (await Promise.all(stores.map(call)))

/** Records live as long as the slower clock needs, and may go as late as the later one lets them. */
const ownClockOf = (fixtures: readonly ContractFixture[]): { readonly ownClock?: OwnClock } => {
  const clocks = fixtures.flatMap(({ ownClock }) => ownClock ?? [])
  if (clocks.length === 0) return {}
  return { ownClock: { lifeMs: Math.max(...clocks.map(({ lifeMs }) => lifeMs)), lateMs: Math.max(...clocks.map(({ lateMs }) => lateMs)) } }
}

/** A manager whose clock is so much ahead, seen from here. */
const timedBy = (manager: NamespaceManager, ahead: () => number): NamespaceManager => {
  const told = (record: StoredRecord | undefined): StoredRecord | undefined =>
    record?.expiresAt === undefined ? record : { ...record, expiresAt: record.expiresAt - ahead() }
  return withMethods(manager, {
    get: async (key, touch) => told(await manager.get(key, touch && { expiresAt: touch.expiresAt + ahead(), ifBefore: touch.ifBefore + ahead() })),
    create: (key, value, expiresAt) => manager.create(key, value, expiresAt + ahead()),
    replace: (key, value, version, expiresAt, ending) => manager.replace(key, value, version, expiresAt + ahead(), ending),
    touch: (key, expiresAt) => manager.touch(key, expiresAt + ahead()),
  })
}

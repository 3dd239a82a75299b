import type { NamespaceManager } from '../../src/namespace-manager.js'
import type { ContractFixture, ContractStore, OwnClock } from '../contract/index.js'

/** What a wrapper of two managers is made of. */
export type Pair = readonly [one: NamespaceManager, other: NamespaceManager]

type Wrap = (pair: Pair, now: () => number) => NamespaceManager

/**
 * A fixture of what wraps two backends, each with a store of its own on one clock: both stand still until they are advanced, or both are
 * the machine's. `scope: 'process'`: the same manager is opened each time.
 */
export const pairedFixture = (
  one: ContractFixture, other: ContractFixture, supports: ContractFixture['supports'], wrap: Wrap,
): ContractFixture => ({
  supports,
  patienceMs: 60_000, // two stores, of which one may be files, and many cases at a time
  ...ownClockOf(one, other),
  async createStore() {
    const stores = [await one.createStore(), await other.createStore()] as const
    const [{ now }] = stores
    if (Math.abs(now() - stores[1].now()) > 60_000) throw new Error('the two fixtures tell different times')
    const opened = new Map<string, Promise<NamespaceManager>>()
    const open = async (namespace: string | undefined): Promise<NamespaceManager> =>
      wrap([await stores[0].open(namespace), await stores[1].open(namespace)], now)
    const openOnce = (namespace = ''): Promise<NamespaceManager> => {
      const manager = opened.get(namespace) ?? open(namespace || undefined)
      opened.set(namespace, manager)
      return manager
    }
    return {
      open: supports.scope === 'process' ? openOnce : open,
      now,
      advance: (ms) => inBoth(stores, (store) => store.advance(ms)),
      restart: () => inBoth(stores, (store) => store.restart?.()),
      dispose: () => inBoth(stores, (store) => store.dispose()),
    }
  },
})

const inBoth = async (stores: readonly ContractStore[], call: (store: ContractStore) => unknown): Promise<void> =>
  void (await Promise.all(stores.map(call)))

/** Records live as long as the slower clock needs, and may go as late as the later one lets them. */
const ownClockOf = (...fixtures: readonly ContractFixture[]): { readonly ownClock?: OwnClock } => {
  const clocks = fixtures.flatMap(({ ownClock }) => ownClock ?? [])
  if (clocks.length === 0) return {}
  return { ownClock: { lifeMs: Math.max(...clocks.map(({ lifeMs }) => lifeMs)), lateMs: Math.max(...clocks.map(({ lateMs }) => lateMs)) } }
}

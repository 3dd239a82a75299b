import { memoryBackend } from '../../../backends/memory.js'
import { SessionClosedError } from '../../../src/errors.js'
import type { EveryAbility } from '../memory-fixture.js'
import { deleting, type Mutant, type StoreFaults } from './mutant.js'

const fixtureMutants: readonly Mutant[] = [
  { fault: 'stores meet', caughtBy: 'fixture: a new store is empty', store: { isSharedByAll: true } },
  { fault: 'managers do not share the store', caughtBy: 'fixture: a new store is empty', store: { isSharedByNone: true } },
  { fault: 'the clock stands still', caughtBy: 'fixture: a new store is empty', store: { advance: () => 0 } },
  { fault: 'the clock goes too far', caughtBy: 'fixture: the clock stands where it was put', store: { advance: (ms) => ms + 1 } },
  { fault: 'the managers go by another clock', caughtBy: 'fixture: a new store is empty', store: { clock: () => 1_800_000_000_000 } },
  { fault: 'records end 1 ms late', caughtBy: 'expiry: at the time that create gave it', store: { clock: (now) => now - 1 } },
  { fault: 'records end 2 ms late', caughtBy: 'expiry: 1 ms after the time that touch gave it', store: { clock: (now) => now - 2 } },
  { fault: 'records end 1 ms early', caughtBy: 'expiry: 1 ms before the time that replace gave it', store: { clock: (now) => now + 1 } },
  {
    fault: 'the manager claims what it cannot do',
    caughtBy: 'supports: the manifest of the fixture',
    connection: () => ({ supports: { ...memoryBackend.supports, scope: 'machine' } }),
  },
]

const meeting = (fault: string, caughtBy: string, namespace: NonNullable<StoreFaults['namespace']>): Mutant =>
  ({ fault: `namespaces meet: ${fault}`, caughtBy: `namespace: ${caughtBy}:`, store: { namespace } })

const namespaceMutants: readonly Mutant[] = [
  meeting('the name is ignored', 'two names', () => 'one'),
  meeting('names are cut', 'a name that begins another', (name) => name.slice(0, 4)),
  meeting('names are cut in front', 'a name that ends another', (name) => name.slice(-4)),
  meeting('a colon ends the name', 'a part in front of a colon', (name) => name.split(':')[0] ?? ''),
  meeting('case is ignored', 'upper and lower case', (name) => name.toLowerCase()),
  meeting('a star is a pattern', 'a star', (name) => (name === '*' ? 'shop' : name)),
  meeting('a star behind is a pattern', 'a star behind', (name) => name.replace('sh*', 'shop')),
  meeting('a question mark is a pattern', 'a question mark', (name) => name.replace('?', 'p')),
  meeting('brackets are a pattern', 'a class of characters', (name) => name.replace('[a-z]', 'p')),
  meeting('a backslash quotes', 'a backslash', (name) => name.replace('\\', '')),
  {
    fault: 'namespaces meet: in their locks',
    caughtBy: 'lock: namespaces do not wait for each other',
    server: (real, { first }) => ({ lock: (key, leaseMs, waitUntil) => (first() ?? real).lock(key, leaseMs, waitUntil) }),
  },
  {
    fault: 'namespaces meet: in their owners',
    caughtBy: 'owners: namespaces share none',
    server: (real, { first }) => ({
      addOwned: (owner, key, expiresAt) => (first() ?? real).addOwned(owner, key, expiresAt),
      removeOwned: (owner, key) => (first() ?? real).removeOwned(owner, key),
      listOwned: (owner) => (first() ?? real).listOwned(owner),
    }),
  },
]

const durableMutants: readonly Mutant[] = [
  {
    fault: 'a restart loses the records',
    caughtBy: 'durable: records outlive',
    store: {
      restart: async (server) => {
        for await (const key of server.keys()) await server.delete(key)
      },
    },
  },
  {
    fault: 'a restart gives new versions',
    caughtBy: 'durable: records outlive',
    store: {
      restart: async (server) => {
        for await (const key of server.keys()) {
          const { value = '', version = '', expiresAt = 0 } = (await server.get(key)) ?? {}
          await server.replace(key, value, version, expiresAt)
        }
      },
    },
  },
]

/** After its manager was closed, the method throws instead of rejecting. */
const throwing = (method: Exclude<keyof EveryAbility, 'supports' | 'close'>): Mutant => ({
  fault: `close: afterwards ${method} throws`,
  caughtBy: `close: afterwards ${method} rejects`,
  connection: (real) => {
    let isClosed = false
    const call = (...args: unknown[]): unknown => {
      if (isClosed) throw new SessionClosedError('closed')
      return (real[method] as (...args: unknown[]) => unknown)(...args)
    }
    const close = async (): Promise<void> => {
      isClosed = true
      await real.close()
    }
    return { [method]: call, close }
  },
})

const closingMutants: readonly Mutant[] = [
  {
    fault: 'close: a second time it fails',
    caughtBy: 'close: may be called twice',
    connection: (real) => {
      let isClosed = false
      return {
        close: async () => {
          if (isClosed) throw new SessionClosedError('closed already')
          isClosed = true
          await real.close()
        },
      }
    },
  },
  { fault: 'close: does nothing', caughtBy: 'close: of a manager that was never used', connection: () => ({ close: async () => undefined }) },
  { fault: 'close: closes the store', caughtBy: 'close: the other managers of the store go on', store: { closesAll: true } },
  {
    fault: 'close: forgets who waits for a lock',
    caughtBy: 'close: a lock that is waited for is settled',
    connection: (real) => ({ lock: (...args) => real.lock(...args).catch(() => new Promise<never>(() => undefined)) }),
  },
  {
    fault: 'close: afterwards delete is still taken',
    caughtBy: 'close: afterwards delete with a version rejects',
    connection: () => ({ delete: deleting(async () => true) }),
  },
  throwing('get'),
  throwing('create'),
  throwing('replace'),
  throwing('touch'),
  throwing('delete'),
  throwing('keys'),
  throwing('purgeExpired'),
  throwing('lock'),
  throwing('addOwned'),
  throwing('removeOwned'),
  throwing('listOwned'),
]

export const storeMutants: readonly Mutant[] = [...fixtureMutants, ...namespaceMutants, ...durableMutants, ...closingMutants]

import type { Mutant, StoreFaults } from './mutant.js'

const meeting = (fault: string, caughtBy: string, namespace: NonNullable<StoreFaults['namespace']>): Mutant =>
  ({ fault: `namespaces meet: ${fault}`, caughtBy: `namespace: ${caughtBy}:`, store: { namespace } })

export const namespaceMutants: readonly Mutant[] = [
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

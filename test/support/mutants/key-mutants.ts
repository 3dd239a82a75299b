import { deleting, type Mutant } from './mutant.js'

/** What a key is taken for. */
const keyed = (fault: string, caughtBy: string, change: (key: string) => string): Mutant => ({
  fault: `key: ${fault}`,
  caughtBy: `key: ${caughtBy}`,
  server: (real) => ({
    get: (key, touch) => real.get(change(key), touch),
    create: (key, value, expiresAt) => real.create(change(key), value, expiresAt),
    replace: (key, value, version, expiresAt) => real.replace(change(key), value, version, expiresAt),
    touch: (key, expiresAt) => real.touch(change(key), expiresAt),
    delete: deleting((key, version) => (version === undefined ? real.delete(change(key)) : real.delete(change(key), version))),
  }),
})

export const keyMutants: readonly Mutant[] = [
  keyed('is ignored', 'the record of one is never given for another', () => 'one'),
  keyed('is ignored', 'what is done to one record leaves the next', () => 'one'),
  keyed('loses its last digit', 'two that differ in the last digit', (key) => key.slice(0, -1)),
  keyed('loses its first digit', 'two that differ in the last digit only, or in the first', (key) => key.slice(1)),
]

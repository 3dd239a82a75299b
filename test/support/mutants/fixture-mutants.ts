import { memoryBackend } from '../../../backends/memory.js'
import type { Mutant } from './mutant.js'

export const fixtureMutants: readonly Mutant[] = [
  { fault: 'stores meet', caughtBy: 'fixture: a new store is empty', store: { isSharedByAll: true } },
  {
    fault: 'managers do not share the store',
    caughtBy: 'fixture: a new store is empty',
    store: { isSharedByNone: true },
  },
  { fault: 'the clock stands still', caughtBy: 'fixture: a new store is empty', store: { advance: () => 0 } },
  {
    fault: 'the clock goes too far',
    caughtBy: 'fixture: the clock stands where it was put',
    store: { advance: (ms) => ms + 1 },
  },
  {
    fault: 'the managers go by another clock',
    caughtBy: 'fixture: a new store is empty',
    store: { clock: () => 1_800_000_000_000 },
  },
  {
    fault: 'records end 1 ms late',
    caughtBy: 'expiry: at the time that create gave it',
    store: { clock: (now) => now - 1 },
  },
  {
    fault: 'records end 2 ms late',
    caughtBy: 'expiry: 1 ms after the time that touch gave it',
    store: { clock: (now) => now - 2 },
  },
  {
    fault: 'records end 1 ms early',
    caughtBy: 'expiry: 1 ms before the time that replace gave it',
    store: { clock: (now) => now + 1 },
  },
  {
    fault: 'the manager claims what it cannot do',
    caughtBy: 'supports: the manifest of the fixture',
    connection: () => ({ supports: { ...memoryBackend.supports, scope: 'machine' } }),
  },
]

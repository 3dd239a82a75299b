import { SessionClosedError } from '../../../src/errors.js'
import type { EveryAbility } from '../memory-fixture.js'
import { deleting, type Mutant } from './mutant.js'

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

export const closingMutants: readonly Mutant[] = [
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
  {
    fault: 'close: does nothing',
    caughtBy: 'close: of a manager that was never used',
    connection: () => ({ close: async () => undefined }),
  },
  {
    fault: 'close: closes the store',
    caughtBy: 'close: the other managers of the store go on',
    store: { closesAll: true },
  },
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

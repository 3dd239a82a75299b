import { migrating } from '../../backends/migrating.js'
import { inCommon } from '../../backends/migrating/manifest.js'
import type { BackendContext, NamespaceManager } from '../../src/namespace-manager.js'
import type { ContractFixture } from '../contract/index.js'
import { isOfOneClock, pairedFixture } from './paired-fixture.js'
import type { Pair } from './paired-fixture.js'

/** A manager of two stores, as a process in that step of the migration has it. */
export const openMigrating = ([from, to]: Pair, createIn: 'from' | 'to', now: () => number): NamespaceManager =>
  migrating({ from, to, createIn }).open({ now, openOther: (which: unknown) => which } as BackendContext) as NamespaceManager

/** One backend moving to another, in the first step (`from`) or in the second. */
export const migratingFixture = (from: ContractFixture, to: ContractFixture, createIn: 'from' | 'to'): ContractFixture =>
  fixture(from, to, (pair, now) => openMigrating(pair, createIn, now))

/** Processes of both steps at once: each call is another's, and which of them makes a record is decided by its key. */
export const mixedFixture = (from: ContractFixture, to: ContractFixture): ContractFixture =>
  fixture(from, to, (pair, now) => mixed(openMigrating(pair, 'from', now), openMigrating(pair, 'to', now)))

const fixture = (from: ContractFixture, to: ContractFixture, open: (pair: Pair, now: () => number) => NamespaceManager): ContractFixture => {
  if (!isOfOneClock(from, to)) throw new Error('records of both expire: their clocks must be alike')
  return pairedFixture(from, to, inCommon(from.supports, to.supports), open)
}

const mixed = (...steps: readonly [NamespaceManager, NamespaceManager]): NamespaceManager => {
  let calls = 0
  const stepFor = (method: string | symbol, key: string): NamespaceManager =>
    steps[(method === 'create' ? Number.parseInt(key.at(-1)!, 16) : calls++) % 2]!
  const close = async (): Promise<void> => {
    for (const step of steps) await step.close()
  }
  return new Proxy(steps[0], {
    get(_, name) {
      const member = Reflect.get(steps[0], name) as unknown
      if (typeof member !== 'function') return member
      if (name === 'close') return close
      return (key: string, ...rest: unknown[]): unknown => {
        const step = stepFor(name, key) as any
        return step[name](key, ...rest)
      }
    },
  })
}

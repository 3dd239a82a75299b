import type { CaseDefinition, Need } from './case-definition.js'
import { closingCases } from './cases/closing.js'
import { creatingCases } from './cases/creating.js'
import { deletingCases } from './cases/deleting.js'
import { durableCases } from './cases/durable.js'
import { enumerableCases } from './cases/enumerable.js'
import { expiryCases } from './cases/expiry.js'
import { fixtureCases } from './cases/fixture.js'
import { isolationCases } from './cases/isolation.js'
import { lockableCases } from './cases/lockable.js'
import { ownerIndexCases } from './cases/owner-index.js'
import { parallelCases } from './cases/parallel.js'
import { purgeableCases } from './cases/purgeable.js'
import { readingCases } from './cases/reading.js'
import { replacingCases } from './cases/replacing.js'
import { touchingCases } from './cases/touching.js'
import { valueCases } from './cases/values.js'
import type { ContractFixture } from './contract-fixture.js'
import { Stage } from './stage.js'

/** One behaviour that the contract asks for. */
export interface ContractCase {
  /** The sentence of the contract that it proves; no two cases share one. */
  readonly name: string
  /** Resolves when the behaviour was seen, and rejects with an `AssertionError` when another one was. */
  readonly run: () => Promise<void>
}

/**
 * The contract of `NamespaceManager`, as cases for any test runner: those that the fixture's manifest asks for. The
 * first proves the fixture. They are independent of each other and of their order, and may run at the same time.
 *
 * ```ts
 * import test from 'ava'
 * import { contractCases, type ContractFixture } from 'phial/testing'
 * import { MyManager, supports } from './my-backend.js'
 *
 * const fixture: ContractFixture = {
 *   supports,
 *   createStore() {
 *     let clock = Date.now()
 *     const records = new Map()
 *     return {
 *       open: (namespace = 'test') => new MyManager(records, namespace, () => clock),
 *       now: () => clock,
 *       advance: (ms) => { clock += ms },
 *       dispose: () => records.clear(),
 *     }
 *   },
 * }
 *
 * for (const { name, run } of contractCases(fixture)) test(name, (t) => t.notThrowsAsync(run()))
 * ```
 */
export const contractCases = (fixture: ContractFixture): ContractCase[] =>
  definitions
    .filter(({ needs }) => needs.every((need) => isMet[need](fixture)))
    .map(({ name, check }) => ({ name, run: () => Stage.play(fixture, check) }))

const definitions: readonly CaseDefinition[] = [
  ...fixtureCases,
  ...readingCases,
  ...expiryCases,
  ...creatingCases,
  ...replacingCases,
  ...touchingCases,
  ...deletingCases,
  ...valueCases,
  ...isolationCases,
  ...parallelCases,
  ...durableCases,
  ...enumerableCases,
  ...purgeableCases,
  ...lockableCases,
  ...ownerIndexCases,
  ...closingCases,
]

const isMet: Readonly<Record<Need, (fixture: ContractFixture) => boolean>> = {
  exactClock: ({ ownClock }) => ownClock === undefined,
  severalRecords: ({ supports }) => supports.scope !== 'request',
  severalProcesses: ({ supports }) => supports.scope === 'machine' || supports.scope === 'shared',
  durable: ({ supports }) => supports.durable,
  atomic: ({ supports }) => supports.atomic,
  revocable: ({ supports }) => supports.revocable,
  enumerable: ({ supports }) => supports.enumerable,
  purgeable: ({ supports }) => supports.purgeable,
  lockable: ({ supports }) => supports.lockable,
  ownerIndex: ({ supports }) => supports.ownerIndex,
}

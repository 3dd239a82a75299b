import { closingMutants } from './closing-mutants.js'
import { creatingMutants } from './creating-mutants.js'
import { deletingMutants } from './deleting-mutants.js'
import { durableMutants } from './durable-mutants.js'
import { enumerableMutants } from './enumerable-mutants.js'
import { expiryMutants } from './expiry-mutants.js'
import { fixtureMutants } from './fixture-mutants.js'
import { keyMutants } from './key-mutants.js'
import { lockableMutants } from './lockable-mutants.js'
import { namespaceMutants } from './namespace-mutants.js'
import { ownerMutants } from './owner-mutants.js'
import { purgeableMutants } from './purgeable-mutants.js'
import { readingMutants } from './reading-mutants.js'
import { replacingMutants } from './replacing-mutants.js'
import { touchingMutants } from './touching-mutants.js'
import { valueMutants } from './value-mutants.js'
import { versionMutants } from './version-mutants.js'
import type { Mutant } from './mutant.js'

/** A fault for each sentence of the contract, and more. */
export const mutants: readonly Mutant[] = [
  ...fixtureMutants,
  ...readingMutants,
  ...expiryMutants,
  ...creatingMutants,
  ...replacingMutants,
  ...versionMutants,
  ...touchingMutants,
  ...deletingMutants,
  ...valueMutants,
  ...keyMutants,
  ...namespaceMutants,
  ...durableMutants,
  ...enumerableMutants,
  ...purgeableMutants,
  ...lockableMutants,
  ...ownerMutants,
  ...closingMutants,
]

import type { EveryAbility } from '../memory-fixture.js'

/** A backend with one fault, for the contract suite to find. */
export interface Mutant {
  readonly fault: string
  /** How the name of a case begins that has to fail. */
  readonly caughtBy: string
  /** What is broken of the records of a namespace: replaces methods of their server. */
  readonly server?: Fault
  /** What is broken of a manager: replaces methods of one connection to the server. */
  readonly connection?: Fault
  /** What is broken of the store that the fixture gives. */
  readonly store?: StoreFaults
}

export type Fault = (real: EveryAbility, world: World) => Partial<EveryAbility>

export interface World {
  readonly now: () => number
  /** The server of the namespace that was opened first, once there is one. */
  readonly first: () => EveryAbility | undefined
  readonly all: () => readonly EveryAbility[]
}

export interface StoreFaults {
  /** What a namespace is taken for. */
  readonly namespace?: (name: string) => string
  readonly advance?: (ms: number) => number
  /** What the servers' clock shows when the fixture's shows this. */
  readonly clock?: (now: number) => number
  readonly isSharedByAll?: boolean
  readonly isSharedByNone?: boolean
  readonly restart?: (server: EveryAbility) => Promise<void>
  /** A manager that is closed takes the others with it. */
  readonly closesAll?: boolean
}

/** A plain object of the same methods, with some of them replaced. */
export const override = (real: EveryAbility, faults: Partial<EveryAbility> = {}): EveryAbility => ({
  supports: real.supports,
  get: (key, touch) => real.get(key, touch),
  create: (key, value, expiresAt) => real.create(key, value, expiresAt),
  replace: (key, value, version, expiresAt) => real.replace(key, value, version, expiresAt),
  touch: (key, expiresAt) => real.touch(key, expiresAt),
  delete: deleting((key, version) => (version === undefined ? real.delete(key) : real.delete(key, version))),
  keys: () => real.keys(),
  purgeExpired: () => real.purgeExpired(),
  lock: (key, leaseMs, waitUntil) => real.lock(key, leaseMs, waitUntil),
  addOwned: (owner, key, expiresAt) => real.addOwned(owner, key, expiresAt),
  removeOwned: (owner, key) => real.removeOwned(owner, key),
  listOwned: (owner) => real.listOwned(owner),
  close: () => real.close(),
  ...faults,
})

/** Both forms of `delete` in one function: its overloads cannot be written as a function's type. */
export const deleting = (both: (key: string, version?: string) => Promise<boolean | void>): EveryAbility['delete'] =>
  both as EveryAbility['delete']

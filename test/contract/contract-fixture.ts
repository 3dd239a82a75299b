import type { Manifest, NamespaceManager } from '../../src/namespace-manager.js'

/** What the contract suite needs of a backend, a wrapper or a namespace manager of one's own. */
export interface ContractFixture {
  /** What its managers claim: the cases are chosen by it. */
  readonly supports: Manifest
  /** An empty store for one case. Cases may run at the same time, so stores must not meet. */
  createStore(): ContractStore | Promise<ContractStore>
  /** Left out when the managers' `now` is all that tells time, which lets the suite test to the millisecond. */
  readonly ownClock?: OwnClock
  /** How long the suite waits for what has to come, in milliseconds of real time; default 10,000. */
  readonly patienceMs?: number
}

/** For a store that tells time by a clock of its own, such as a server: `advance` then really waits. */
export interface OwnClock {
  /** The life of records that the suite lets expire, in milliseconds. Long enough to write and touch one within it. */
  readonly lifeMs: number
  /** How many milliseconds after its end a record may still be there. */
  readonly lateMs: number
}

/** One store: the records of all its namespaces, and the clock that they expire by. */
export interface ContractStore {
  /**
   * A manager of the namespace (always the same one when none is named) on this store's records, as another process
   * would make it. Where a manager is a store (scope `process`) it is the same manager each time.
   *
   * Scope `request`: the request before is over and what it sent is in the client's jar; this is the manager of the
   * next one. The suite then names no namespace, keeps one record, and uses no manager once it has opened another.
   */
  open(namespace?: string): NamespaceManager | Promise<NamespaceManager>
  /** The clock that the managers were given as `now`. It may stand still until it is advanced. */
  now(): number
  /** Lets this many milliseconds go by: sets the clock forward, or waits. */
  advance(ms: number): void | Promise<void>
  /** For durable stores that are servers: stops what keeps the records, and starts it again. */
  restart?(): Promise<void>
  /** Closes the managers and removes the records. */
  dispose(): void | Promise<void>
}

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Manifest, NamespaceManager, StoredRecord } from '../../src/namespace-manager.js'
import type { ContractFixture, ContractStore } from './contract-fixture.js'

const HOUR = 3_600_000
const STEP = 5

/** Where a case is played: a store of its own, and the words in which cases are written. */
export class Stage {
  readonly fixture: ContractFixture
  readonly store: ContractStore

  constructor(fixture: ContractFixture, store: ContractStore) {
    this.fixture = fixture
    this.store = store
  }

  static async play(fixture: ContractFixture, check: (stage: Stage) => Promise<void>): Promise<void> {
    const store = await fixture.createStore()
    try {
      await check(new Stage(fixture, store))
    } finally {
      await store.dispose()
    }
  }

  get supports(): Manifest {
    return this.fixture.supports
  }

  /** A manager, with the ability that the case's needs promise. */
  async open<Ability = unknown>(namespace?: string): Promise<NamespaceManager & Ability> {
    return (await this.store.open(namespace)) as NamespaceManager & Ability
  }

  /** What somebody else, or the next request, reads. */
  async read(key: string): Promise<StoredRecord | undefined> {
    const manager = await this.open()
    return manager.get(key)
  }

  async readValue(key: string): Promise<string | undefined> {
    return (await this.read(key))?.value
  }

  /** A key as the library makes it: a digest in hexadecimal or, where the client is the store, an id. */
  key(label = 'key'): string {
    return createHash('sha256').update(label).digest(this.supports.scope === 'request' ? 'base64url' : 'hex')
  }

  now(): number {
    return this.store.now()
  }

  /** An expiry that `outlive` lets pass. */
  soon(): number {
    return this.now() + this.life
  }

  /** An expiry that the case does not see. */
  later(): number {
    return this.now() + HOUR
  }

  get life(): number {
    return this.fixture.ownClock?.lifeMs ?? 1_000
  }

  /** The length of a lease that is to end by itself. Real time has to pass for it: a lease may be timed by timers. */
  get lease(): number {
    return this.fixture.ownClock?.lifeMs ?? 200
  }

  /** How far a time that the store tells may be from the one that it was given. */
  get tolerance(): number {
    return this.fixture.ownClock?.lateMs ?? 0
  }

  /** Lets everything that was to end soon end. */
  async outlive(): Promise<void> {
    await this.advance(this.life + this.tolerance)
  }

  async advance(ms: number): Promise<void> {
    await this.store.advance(ms)
  }

  /** The outcome of what ends by itself or in time. Real time and the store's go by meanwhile, whichever it waits for. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    const patience = performance.now() + (this.fixture.patienceMs ?? 10_000)
    while (await isPending(promise)) {
      assert.ok(performance.now() < patience, 'still pending, though time went by')
      await this.pass(STEP)
    }
    return promise
  }

  /** Lets time go by, real time and the store's, in small steps. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP) {
      if (this.fixture.ownClock === undefined) await sleep(STEP)
      await this.advance(STEP)
    }
  }
}

export const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  // A promise that has settled wins against one that settles a turn of the loop later.
  const first = await Promise.race([promise.catch(() => undefined), sleep(0, pending)])
  return first === pending
}

/** What was to be there is there. */
export const present = <T>(value: T | undefined): T => {
  assert.notEqual(value, undefined, 'expected an answer, got undefined')
  return value as T
}

/** How many of the outcomes are a success: a version, `true`. */
export const countWins = (outcomes: readonly (string | boolean | undefined)[]): number =>
  outcomes.filter((outcome) => outcome !== undefined && outcome !== false).length

/** 0, 1, 2, … below the count. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

import type { Awaitable } from '../awaitable.js'
import type { AtOnce, NamespaceManager, StoredRecord } from '../namespace-manager.js'
import type { KeySpace } from './id.js'
import { promptCalls } from './prompt-calls.js'
import type { StoreCalls } from './store-call.js'
import type { TimeRules } from './time-rules.js'

/** A generation is kept for this much longer than the sessions that are of it, so that reading it need not move its end each time. */
const SPARE_MS = 86_400_000

/**
 * Each owner has a generation, a random word under a key of its own, and a record says of which it is. A revocation begins another, and with
 * that whatever was made before is dead: also what no index knows of, and a log-in that was on its way.
 */
export class OwnerGenerations {
  readonly #store: NamespaceManager
  readonly #prompt: Required<AtOnce>
  readonly #calls: StoreCalls
  readonly #rules: TimeRules
  readonly #keys: KeySpace

  constructor(store: NamespaceManager, calls: StoreCalls, rules: TimeRules, keys: KeySpace) {
    this.#store = store
    this.#prompt = promptCalls(store)
    this.#calls = calls
    this.#rules = rules
    this.#keys = keys
  }

  /** `undefined` when there is none. Reading it keeps it for as long as a session that is made now may last. */
  read(owner: string, deadline: number): Awaitable<StoredRecord | undefined> {
    const ifBefore = this.#lastEnd()
    return this.#calls.runAtOnce('get', deadline, () => this.#prompt.get(this.#keys.generationKeyOf(owner), { expiresAt: ifBefore + SPARE_MS, ifBefore }))
  }

  /** The current one: `proposed`, if there was none. */
  async begin(owner: string, proposed: string, deadline: number): Promise<string> {
    for (;;) {
      const now = await this.read(owner, deadline)
      if (now !== undefined) {
        await this.#settle(owner, deadline)
        return now.value
      }
      if (await this.#create(owner, proposed, deadline)) return proposed
    }
  }

  /** From here on `next` is the current one; `false`, changing nothing, when `base` was not: another revocation came first. */
  renew(owner: string, next: string, base: StoredRecord | undefined, deadline: number): Promise<boolean> {
    return base === undefined ? this.#create(owner, next, deadline) : this.#replace(owner, next, base.version, deadline)
  }

  async #create(owner: string, generation: string, deadline: number): Promise<boolean> {
    const created = this.#calls.run('create', deadline, () => this.#store.create(this.#keys.generationKeyOf(owner), generation, this.#lastEnd() + SPARE_MS))
    return (await created) !== undefined
  }

  async #replace(owner: string, generation: string, version: string, deadline: number): Promise<boolean> {
    const replaced = this.#calls.run('replace', deadline, () =>
      this.#store.replace(this.#keys.generationKeyOf(owner), generation, version, this.#lastEnd() + SPARE_MS, 'revoked'))
    return (await replaced) !== undefined
  }

  /** It is used for as long as its owner is: it would keep a store from being left. */
  async #settle(owner: string, deadline: number): Promise<void> {
    const store = this.#store
    if (store.settle === undefined) return
    await this.#calls.run('settle', deadline, () => store.settle!(this.#keys.generationKeyOf(owner), this.#lastEnd() + SPARE_MS))
  }

  /** When the last session that is there now may end. */
  #lastEnd(): number {
    return this.#rules.indexExpiry({ createdAt: this.#rules.now() })
  }
}

import type { NamespaceManager } from '../../src/namespace-manager.js'
import { withMethods } from './support.js'

/** A call that reached the store, and what it was answered. */
export interface Passed {
  readonly actor: string
  readonly method: string
  readonly key: string
  readonly answer: unknown
}

interface Waiting {
  readonly pass: () => Promise<void>
}

/**
 * Stands before a store: calls wait, and are let through one at a time in an order of the test's choosing. Since a store's calls
 * take effect at one moment each, that makes every order of several requests' calls that a network could make.
 */
export class Turnstile {
  readonly passed: Passed[] = []
  readonly #waiting: Waiting[] = []
  readonly #store: NamespaceManager
  #isOpen = false

  constructor(store: NamespaceManager) {
    this.#store = store
  }

  /** The store, as one actor sees it. */
  for(actor: string): NamespaceManager {
    const waiting = (method: 'get' | 'create' | 'replace' | 'touch' | 'delete') => (key: string, ...rest: any[]): Promise<any> =>
      this.#wait(actor, method, key, () => (this.#store[method] as any)(key, ...rest))
    return withMethods(this.#store, {
      get: waiting('get'), create: waiting('create'), replace: waiting('replace'), touch: waiting('touch'),
      delete: waiting('delete'), close: async () => {},
    })
  }

  /** Lets calls through until the work is done: `pick` says which of so many. */
  async until(work: Promise<unknown>, pick: (choices: number) => number): Promise<void> {
    let isDone = false
    const done = work.finally(() => { isDone = true })
    done.catch(() => {})
    while (!isDone) {
      await new Promise(setImmediate)
      if (this.#waiting.length > 0) await this.#waiting.splice(pick(this.#waiting.length), 1)[0]!.pass()
    }
    this.#isOpen = true
    for (const { pass } of this.#waiting.splice(0)) await pass()
    await done
  }

  #wait<R>(actor: string, method: string, key: string, call: () => Promise<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const pass = async (): Promise<void> => {
        try {
          const answer = await call()
          this.passed.push({ actor, method, key, answer })
          resolve(answer)
        } catch (error) {
          reject(error)
        }
      }
      if (this.#isOpen) void pass()
      else this.#waiting.push({ pass })
    })
  }
}

import type { Ending, NamespaceManager, StoredRecord, Touch } from '../src/namespace-manager.js'
import { memoryManager } from './memory-manager.js'

/** The calls that can be told to go wrong. */
export type FaultyMethod = 'get' | 'create' | 'replace' | 'touch' | 'delete'

/**
 * What happens to a call. `lost`: it is done, and its answer never comes. `hung`: it is not done, and no answer comes. `late`: no answer comes, and
 * it is done at `release()`. An error: it rejects with that, not done. A function: it is given the call, and says what is answered.
 */
export type Fault = 'lost' | 'hung' | 'late' | Error | ((call: () => Promise<unknown>) => unknown)

/**
 * A store whose next calls go wrong as told, and that keeps the names of all of them. Give its `manager` to `createManager` or `withSession` as
 * `type`. It stands over a namespace manager, by default one in memory.
 */
export class FaultyStore {
  /** The calls so far, in their order. */
  readonly calls: FaultyMethod[] = []
  readonly manager: NamespaceManager
  readonly #faults = new Map<FaultyMethod, Fault[]>()
  readonly #late: (() => void)[] = []

  constructor(inner: NamespaceManager = memoryManager()) {
    const call = <R>(method: FaultyMethod, run: () => Promise<R>): Promise<R> => this.#call(method, run)
    this.manager = {
      supports: inner.supports,
      atOnce: undefined,
      get isSpread() { return inner.isSpread ?? false },
      get: (key: string, touch?: Touch): Promise<StoredRecord | undefined> => call('get', () => inner.get(key, touch)),
      create: (key: string, value: string, at: number) => call('create', () => inner.create(key, value, at)),
      replace: (key: string, value: string, version: string, at: number, ending?: Ending) => call('replace', () => inner.replace(key, value, version, at, ending)),
      touch: (key: string, at: number) => call('touch', () => inner.touch(key, at)),
      delete: (key: string, version?: string) => call('delete', () => (version === undefined ? inner.delete(key) : inner.delete(key, version)) as Promise<any>),
      close: () => inner.close(),
    }
    for (const ability of ['settle', 'addOwned', 'removeOwned', 'listOwned', 'keys', 'purgeExpired', 'lock'] as const) {
      const method = (inner as any)[ability]
      if (method !== undefined) (this.manager as any)[ability] = method.bind(inner)
    }
  }

  /** The next calls of the method meet these faults, one each. */
  next(method: FaultyMethod, ...faults: Fault[]): void {
    this.#faults.set(method, [...(this.#faults.get(method) ?? []), ...faults])
  }

  /** Lets the calls that were told to be `late` reach the store now. */
  async release(): Promise<void> {
    for (const go of this.#late.splice(0)) go()
    await new Promise(setImmediate)
  }

  async #call<R>(method: FaultyMethod, run: () => Promise<R>): Promise<R> {
    this.calls.push(method)
    const fault = this.#faults.get(method)?.shift()
    if (fault === undefined) return run()
    if (fault instanceof Error) throw fault
    if (typeof fault === 'function') return (await fault(run)) as R
    if (fault === 'lost') await run()
    if (fault === 'late') this.#late.push(() => void run().catch(() => {})) // nobody waits for what becomes of it
    return new Promise<R>(() => {})
  }
}

import type { NamespaceManager, StoredRecord, Touch } from '../../src/namespace-manager.js'

type Method = 'get' | 'create' | 'replace' | 'touch' | 'delete'

/** What happens to a call: `lost`: it is done, and its answer never comes. `hung`: it is not done, and no answer comes. */
export type Fault = 'lost' | 'hung' | 'late' | Error | ((call: () => Promise<unknown>) => unknown)

/** A store whose next calls go wrong as told, and that counts all of them. */
export class FaultyStore {
  readonly calls: string[] = []
  readonly manager: NamespaceManager
  readonly #faults = new Map<Method, Fault[]>()
  readonly #late: (() => void)[] = []

  constructor(inner: NamespaceManager) {
    const call = <R>(method: Method, run: () => Promise<R>): Promise<R> => this.#call(method, run)
    const own = {
      supports: inner.supports,
      get: (key: string, touch?: Touch): Promise<StoredRecord | undefined> => call('get', () => inner.get(key, touch)),
      create: (key: string, value: string, at: number) => call('create', () => inner.create(key, value, at)),
      replace: (key: string, value: string, version: string, at: number, ends?: boolean) => call('replace', () => inner.replace(key, value, version, at, ends)),
      touch: (key: string, at: number) => call('touch', () => inner.touch(key, at)),
      delete: (key: string, version?: string) => call('delete', () => (version === undefined ? inner.delete(key) : inner.delete(key, version)) as Promise<any>),
      close: () => inner.close(),
    }
    this.manager = Object.assign(Object.create(inner) as NamespaceManager, own)
    for (const ability of ['addOwned', 'removeOwned', 'listOwned', 'keys', 'purgeExpired', 'lock'] as const) {
      const method = (inner as any)[ability]
      if (method !== undefined) (this.manager as any)[ability] = method.bind(inner)
    }
  }

  /** The next calls of the method meet these faults, one each. */
  next(method: Method, ...faults: Fault[]): void {
    this.#faults.set(method, [...(this.#faults.get(method) ?? []), ...faults])
  }

  /** Lets the calls that were told to be `late` reach the store now. */
  async release(): Promise<void> {
    for (const go of this.#late.splice(0)) go()
    await new Promise(setImmediate)
  }

  async #call<R>(method: Method, run: () => Promise<R>): Promise<R> {
    this.calls.push(method)
    const fault = this.#faults.get(method)?.shift()
    if (fault === undefined) return run()
    if (fault instanceof Error) throw fault
    if (typeof fault === 'function') return (await fault(run)) as R
    if (fault === 'lost') await run()
    if (fault === 'late') this.#late.push(() => void run())
    return new Promise<R>(() => {})
  }
}

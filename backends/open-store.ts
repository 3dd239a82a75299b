import { ConfigError, placedAt, SettingError } from '../src/errors.js'
import { reveal, withoutPassword } from '../src/hidden.js'
import type { BackendContext, NamespaceManager, RequestNamespace } from '../src/namespace-manager.js'
import type { BackendSettings, Settings } from '../src/settings.js'
import { cachedManager } from './cached.js'
import { chooseBackend, isBuiltIn } from './registry.js'

type Store = NamespaceManager | RequestNamespace

export interface OpenStore {
  /** The backend's type, for errors and events. */
  readonly type: string
  readonly store: Store
}

/** The backends of one application: the one that the settings choose, and those that it asks for by name. */
export interface OpenStores extends OpenStore {
  /** The one of a name, or again the main one, where clients keep the sessions with `kept` of its own. Throws like `openStore`. */
  another(name: string | undefined, kept: ClientKept): OpenStore
}

/** What differs from session to session where clients keep them. */
export type ClientKept = Pick<BackendContext, 'sealer' | 'lifetime'>

export interface OpenStoreOptions {
  /** What all backends are given alike. */
  readonly shared: ClientKept & Pick<BackendContext, 'now' | 'maxBytes' | 'operationTimeout'>
  /** What a program wrote in place of a backend's name, as settings; its faults are told of `place`. */
  readonly read: (written: object, place: string) => BackendSettings
  /** Where packages and modules are looked for. */
  readonly base: string
}

/** Opens the backend that the settings choose, with its cache in front. Throws `ConfigError` or `DependencyError`, and then leaves nothing open. */
export const openStore = (settings: Settings, options: OpenStoreOptions): OpenStores => {
  const backends = new Backends(settings, options)
  try {
    const bare = backends.open(settings, '', [])
    const main = settings.cache === undefined ? bare : withCache(bare, settings.cache, settings, backends)
    const another = (name: string | undefined, kept: ClientKept): OpenStore => backends.another(main, name, kept)
    return { ...main, another }
  } catch (error) {
    backends.close()
    throw error
  }
}

/** How long a call of the cache may take, in milliseconds: what is left of the operation's time is the store's. */
const CACHE_MS = 200

const withCache = (main: OpenStore, name: string, { cacheTtl, now, operationTimeout }: Settings, backends: Backends): OpenStore => {
  const refuse = refuser('cache')
  const store = stored(main, refuse)
  if (store.supports.scope === 'process') return refuse('the sessions are in this process already: there is nothing to be spared')
  if (backends.isOpen(name)) return refuse(`${JSON.stringify(name)} is part of the store itself`)
  const cache = backends.other(name, 'cache', [])
  return { type: main.type, store: cachedManager({ store, cache, ttlMs: cacheTtl * 1000, cacheTimeoutMs: Math.min(CACHE_MS, operationTimeout * 250), now }) }
}

/** The backends of one session manager: each is opened when something asks for it, those with a name once for all who ask. */
class Backends {
  readonly #settings: Settings
  readonly #options: OpenStoreOptions
  readonly #named = new Map<string, OpenStore>()
  readonly #opened: Store[] = []

  constructor(settings: Settings, options: OpenStoreOptions) {
    this.#settings = settings
    this.#options = options
  }

  /** `place` is where its settings stand, and `trail` what led to it. */
  open(settings: BackendSettings, place: string, trail: readonly unknown[], kept: ClientKept = this.#options.shared): OpenStore {
    const { shared, base } = this.#options
    const { sealer, lifetime } = kept
    const { namespace, dataDir, lockDir, backendOptions } = settings
    return toldOf(place, () => {
      const { type, open } = chooseBackend(settings.type, base)
      const openOther = (which: unknown, option?: string): NamespaceManager =>
        this.other(which, [place, type, option].filter(Boolean).join('.'), trail)
      const options = revealed(backendOptions[type] ?? {})
      const store = open({ ...shared, sealer, lifetime, namespace, dataDir, lockDir, url: settings.url?.reveal(), options, openOther })
      if (store !== settings.type) this.#opened.push(store)
      return { type, store }
    })
  }

  /** Another one than the main one, which the setting at `place` asks for. */
  other(which: unknown, place: string, trail: readonly unknown[]): NamespaceManager {
    const refuse = refuser(place)
    if (trail.includes(which)) return refuse(`${typeof which === 'string' ? JSON.stringify(which) : 'this backend'} leads back to itself`)
    if (typeof which !== 'string') return stored(this.open(this.#read(which, place, refuse), place, [...trail, which]), refuse)
    return stored(this.#openNamed(which, trail, refuse), refuse)
  }

  /** What clients keep is sealed for each name; what is stored has one store for all. */
  another(main: OpenStore, name: string | undefined, kept: ClientKept): OpenStore {
    if (name === undefined) return 'forRequest' in main.store ? this.open(this.#settings, '', [], kept) : main
    return this.#openNamed(name, [], refuser('backend'), kept)
  }

  isOpen(name: string): boolean {
    return this.#named.has(name)
  }

  #openNamed(name: string, trail: readonly unknown[], refuse: Refuse, kept?: ClientKept): OpenStore {
    const there = this.#named.get(name)
    if (there !== undefined && !('forRequest' in there.store)) return there
    const opened = this.open(this.#settingsOf(name, refuse), `backends.${name}`, [...trail, name], kept)
    this.#named.set(name, opened)
    return opened
  }

  /** A type's word is the name of a backend too, with nothing but defaults. */
  #settingsOf(name: string, refuse: Refuse): BackendSettings {
    const { backends, namespace, dataDir, lockDir, backendOptions } = this.#settings
    if (Object.hasOwn(backends, name)) return backends[name]!
    if (isBuiltIn(name)) return { type: name, url: undefined, namespace, dataDir, lockDir, backendOptions }
    return refuse(`there is no backend ${JSON.stringify(withoutPassword(name))}; there are: ${Object.keys(backends).join(', ') || 'none'}`)
  }

  /** After a fault, when nobody has them yet. What was made before is its maker's. */
  close(): void {
    for (const store of this.#opened) store.close().catch(() => {})
  }

  #read(which: unknown, place: string, refuse: Refuse): BackendSettings {
    const isOwn = typeof which === 'function' || (typeof which === 'object' && which !== null && 'supports' in which)
    if (!isOwn && (typeof which !== 'object' || which === null)) return refuse('expected the name of a backend, its settings, or one of your own')
    return toldOf('', () => this.#options.read(isOwn ? { type: which } : which, place))
  }
}

type Refuse = (message: string) => never

const refuser = (setting: string): Refuse => (message) => {
  throw tell(new ConfigError(`${setting}: ${message}`, { setting }))
}

const stored = ({ type, store }: OpenStore, refuse: Refuse): NamespaceManager =>
  'forRequest' in store ? refuse(`the ${type} backend keeps sessions with their clients: it goes with no other`) : store

const revealed = (options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.freeze(Object.fromEntries(Object.entries(options).map(([name, value]) => [name, reveal(value)])))

/** Faults that say already which backend's they are. */
const told = new WeakSet<SettingError>()

const tell = (error: SettingError): SettingError => {
  told.add(error)
  return error
}

/** A backend knows its settings as `url` or `memory.maxSessions`, wherever they stand. */
const toldOf = <R>(place: string, work: () => R): R => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SettingError) || told.has(error)) throw error
    if (place === '' || error.setting === undefined) throw tell(error)
    throw tell(placedAt(error, { setting: `${place}.${error.setting.replace(/^session\./, '')}` }))
  }
}

import { createRequire } from 'node:module'
import { basename, isAbsolute, resolve } from 'node:path'
import { ConfigError, DependencyError } from '../src/errors.js'
import { withoutPassword } from '../src/hidden.js'
import type { Backend, BackendContext, NamespaceManager, NamespaceManagerClass, OptionTable, RequestNamespace } from '../src/namespace-manager.js'
import { cookieBackend } from './cookie.js'
import { datastoreBackend } from './datastore.js'
import { fileBackend } from './file.js'
import { memcacheBackend } from './memcache.js'
import { memoryBackend } from './memory.js'
import { migratingBackend } from './migrating.js'
import { redisBackend } from './redis.js'

type AnyBackend = Backend<any>

/** The backends that come with the library, by the word in `session.type`. */
export const backends: Readonly<Record<string, AnyBackend>> = {
  memory: memoryBackend,
  file: fileBackend,
  cookie: cookieBackend,
  memcache: memcacheBackend,
  redis: redisBackend,
  datastore: datastoreBackend,
  migrating: migratingBackend,
}

/** Whether a word names a backend that comes with the library. */
export const isBuiltIn = (word: string): boolean => Object.hasOwn(backends, word)

/** The option tables of `session.TYPE.NAME`. */
export const optionTables: Readonly<Record<string, OptionTable>> = Object.fromEntries(
  Object.values(backends).map(({ type, options = {} }) => [type, options]),
)

/** A backend found by what `session.type` says. */
export interface Chosen {
  readonly type: string
  readonly options: OptionTable
  open(context: BackendContext<any>): NamespaceManager | RequestNamespace
}

/**
 * Finds the backend: a word for one that comes with the library, a module (a package, found from `base`, or a path) that exports one, or the
 * thing itself. Throws `ConfigError`, or `DependencyError` for a module that is not there.
 */
export const chooseBackend = (type: unknown, base: string): Chosen => {
  if (typeof type !== 'string') return asBackend(type, 'own')
  if (isBuiltIn(type)) return asBackend(backends[type], type)
  return asBackend(loadModule(type, base), isPath(type) ? basename(type) : type)
}

const asBackend = (value: unknown, name: string): Chosen => {
  if (isBackend(value)) return chosen(value.type, value.takesUrl, (context) => value.open(context), value.options)
  if (isManager(value)) return chosen(name, false, () => value)
  if (typeof value !== 'function') throw new ConfigError('type: expected a backend, a namespace manager or its class', { setting: 'type' })
  const Manager = value as NamespaceManagerClass
  return chosen(name, Manager.takesUrl, (context) => new Manager(context))
}

const chosen = (type: string, takesUrl: boolean | undefined, open: Chosen['open'], options: OptionTable = {}): Chosen => ({
  type,
  options,
  open(context) {
    if (context.url === undefined || takesUrl === true) return withManifest(type, open(context))
    const others = Object.values(backends).filter((backend) => backend.takesUrl).map((backend) => backend.type)
    throw new ConfigError(`url: ${type} takes none${others.length === 0 ? '' : `; these do: ${others.join(', ')}`}`, { setting: 'url' })
  },
})

const withManifest = <S extends NamespaceManager | RequestNamespace>(type: string, store: S): S => {
  if (isObject(store) && isObject(store['supports'])) return store
  throw new ConfigError(`type: ${type} has no manifest: expected "supports", which says what the backend can do`, { setting: 'type' })
}

/** The option tables that these types bring beside those of the library's own backends. What is no backend brings none: opening it tells. */
export const tablesWith = (types: readonly unknown[], base: string): Readonly<Record<string, OptionTable>> => {
  const others = types.filter((type) => typeof type !== 'string' || !Object.hasOwn(backends, type)).flatMap((type) => {
    try {
      const { type: word, options } = chooseBackend(type, base)
      return [[word, options] as const]
    } catch {
      return []
    }
  })
  return { ...optionTables, ...Object.fromEntries(others) }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isBackend = (value: unknown): value is AnyBackend => isObject(value) && typeof value['open'] === 'function' && isObject(value['supports'])
const isManager = (value: unknown): value is NamespaceManager =>
  isObject(value) && isObject(value['supports']) && ['get', 'create', 'replace', 'touch', 'delete', 'close'].every((method) => typeof value[method] === 'function')
const isPath = (name: string): boolean => /^\.{0,2}\//.test(name) || isAbsolute(name)

/** Beaker's words. */
const hintFor = (name: string): string => {
  const word = { 'ext:memcached': 'memcache', 'ext:redis': 'redis', 'ext:google': 'datastore' }[name]
  return word === undefined ? '' : `: that is ${word} here`
}

/** The module's `backend`, or else its default export. */
const loadModule = (name: string, base: string): unknown => {
  if (name.includes('://')) throw new ConfigError(`type: this is an address, which belongs in url: ${withoutPassword(name)}`, { setting: 'type' })
  if (!/[./@]/.test(name)) throw new ConfigError(`type: expected ${Object.keys(backends).join(', ')}, or a module's path or name; got "${name}"${hintFor(name)}`, { setting: 'type' })
  const from = resolve(base, 'settings.js')
  try {
    const loaded = createRequire(from)(isPath(name) ? resolve(base, name) : name) as { backend?: unknown; default?: unknown }
    return loaded.backend ?? loaded.default ?? loaded
  } catch (cause) {
    const { code, requireStack } = cause as { code?: unknown; requireStack?: readonly string[] }
    if (code !== 'MODULE_NOT_FOUND' || requireStack?.[0] !== from) throw cause // what the module itself needs is not there
    const help = isPath(name) ? `there is no such file: ${name}` : `${name} is not installed: npm install ${name}`
    throw new DependencyError(`type: ${help}`, { setting: 'type', cause })
  }
}

import { createRequire } from 'node:module'
import { isAbsolute, resolve } from 'node:path'
import { ConfigError, DependencyError } from '../src/errors.js'
import type { Backend, BackendContext, NamespaceManager, NamespaceManagerClass, OptionTable, RequestNamespace } from '../src/namespace-manager.js'
import { cookieBackend } from './cookie.js'
import { fileBackend } from './file.js'
import { memcacheBackend } from './memcache.js'
import { memoryBackend } from './memory.js'

type AnyBackend = Backend<any>

/** The backends that come with the library, by the word in `session.type`. */
export const backends: Readonly<Record<string, AnyBackend>> = {
  memory: memoryBackend,
  file: fileBackend,
  cookie: cookieBackend,
  memcache: memcacheBackend,
}

/** The option tables of `session.TYPE.NAME`. */
export const optionTables: Readonly<Record<string, OptionTable>> = Object.fromEntries(
  Object.values(backends).map(({ type, options = {} }) => [type, options]),
)

/** A backend found by what `session.type` says. */
export interface Chosen {
  readonly type: string
  open(context: BackendContext<any>): NamespaceManager | RequestNamespace
}

/**
 * Finds the backend: a word for one that comes with the library, a module (a package, or a path from `base`) that exports one, or the
 * thing itself. Throws `ConfigError`, or `DependencyError` for a module that is not there.
 */
export const chooseBackend = (type: unknown, base: string): Chosen => {
  if (typeof type !== 'string') return asBackend(type, 'own')
  const builtIn = Object.hasOwn(backends, type) ? backends[type] : undefined
  return asBackend(builtIn ?? loadModule(type, base), type)
}

const asBackend = (value: unknown, name: string): Chosen => {
  if (isBackend(value)) return { type: value.type, open: (context) => value.open(context) }
  if (isManager(value)) return { type: name, open: () => value }
  if (typeof value === 'function') return { type: name, open: (context) => new (value as NamespaceManagerClass)(context) }
  throw new ConfigError('type: expected a backend, a namespace manager or its class', { setting: 'type' })
}

/** The option tables that a type brings beside those of the library's own backends. */
export const tablesWith = (type: unknown): Readonly<Record<string, OptionTable>> =>
  isBackend(type) ? { ...optionTables, [type.type]: type.options ?? {} } : optionTables

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isBackend = (value: unknown): value is AnyBackend => isObject(value) && typeof value['open'] === 'function' && isObject(value['supports'])
const isManager = (value: unknown): value is NamespaceManager =>
  isObject(value) && isObject(value['supports']) && ['get', 'create', 'replace', 'touch', 'delete', 'close'].every((method) => typeof value[method] === 'function')

/** The module's `backend`, or else its default export. */
const loadModule = (name: string, base: string): unknown => {
  if (!/[./@]/.test(name)) throw new ConfigError(`type: expected ${Object.keys(backends).join(', ')}, or a module's path or name; got "${name}"`, { setting: 'type' })
  const isPath = /^\.{0,2}\//.test(name) || isAbsolute(name)
  try {
    const loaded = createRequire(resolve(base, 'settings.js'))(isPath ? resolve(base, name) : name) as { backend?: unknown; default?: unknown }
    return loaded.backend ?? loaded.default ?? loaded
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause
    const help = isPath ? 'there is no such file' : `install it: npm install ${name}`
    throw new DependencyError(`type = ${name}: ${help}`, { cause })
  }
}

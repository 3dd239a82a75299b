import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { backendFrom } from '../config/backend-settings.js'
import { readComposite } from '../config/composite.js'
import { iniPath, loadIni as loadIniFile } from '../config/load-ini.js'
import type { LoadIniOptions } from '../config/load-ini.js'
import { placedFault } from '../config/placed-fault.js'
import { resolveSettings } from '../config/resolve-settings.js'
import { SettingsSource } from '../config/settings-source.js'
import type { SettingsInput } from '../config/table.js'
import { typesIn } from '../config/types-in.js'
import { openStore } from '../backends/open-store.js'
import type { ClientKept, OpenStore } from '../backends/open-store.js'
import { optionTables, tablesWith } from '../backends/registry.js'
import type { CookieAttributes } from './carrier.js'
import { prefixOf } from './cookie-prefix.js'
import { ConfigError } from './errors.js'
import { compose } from './http/compose.js'
import type { LoadedApp } from './http/compose.js'
import { checkCookie } from './http/cookie-rules.js'
import { slotName } from './http/cookie-slots.js'
import { idPlace } from './http/header-carrier.js'
import { requestCookies } from './http/request-cookies.js'
import { secureRequests } from './http/secure-request.js'
import { sessionCarriers } from './http/session-carriers.js'
import { wrapHandler } from './http/wrap.js'
import type { SessionHandler, SessionRequest } from './http/wrap.js'
import { makeCodec } from './record/codec.js'
import { IdKeys } from './record/id-keys.js'
import { BareIds, keySpace, SignedIds } from './record/id.js'
import { makeSealer } from './record/seal.js'
import { TimeRules } from './record/time-rules.js'
import type { NamedSessionOptions } from './session/named-session-options.js'
import { isSessionManager, SessionManager } from './session/session-manager.js'
import type { SessionManagerOptions } from './session/session-manager.js'
import type { Settings } from './settings.js'

type Data = Record<string, any>

/**
 * Reads the `session.*` settings of a section of an INI file, by default `app:main`.
 * Throws `ConfigError` naming file and line.
 */
export const loadIni = (path: string | URL, options: LoadIniOptions = {}): SettingsSource => loadIniFile(path, options, optionTables)

/**
 * Makes a session manager: of what `loadIni` answers, or of options written in place. Overrides win.
 * Throws `ConfigError`, or `DependencyError` for an optional package that is not installed.
 */
export const createManager = <T extends object = Data>(settings: SettingsSource | SettingsInput = {}, overrides?: SettingsInput): SessionManager<T> => {
  const base = process.cwd()
  const tables = tablesWith([...typesIn(settings), ...typesIn(overrides)], base)
  const resolved = resolveSettings(settings, overrides, tables)
  const named: Named = (name, { backend: _backend, ...differing }) => {
    checkKind(name, differing)
    return resolveSettings(settings, { ...overrides, ...differing, cookieName: differing.cookieName ?? cookieNameFor(name, resolved, differing), ...(resolved.idHeader && { idHeader: `${resolved.idHeader}-${name}` }) }, tables)
  }
  try {
    return new SessionManager<T>(assemble(resolved, base, named))
  } catch (error) {
    throw placedFault(error, settings, overrides, tables)
  }
}

/**
 * Wraps a handler, so that `req.session` is there: lazy, and written only on `save()` (or with `auto`). The handler that it answers
 * carries its `manager`; close that when the server stops.
 *
 * Throws like `createManager`.
 */
export function withSession<T extends object = Data, K extends string = 'session', R extends IncomingMessage = IncomingMessage>(
  handler: (req: SessionRequest<T, K, R>, res: ServerResponse) => unknown,
  settings: SettingsSource | SettingsInput | SessionManager<T>,
  overrides?: SettingsInput,
): SessionHandler<IncomingMessage, ServerResponse, T>
export function withSession<T extends object = Data, K extends string = 'session'>(
  handler: (req: SessionRequest<T, K, Http2ServerRequest>, res: Http2ServerResponse) => unknown,
  settings: SettingsSource | SettingsInput | SessionManager<T>,
  overrides?: SettingsInput,
): SessionHandler<Http2ServerRequest, Http2ServerResponse, T>
export function withSession<T extends object>(
  handler: (req: any, res: any) => unknown,
  settings: SettingsSource | SettingsInput | SessionManager<T>,
  overrides?: SettingsInput,
): SessionHandler<any, any, T> {
  if (typeof handler !== 'function') throw new TypeError('withSession takes a handler: a function of a request and a response')
  if (!isSessionManager(settings)) return wrapHandler(handler, createManager<T>(settings, overrides))
  if (overrides !== undefined) throw new TypeError('overrides are for settings; this manager is made already')
  return wrapHandler(handler, settings)
}

export interface LoadAppOptions {
  /** The application, by its name (`main`, the default) or by the whole head of its section (`composite:sessioned`). */
  readonly section?: string | undefined
  /** Settings that win over those of the file, in all its sections. */
  readonly overrides?: SettingsInput | undefined
}

/**
 * Loads an application from an INI file in Paste's form: `[app:…]`, `[composite:…]`, `[filter-app:…]` and `[pipeline:…]`, with the modules that
 * they name. Each section with sessions has one manager; the handler carries the outermost (of several side by side, the first).
 *
 * Rejects with `ConfigError` naming file and line, like `createManager` too, and has then closed what it opened.
 */
export const loadApp = async <T extends object = Data>(path: string | URL, { section = 'main', overrides }: LoadAppOptions = {}): Promise<LoadedApp<T>> => {
  const file = iniPath(path)
  return compose<T>(readComposite(file, section), file, (head) => createManager(loadIni(file, { section: head }), overrides))
}

/** The settings of the sessions of a name. */
type Named = (name: string, options: NamedSessionOptions) => Settings

/** Everything that can be wrong at start is found before the store is opened. */
const assemble = (settings: Settings, base: string, named: Named): SessionManagerOptions => {
  const { now, secret, namespace, maxBytes, operationTimeout, trustProxy } = settings
  checkCookie(settings.cookieName, cookieOf(settings))
  const stores = openStore(settings, {
    shared: { now, maxBytes, operationTimeout, ...clientKept(settings) },
    read: (written, place) => backendFrom(written, place, { namespace }, tablesWith(typesIn(written), base)),
    base,
  })
  const isEncrypted = secureRequests(trustProxy)
  const cookiesFor = requestCookies({ now, isEncrypted, cookieName: settings.cookieName, attributes: cookieOf(settings), sealer: makeSealer({ secrets: secret, encryptKeys: [], name: namespace }) })
  const backendNamed = (name: string | undefined) => (name === undefined ? stores : stores.another(name, clientKept(settings))).store
  const managerOptions = (its: Settings, { type, store }: OpenStore, name?: string): SessionManagerOptions => {
    const { cookieName, encryptKey, requestBudget, onError } = its
    const cookie = cookieOf(its)
    const keys = new IdKeys(secret, cookieName, keySpace(name).keyOf)
    const clientKeeps = store.supports.scope === 'request'
    if (clientKeeps && !its.useCookies) throw new ConfigError(`use_cookies: the ${type} backend keeps sessions in cookies`, { setting: 'use_cookies' })
    return {
      ...its,
      name, backend: type, store,
      cookieNames: [undefined, ...('forRequest' in store ? store.slots ?? [] : [])].map((slot) => slotName(cookieName, slot)),
      codec: makeCodec(its.dataSerializer, its.revive),
      carrierFor: sessionCarriers({
        name: cookieName, now, isEncrypted, budgetMs: requestBudget * 1000, onError,
        idPlace: its.useCookies ? undefined : idPlace(its.idHeader, its.id, cookieName),
      }),
      sealer: encryptKey.length > 0 && !clientKeeps ? makeSealer({ secrets: secret, encryptKeys: encryptKey, name: namespace }) : undefined,
      rules: new TimeRules(its),
      policy: { ...its, cookie, clientKeeps, cookieLife: its.cookieExpires, checkCookie: (attributes) => checkCookie(cookieName, attributes) },
      idSource: (carrier) => (its.id === undefined ? new SignedIds(carrier, keys) : new BareIds(carrier)),
      cookiesFor, backendNamed,
      named: (name, options: NamedSessionOptions) => {
        const differing = named(name, options)
        checkCookie(differing.cookieName, cookieOf(differing))
        return managerOptions(differing, stores.another(options.backend, clientKept(differing)), name)
      },
    }
  }
  return managerOptions(settings, stores)
}

/** For what a client keeps: the cookie's name is part of the seal. */
const clientKept = ({ secret: secrets, encryptKey: encryptKeys, namespace, cookieName, lifetime }: Settings): ClientKept =>
  ({ sealer: makeSealer({ secrets, encryptKeys, name: `${namespace} ${cookieName}` }), lifetime })

/** What may be the name and the options of a kind of sessions: that is made once, and not for each request. */
const checkKind = (name: string, { cookieExpires }: { cookieExpires?: unknown }): void => {
  if (!/^[\w-]{1,64}$/.test(name)) throw new TypeError('the name of a session is of 1 to 64 letters, digits, "_" and "-"')
  if (cookieExpires instanceof Date) throw new ConfigError('cookieExpires of a named session is true, false, or seconds: give a date to session.cookie.expires', { setting: 'cookieExpires' })
}

/** The default session's, a dot and the name; without its prefix where the attributes are not those that the prefix stands for. */
const cookieNameFor = (name: string, { cookieName, secure, httpOnly }: Settings, differing: NamedSessionOptions): string => {
  const isHost = (differing.secure ?? secure) === true && differing.cookieDomain === undefined && (differing.cookiePath ?? '/') === '/' && (differing.httpOnly ?? httpOnly)
  return `${isHost ? cookieName : cookieName.slice(prefixOf(cookieName).length)}.${name}`
}

const cookieOf = ({ cookieDomain: domain, cookiePath: path, secure, httpOnly, sameSite, partitioned, priority }: Settings): CookieAttributes =>
  ({ domain, path, secure, httpOnly, sameSite, partitioned, priority })

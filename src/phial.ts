import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { backendFrom } from '../config/backend-settings.js'
import { loadIni as loadIniFile } from '../config/load-ini.js'
import type { LoadIniOptions } from '../config/load-ini.js'
import { placedFault } from '../config/placed-fault.js'
import { resolveSettings } from '../config/resolve-settings.js'
import { SettingsSource } from '../config/settings-source.js'
import type { SettingsInput } from '../config/table.js'
import { typesIn } from '../config/types-in.js'
import { openStore } from '../backends/open-store.js'
import { optionTables, tablesWith } from '../backends/registry.js'
import type { CookieAttributes } from './carrier.js'
import type { Sealer } from './namespace-manager.js'
import { checkCookie } from './http/cookie-rules.js'
import { secureRequests } from './http/secure-request.js'
import { sessionCarriers } from './http/session-carriers.js'
import { wrapHandler } from './http/wrap.js'
import type { SessionHandler, SessionRequest } from './http/wrap.js'
import { makeCodec } from './record/codec.js'
import { idKeys, SignedIds } from './record/id.js'
import { makeSealer } from './record/seal.js'
import { TimeRules } from './record/time-rules.js'
import { isSessionManager, SessionManager } from './session/session-manager.js'
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
  try {
    return assemble<T>(resolved, base)
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

/** Everything that can be wrong at start is found before the store is opened. */
const assemble = <T extends object>(settings: Settings, base: string): SessionManager<T> => {
  const { now, cookieName, namespace, secret, encryptKey, maxBytes, lifetime, operationTimeout, requestBudget, trustProxy, onError } = settings
  const cookie = cookieOf(settings)
  checkCookie(cookieName, cookie)
  const codec = makeCodec(settings.dataSerializer, settings.revive)
  const sealerNamed = (name: string): Sealer => makeSealer({ secrets: secret, encryptKeys: encryptKey, name })
  const carrierFor = sessionCarriers({ name: cookieName, now, isEncrypted: secureRequests(trustProxy), budgetMs: requestBudget * 1000, onError })
  const keys = idKeys(secret, cookieName)
  const { type, store } = openStore(settings, {
    shared: { now, maxBytes, lifetime, operationTimeout, sealer: sealerNamed(`${namespace} ${cookieName}`) },
    read: (written, place) => backendFrom(written, place, { namespace }, tablesWith(typesIn(written), base)),
    base,
  })
  const clientKeeps = store.supports.scope === 'request'
  return new SessionManager<T>({
    ...settings,
    backend: type, store, codec, carrierFor,
    sealer: encryptKey.length > 0 && !clientKeeps ? sealerNamed(namespace) : undefined,
    rules: new TimeRules(settings),
    policy: {
      ...settings, cookie, clientKeeps,
      cookieLife: settings.cookieExpires,
      checkCookie: (attributes) => checkCookie(cookieName, attributes),
    },
    idSource: (carrier) => new SignedIds(carrier, keys),
  })
}

const cookieOf = ({ cookieDomain: domain, cookiePath: path, secure, httpOnly, sameSite, partitioned, priority }: Settings): CookieAttributes =>
  ({ domain, path, secure, httpOnly, sameSite, partitioned, priority })

export { createManager, loadApp, loadIni, withSession } from './phial.js'
export type { LoadAppOptions } from './phial.js'
export { urlMap } from './http/url-map.js'

export type { SessionHandler, SessionRequest } from './http/wrap.js'
export type { AppContext, AppFactory, FilterFactory, LoadedApp } from './http/compose.js'
export type { MappableRequest, MappedRequest } from './http/url-map.js'
export { csrf } from './http/csrf.js'
export type { CsrfGuardOptions } from './http/csrf.js'
export type { CsrfFormOptions } from './http/csrf-form.js'
export type { CsrfSourceOptions } from './http/csrf-source.js'
export type { SettingsInput } from '../config/table.js'
export type { SettingsSource } from '../config/settings-source.js'
export type { LoadIniOptions } from '../config/load-ini.js'

export { Session } from './session/session.js'
export type { LockOptions, RegenerateOptions, SessionLock } from './session/session.js'
export type { SessionCookie } from './session/session-cookie.js'
export type { Flash, FlashOptions } from './session/flash.js'
export { messages } from './session/messages.js'
export type { Message, MessageLevel, MessageOptions, Messages, NewMessage } from './session/messages.js'
export { currentSession, withCurrentSession } from './http/current-session.js'
export { SessionObject } from './session/session-object.js'
export { Sessions, sessions, setSessions } from './session/sessions.js'
export type { ManagedSessionOptions } from './session/sessions.js'
export { Notifications, notifications } from './session/notifications.js'
export type { NamedSessionOptions } from './session/named-session-options.js'
export { SessionManager } from './session/session-manager.js'
export type { Revocation, SessionSummary } from './session/owned-sessions.js'

export {
  CodecError, ConfigError, CsrfError, DependencyError, HeadersSentError, LockTimeoutError, SessionClosedError, SessionConflictError,
  SessionError, SessionGoneError, StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError, TooLargeError,
} from './errors.js'
export type { CsrfReason } from './errors.js'
export type { PhialEvent, PhialEvents } from './diagnostics.js'
export type { DataSerializer, OnError, Revive, Settings } from './settings.js'

export type {
  AtOnce, Backend, BackendContext, Enumerable, Lease, Lockable, Manifest, NamespaceManager, NamespaceManagerClass, OptionRow, OptionTable, OwnerIndex, Purgeable,
  RequestNamespace, Sealer, StoredRecord, Touch,
} from './namespace-manager.js'
export type { Carrier, CookieAttributes, IdSource, PresentedId, ReadCookieOptions, RequestCookies, WriteCookieOptions } from './carrier.js'

import type { Hidden } from './hidden.js'
import type { Backend, NamespaceManager, NamespaceManagerClass } from './namespace-manager.js'

/** What says which backend, and where it keeps what. */
export interface BackendSettings {
  /** The word for a backend, a module's path or name, or a backend, a namespace manager or its class. */
  readonly type: string | Backend | NamespaceManager | NamespaceManagerClass
  /** As it was written; hidden, since it may hold a password. */
  readonly url: Hidden<string> | undefined
  readonly namespace: string
  readonly dataDir: string | undefined
  readonly lockDir: string | undefined
  /** `session.TYPE.NAME` options of the backends, by type; those that are secret, or objects, are `Hidden`. */
  readonly backendOptions: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/**
 * The settings as the library uses them: whole, checked and frozen. `config/` makes them of an INI file or of
 * what a person wrote; its table holds each one's INI name, type, default and sentence. Durations are seconds.
 */
export interface Settings extends BackendSettings {
  /** Further backends, by name: `session.backends.NAME`. Opened only if something uses them. */
  readonly backends: Readonly<Record<string, BackendSettings>>
  /** The name of the backend that is put in front as a cache. */
  readonly cache: string | undefined
  readonly cacheTtl: number

  /** Newest first: the first signs, all verify. */
  readonly secret: readonly string[]
  /** Newest first; none: not encrypted. */
  readonly encryptKey: readonly string[]

  readonly timeout: number | undefined
  readonly lifetime: number | undefined
  readonly touchInterval: number
  readonly saveAccessedTime: boolean
  readonly regenerateGrace: number

  readonly cookieName: string
  /** `true`: until the browser closes. `false`: as long as browsers keep. Seconds, or a date. */
  readonly cookieExpires: boolean | number | Date
  readonly cookieDomain: string | undefined
  readonly cookiePath: string
  readonly secure: boolean | 'auto'
  readonly httpOnly: boolean
  readonly sameSite: 'strict' | 'lax' | 'none'
  readonly partitioned: boolean
  readonly priority: 'low' | 'medium' | 'high' | undefined
  readonly forceCookie: boolean
  /** Addresses and networks (CIDR) of proxies whose `X-Forwarded-Proto` is believed. */
  readonly trustProxy: readonly string[]

  /** False: the id comes in a header, or from a function. */
  readonly useCookies: boolean
  readonly idHeader: string | undefined
  readonly id: FindId | undefined

  readonly auto: boolean
  readonly dataSerializer: 'json' | 'devalue' | DataSerializer
  readonly invalidateCorrupt: boolean
  /** Bytes of a record at rest. */
  readonly maxBytes: number
  readonly operationTimeout: number
  readonly requestBudget: number
  readonly onOutage: 'fail' | 'anonymous'
  readonly requestKey: string

  readonly onError: OnError | undefined
  readonly revive: Revive | undefined
  /** The clock, in epoch milliseconds. */
  readonly now: () => number
}

/** Turns session data into text and back. `parse` gets nothing that `stringify` did not write. */
export interface DataSerializer {
  stringify(value: unknown): string
  parse(text: string): unknown
}

/** May answer a failed request itself: it answered when the response has ended, or its promise resolves after ending it. */
export type OnError = (error: Error, req: unknown, res: unknown) => unknown

/** Finds a session's id in a request without cookies; `name` is what its cookie would be called, and tells named sessions apart. */
export type FindId = (req: any, name: string) => string | undefined

/** Called for each value of the stored data, innermost first, as `JSON.parse`'s reviver is. */
export type Revive = (key: string, value: unknown) => unknown

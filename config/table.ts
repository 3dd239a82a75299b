import type { BackendSettings, FindId, OnError, Revive, Settings } from '../src/settings.js'
import { backendName, backendsByName, backendType, url } from './backend-kinds.js'
import { cookieDomain, cookieExpires, cookieName, cookiePath, headerName } from './cookie-kinds.js'
import {
  callback, choice, count, flag, flagOrAuto, namespaceName, path, requestProperty, seconds, secondsOrOff, serializer,
  waitingSeconds, type Kind,
} from './kinds.js'
import { secrets } from './secrets.js'
import { trustedProxies } from './trusted-proxies.js'

/** What each setting is, once checked, under its TypeScript name. */
export interface SettingValues extends Omit<Present<Settings>, 'backendOptions' | 'timeout' | 'lifetime'> {
  readonly timeout: number | false
  readonly lifetime: number | false
  readonly cacheDir: string
  readonly secretFile: string
  readonly validateKey: readonly string[]
}

type Present<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> }

export type SettingName = keyof SettingValues

/** Settings whose default is nothing, or depends on others: `resolveSettings` finds it. */
type Unset =
  | 'type' | 'url' | 'dataDir' | 'cacheDir' | 'lockDir' | 'backends' | 'cache' | 'cacheTtl' | 'secret' | 'secretFile' | 'validateKey' | 'encryptKey' | 'cookieName'
  | 'touchInterval' | 'idHeader' | 'id' | 'cookieDomain' | 'priority' | 'onError' | 'revive'

export type DefaultOf<N extends SettingName> = N extends Unset ? undefined : SettingValues[N]

export interface SettingRow<V, D = V | undefined> {
  /** The name in an INI file, after `session.`; absent: TypeScript only. */
  readonly ini?: string
  readonly kind: Kind<V>
  /** Each backend below `session.backends` has one of its own. */
  readonly isPerBackend?: true
  readonly default: D
  /** What the documentation says of the default, where the value does not. */
  readonly defaultNote?: string
  /** For `development.ini`, where there is no default to show. */
  readonly example?: string
  /** One sentence for the documentation, with INI names. */
  readonly sentence: string
}

export type SettingsTable = { readonly [N in SettingName]: SettingRow<SettingValues[N], DefaultOf<N>> }

/** All settings. The checks, the documentation and `development.ini` are made of these rows. */
export const table: SettingsTable = {
  type: {
    ini: 'type',
    kind: backendType,
    isPerBackend: true,
    default: undefined,
    defaultNote: 'file with a data_dir or cache_dir, else memory',
    example: 'file',
    sentence: 'Where sessions are kept: memory, file, cookie, redis, memcache, datastore or migrating, or a module with a backend of your own.',
  },
  url: {
    ini: 'url',
    kind: url,
    isPerBackend: true,
    default: undefined,
    defaultNote: 'a server on this machine',
    example: 'redis://127.0.0.1:6379',
    sentence: 'Where the server is, for the types that have one; the page of each type tells the forms.',
  },
  dataDir: {
    ini: 'data_dir',
    kind: path,
    isPerBackend: true,
    default: undefined,
    defaultNote: 'cache_dir/sessions, if there is a cache_dir',
    example: '%(here)s/data',
    sentence: 'The directory for backends that keep files.',
  },
  cacheDir: {
    ini: 'cache_dir',
    kind: path,
    default: undefined,
    example: '%(here)s/cache',
    sentence: 'A directory that is shared with other caches: sessions are kept in "sessions" below it.',
  },
  lockDir: {
    ini: 'lock_dir',
    kind: path,
    isPerBackend: true,
    default: undefined,
    defaultNote: "the backend's own",
    example: '%(here)s/locks',
    sentence: 'The directory for lock files.',
  },
  namespace: {
    ini: 'namespace',
    kind: namespaceName,
    isPerBackend: true,
    default: 'phial',
    sentence: 'The name that lets two applications share a store without meeting.',
  },
  backends: {
    ini: 'backends.NAME.type',
    kind: backendsByName,
    default: undefined,
    example: 'memcache',
    sentence: 'A further backend, under a name of its own; beside its type stand its url, namespace, directories and options.',
  },
  cache: {
    ini: 'cache',
    kind: backendName,
    default: undefined,
    example: 'NAME',
    sentence: 'The further backend that is put in front of the store, to be read first.',
  },
  cacheTtl: {
    ini: 'cache_ttl',
    kind: seconds(),
    default: undefined,
    defaultNote: '60, or touch_interval if that is less',
    example: '60',
    sentence: 'How long a copy in the cache is read: a read may be that stale where the cache could not be told of a change.',
  },
  secret: {
    ini: 'secret',
    kind: secrets,
    default: undefined,
    defaultNote: 'none: this or secret_file is required',
    example: '${PHIAL_SECRET}',
    sentence: 'Signs what the cookie carries: 32 random bytes or more; several for rotation, newest first.',
  },
  secretFile: {
    ini: 'secret_file',
    kind: path,
    default: undefined,
    example: '%(here)s/data/secret',
    sentence: 'A file with the secrets, one a line, newest first, that nobody but its owner can read or write.',
  },
  validateKey: {
    ini: 'validate_key',
    kind: secrets,
    default: undefined,
    example: '${PHIAL_SECRET}',
    sentence: "Beaker's name for the secret where type is cookie.",
  },
  encryptKey: {
    ini: 'encrypt_key',
    kind: secrets,
    default: undefined,
    defaultNote: 'not encrypted',
    example: '${PHIAL_ENCRYPT_KEY}',
    sentence: 'Encrypts records and cookies (AES-256-GCM): as strong as a secret, and none of them; several, newest first.',
  },
  timeout: {
    ini: 'timeout',
    kind: secondsOrOff,
    default: 86400,
    defaultNote: '86400, or lifetime if that is less',
    sentence: 'A session that was not used for so long is over.',
  },
  lifetime: {
    ini: 'lifetime',
    kind: secondsOrOff,
    default: 1209600,
    sentence: 'A session is over so long after it was made, used or not.',
  },
  touchInterval: {
    ini: 'touch_interval',
    kind: seconds(),
    default: undefined,
    defaultNote: '60, or a tenth of timeout if that is less',
    example: '60',
    sentence: 'Using a session moves its idle end at most this often, where moving costs something.',
  },
  saveAccessedTime: {
    ini: 'save_accessed_time',
    kind: flag,
    default: true,
    sentence: 'False: using a session moves nothing; needs timeout to be off.',
  },
  regenerateGrace: {
    ini: 'regenerate_grace',
    kind: count('seconds', 0, 60),
    default: 0,
    sentence: 'How long requests under way may still read with the old id after regenerateId().',
  },
  cookieName: {
    ini: 'key',
    kind: cookieName,
    default: undefined,
    defaultNote: '__Host-phial with secure true, no cookie_domain and cookie_path /; else phial',
    example: 'phial',
    sentence: "The cookie's name.",
  },
  cookieExpires: {
    ini: 'cookie_expires',
    kind: cookieExpires,
    default: true,
    sentence: 'True: the cookie ends with the browser; false: browsers keep it as long as they keep any; or seconds; or a date.',
  },
  cookieDomain: {
    ini: 'cookie_domain',
    kind: cookieDomain,
    default: undefined,
    defaultNote: 'the host alone that set it',
    example: 'example.com',
    sentence: 'Sends the cookie to this host and all below it.',
  },
  cookiePath: {
    ini: 'cookie_path',
    kind: cookiePath,
    default: '/',
    sentence: 'Sends the cookie to this path and all below it.',
  },
  secure: {
    ini: 'secure',
    kind: flagOrAuto,
    default: true,
    sentence: 'Sends the cookie over HTTPS only; auto: only if it was set over HTTPS; auto and false are for development.',
  },
  httpOnly: {
    ini: 'httponly',
    kind: flag,
    default: true,
    sentence: 'Keeps the cookie from scripts in the page.',
  },
  sameSite: {
    ini: 'samesite',
    kind: choice('strict', 'lax', 'none'),
    default: 'lax',
    sentence: 'Whether requests that other sites start carry the cookie: never, when they lead the user here, or always.',
  },
  partitioned: {
    ini: 'partitioned',
    kind: flag,
    default: false,
    sentence: 'In a frame on another site, keeps a cookie for each such site (CHIPS); meant for samesite none.',
  },
  priority: {
    ini: 'priority',
    kind: choice('low', 'medium', 'high'),
    default: undefined,
    example: 'medium',
    sentence: 'Which cookies Chromium drops first when there are too many.',
  },
  forceCookie: {
    ini: 'force',
    kind: flag,
    default: false,
    sentence: 'Sends the cookie with every response to a request that used a stored session. With type cookie a request that saved nothing sends NAME-seen alone, so that it undoes nothing.',
  },
  trustProxy: {
    ini: 'trust_proxy',
    kind: trustedProxies,
    default: Object.freeze([]),
    defaultNote: 'false',
    example: '127.0.0.1 10.0.0.0/8',
    sentence: 'Addresses and networks of proxies whose X-Forwarded-Proto is believed.',
  },
  useCookies: {
    ini: 'use_cookies',
    kind: flag,
    default: true,
    sentence: 'False: no cookie is read or set; the id comes in id_header, or from the function id.',
  },
  idHeader: {
    ini: 'id_header',
    kind: headerName,
    default: undefined,
    example: 'X-Session-Id',
    sentence: 'With use_cookies false, the header of requests that holds the signed id, and of responses that give a new one out.',
  },
  id: {
    kind: callback<FindId>(),
    default: undefined,
    sentence: 'With use_cookies false, finds in a request what session.id told: (req, name).',
  },
  auto: {
    ini: 'auto',
    kind: flag,
    default: false,
    sentence: 'Saves a changed session at the end of the request, without save().',
  },
  dataSerializer: {
    ini: 'data_serializer',
    kind: serializer,
    default: 'json',
    sentence: 'How data becomes text: json, or devalue for dates, maps and sets; in TypeScript also { stringify, parse }.',
  },
  invalidateCorrupt: {
    ini: 'invalidate_corrupt',
    kind: flag,
    default: true,
    sentence: 'A record that cannot be read becomes a new session; false: an error.',
  },
  maxBytes: {
    ini: 'max_bytes',
    kind: count('bytes', 256, 268_435_456),
    default: 262_144,
    sentence: 'The largest record, as it is stored.',
  },
  operationTimeout: {
    ini: 'operation_timeout',
    kind: waitingSeconds,
    default: 1,
    sentence: 'How long one operation of the store may take.',
  },
  requestBudget: {
    ini: 'request_budget',
    kind: waitingSeconds,
    default: 2,
    sentence: 'How long one request may wait for its session in all.',
  },
  onOutage: {
    ini: 'on_outage',
    kind: choice('fail', 'anonymous'),
    default: 'fail',
    sentence: 'While the store is down: fail answers 503; anonymous gives an empty session that cannot be saved.',
  },
  requestKey: {
    ini: 'request_key',
    kind: requestProperty,
    default: 'session',
    sentence: 'The property of the request that holds the session.',
  },
  onError: {
    kind: callback<OnError>(),
    default: undefined,
    sentence: 'May answer a request that failed for its session: (error, req, res).',
  },
  revive: {
    kind: callback<Revive>(),
    default: undefined,
    sentence: "Called for each value of the stored data, as JSON.parse's reviver is: (key, value).",
  },
  now: {
    kind: callback<() => number>(),
    default: () => Date.now(),
    defaultNote: 'Date.now',
    sentence: 'The clock, in epoch milliseconds.',
  },
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined }
type Broader = 'secret' | 'encryptKey' | 'validateKey' | 'trustProxy' | 'backends' | keyof BackendSettings

/** What a person writes. All is optional but a `secret` or a `secretFile`; `undefined` counts as absent. Durations are seconds. */
export interface SettingsInput extends Optional<Omit<SettingValues, Broader>>, BackendInput {
  /** Further backends, by name: each is opened only if something uses it, `cache` for one. */
  readonly backends?: Readonly<Record<string, BackendInput | undefined>> | undefined
  /** One, or several, newest first. */
  readonly secret?: string | readonly string[] | undefined
  readonly encryptKey?: string | readonly string[] | undefined
  readonly validateKey?: string | readonly string[] | undefined
  readonly trustProxy?: string | readonly string[] | false | undefined
}

/** What a person writes of one backend. */
export interface BackendInput extends BackendOptionsInput {
  /** The word for a backend, a module's path or name, or a backend, a namespace manager or its class. */
  readonly type?: BackendSettings['type'] | undefined
  /** Where its server is. */
  readonly url?: string | undefined
  readonly namespace?: string | undefined
  readonly dataDir?: string | undefined
  readonly lockDir?: string | undefined
}

/** Options of the backends, by type: `{ memory: { maxSessions: 1000 } }`. Packages with further types may add theirs. */
export interface BackendOptionsInput {
  readonly memory?: BackendOptionValues | undefined
  readonly file?: BackendOptionValues | undefined
  readonly cookie?: BackendOptionValues | undefined
  readonly redis?: BackendOptionValues | undefined
  readonly memcache?: BackendOptionValues | undefined
  readonly datastore?: BackendOptionValues | undefined
  readonly migrating?: BackendOptionValues | undefined
}

export type BackendOptionValues = Readonly<Record<string, boolean | number | string | object | undefined>>

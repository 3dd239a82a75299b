import { isHostPrefixed, isHttpPrefixed, prefixOf } from '../src/cookie-prefix.js'
import type { Settings } from '../src/settings.js'
import { isSameStore } from './backend-settings.js'
import type { GivenSettings } from './given.js'
import type { SettingName } from './table.js'

/** A combination of settings that is refused at start. */
export interface Rule {
  /** The error points at the first of these that was written. */
  readonly among: readonly SettingName[]
  broken(settings: Settings, given: GivenSettings): boolean
  /** `name` writes a setting as it is written where the error points. */
  because(name: (setting: SettingName) => string, settings: Settings): string
}

const inProduction = (): boolean => process.env['NODE_ENV'] === 'production'

export const rules: readonly Rule[] = [
  // the backends
  {
    among: ['cache'],
    broken: ({ cache, backends }) => cache !== undefined && !Object.hasOwn(backends, cache),
    because: (name, { cache, backends }) => `there is no backend ${JSON.stringify(cache)}; ${thereAre(Object.keys(backends), name)}`,
  },
  {
    among: ['cache'],
    broken: settings => settings.cache !== undefined && isSameStore(settings, settings.backends[settings.cache]!),
    because: (_, { cache }) => `${JSON.stringify(cache)} is the store itself: give it another url or namespace`,
  },
  {
    among: ['cacheTtl', 'touchInterval'],
    broken: ({ cacheTtl, touchInterval }) => cacheTtl > touchInterval,
    because: (name, { cacheTtl, touchInterval }) =>
      `${name('cacheTtl')}, ${cacheTtl}, is more than ${name('touchInterval')}, ${touchInterval}: a session in use is read from the store that often`,
  },

  // one setting, written in two ways
  {
    among: ['secretFile'],
    broken: (_, given) => given.has('secret') && given.has('secretFile'),
    because: name => `${name('secret')} is given as well; one of them`,
  },
  {
    among: ['validateKey'],
    broken: (_, given) => given.has('validateKey') && (given.has('secret') || given.has('secretFile')),
    because: name => `it is another name of ${name('secret')}, and a secret is given as well; one of them`,
  },
  {
    among: ['validateKey'],
    broken: (settings, given) => given.has('validateKey') && settings.type !== 'cookie',
    because: name => `only where ${name('type')} is cookie; write ${name('secret')}`,
  },
  {
    among: ['encryptKey'],
    broken: settings => settings.encryptKey.some(key => settings.secret.includes(key)),
    because: () => 'is a secret as well; it must be a key of its own',
  },

  // time
  {
    among: ['timeout', 'lifetime'],
    broken: settings => settings.timeout === undefined && settings.lifetime === undefined,
    because: name => `it is off, and so is ${name('lifetime')}: no session would ever end`,
  },
  {
    among: ['timeout'],
    broken: ({ timeout, lifetime }) => timeout !== undefined && lifetime !== undefined && timeout > lifetime,
    because: (name, { timeout, lifetime }) => `${timeout} is more than ${name('lifetime')}, ${lifetime}: it would never be reached`,
  },
  {
    among: ['touchInterval'],
    broken: ({ touchInterval, timeout }) => timeout !== undefined && touchInterval > timeout / 10,
    because: (name, { touchInterval, timeout }) => `${touchInterval} is more than a tenth of ${name('timeout')}, ${timeout}`,
  },
  {
    among: ['saveAccessedTime'],
    broken: settings => !settings.saveAccessedTime && settings.timeout !== undefined,
    because: name => `without it nobody knows when a session was last used, so ${name('timeout')} must be off`,
  },
  {
    among: ['requestBudget', 'operationTimeout'],
    broken: settings => settings.requestBudget < settings.operationTimeout,
    because: (name, { requestBudget, operationTimeout }) =>
      `${name('requestBudget')}, ${requestBudget}, is less than ${name('operationTimeout')}, ${operationTimeout}`,
  },
  {
    among: ['cookieExpires'],
    broken: ({ cookieExpires, now }) => cookieExpires instanceof Date && cookieExpires.getTime() <= now(),
    because: () => 'the date is past: browsers would drop the cookie at once',
  },

  // without cookies
  {
    among: ['useCookies'],
    broken: settings => !settings.useCookies && settings.idHeader === undefined && settings.id === undefined,
    because: name => `without cookies the id is to come in ${name('idHeader')}, or from a function`,
  },
  {
    among: ['idHeader', 'id'],
    broken: settings => settings.useCookies && (settings.idHeader !== undefined || settings.id !== undefined),
    because: name => `only with ${name('useCookies')} false`,
  },
  {
    among: ['id'],
    broken: settings => settings.idHeader !== undefined && settings.id !== undefined,
    because: name => `${name('idHeader')} is given as well; one of them`,
  },
  {
    among: ['useCookies'],
    broken: settings => !settings.useCookies && settings.type === 'cookie',
    because: name => `${name('type')} is cookie`,
  },

  // the cookie
  {
    among: ['secure'],
    broken: settings => settings.secure !== true && inProduction(),
    because: (name, { secure }) => `${secure} is for development, and NODE_ENV is production: ${name('secure')} must be true`,
  },
  {
    among: ['cookieName', 'secure'],
    broken: ({ cookieName, secure }) => prefixOf(cookieName) !== '' && secure !== true,
    because: (name, { cookieName, secure }) => `browsers take ${cookieName} only with ${name('secure')} true; it is ${secure}`,
  },
  {
    among: ['cookieName', 'cookieDomain'],
    broken: ({ cookieName, cookieDomain }) => isHostPrefixed(cookieName) && cookieDomain !== undefined,
    because: (name, { cookieName }) => `browsers take ${cookieName} only without ${name('cookieDomain')}`,
  },
  {
    among: ['cookieName', 'cookiePath'],
    broken: ({ cookieName, cookiePath }) => isHostPrefixed(cookieName) && cookiePath !== '/',
    because: (name, { cookieName }) => `browsers take ${cookieName} only with ${name('cookiePath')} /`,
  },
  {
    among: ['cookieName', 'httpOnly'],
    broken: ({ cookieName, httpOnly }) => isHttpPrefixed(cookieName) && !httpOnly,
    because: (name, { cookieName }) => `browsers take ${cookieName} only with ${name('httpOnly')} true`,
  },
  {
    among: ['sameSite', 'secure'],
    broken: settings => settings.sameSite === 'none' && settings.secure !== true,
    because: (name, { secure }) => `browsers take none only with ${name('secure')} true; it is ${secure}`,
  },
  {
    among: ['sameSite', 'httpOnly'],
    broken: settings => settings.sameSite === 'none' && !settings.httpOnly,
    because: name => `with none and without ${name('httpOnly')}, a script in a page that another site frames could read the cookie`,
  },
  {
    among: ['partitioned', 'secure'],
    broken: settings => settings.partitioned && settings.secure !== true,
    because: (name, { secure }) => `browsers take it only with ${name('secure')} true; it is ${secure}`,
  },
]

const thereAre = (backends: readonly string[], name: (setting: SettingName) => string): string =>
  backends.length === 0 ? `there is none at all: write ${name('backends')}` : `there are: ${backends.join(', ')}`

/** The first of them that was written. */
export const blamed = (among: readonly SettingName[], given: GivenSettings): SettingName =>
  among.find(name => given.has(name)) ?? among[0]!

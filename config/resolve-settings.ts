import { join } from 'node:path'
import type { Settings } from '../src/settings.js'
import { backendSettings, namedBackends } from './backend-settings.js'
import { getGiven, override, type GivenSettings } from './given.js'
import { inIni, inTypeScript } from './notation.js'
import type { OptionTables } from './option-tables.js'
import { fault, nameOfType, type Origin } from './origin.js'
import { readPlainSettings } from './plain-settings.js'
import { blamed, rules } from './rules.js'
import { readSecretFile } from './secret-file.js'
import { secretAdvice } from './secret-strength.js'
import { givenBy, SettingsSource } from './settings-source.js'
import { table, type DefaultOf, type SettingName, type SettingsInput, type SettingValues } from './table.js'

/**
 * The settings, whole, checked and frozen; nothing is written to what was given. Overrides win. Relative paths start at the
 * INI file's directory, or at the working directory for what was written in a program. `tables` holds the backends' options.
 *
 * Throws `ConfigError` with the setting, and with file and line where it came from a file.
 */
export const resolveSettings = (
  input: SettingsInput | SettingsSource,
  overrides: SettingsInput | undefined,
  tables: OptionTables = {},
): Settings => {
  const given = override(read(input, tables), read(overrides ?? {}, tables))
  const originOf = (name: SettingName): Origin => getGiven(given, name)?.origin ?? originOfAbsent(name, input)
  const settings = complete(given, originOf, tables)
  for (const { among, broken, because } of rules) {
    if (!broken(settings, given)) continue
    const origin = originOf(blamed(among, given))
    const notation = origin.file === undefined ? inTypeScript : inIni
    throw fault(origin, because(name => notation.setting(name), settings))
  }
  return settings
}

const read = (input: SettingsInput | SettingsSource, tables: OptionTables): GivenSettings => {
  if (input instanceof SettingsSource) return givenBy(input)
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return readPlainSettings(input, tables)
  throw new TypeError(`settings: expected an object, or what loadIni returns; got ${nameOfType(input)}`)
}

const originOfAbsent = (name: SettingName, input: SettingsInput | SettingsSource): Origin =>
  input instanceof SettingsSource ? { setting: inIni.setting(name), file: input.file } : { setting: name }

const defaultTimeout = table.timeout.default as number

const complete = (given: GivenSettings, originOf: (name: SettingName) => Origin, tables: OptionTables): Settings => {
  const value = <N extends SettingName>(name: N): SettingValues[N] | DefaultOf<N> =>
    getGiven(given, name)?.value ?? (table[name].default as DefaultOf<N>)

  const cacheDir = value('cacheDir')
  const dataDir = value('dataDir') ?? (cacheDir === undefined ? undefined : join(cacheDir, 'sessions'))
  const lifetime = value('lifetime') || undefined
  const timeout = given.has('timeout') ? value('timeout') || undefined : Math.min(defaultTimeout, lifetime ?? Infinity)
  const cookieDomain = value('cookieDomain')
  const cookiePath = value('cookiePath')
  const cookieExpires = value('cookieExpires')
  const secure = value('secure')
  const isHostOnly = secure === true && cookieDomain === undefined && cookiePath === '/'

  const touchInterval = value('touchInterval') ?? Math.min(60, (timeout ?? Infinity) / 10)
  const main = { type: dataDir === undefined ? 'memory' : 'file', namespace: value('namespace'), dataDir }

  return Object.freeze({
    ...backendSettings(given, '', main, tables),
    backends: namedBackends(given, { namespace: main.namespace }, tables),
    cache: value('cache'),
    cacheTtl: value('cacheTtl') ?? Math.min(60, touchInterval),

    secret: findSecret(given, originOf),
    encryptKey: value('encryptKey') ?? Object.freeze([]),

    timeout,
    lifetime,
    touchInterval,
    saveAccessedTime: value('saveAccessedTime'),
    regenerateGrace: value('regenerateGrace'),

    cookieName: value('cookieName') ?? (isHostOnly ? '__Host-phial' : 'phial'),
    cookieExpires: cookieExpires instanceof Date ? new Date(cookieExpires) : cookieExpires,
    cookieDomain,
    cookiePath,
    secure,
    httpOnly: value('httpOnly'),
    sameSite: value('sameSite'),
    partitioned: value('partitioned'),
    priority: value('priority'),
    forceCookie: value('forceCookie'),
    trustProxy: value('trustProxy'),

    useCookies: value('useCookies'),
    idHeader: value('idHeader'),
    id: value('id'),

    auto: value('auto'),
    dataSerializer: value('dataSerializer'),
    invalidateCorrupt: value('invalidateCorrupt'),
    maxBytes: value('maxBytes'),
    operationTimeout: value('operationTimeout'),
    requestBudget: value('requestBudget'),
    onOutage: value('onOutage'),
    requestKey: value('requestKey'),

    onError: value('onError'),
    revive: value('revive'),
    now: value('now'),
  })
}

const findSecret = (given: GivenSettings, originOf: (name: SettingName) => Origin): readonly string[] => {
  const written = getGiven(given, 'secret') ?? getGiven(given, 'validateKey')
  if (written !== undefined) return written.value
  const file = getGiven(given, 'secretFile')
  if (file !== undefined) return readSecretFile(file.value, file.origin)
  throw fault(originOf('secret'), `required, and neither it nor a file with it is given; ${secretAdvice}`)
}

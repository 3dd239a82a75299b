import test from 'ava'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { loadIni } from '../../config/load-ini.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import { table, type SettingsInput, type SettingsTable } from '../../config/table.js'
import type { Backend } from '../../src/namespace-manager.js'
import { directory, faultOf, iniFile, inSection, resolveIni, resolvePlain, secret, strong, tables } from './support.js'

test('the defaults, whole and frozen', t => {
  const settings = resolveSettings({ secret }, undefined)
  t.deepEqual({ ...settings, secret: [...settings.secret] }, {
    type: 'memory', url: undefined, dataDir: undefined, lockDir: undefined, namespace: 'phial', backendOptions: {},
    backends: {}, cache: undefined, cacheTtl: 60,
    secret: [secret], encryptKey: [],
    timeout: 86400, lifetime: 1209600, touchInterval: 60, saveAccessedTime: true, regenerateGrace: 0,
    cookieName: '__Host-phial', cookieExpires: true, cookieDomain: undefined, cookiePath: '/', secure: true, httpOnly: true,
    sameSite: 'lax', partitioned: false, priority: undefined, forceCookie: false, trustProxy: [],
    useCookies: true, idHeader: undefined, id: undefined,
    auto: false, dataSerializer: 'json', invalidateCorrupt: true, maxBytes: 262144, operationTimeout: 1, requestBudget: 2,
    onOutage: 'fail', requestKey: 'session', onError: undefined, revive: undefined, now: table.now.default,
  })
  const { encryptKey, trustProxy, backendOptions, backends } = settings
  for (const part of [settings, settings.secret, encryptKey, trustProxy, backendOptions, backends]) t.true(Object.isFrozen(part))
})

test('a row that is missing does not compile', t => {
  const { timeout, ...rest } = table
  // @ts-expect-error timeout is missing
  const incomplete: SettingsTable = rest
  t.is({ ...incomplete, timeout }.timeout, table.timeout)
})

test('a setting that there is not does not compile', t => {
  // @ts-expect-error cookie_domain is the name in an INI file
  const input: SettingsInput = { secret, cookie_domain: 'example.com' }
  t.is(faultOf(t, () => resolveSettings(input, undefined)).setting, 'cookie_domain')
  const nested: SettingsInput = { secret, memory: { maxSessions: 5 } }
  t.is(resolveSettings(nested, undefined, tables).backendOptions['memory']?.['maxSessions'], 5)
})

test('the clock follows the one of the process', t => {
  const { now } = resolvePlain({})
  const before = Date.now()
  const between = now()
  t.true(before <= between && between <= Date.now())
})

test('every setting can be given, and comes out as it went in', t => {
  const backend = { type: 'own' } as unknown as Backend
  const dataSerializer = { stringify: JSON.stringify, parse: JSON.parse as (text: string) => unknown }
  const given = {
    type: backend, namespace: 'a.b-c_9', timeout: 1000, lifetime: 2000, touchInterval: 100, regenerateGrace: 60,
    cookieName: 'sid', cookieExpires: 5, cookieDomain: 'example.com', cookiePath: '/shop', secure: true, httpOnly: false, sameSite: 'strict',
    partitioned: true, priority: 'high', forceCookie: true, trustProxy: ['::1'], auto: true, dataSerializer, invalidateCorrupt: false, maxBytes: 256,
    operationTimeout: 0.01, requestBudget: 300, onOutage: 'anonymous', requestKey: '$my_session', onError: () => 1,
    revive: () => 1, now: () => 1, saveAccessedTime: true, dataDir: resolve('/d'), lockDir: resolve('/l'),
  } satisfies SettingsInput
  const settings: Record<string, unknown> = { ...resolvePlain(given) }
  for (const [name, value] of Object.entries(given)) t.deepEqual(settings[name], value, name)
  t.is(settings['type'], backend)
  t.is(settings['dataSerializer'], dataSerializer)
})

test('nothing is written to what was given, and nothing of it is kept that can change', t => {
  const date = new Date('2999-01-01')
  const input = { secret: [secret, strong()], trustProxy: ['10.0.0.0/8'], cookieExpires: date, memory: { maxSessions: 5 } }
  const before = structuredClone(input)
  const settings = resolveSettings(input, undefined, tables)
  t.deepEqual(input, before)
  input.secret.pop()
  input.trustProxy.push('x')
  date.setTime(0)
  input.memory.maxSessions = 6
  t.deepEqual([...settings.secret], before.secret)
  t.deepEqual(settings.trustProxy, ['10.0.0.0/8'])
  t.deepEqual(settings.cookieExpires, before.cookieExpires)
  t.is(settings.backendOptions['memory']!['maxSessions'], 5)
  t.deepEqual(resolveSettings(Object.freeze({ secret }), Object.freeze({ timeout: 5 })).timeout, 5)
})

test('a date of an INI file is not shared between what is made of it', t => {
  const source = loadIni(iniFile(t, inSection(`session.secret = ${secret}`, 'session.cookie_expires = 2999-01-01T00:00:00Z')))
  const [one, other] = [resolveSettings(source, undefined), resolveSettings(source, undefined)]
  ;(one.cookieExpires as Date).setTime(0)
  t.deepEqual(other.cookieExpires, new Date('2999-01-01T00:00:00Z'))
})

test('undefined counts as absent', t => {
  const overrides = { secret: undefined, namespace: undefined }
  const settings = resolveSettings({ secret, timeout: undefined, memory: undefined }, overrides, tables)
  t.is(settings.timeout, 86400)
  t.is(settings.namespace, 'phial')
})

test('overrides win over a file and over an object', t => {
  const lines = ['session.timeout = 600', 'session.memory.max_sessions = 5', 'session.memory.label = x']
  const path = iniFile(t, inSection(`session.secret = ${secret}`, ...lines))
  const settings = resolveIni(path, { timeout: 700, memory: { maxSessions: 6 } })
  t.is(settings.timeout, 700)
  const expected = { maxSessions: 6, sweepEvery: 60, strict: undefined, label: 'x', quota: undefined, note: undefined }
  t.deepEqual(settings.backendOptions['memory'], expected)
  t.is(resolveSettings({ secret, timeout: 5 }, { timeout: false }).timeout, undefined)
})

test('an override takes the place of all that say the same', t => {
  const path = iniFile(t, inSection('session.secret_file = none', 'session.data_dir = /a'))
  const settings = resolveIni(path, { secret, cacheDir: '/b' })
  t.is(settings.dataDir, resolve('/b/sessions'))
  t.deepEqual([...settings.secret], [secret])
  const root = directory(t)
  const file = join(root, 'secret')
  writeFileSync(file, strong(), { mode: 0o600 })
  t.is(resolveSettings({ secret }, { secretFile: file }).secret[0], readFileSync(file, 'utf8'))
})

test('options of backends are checked and defaulted by their tables', t => {
  t.deepEqual(resolvePlain({ memory: { maxSessions: 5, strict: true, note: '' } }).backendOptions, {
    memory: { maxSessions: 5, sweepEvery: 60, strict: true, label: 'a|b', quota: undefined, note: '' },
    file: {},
    cookie: { chunks: 1 },
    server: { password: undefined, client: undefined, behind: undefined, maxCalls: 5 },
  })
  t.true(Object.isFrozen(resolvePlain({}).backendOptions['memory']))
})

test('what stands in TypeScript is relative to the working directory', t => {
  const { dataDir, lockDir } = resolvePlain({ dataDir: 'a/../b', lockDir: '/x' })
  t.deepEqual([dataDir, lockDir], [join(process.cwd(), 'b'), resolve('/x')])
  const path = iniFile(t, inSection('session.data_dir = a'))
  const settings = resolveIni(path, { secret, lockDir: 'l' })
  t.deepEqual([settings.dataDir, settings.lockDir], [join(dirname(path), 'a'), join(process.cwd(), 'l')])
})

test('type: file with a directory, else memory', t => {
  const typeOf = (input: SettingsInput): unknown => resolvePlain(input).type
  t.is(typeOf({}), 'memory')
  t.is(typeOf({ dataDir: '/a' }), 'file')
  t.is(typeOf({ cacheDir: '/a' }), 'file')
  t.is(typeOf({ dataDir: '/a', type: 'memory' }), 'memory')
  t.is(typeOf({ type: 'anything' }), 'anything')
  t.is(resolvePlain({ dataDir: '/a', cacheDir: '/b' }).dataDir, resolve('/a'))
})

test('timeout: at most lifetime when only that is given; touch interval: at most a tenth', t => {
  const times = (input: SettingsInput): unknown[] => {
    const { timeout, lifetime, touchInterval } = resolvePlain(input)
    return [timeout, lifetime, touchInterval]
  }
  t.deepEqual(times({ lifetime: 3600 }), [3600, 3600, 60])
  t.deepEqual(times({ lifetime: 34_560_000 }), [86400, 34_560_000, 60])
  t.deepEqual(times({ lifetime: false }), [86400, undefined, 60])
  t.deepEqual(times({ timeout: false }), [undefined, 1209600, 60])
  t.deepEqual(times({ timeout: 100 }), [100, 1209600, 10])
  t.deepEqual(times({ timeout: 5 }), [5, 1209600, 0.5])
  t.deepEqual(times({ timeout: 100, touchInterval: 10 }), [100, 1209600, 10])
  t.deepEqual(times({ timeout: false, touchInterval: 1000 }), [undefined, 1209600, 1000])
})

const day = 86400
for (const seconds of [1, 59, 29 * day, 30 * day, 30 * day + 1, 31 * day, 400 * day]) {
  test(`S045: ${seconds} seconds are a timeout, a lifetime and a cookie's life`, t => {
    const settings = resolvePlain({ timeout: seconds, lifetime: seconds, cookieExpires: seconds })
    t.deepEqual([settings.timeout, settings.lifetime, settings.cookieExpires], [seconds, seconds, seconds])
    const { timeout, lifetime } = resolveIni(iniFile(t, inSection(
      `session.secret = ${secret}`, `session.timeout = ${seconds}`, `session.lifetime = ${seconds}`)))
    t.deepEqual([timeout, lifetime], [seconds, seconds])
  })
}

const noDuration: [unknown, string][] = [
  [NaN, 'got NaN'], [Infinity, 'got Infinity'], [-Infinity, 'got -Infinity'], [-1, 'got -1'], [0, 'got 0'], [-0, 'got 0'],
  [0.5, 'got 0.5'], [1.5, 'got 1.5'],
  [400 * day + 1, 'milliseconds?'], [2 ** 31, 'milliseconds?'], [2 ** 53, 'milliseconds?'], [Number.MAX_VALUE, 'milliseconds?'],
  ['60', 'got "60"'], ['5m', 'got "5m"'], ['', 'got ""'], [null, 'got null'], [[60], 'got a list'], [{}, 'got an object'],
  [5n, 'got a bigint'],
  [new Date(NaN), 'got an invalid date'], [new Date(0), 'got 1970-01-01T00:00:00.000Z'], [() => 1, 'got a function'],
  [Symbol('x'), 'got a symbol'],
]
for (const name of ['timeout', 'lifetime', 'touchInterval']) {
  test(`S047: ${name} refuses what is no duration`, t => {
    for (const [value, told] of [...noDuration, [true, 'got true'] as [unknown, string]]) {
      const fault = faultOf(t, () => resolvePlain({ [name]: value }))
      t.is(fault.setting, name)
      t.is(fault.file, undefined)
      t.true(fault.message.startsWith(`${name}: expected whole seconds`), fault.message)
      t.true(fault.message.includes(told), fault.message)
    }
  })
}

test('S047: the other durations and sizes refuse what is none', t => {
  const refused: [string, unknown[]][] = [
    ['operationTimeout', [NaN, Infinity, 0, -1, 0.009, 300.1, 1000, '1', null, false]],
    ['requestBudget', [NaN, Infinity, 0, -1, 300.1, 2 ** 31, '1']],
    ['regenerateGrace', [NaN, -1, 0.5, 61, Infinity, '1', false]],
    ['cookieExpires', [NaN, Infinity, -1, 0, 1.5, 400 * day + 1, 2 ** 53, '60', null, new Date(NaN)]],
    ['maxBytes', [NaN, 0, 255, 256.5, 2 ** 28 + 1, Infinity, '1']],
  ]
  for (const [name, values] of refused) {
    for (const value of values) t.is(faultOf(t, () => resolvePlain({ [name]: value })).setting, name, `${name} ${inspect(value)}`)
  }
})

test('S200: what is not of its type is refused in TypeScript too', t => {
  const refused: [string, unknown[]][] = [
    ['type', ['', ' ', null, 5, []]],
    ['dataDir', ['', null, 5, 'a\0b', new URL('file:///a')]],
    ['namespace', ['', '.', '.a', 'a b', 'ä', 'a/b', 'x'.repeat(65), 5, null]],
    ['auto', ['true', 1, 0, null]],
    ['secure', ['yes', 1, null, 'AUTO']],
    ['sameSite', ['Lax', true, false, null, '', 'constructor']],
    ['priority', ['High', 1, null]],
    ['dataSerializer', ['pickle', null, {}, { stringify: 1, parse: 1 }, { parse: () => 1 }, () => 1, 5]],
    ['onOutage', ['503', true]],
    ['requestKey', ['', '1a', 'a b', 'a-b', '__proto__', 'constructor', 'headers', 'url', 'on', 'socket', 5, null]],
    ['onError', [null, 'f', {}]],
    ['revive', [null, 5]],
    ['now', [5, new Date()]],
    ['memory', [null, 5, true, 'x']],
    ['memory.maxSessions', []],
  ]
  for (const [name, values] of refused) {
    for (const value of values) t.is(faultOf(t, () => resolvePlain({ [name]: value })).setting, name, `${name} ${inspect(value)}`)
  }
  t.is(faultOf(t, () => resolvePlain({ memory: { maxSessions: '5' } })).message,
    'memory.maxSessions: expected whole number, 1 or more; got "5"')
  t.is(faultOf(t, () => resolvePlain({ memory: { label: 5 } })).message, 'memory.label: expected text; got 5')
})

const unknown: [object, string][] = [
  [{ cookie_domain: 'x' }, 'cookie_domain: unknown setting; in a program: cookieDomain'],
  [{ key: 'x' }, 'key: unknown setting; in a program: cookieName'],
  [{ 'session.timeout': 5 }, 'session.timeout: unknown setting; in a program: timeout'],
  [{ httponly: true }, 'httponly: unknown setting; in a program: httpOnly'],
  [{ force: true }, 'force: unknown setting; in a program: forceCookie'],
  [{ tiemout: undefined }, 'tiemout: unknown setting; did you mean timeout?'],
  [{ resave: false }, 'resave: unknown setting; there is none: only save() writes, or with auto a session that changed'],
  [{ store: {} }, 'store: unknown setting; here it is type'],
  [{ cookie: { secure: true } }, 'cookie.secure: unknown setting; in a program: secure'],
  [{ memory: { max_sessions: 5 } }, 'memory.max_sessions: unknown setting; in a program: memory.maxSessions'],
  [{ memory: { maxSesions: 5 } }, 'memory.maxSesions: unknown setting; did you mean memory.maxSessions?'],
  [{ disableTouch: true }, 'disableTouch: unknown setting; the opposite, saveAccessedTime'],
  [{ expire_at_browser_close: 1 }, 'expire_at_browser_close: unknown setting; true is the default of cookieExpires'],
  [{ cookieMaxAge: 1 }, 'cookieMaxAge: unknown setting; in seconds, cookieExpires'],
  [{ signed: true }, 'signed: unknown setting; there is none: the cookie is always signed, with secret'],
  [{ overwrite: true }, 'overwrite: unknown setting; there is none: one cookie of a name is sent with a response'],
  [{ unset: 'destroy' }, 'unset: unknown setting; there is none: destroy() removes a session'],
  [JSON.parse('{ "__proto__": { "timeout": 5 } }') as object, '__proto__: unknown setting'],
  [{ constructor: 1 }, 'constructor: unknown setting'],
]
for (const [input, message] of unknown) {
  test(`S200: ${message}`, t => {
    t.is(faultOf(t, () => resolveSettings(input as SettingsInput, undefined, tables)).message, message)
  })
}

test('S200: overrides are checked as well', t => {
  const path = iniFile(t, inSection(`session.secret = ${secret}`))
  const fault = faultOf(t, () => resolveIni(path, { timeout: '5m' } as unknown as SettingsInput))
  t.is(fault.message, 'timeout: expected whole seconds, 1 or more; got "5m"')
  t.is(faultOf(t, () => resolveIni(path, { tiemout: 5 } as SettingsInput)).message,
    'tiemout: unknown setting; did you mean timeout?')
})

test('what is not an object is a TypeError', t => {
  for (const input of [undefined, null, 'app.ini', 5, [], () => 1]) {
    t.throws(() => resolveSettings(input as unknown as SettingsInput, undefined),
      { instanceOf: TypeError, message: /what loadIni returns; got (undefined|null|a )/ })
  }
})

test('S201: what is inherited is no setting', t => {
  t.is(resolvePlain(Object.assign(Object.create({ timeout: 5, nonsense: 1 }) as object, { secret })).timeout, 86400)
})

const proxies: unknown[] = [
  true, null, '', [], '*', 'all', 'true', 'loopback', 'example.com', '0.0.0.0/0', '::/0', '1.2.3.4/0', '0.0.0.0/1', '128.0.0.0/1',
  '8.0.0.0/7', '10.0.0.0/33',
  '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0', '::1/129', '::ffff:0:0/96', '::ffff:0.0.0.0/96', '::ffff:128.0.0.0/97',
  '::/64', '0:1::/8',
  '0:0:0:0:0:ffff:0:0/103', '2000::/3', 'fe80::1%eth0', ['10.0.0.1', 5], ['10.0.0.1 10.0.0.2'], [['10.0.0.1']],
]
for (const value of proxies) {
  test(`S202: trustProxy refuses ${inspect(value)}`, t => {
    t.is(faultOf(t, () => resolvePlain({ trustProxy: value })).setting, 'trustProxy')
  })
}

test('trustProxy takes addresses and private networks, in a list or apart by blanks and commas', t => {
  const fine = ['127.0.0.1', '10.0.0.0/8', '192.168.0.0/16', '::1', '::1/128', 'fc00::/7', '2001:db8::/32', '64:ff9b::/96',
    '::ffff:10.0.0.0/104', '::ffff:10.0.0.1']
  t.deepEqual(resolvePlain({ trustProxy: fine }).trustProxy, fine)
  t.deepEqual(resolvePlain({ trustProxy: fine.join(', ') }).trustProxy, fine)
  t.deepEqual(resolvePlain({ trustProxy: false }).trustProxy, [])
  t.true(Object.isFrozen(resolvePlain({ trustProxy: fine }).trustProxy))
})

import test from 'ava'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadIni } from '../../config/load-ini.js'
import { givenBy, type SettingsSource } from '../../config/settings-source.js'
import { faultOf, iniFile, inSection, resolveIni, secret, tables, withEnvironment } from './support.js'

const valuesOf = (source: SettingsSource): Record<string, unknown> => source.toJSON()['settings'] as Record<string, unknown>

test('session.* and beaker.session.* of the section are read, and no other keys', t => {
  const path = iniFile(t, `[DEFAULT]
session.auto = yes
session.timeout = 60
debug = true
[app:main]
use = egg:shop
timeout = 5m
beaker.cache.type = memory
session = 1
sessions.timeout = 1
session.timeout = 600
beaker.session.key = shop
session.memory.max_sessions = 7
[app:other]
session.timeout = 700
session.nonsense = 1
`)
  t.deepEqual(valuesOf(loadIni(path, {}, tables)), { auto: true, timeout: 600, cookieName: 'shop', 'memory.maxSessions': 7 })
})

test('another section can be named, by path or file URL', t => {
  const path = iniFile(t, '[app:main]\n[shop.one]\nsession.timeout = 700\n')
  const source = loadIni(pathToFileURL(path), { section: 'shop.one' })
  t.deepEqual(valuesOf(source), { timeout: 700 })
  t.deepEqual([source.file, source.section], [path, 'shop.one'])
})

test('S200: a section that is not there is an error', t => {
  const path = iniFile(t, '[app:one]\n[app:two]\n')
  t.is(faultOf(t, () => loadIni(path)).message, `${path}: there is no section [app:main]; there are: [app:one], [app:two]`)
})

test('wrong arguments are a TypeError', t => {
  for (const path of [undefined, 5, {}, null]) t.throws(() => loadIni(path as unknown as string), { instanceOf: TypeError })
})

test('each value remembers the setting as written, the file and the line', t => {
  const path = iniFile(t, inSection('beaker.session.timeout = 5', 'session.memory.max_sessions = 5'))
  const given = givenBy(loadIni(path, {}, tables))
  t.deepEqual([...given].map(([name, { origin }]) => [name, origin.setting, origin.file, origin.line]), [
    ['timeout', 'beaker.session.timeout', path, 2],
    ['memory.maxSessions', 'session.memory.max_sessions', path, 3],
  ])
})

test('what was loaded cannot be changed', t => {
  const source = loadIni(iniFile(t, inSection('session.timeout = 5', `session.secret = ${secret}`)))
  t.true(Object.isFrozen(source))
  const { value } = givenBy(source).get('secret')!
  t.true(Object.isFrozen(value))
})

test('S200: one setting under both prefixes is an error that names both places', t => {
  const path = iniFile(t, inSection('session.timeout = 5', '', 'beaker.session.timeout = 5'))
  t.is(faultOf(t, () => loadIni(path)).message, `${path}:4: beaker.session.timeout: is there already, as session.timeout on line 2`)
  faultOf(t, () => loadIni(iniFile(t, '[DEFAULT]\nbeaker.session.timeout = 5\n[app:main]\nsession.timeout = 5')))
})

test('paths start at the directory of the file', t => {
  const path = iniFile(t, inSection('session.data_dir = data/a', 'session.lock_dir = /locks',
    'session.secret_file = %(here)s/../secret'))
  const root = dirname(path)
  t.deepEqual(valuesOf(loadIni(path)), { dataDir: join(root, 'data/a'), lockDir: '/locks', secretFile: join(root, '../secret') })
})

test("Pylons' cache_dir counts where the sessions have none", t => {
  const dirs = (...lines: string[]): unknown[] => {
    const { type, dataDir } = resolveIni(iniFile(t, inSection(`session.secret = ${secret}`, ...lines)))
    return [type, dataDir]
  }
  t.deepEqual(dirs('cache_dir = /cache'), ['file', '/cache/sessions'])
  t.deepEqual(dirs('session.cache_dir = /a', 'cache_dir = /cache'), ['file', '/a/sessions'])
  t.deepEqual(dirs('cache_dir = /cache', 'beaker.session.data_dir = /b'), ['file', '/b'])
  t.deepEqual(dirs('data_dir = /cache'), ['memory', undefined])
})

test('values of the environment and of other keys are put in, but not shown in errors', t => {
  withEnvironment({ PHIAL_TIMEOUT: '5m-canary' }, () => {
    const direct = faultOf(t, () => loadIni(iniFile(t, inSection('session.timeout = ${PHIAL_TIMEOUT}'))))
    t.regex(direct.message, /session\.timeout: expected whole seconds, 1 or more; got what \$\{PHIAL_TIMEOUT\} stands for$/)
    const nested = faultOf(t, () => loadIni(iniFile(t, inSection('t = ${PHIAL_TIMEOUT}', 'session.timeout = %(t)s'))))
    t.notRegex(nested.message, /canary/)
  })
  withEnvironment({ PHIAL_TIMEOUT: '5' }, () => {
    t.deepEqual(valuesOf(loadIni(iniFile(t, inSection('session.timeout = ${PHIAL_TIMEOUT}0')))), { timeout: 50 })
  })
})

const wrong: [string, string][] = [
  ['timeout = 5m', 'expected whole seconds, 1 or more; got "5m"'],
  ['timeout = 0', 'expected whole seconds, 1 or more; got 0'],
  ['timeout = -1', 'expected whole seconds, 1 or more; got "-1"'],
  ['timeout = 1.5', 'expected whole seconds, 1 or more; got 1.5'],
  ['timeout = 1e3', 'expected whole seconds, 1 or more; got "1e3"'],
  ['timeout = true', 'expected whole seconds, 1 or more; got "true"'],
  ['timeout =', 'expected whole seconds, 1 or more; got ""'],
  ['timeout = 86400000', 'expected whole seconds, at most 34560000 (400 days); got 86400000: is it in milliseconds?'],
  ['lifetime = NaN', 'expected whole seconds, 1 or more; got "NaN"'],
  ['touch_interval = off', 'expected whole seconds, 1 or more; got "off"'],
  ['operation_timeout = 0', 'expected seconds, 0.01 or more; got 0'],
  ['operation_timeout = 1000', 'expected seconds, at most 300; got 1000: is it in milliseconds?'],
  ['regenerate_grace = 61', 'expected whole seconds, at most 60; got 61'],
  ['max_bytes = 1k', 'expected whole bytes, 256 or more; got "1k"'],
  ['max_bytes = 268435457', 'expected whole bytes, at most 268435456; got 268435457'],
  ['auto = maybe', 'expected true or false; got "maybe"'],
  ['httponly = 2', 'expected true or false; got "2"'],
  ['secure = never', 'expected true, false or auto; got "never"'],
  ['samesite = loose', 'expected strict, lax or none; got "loose"'],
  ['samesite = true', 'expected strict, lax or none; got "true"'],
  ['priority = urgent', 'expected low, medium or high; got "urgent"'],
  ['on_outage = retry', 'expected fail or anonymous; got "retry"'],
  ['data_serializer = pickle', 'expected json, devalue, or an object with stringify and parse; got "pickle"'],
  ['type =', 'expected the type of a backend, or one of your own; got ""'],
  ['data_dir =', 'expected a path; got ""'],
  ['namespace = .a', 'expected 1 to 64 of A-Z a-z 0-9 . _ -, the first not a dot; got ".a"'],
  ['request_key = url', 'expected a property name that a request does not have yet; got "url"'],
  ['cookie_expires = tomorrow', 'expected true, false, whole seconds, or a date with its zone, such as 2030-01-31T12:00:00Z; got "tomorrow"'],
  ['memory.max_sessions = many', 'expected whole number, 1 or more; got "many"'],
  ['memory.sweep_every = 4', 'expected whole seconds, 5 or more; got 4'],
  ['memory.strict = 5', 'expected true or false; got "5"'],
]
for (const [line, message] of wrong) {
  test(`S200: session.${line} is refused with file, line, setting, what was expected and what came`, t => {
    const path = iniFile(t, inSection('', `session.${line}`))
    const setting = `session.${line.split(' ')[0]}`
    const fault = faultOf(t, () => loadIni(path, {}, tables))
    t.is(fault.message, `${path}:3: ${setting}: ${message}`)
    t.deepEqual([fault.setting, fault.file, fault.line], [setting, path, 3])
  })
}

test('a long value is shown in part', t => {
  const fault = faultOf(t, () => loadIni(iniFile(t, inSection(`session.timeout = ${'x'.repeat(5000)}`))))
  t.true(fault.message.endsWith(`got "${'x'.repeat(60)}…"`))
})

const unknown: [string, string][] = [
  ['tiemout', 'did you mean session.timeout?'],
  ['cookie_expire', 'did you mean session.cookie_expires?'],
  ['lokc_dir', 'did you mean session.lock_dir?'],
  ['memory.max_sesions', 'did you mean session.memory.max_sessions?'],
  ['cookieDomain', 'in an INI file: session.cookie_domain'],
  ['cookieName', 'in an INI file: session.key'],
  ['TIMEOUT', 'in an INI file: session.timeout'],
  ['same_site', 'in an INI file: session.samesite'],
  ['http-only', 'in an INI file: session.httponly'],
  ['memory.maxSessions', 'in an INI file: session.memory.max_sessions'],
  ['cookie.secure', 'in an INI file: session.secure'],
  ['on_error', 'only in a program: onError'],
  ['now', 'only in a program: now'],
  ['name', 'here it is session.key'],
  ['cookie_name', 'in an INI file: session.key'],
  ['store', 'here it is session.type'],
  ['password', 'here it is session.secret'],
  ['secret_key', 'here it is session.secret'],
  ['cookie_secret', 'here it is session.secret'],
  ['cookie_secure', 'here it is session.secure'],
  ['environ_key', 'here it is session.request_key'],
  ['path', 'here it is session.cookie_path'],
  ['proxy', 'here it is session.trust_proxy'],
  ['resave', 'there is none: only save() writes, or with session.auto a session that changed'],
  ['saveUninitialized', 'there is none: a session that nobody saved is never kept and sends no cookie'],
  ['rolling', 'there is none: using a session moves its idle end (session.timeout, session.touch_interval)'],
  ['maxAge', 'in seconds, session.timeout (unused) and session.lifetime (in all); for the cookie session.cookie_expires'],
  ['ttl', 'in seconds, session.timeout (unused) and session.lifetime (in all); for the cookie session.cookie_expires'],
  ['cookie.max_age', 'in seconds, session.timeout (unused) and session.lifetime (in all); for the cookie session.cookie_expires'],
  ['crypto_type', 'there is none: session.encrypt_key encrypts with AES-256-GCM'],
  ['genid', 'there is none: ids are 256 random bits, made here alone'],
  ['cookie_args', 'each has a setting of its own: session.cookie_domain, session.cookie_path, session.secure …'],
  ['memcache_module', 'not in this release'],
  ['redis.host', 'here it is session.url'],
  ['redis.max', 'no backend "redis" takes options; these do: memory, file, cookie, server'],
  ['servers', 'here it is session.url'],
  ['cache_tll', 'did you mean session.cache_ttl?'],
  ['cacheTtl', 'in an INI file: session.cache_ttl'],
  ['cache_alias', 'here it is session.cache'],
]
for (const [name, advice] of unknown) {
  test(`S200: session.${name} is unknown: ${advice}`, t => {
    const path = iniFile(t, inSection(`session.${name} = x`))
    t.is(faultOf(t, () => loadIni(path, {}, tables)).message, `${path}:2: session.${name}: unknown setting; ${advice}`)
  })
}

test('S200: unknown names that resemble nothing are told without advice, and capital letters are no way round', t => {
  for (const name of ['session.', 'session.xyzzy', 'session.__proto__', `session.${'timeout'.repeat(20)}`, 'session.toString',
    'beaker.session.xyzzy']) {
    const path = iniFile(t, inSection(`${name} = x`))
    t.is(faultOf(t, () => loadIni(path)).message, `${path}:2: ${name}: unknown setting`)
  }
  const path = iniFile(t, inSection('Beaker.Session.timeout = 5'))
  t.is(faultOf(t, () => loadIni(path)).message, `${path}:2: Beaker.Session.timeout: unknown setting; in an INI file: session.timeout`)
  t.regex(faultOf(t, () => loadIni(iniFile(t, inSection('session.redis.x = 5')))).message,
    /no backend "redis" takes options; these do: none$/)
})

const words: [string, unknown][] = [
  ...['true', 'yes', 'on', '1', 'TRUE', 'Yes', 'oN'].map((word): [string, unknown] => [`auto = ${word}`, { auto: true }]),
  ...['false', 'no', 'off', '0', 'FALSE'].map((word): [string, unknown] => [`auto = ${word}`, { auto: false }]),
  ...['off', 'false', 'none', 'no', 'None'].map((word): [string, unknown] => [`timeout = ${word}`, { timeout: false }]),
  ['lifetime = off', { lifetime: false }],
  ['timeout = 0600', { timeout: 600 }],
  ['operation_timeout = 0.25', { operationTimeout: 0.25 }],
  ['secure = AUTO', { secure: 'auto' }],
  ['secure = off', { secure: false }],
  ['samesite = None', { sameSite: 'none' }],
  ['data_serializer = JSON', { dataSerializer: 'json' }],
  ['trust_proxy = off', { trustProxy: [] }],
  ['trust_proxy = 127.0.0.1, ::1  10.0.0.0/8', { trustProxy: ['127.0.0.1', '::1', '10.0.0.0/8'] }],
  ['cookie_expires = yes', { cookieExpires: true }],
  ['cookie_expires = off', { cookieExpires: false }],
  ['cookie_expires = 1', { cookieExpires: 1 }],
  ['cookie_expires = 2030-01-31T12:00Z', { cookieExpires: new Date('2030-01-31T12:00:00Z') }],
  ['cookie_expires = 2030-01-31T12:00:00.5+02:00', { cookieExpires: new Date('2030-01-31T10:00:00.500Z') }],
  ['memory.strict = on', { 'memory.strict': true }],
  ['memory.quota = 0', { 'memory.quota': 0 }],
  ['memory.label = a b #c', { 'memory.label': 'a b' }],
]
for (const [line, expected] of words) {
  test(`session.${line} is understood`, t => {
    const path = iniFile(t, inSection(`session.${line}`))
    t.deepEqual(valuesOf(loadIni(path, {}, tables)), expected as object)
  })
}

test('dates that are none are refused', t => {
  for (const date of ['2030-02-30T00:00:00Z', '2030-13-01T00:00:00Z', '2030-01-01T25:00:00Z', '2030-01-01', '2030-01-01T00:00:00',
    '2030-01-01T00:00:00+99:00']) {
    t.is(faultOf(t, () => loadIni(iniFile(t, inSection(`session.cookie_expires = ${date}`)))).line, 2, date)
  }
})

test('several secrets stand on one line, apart by blanks; a secret file has one a line', t => {
  const [a, b, c] = [secret, secret.toUpperCase(), [...secret].toReversed().join('')]
  const path = iniFile(t, inSection(`session.secret = ${a}\t ${b}  ${c} ; newest first`))
  t.deepEqual([...resolveIni(path).secret], [a, b, c])
  writeFileSync(join(dirname(path), 'secret'), `\uFEFF${a}\r\n\n  ${b}\n${c}`, { mode: 0o600 })
  writeFileSync(path, inSection('session.secret_file = secret'))
  t.deepEqual([...resolveIni(path).secret], [a, b, c])
})

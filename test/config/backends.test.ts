import test from 'ava'
import { dirname, join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { backendFrom } from '../../config/backend-settings.js'
import { loadIni } from '../../config/load-ini.js'
import { givenBy } from '../../config/settings-source.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import type { SettingsInput } from '../../config/table.js'
import { typesIn } from '../../config/types-in.js'
import { Hidden, reveal } from '../../src/hidden.js'
import { directory, faultOf, iniFile, inSection, resolveIni, resolvePlain, secret, tables } from './support.js'

const lines = (...written: string[]): string => inSection(`session.secret = ${secret}`, ...written.map(line => `session.${line}`))

/** The message of the fault in this line, without the place that it begins with. */
const refusal = (t: Parameters<typeof iniFile>[0], line: string): string => {
  const path = iniFile(t, inSection(`session.${line}`))
  const { message, setting, file, line: at } = faultOf(t, () => loadIni(path, {}, tables))
  t.deepEqual([setting, file, at], [`session.${line.split(' =')[0]}`, path, 2])
  t.true(message.startsWith(`${path}:2: ${setting}: `), message)
  return message.slice(`${path}:2: ${setting}: `.length)
}

test('backends by name have the words of the main one, each its own', t => {
  const path = iniFile(t, lines('type = server', 'url = one://a', 'namespace = shop', 'server.max_calls = 6',
    'backends.front.type = server', 'backends.front.url = one://b', 'backends.front.server.max_calls = 7',
    'backends.old-1_A.type = file', 'backends.old-1_A.data_dir = data', 'backends.old-1_A.lock_dir = /locks', 'backends.old-1_A.namespace = bar'))
  const { type, url, namespace, dataDir, backendOptions, backends } = resolveIni(path)
  t.deepEqual([type, url?.reveal(), namespace, dataDir, backendOptions['server']?.['maxCalls']], ['server', 'one://a', 'shop', undefined, 6])
  const { front, 'old-1_A': old } = backends
  t.deepEqual([front?.type, front?.url?.reveal(), front?.backendOptions['server']?.['maxCalls']], ['server', 'one://b', 7])
  t.deepEqual([old?.type, old?.url, old?.dataDir, old?.lockDir, old?.namespace], ['file', undefined, join(dirname(path), 'data'), '/locks', 'bar'])
  t.is(old?.backendOptions['server']?.['maxCalls'], 5)
})

test('the namespace of a backend by name is the main one, where it has none of its own; nothing else is handed down', t => {
  const { front } = resolvePlain({ namespace: 'shop', url: 'x', dataDir: '/d', lockDir: '/l', type: 'server', backends: { front: { type: 'memory' } } }).backends
  t.deepEqual({ ...front, backendOptions: {} },
    { type: 'memory', url: undefined, namespace: 'shop', dataDir: undefined, lockDir: undefined, backendOptions: {} })
  t.is(resolvePlain({ backends: { front: { type: 'memory' } } }).backends['front']?.namespace, 'phial')
})

test('what is written in TypeScript is the same', t => {
  const client = { password: 'x' }
  const input: SettingsInput = {
    secret,
    backends: { front: { type: 'memory', memory: { maxSessions: 5 } }, far: { type: 'server', url: 'a://b', server: { client, maxCalls: 9 } } as object, none: undefined },
  }
  const { backends } = resolveSettings(input, undefined, tables)
  t.deepEqual(Object.keys(backends), ['front', 'far'])
  t.is(backends['front']?.backendOptions['memory']?.['maxSessions'], 5)
  t.deepEqual([backends['far']?.url?.reveal(), backends['far']?.backendOptions['server']?.['maxCalls']], ['a://b', 9])
  t.is(reveal(backends['far']?.backendOptions['server']?.['client']), client)
  for (const part of [backends, backends['far'], backends['far']?.backendOptions, backends['far']?.url]) t.true(Object.isFrozen(part))
})

test('overrides and the file are one, word by word', t => {
  const path = iniFile(t, lines('backends.front.type = server', 'backends.front.url = a', 'backends.front.server.max_calls = 7'))
  const { backends } = resolveIni(path, { backends: { front: { url: 'b' }, more: { type: 'memory' } } })
  t.deepEqual([backends['front']?.url?.reveal(), backends['front']?.backendOptions['server']?.['maxCalls']], ['b', 7])
  t.is(backends['more']?.type, 'memory')
})

test('an override of the type leaves behind what was meant for the other one: its url and its cache', t => {
  const path = iniFile(t, lines('type = server', 'url = a://b', 'cache = front', 'backends.front.type = file'))
  const left = ({ url, cache }: ReturnType<typeof resolveIni>): unknown[] => [url?.reveal(), cache]
  t.deepEqual(left(resolveIni(path)), ['a://b', 'front'])
  t.deepEqual(left(resolveIni(path, { type: 'memory' })), [undefined, undefined])
  t.deepEqual(left(resolveIni(path, { type: 'server' })), ['a://b', 'front'])
  t.deepEqual(left(resolveIni(path, { type: 'memory', cache: 'front' })), [undefined, 'front'])
  t.deepEqual(left(resolveIni(path, { url: 'c' })), ['c', 'front'])
})

test('each word of a backend remembers where it stands', t => {
  const path = iniFile(t, inSection('beaker.session.backends.front.type = server', 'session.backends.front.server.max_calls = 5'))
  t.deepEqual([...givenBy(loadIni(path, {}, tables))].map(([id, { origin }]) => [id, origin.setting, origin.line]), [
    ['backends.front.type', 'beaker.session.backends.front.type', 2],
    ['backends.front.server.maxCalls', 'session.backends.front.server.max_calls', 3],
  ])
})

const wrong: [string, string][] = [
  ['backends.front.type =', 'expected the type of a backend, or one of your own; got ""'],
  ['backends.front.url =', 'expected a URL; got none'],
  ['url =', 'expected a URL; got none'],
  ['backends.front.namespace = .a', 'expected 1 to 64 of A-Z a-z 0-9 . _ -, the first not a dot; got ".a"'],
  ['backends.front.server.max_calls = many', 'expected whole number, 1 or more; got "many"'],
  ['backends.front.memory.sweep_every = 4', 'expected whole seconds, 5 or more; got 4'],
  ['cache = a.b', 'expected the name of a backend: 1 to 64 of A-Z a-z 0-9 _ -; got "a.b"'],
  ['cache_ttl = 0', 'expected whole seconds, 1 or more; got 0'],
  ['server.behind = a b', 'expected the name of a backend: 1 to 64 of A-Z a-z 0-9 _ -; got "a b"'],

  ['backends.front.typ = x', 'unknown setting; did you mean session.backends.front.type?'],
  ['backends.front.dataDir = x', 'unknown setting; in an INI file: session.backends.front.data_dir'],
  ['backends.front.server.max_cals = x', 'unknown setting; did you mean session.backends.front.server.max_calls?'],
  ['backends.front.maxCalls = x', 'unknown setting; in an INI file: session.backends.front.server.max_calls'],
  ['max_sessions = 5', 'unknown setting; in an INI file: session.memory.max_sessions'],
  ['backends.front.server.client = x', 'unknown setting; only in a program: server.client'],
  ['server.client = x', 'unknown setting; only in a program: server.client'],
  ['backends.front.timeout = 5', 'unknown setting; in an INI file: session.timeout'],
  ['backends.front.prefix = x', 'unknown setting; here it is session.backends.front.namespace'],
  ['backends.front.servers = x', 'unknown setting; here it is session.backends.front.url'],
  ['backends.front.password = x', 'unknown setting; in an INI file: session.backends.front.server.password'],
  ['password = x', 'unknown setting; here it is session.secret'],
  ['client = x', 'unknown setting; only in a program: server.client'],
  ['backends.front.mongo.x = x', 'unknown setting; no backend "mongo" takes options; these do: memory, file, cookie, server'],
  ['Backends.front.type = x', 'unknown setting; in an INI file: session.backends.front.type'],
  ['backends.front.backends.deep.type = x', 'unknown setting; session.backends.NAME.type and the like, where NAME has letters, digits, _ and -'],
  ['backends.front = memcache', 'unknown setting; session.backends.NAME.type and the like, where NAME has letters, digits, _ and -'],
  ['backends = memcache', 'unknown setting; session.backends.NAME.type and the like, where NAME has letters, digits, _ and -'],
  ['backends..type = memcache', 'unknown setting; session.backends.NAME.type and the like, where NAME has letters, digits, _ and -'],
  ['backends.fr nt.type = x', 'unknown setting; session.backends.NAME.type and the like, where NAME has letters, digits, _ and -'],
  [`backends.${'x'.repeat(65)}.type = x`, 'unknown setting; session.backends.NAME.type and the like, where NAME has letters, digits, _ and -'],
  ['backnds.front.type = x', 'unknown setting; in an INI file: session.type'],
]
for (const [line, message] of wrong) {
  test(`S200: session.${line.slice(0, 60)} is refused: ${message}`, t => t.is(refusal(t, line), message))
}

const wrongInTypeScript: [object, string][] = [
  [{ backends: 5 }, 'backends: expected an object with the settings of a backend under each name; got 5'],
  [{ backends: null }, 'backends: expected an object with the settings of a backend under each name; got null'],
  [{ backends: { front: 'memcache' } }, 'backends.front: expected an object with the settings of the backend; got "memcache"'],
  [{ backends: { 'fr.nt': { type: 'memory' } } }, 'backends: expected the name of a backend: 1 to 64 of A-Z a-z 0-9 _ -; got "fr.nt"'],
  [{ backends: { '': { type: 'memory' } } }, 'backends: expected the name of a backend: 1 to 64 of A-Z a-z 0-9 _ -; got ""'],
  [{ backends: { front: { server: 5 } } }, 'backends.front.server: expected an object with options of the backend; got 5'],
  [{ backends: { front: { type: 5 } } }, 'backends.front.type: expected the type of a backend, or one of your own; got 5'],
  [{ backends: { front: { data_dir: '/' } } }, 'backends.front.data_dir: unknown setting; in a program: backends.front.dataDir'],
  [{ backends: { front: { timeout: 5 } } }, 'backends.front.timeout: unknown setting; in a program: timeout'],
  [{ backends: { front: { server: { max_calls: 5 } } } }, 'backends.front.server.max_calls: unknown setting; in a program: backends.front.server.maxCalls'],
  [{ backends: { front: { server: { client: 'x' } } } }, 'backends.front.server.client: expected an object; got "x"'],
  [{ server: { client: null } }, 'server.client: expected an object; got null'],
  [{ server: { behind: 5 } }, 'server.behind: expected the name of a backend: 1 to 64 of A-Z a-z 0-9 _ -; got 5'],
  [{ backends: { front: { backends: { deep: { type: 'memory' } } } } },
    'backends.front.backends: unknown setting; backends and the like, where NAME has letters, digits, _ and -'],
  [{ cache: 5 }, 'cache: expected the name of a backend: 1 to 64 of A-Z a-z 0-9 _ -; got 5'],
  [{ cache: 'front' }, 'cache: there is no backend "front"; there is none at all: write backends'],
  [{ backends: { front: { url: 'x' } } }, 'backends.front.type: required: the type of this backend'],
]
for (const [input, message] of wrongInTypeScript) {
  test(`S200: ${message}`, t => t.is(faultOf(t, () => resolvePlain(input)).message, message))
}

test('S200: a backend by name without a type is told where it begins', t => {
  const path = iniFile(t, lines('timeout = 600', 'backends.front.url = x'))
  const { message, setting, line } = faultOf(t, () => resolveIni(path))
  t.is(message, `${path}:4: session.backends.front.type: required: the type of this backend`)
  t.deepEqual([setting, line], ['session.backends.front.type', 4])
})

const combinations: [string[], string, number, string][] = [
  [['cache = fornt', 'backends.front.type = server'], 'cache', 3, 'there is no backend "fornt"; there are: front'],
  [['cache = front'], 'cache', 3, 'there is no backend "front"; there is none at all: write session.backends.NAME.type'],
  [['type = server', 'url = x', 'backends.front.type = server', 'backends.front.url = x', 'cache = front'], 'cache', 7,
    '"front" is the store itself: give it another url or namespace'],
  [['type = server', 'backends.front.type = server', 'cache = front', 'server.max_calls = 5'], 'cache', 5,
    '"front" is the store itself: give it another url or namespace'],
  [['cache_ttl = 61'], 'cache_ttl', 3, 'session.cache_ttl, 61, is more than session.touch_interval, 60: a session in use is read from the store that often'],
  [['touch_interval = 30', 'cache_ttl = 31'], 'cache_ttl', 4, 'session.cache_ttl, 31, is more than session.touch_interval, 30: a session in use is read from the store that often'],
  [['timeout = 100', 'cache_ttl = 11'], 'cache_ttl', 4, 'session.cache_ttl, 11, is more than session.touch_interval, 10: a session in use is read from the store that often'],
]
for (const [written, setting, line, reason] of combinations) {
  test(`S202: ${written.join(', ')} is refused at start, with file and line`, t => {
    const path = iniFile(t, lines(...written))
    t.is(faultOf(t, () => resolveIni(path)).message, `${path}:${line}: session.${setting}: ${reason}`)
  })
}

test('a cache is another store when its url, namespace, directory or options differ', t => {
  const store = { type: 'server', url: 'x', cache: 'front' }
  for (const other of [{ url: 'y' }, { url: undefined }, { url: 'x', namespace: 'n' }, { url: 'x', dataDir: '/d' }, { url: 'x', server: { maxCalls: 6 } },
    { url: 'x', server: { client: {} } }]) {
    t.is(resolvePlain({ ...store, backends: { front: { type: 'server', ...other } } }).cache, 'front', inspect(other))
  }
  const ready = { ...store, server: { client: {} }, backends: { front: { type: 'server', url: 'x', server: { client: {} } } } }
  t.is(resolvePlain(ready).cache, 'front')
  const client = {}
  const same = { ...store, server: { client }, backends: { front: { type: 'server', url: 'x', server: { client } } } }
  t.is(faultOf(t, () => resolvePlain(same)).setting, 'cache')
})

test('the life of a copy: 60 seconds, or the touch interval where that is less', t => {
  const cacheTtl = (input: SettingsInput): number => resolvePlain(input).cacheTtl
  t.is(cacheTtl({}), 60)
  t.is(cacheTtl({ touchInterval: 1000, timeout: 86_400 }), 60)
  t.is(cacheTtl({ touchInterval: 30 }), 30)
  t.is(cacheTtl({ timeout: 5 }), 0.5)
  t.is(cacheTtl({ touchInterval: 600, cacheTtl: 600 }), 600)
})

test('S201: names that objects know already are names like others', t => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const { backends, cache } = resolveIni(iniFile(t, lines(`backends.${name}.type = server`, `cache = ${name}`)))
    t.deepEqual([Object.keys(backends), cache], [[name], name])
    const written = { backends: JSON.parse(`{ "${name}": { "type": "server" } }`) as object }
    t.deepEqual(Object.keys(resolvePlain(written).backends), [name])
    t.is(faultOf(t, () => resolvePlain({ cache: name })).setting, 'cache')
  }
})

test('a path of a module starts at the directory of the file; a word and a package stay as they are', t => {
  const root = directory(t)
  const typeIn = (type: string): unknown => resolveIni(iniFile(t, lines(`type = ${type}`))).type
  t.is(resolveIni(iniFile(t, lines('type = ./a.cjs', 'backends.b.type = ../b.cjs'))).type?.toString().endsWith('/a.cjs'), true)
  const path = iniFile(t, lines('backends.b.type = ../b.cjs'))
  t.is(resolveIni(path).backends['b']?.type, resolve(dirname(path), '../b.cjs'))
  t.deepEqual(['file', '@acme/store', 'store.js', join(root, 'x.js')].map(typeIn), ['file', '@acme/store', 'store.js', join(root, 'x.js')])
  t.is(resolvePlain({ type: './a.cjs' }).type, resolve('a.cjs'))
})

test('a backend that is written in place of a name is read by the same rules, its faults told of its place', t => {
  const read = (input: object): ReturnType<typeof backendFrom> => backendFrom(input, 'server.behind', { namespace: 'shop' }, tables)
  const { type, url, namespace, backendOptions } = read({ type: 'server', url: 'x', server: { maxCalls: 8 } })
  t.deepEqual([type, url?.reveal(), namespace, backendOptions['server']?.['maxCalls']], ['server', 'x', 'shop', 8])
  const told: [object, string][] = [
    [{}, 'server.behind.type: required: the type of this backend'],
    [{ type: 'server', url: 5 }, 'server.behind.url: expected a URL; got a number'],
    [{ type: 'server', timeout: 5 }, 'server.behind.timeout: unknown setting; in a program: timeout'],
    [{ type: 'server', typ: 5 }, 'server.behind.typ: unknown setting; did you mean type?'],
    [{ type: 'server', server: { maxCalls: 0 } }, 'server.behind.server.maxCalls: expected whole number, 1 or more; got 0'],
    [{ type: 'server', backends: { a: { type: 'memory' } } }, 'server.behind.backends.a.type: unknown setting; in a program: backends.a.type'],
  ]
  for (const [input, message] of told) t.is(faultOf(t, () => read(input)).message, message)
})

test('the types that settings name are found before they are checked', t => {
  const type = { open: 1 }
  t.deepEqual(typesIn({ type, backends: { a: { type: 'x' }, b: undefined, c: null, d: 5, e: {} } }), [type, 'x'])
  for (const input of [undefined, null, 5, {}, { backends: null }, { backends: 'ab' }]) t.deepEqual(typesIn(input), [])
  t.deepEqual(typesIn(loadIni(iniFile(t, lines('type = file', 'backends.a.type = memory', 'backends.a.url = x')), {}, tables)), ['file', 'memory'])
})

test('what is hidden is revealed to who asks for it, and nothing else is hidden', t => {
  t.is(reveal(new Hidden('x')), 'x')
  t.is(reveal('x'), 'x')
})

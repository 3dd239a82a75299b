import test from 'ava'
import { format, inspect } from 'node:util'
import { loadIni } from '../../config/load-ini.js'
import { redactedList } from '../../config/redacted.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import type { SettingsInput } from '../../config/table.js'
import { reveal } from '../../src/hidden.js'
import { createManager } from '../../src/index.js'
import { faultOf, iniFile, inSection, resolvePlain, strong, tables, withEnvironment } from './support.js'

const [secret, encryptKey] = [strong(), strong()]

/** Everything that a log, a template or an error report may make of it. */
const prints = (value: unknown): string[] => [
  inspect(value),
  inspect(value, { depth: Infinity, showHidden: true }),
  inspect([[value]], { depth: 9, compact: false, colors: true }),
  inspect({ ...(value as object) }, { depth: 9 }),
  inspect(Object.entries(value as object), { depth: 9 }),
  JSON.stringify(value),
  JSON.stringify({ nested: [value] }),
  JSON.stringify({ ...(value as object) }),
  String(value),
  `${value as string}`,
  format('%s %o %O %j', value, value, value, value),
]

test('S204: what was loaded and what is made of it print without secrets', t => {
  const lines = [`session.secret = ${secret}`, `session.encrypt_key = ${encryptKey}`, 'session.timeout = 600']
  const source = loadIni(iniFile(t, inSection(...lines)))
  const settings = resolveSettings(source, { touchInterval: 5 })
  t.deepEqual([settings.secret[0], settings.encryptKey[0]], [secret, encryptKey])
  for (const value of [source, settings, { source, settings }, new Error('x', { cause: settings })]) {
    for (const text of prints(value)) {
      t.false(text.includes(secret), text)
      t.false(text.includes(encryptKey), text)
    }
  }
  t.regex(inspect(source), /^SettingsSource \{[^]*secret: \[redacted\][^]*timeout: 600/)
  t.regex(inspect(settings), /secret: \[redacted\][^]*encryptKey: \[redacted\][^]*timeout: 600/)
})

const [urlPassword, ownPassword, clientPassword] = ['pw-in-url', 'pw-of-option', 'pw-of-client']

test('S204: urls, secret options and ready clients print as [redacted], of further backends too', t => {
  const lines = [`session.secret = ${secret}`, 'session.type = server', `session.url = one://me:${urlPassword}@host`, `session.server.password = ${ownPassword}`,
    'session.backends.front.type = server', `session.backends.front.url = one://me:${urlPassword}@other`, `session.backends.front.server.password = ${ownPassword}`]
  const source = loadIni(iniFile(t, inSection(...lines)), {}, tables)
  const client = { password: clientPassword }
  const settings = resolveSettings(source, { server: { client }, backends: { front: { server: { client, behind: client } } } } as SettingsInput, tables)
  const { front } = settings.backends
  t.deepEqual([settings.url, front?.url].map(reveal), [`one://me:${urlPassword}@host`, `one://me:${urlPassword}@other`])
  t.deepEqual([settings, front].flatMap(of => Object.values(of!.backendOptions['server']!).map(reveal)),
    [ownPassword, client, undefined, 5, ownPassword, client, client, 5])
  for (const value of [source, settings, { source, settings }, new Error('x', { cause: settings })]) {
    for (const text of prints(value)) for (const hidden of [urlPassword, ownPassword, clientPassword]) t.false(text.includes(hidden), text)
  }
  t.regex(inspect(front), /url: \[redacted\][^]*password: \[redacted\][^]*client: \[redacted\]/)
  t.deepEqual([String(settings.url), `${settings.url as unknown as string}`, JSON.stringify(settings.url), inspect(settings.url)],
    ['[redacted]', '[redacted]', '"[redacted]"', '[redacted]'])
  t.is(inspect(settings.url, { customInspect: false, showHidden: true }).includes(urlPassword), false)
})

test('S204: no fault of a url or a secret option shows what was written', t => {
  const canary = 'canary'
  const wrong: [object, string][] = [
    [{ url: [canary] }, 'url: expected a URL; got a list'],
    [{ url: ` ` }, 'url: expected a URL; got none'],
    [{ url: { canary } }, 'url: expected a URL; got an object'],
    [{ server: { password: [canary] } }, 'server.password: expected text; got a list'],
    [{ server: { password: 1234567890 } }, 'server.password: expected text; got a number'],
    [{ backends: { front: { url: { canary } } } }, 'backends.front.url: expected a URL; got an object'],
    [{ backends: { front: { server: { password: true } } } }, 'backends.front.server.password: expected text; got a boolean'],
  ]
  for (const [input, message] of wrong) t.is(faultOf(t, () => resolvePlain(input)).message, message)
  const path = iniFile(t, inSection('session.url = ${PHIAL_TEST_URL}'))
  withEnvironment({ PHIAL_TEST_URL: ' ' }, () =>
    t.is(faultOf(t, () => loadIni(path)).message, `${path}:2: session.url: expected a URL; got what \${PHIAL_TEST_URL} stands for`))
})

test('S204: no field of what was loaded reaches a secret, customised printing or not', t => {
  const source = loadIni(iniFile(t, inSection(`session.secret = ${secret}`)))
  t.false(inspect(source, { customInspect: false, showHidden: true, depth: Infinity }).includes(secret))
})

test('S204: a redacted list is a list in everything but print', t => {
  const list = redactedList([secret, encryptKey])
  t.true(Array.isArray(list))
  t.true(Object.isFrozen(list))
  t.deepEqual([...list], [secret, encryptKey])
  t.is(list.join('|'), `${secret}|${encryptKey}`)
  t.deepEqual(Object.keys(list), ['0', '1'])
  t.deepEqual([String(list), JSON.stringify(list), inspect(list), list.toLocaleString()],
    ['[redacted]', '"[redacted]"', '[redacted]', '[redacted]'])
})

test('an address in a wrong place is told without its password', (t) => {
  const address = 'redis://user:p@ss-w0rd@host:6379/1'
  const wrong: object[] = [
    { type: address }, { cache: address }, { timeout: address }, { backends: { a: address } }, { redis: address }, { samesite: address },
    { type: 'migrating', migrating: { from: address, to: 'b' }, backends: { b: { type: 'memory' } } },
  ]
  for (const settings of wrong) {
    const error = t.throws(() => createManager({ secret, ...settings }), { code: 'PHIAL_CONFIG' })!
    t.false(`${inspect(error)}${error.message}`.includes('w0rd'), error.message)
  }
})

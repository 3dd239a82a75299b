import test from 'ava'
import { format, inspect } from 'node:util'
import { loadIni } from '../../config/load-ini.js'
import { redactedList } from '../../config/redacted.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import { iniFile, inSection, strong } from './support.js'

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

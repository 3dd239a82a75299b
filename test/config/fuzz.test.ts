import test from 'ava'
import fc from 'fast-check'
import { rmSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IniFile } from '../../config/ini-file.js'
import { loadIni } from '../../config/load-ini.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import { settingNames } from '../../config/targets.js'
import { table, type SettingsInput } from '../../config/table.js'
import { ConfigError } from '../../src/errors.js'
import { secret, tables } from './support.js'

const count = Number(process.env['PHIAL_FUZZ'] ?? 20_000)

const iniNames = settingNames.flatMap(name => table[name].ini ?? [])
const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    ' ', '\t', '\n', '\r\n', '\r', '\uFEFF', '\0', '\u2028', '=', ' = ', ':', '[', ']', '[]', '[app:main]\n', '[DEFAULT]\n',
    '[a.b]', '#', ' ;', '"', "'", '\\', '%', '%%',
    '%(', ')s', '%(here)s', '%(a)s', '%(b)s', '${', '}', '$${', '${PATH}', '${NOPE}', '__proto__', 'constructor', 'a = ', 'b = ',
    'true', '1', '🍪',
    'session.', 'beaker.session.', 'session.memory.max_sessions = ', 'session.backends.', 'session.backends.a.', 'a.type = memory\n', 'session.cache = a\n',
    'session.backends.a.type = server\n', 'backends.', 'server.client = ', 'server.behind = ', `session.secret = ${secret}\n`,
  ),
  fc.constantFrom(...iniNames).map(name => `session.${name} = `),
)
const text = fc.array(piece, { maxLength: 24 }).map(parts => parts.join(''))

/** A `ConfigError` is an answer; anything else that is thrown fails the property. */
const answered = <R>(call: () => R): R | undefined => {
  try {
    return call()
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
}

test('S205: the reader never hangs, and throws nothing but ConfigErrors with file and line', t => {
  let read = 0
  fc.assert(fc.property(fc.boolean(), text, (headed, body) => {
    try {
      const file = new IniFile('fuzz.ini', headed ? `[app:main]\n${body}` : body)
      for (const name of file.sections) {
        const section = file.section(name)
        for (const key of section.keys) if (answered(() => section.text(key)) !== undefined) read++
      }
      return true
    } catch (error) {
      return error instanceof ConfigError && error.file === 'fuzz.ini' && (error.line ?? 0) >= 1
    }
  }), { numRuns: count })
  t.true(read > count / 20, `${read} values were read`)
})

test('S205: whatever can be written is read back', t => {
  const name = fc.string({ unit: 'binary', minLength: 1 }).filter(word => /^[^\s[\]\\=:#;"'\p{C}\p{Z}]+$/u.test(word) && word !== '__proto__')
  const value = fc.string({ unit: 'grapheme' })
  const file = fc.dictionary(name, fc.dictionary(name, value, { maxKeys: 4 }), { maxKeys: 4 })
  const escape = (written: string): string =>
    JSON.stringify(written).replaceAll('%', '%%').replaceAll('${', '$${').replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, unicodeEscape)
  fc.assert(fc.property(file, sections => {
    const lines = Object.entries(sections).flatMap(([section, values]) =>
      [`[${section}]`, ...Object.entries(values).map(([key, written]) => `${key} = ${escape(written)}`)])
    const ini = new IniFile('fuzz.ini', lines.join('\n'))
    for (const [section, values] of Object.entries(sections)) {
      if (section === 'DEFAULT') continue
      for (const [key, written] of Object.entries(values)) t.is(ini.section(section).text(key)?.text, written)
    }
  }), { numRuns: Math.ceil(count / 10) })
})

const unicodeEscape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

test('S205: a file of settings is loaded, or refused with a ConfigError', t => {
  const root = mkdtempSync(join(tmpdir(), 'phial-fuzz-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const path = join(root, 'fuzz.ini')
  let loaded = 0
  fc.assert(fc.property(text, body => {
    writeFileSync(path, `[app:main]\n${body}`)
    const source = answered(() => loadIni(path, {}, tables))
    if (source === undefined) return
    loaded++
    answered(() => resolveSettings(source, { secret }, tables))
  }), { numRuns: Math.ceil(count / 10) })
  t.true(loaded > 0)
})

test('S205: whatever is written in TypeScript is taken, or refused with a ConfigError', t => {
  const value = fc.oneof(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withTypedArray: true }),
    fc.constantFrom(true, 'auto', 60, () => 1))
  const backend = fc.dictionary(fc.constantFrom('type', 'url', 'namespace', 'dataDir', 'memory', 'server', 'backends', 'timeout', '__proto__'),
    fc.oneof(value, fc.constantFrom('memory', 'server', { client: {} }, { behind: 'a' }, { maxCalls: 5 })), { maxKeys: 4 })
  const backends = fc.dictionary(fc.oneof(fc.constantFrom('a', '__proto__', 'a.b'), fc.string()), fc.oneof(backend, value), { maxKeys: 3 })
  const anyInput = fc.dictionary(fc.oneof(fc.constantFrom(...settingNames, 'memory', 'server', '__proto__'), fc.string()), value,
    { maxKeys: 5 })
  const input = fc.tuple(anyInput, fc.option(fc.record({ backends, cache: fc.constantFrom('a', undefined) }))).map(([rest, more]) => ({ ...rest, ...more }))
  let taken = 0
  fc.assert(fc.property(input, written => {
    if (answered(() => resolveSettings(written as SettingsInput, undefined, tables)) !== undefined) taken++
    if (answered(() => resolveSettings({ secret }, written as SettingsInput, tables)) !== undefined) taken++
  }), { numRuns: Math.ceil(count / 10) })
  t.true(taken > 0)
})

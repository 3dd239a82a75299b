import test from 'ava'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeIni, describeTables } from '../../config/describe.js'
import { loadIni } from '../../config/load-ini.js'
import { table } from '../../config/table.js'
import { settingNames } from '../../config/targets.js'
import { faultOf, iniFile, resolveIni, strong, tables, withEnvironment } from './support.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('development.ini and docs/options.md say what the tables say: else run node tools/describe.js', t => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools/describe.js'), '--check'], { encoding: 'utf8' })
  t.is(stderr, '')
  t.is(status, 0)
})

test('every INI setting stands in development.ini once, under its sentence and its default; no other does', t => {
  const blocks = describeIni(tables).split('\n\n').slice(2).map(block => block.trimEnd().split('\n'))
  const written = blocks.map(lines => /^#?session\.([A-Za-z_.]+) =/.exec(lines.at(-1)!)?.[1])
  const options = Object.entries(tables).flatMap(([type, rows]) => Object.keys(rows).map(name => `${type}.${name}`))
  const inFiles = options.filter(name => name !== 'server.client')
  t.deepEqual(written, [...settingNames.flatMap(name => table[name].ini ?? []), ...inFiles])
  for (const name of settingNames) {
    const { ini, sentence, default: value, defaultNote } = table[name]
    const lines = blocks[written.indexOf(ini)]
    if (ini === undefined) continue
    t.is(lines?.[0], `# ${sentence}`)
    t.true(lines?.[1]?.endsWith(`. Default: ${defaultNote ?? value ?? 'none'}.`), lines?.[1])
    t.is(lines?.length, 3)
  }
  const blockOf = (name: string): string | undefined => blocks[written.indexOf(name)]?.join('\n')
  t.is(blockOf('cookie.chunks'), '# The most cookies of a session.\n# Expects whole number. Default: 1.\n#session.cookie.chunks = 1')
  t.is(blockOf('server.password'), '# What it wants to hear.\n# Expects text, never shown. Default: none.\n#session.server.password =')
  t.is(blockOf('server.behind'), '# Another backend.\n# Expects name of a backend. Default: none.\n#session.server.behind = NAME')
})

test('every line of development.ini that is commented out can be taken in', t => {
  const lines = describeIni(tables).split('\n')
  const commented = lines.flatMap((line, index) => (line.startsWith('#session.') ? [index] : []))
  t.true(commented.length > 30)
  withEnvironment({ PHIAL_SECRET: strong(), PHIAL_ENCRYPT_KEY: strong() }, () => {
    for (const index of commented) {
      const path = iniFile(t, lines.with(index, lines[index]!.slice(1)).join('\n'))
      t.is(loadIni(path, {}, tables).section, 'app:main', lines[index])
    }
  })
})

test('every block of settings in docs/options.md can be taken as it is', t => {
  const page = readFileSync(join(root, 'docs/options.md'), 'utf8')
  const blocks = [...page.matchAll(/^```ini\n(.*?)^```$/gms)].map(([, lines]) => lines!)
  t.true(blocks.length >= 4)
  withEnvironment({ REDIS_URL: 'redis://127.0.0.1', MEMCACHE_URL: 'memcache://127.0.0.1' }, () => {
    for (const lines of blocks) t.true(Object.isFrozen(resolveIni(iniFile(t, lines), { secret: strong() })), lines)
  })
})

test('development.ini works as it stands, once its secret is there; not in production', t => {
  const text = readFileSync(join(root, 'development.ini'), 'utf8').replaceAll('%(here)s/data/secret', '%(here)s/secret')
  const path = iniFile(t, text, 'development.ini')
  t.regex(faultOf(t, () => resolveIni(path)).message, /session\.secret_file: there is no file/)
  writeFileSync(join(dirname(path), 'secret'), strong(), { mode: 0o600 })
  const { type, dataDir, secure, cookieName } = resolveIni(path)
  t.deepEqual([type, dataDir, secure, cookieName], ['file', join(dirname(path), 'data'), 'auto', 'phial'])
  withEnvironment({ NODE_ENV: 'production' }, () => t.is(faultOf(t, () => resolveIni(path)).setting, 'session.secure'))
})

test('the tables for the documentation hold a row for each setting and each option', t => {
  const text = describeTables(tables)
  for (const name of settingNames) t.is(text.split(`| \`${name}\` |`).length, 2, name)
  t.true(text.includes('| `session.key` | `cookieName` | cookie name | __Host-phial with secure true'))
  t.true(text.includes('| – | `now` | function | Date.now | The clock, in epoch milliseconds. |'))
  t.true(text.includes('### Options of `memory`\n\n| in an INI file |'))
  t.true(text.includes('| `session.memory.max_sessions` | `memory.maxSessions` | whole number | 10000 | The most sessions kept. |'))
  t.true(text.includes('| `session.memory.label` | `memory.label` | text | a\\|b | Any text. |'))
  t.true(text.includes('### Options of `file`\n\nNone.'))
  t.true(text.includes('| `session.server.password` | `server.password` | text, never shown | none | What it wants to hear. |'))
  t.true(text.includes('| – | `server.client` | object | none | A client that is there already. |'))
})

import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, loadApp } from '../../src/index.js'
import type { LoadAppOptions, LoadedApp, NamespaceManager, SettingsInput } from '../../src/index.js'
import { clientOf, listen } from '../support/app.js'
import type { Client } from '../support/app.js'
import { site } from '../support/composite-site.js'
import { modes, testIn } from '../support/every-backend.js'
import { memoryStore, SECRET } from '../support/harness.js'

const SESSION = `session.secret = ${SECRET}\nsession.secure = false\n`

const main = `[filter-app:main]
use = session
next = sessioned
${SESSION}
[composite:sessioned]
use = urlmap
/ = home
/broker = broker

[app:home]
use = ./apps/home.js

[app:broker]
use = ./apps/broker.mjs()
metal = gold
`

/** Says all that the session holds, and where it believes to be. */
const home = `module.exports = async (req, res) => {
  const session = await req.session.load()
  if (req.url === '/sweet') await session.set('home', 'sweet').save()
  res.end(req.scriptName + ' ' + JSON.stringify(session))
}`

const broker = `export default ({ metal }) => async (req, res) => {
  await req.session.update('asked', (asked = []) => [...asked, metal + req.url])
  res.end(req.scriptName + ' ' + JSON.stringify(await req.session.load()))
}`

const twoApps = { 'development.ini': main, 'apps/home.js': home, 'apps/package.json': '{}', 'apps/broker.mjs': broker }

const count = 'export default async (req, res) => res.end(String(await req.session.update("n", (n = 0) => n + 1)))'

const load = async (t: ExecutionContext, files: Readonly<Record<string, string>>, options?: LoadAppOptions): Promise<LoadedApp> => {
  const app = await loadApp(site(t, files), options)
  t.teardown(() => app.close())
  return app
}

const browse = async (t: ExecutionContext, app: LoadedApp): Promise<Client> => clientOf((await listen(t, app)).url)

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`\`[filter-app:main] next = sessioned\`, \`[composite:sessioned] / = home …\`: several apps under one session middleware: ${mode.name}`, async (t) => {
    const app = await load(t, twoApps, { overrides: { operationTimeout: 10, requestBudget: 20, ...(await mode.settings(t)) } })
    const browser = await browse(t, app)
    t.is(await browser.text('/'), ' {}')
    t.is(await browser.text('/sweet'), ' {"home":"sweet"}')
    t.is(await browser.text('/broker/x'), '/broker {"home":"sweet","asked":["gold/x"]}')
    t.is(await browser.text('/broker'), '/broker {"home":"sweet","asked":["gold/x","gold/"]}')
    t.is(await browser.text('/brokers'), ' {"home":"sweet","asked":["gold/x","gold/"]}')
    t.is((await browser.cookies()).split('; ').length, 1)
    t.is(await (await browse(t, app)).text('/'), ' {}')
  })
}

test('another application of the file, by path or by URL; its handler carries its manager', async (t) => {
  const path = site(t, { ...twoApps, 'development.ini': `${main}[app:alone]\nuse = ./apps/home.js\n${SESSION}session.key = alone\n` })
  const app = await loadApp(pathToFileURL(path), { section: 'app:alone' })
  t.teardown(() => app.close())
  const browser = await browse(t, app)
  t.is(await browser.text('/sweet'), 'undefined {"home":"sweet"}')
  t.regex(await browser.cookies(), /^alone=/)
  t.is(app.manager.backend, 'memory')
  await t.notThrowsAsync(app.manager.check())
})

test('two sections with sessions side by side have two managers, and their sessions never meet; close() closes both', async (t) => {
  const app = await load(t, {
    'two.ini': `[composite:main]
use = urlmap
/one = one
/two = two
[app:one]
use = ./keep.mjs
${SESSION}session.key = one
[pipeline:two]
pipeline = session home
[filter:session]
use = session
${SESSION}session.key = two
[app:home]
use = ./keep.mjs
`,
    'keep.mjs': count,
  })
  const browser = await browse(t, app)
  t.deepEqual([await browser.text('/one'), await browser.text('/two'), await browser.text('/one')], ['1', '1', '2'])
  t.regex(await browser.cookies(), /^one=\S+; two=\S+$/)
  await app.close()
  await app.close()
  for (const path of ['/one', '/two']) t.is((await browser.get(path)).status, 503)
})

test('factories are handed their options, the manager of the session around them, and the directory; each section is made once', async (t) => {
  const app = await load(t, {
    'factories.ini': `[DEFAULT]
word = in
[filter-app:main]
use = session
next = map
${SESSION}
[composite:map]
use = urlmap
/a = login
/b = login
/c = plain
[app:login]
use = ./login.mjs#makeLogin()
title = Log %(word)s
[app:plain]
use = ./login.mjs#plain`,
    'login.mjs': `let made = 0
      export const makeLogin = async (options, { manager, here }) => {
        made++
        return async (req, res) => {
          const session = await req.session.load()
          session.owner = 'ann'
          await session.regenerateId({ authenticated: true })
          const owned = await manager.list({ owner: 'ann' })
          res.end(JSON.stringify({ made, options, here, owned: owned.length }))
        }
      }
      export const plain = (req, res) => res.end('plain')
      export default 'no handler'`,
  })
  const browser = await browse(t, app)
  const answer = JSON.parse(await browser.text('/a')) as { here: string }
  t.deepEqual({ ...answer, here: '' }, { made: 1, options: { title: 'Log in' }, here: '', owned: 1 })
  t.regex(answer.here, /phial-\w+$/)
  t.is((JSON.parse(await browser.text('/b')) as { made: number }).made, 1)
  t.is(await browser.text('/c'), 'plain')
})

test('a filter with sessions that stands in two pipelines is one manager: they share the session', async (t) => {
  const app = await load(t, {
    'two.ini': `[composite:main]
use = urlmap
/one = one
/two = two
[pipeline:one]
pipeline = session count
[pipeline:two]
pipeline = session count
[filter:session]
use = session
${SESSION}
[app:count]
use = ./count.mjs`,
    'count.mjs': count,
  })
  const browser = await browse(t, app)
  t.deepEqual([await browser.text('/one'), await browser.text('/two')], ['1', '2'])
})

test('filters stand before the application, in the order of the pipeline, and see its session when they are behind it', async (t) => {
  const app = await load(t, {
    'pipeline.ini': `[pipeline:main]
pipeline = outer session inner app
[filter:outer]
use = ./filters.mjs
word = outer
[filter:session]
use = session
${SESSION}
[filter:inner]
use = ./filters.mjs#later
word = inner
[app:app]
use = ./filters.mjs#app`,
    'filters.mjs': `const filter = (next, { word }, { manager }) => (req, res, ...rest) => {
        req.words = [...(req.words ?? []), word, req.session !== undefined, manager !== undefined]
        return next(req, res, ...rest)
      }
      export default filter
      export const later = async (...args) => filter(...args)
      export const app = (req, res) => res.end(req.words.join(' '))`,
  })
  t.is(await (await browse(t, app)).text(), 'outer false false inner true true')
})

test('a module may bring a handler with sessions of its own: they are closed with the rest', async (t) => {
  const withSession = JSON.stringify(new URL('../../src/index.js', import.meta.url).href)
  const own = `import { withSession } from ${withSession}
    const count = async (req, res) => res.end(String(await req.session.update('n', (n = 0) => n + 1)))
    export default withSession(count, { secret: '${SECRET}', secure: false })
    export const make = (options, { manager }) => withSession(count, manager)`
  const app = await load(t, { 'own.ini': '[app:main]\nuse = ./own.mjs\n', 'own.mjs': own })
  const browser = await browse(t, app)
  t.deepEqual([await browser.text(), await browser.text()], ['1', '2'])
  await app.close()
  t.is((await browser.get()).status, 503)
  const made = await load(t, { 'made.ini': `[app:main]\nuse = ./own.mjs#make()\n${SESSION}`, 'own.mjs': own })
  t.is(await (await browse(t, made)).text(), '1')
})

/** A store that counts how often it is opened and closed. */
const countingStore = (): { readonly type: SettingsInput['type']; readonly counts: { opened: number; closed: number } } => {
  const counts = { opened: 0, closed: 0 }
  const inner = memoryStore(Date.now)
  const type = class {
    constructor() {
      counts.opened++
      return Object.assign(Object.create(inner) as NamespaceManager, { close: async () => void counts.closed++ })
    }
  }
  return { type: type as unknown as SettingsInput['type'], counts }
}

const underSession = (lines: string): string => `[filter-app:main]\nuse = session\nnext = x\n${SESSION}[app:x]\n${lines}`
const modules = {
  'fine.mjs': 'export default (req, res) => res.end("fine")',
  'text.mjs': 'export default "text"; export const other = 1',
  'empty.mjs': '',
  'broken.mjs': 'export default (',
  'throwing.mjs': '\nthrow new Error("no database\\nto be found")',
  'undefined.mjs': 'throw undefined',
  'importing.mjs': 'import "./nowhere.mjs"',
  'makers.mjs': 'export const nothing = () => {}; export const none = () => null; export const wrong = async () => { throw new TypeError("title is missing") }',
  'a folder/x.mjs': '',
}

const faults: readonly (readonly [name: string, ini: string, message: string | RegExp])[] = [
  ['a module that is not there', underSession('use = ./nowhere.mjs'), '7: use: there is no file HERE/nowhere.mjs'],
  ['a folder', underSession('use = ./a folder'), /^7: use: \.\/a folder cannot be loaded: Error.*: Directory import/],
  ['a module without a default export', underSession('use = ./makers.mjs'), '7: use: HERE/makers.mjs exports no function as default; it exports: none, nothing, wrong'],
  ['a module whose default export is no function', underSession('use = ./text.mjs'), '7: use: HERE/text.mjs exports no function as default; it exports: default, other'],
  ['a module that exports nothing', underSession('use = ./empty.mjs#x'), '7: use: HERE/empty.mjs exports no function as x; it exports: nothing'],
  ['a module with a fault of syntax', underSession('use = ./broken.mjs'), /^7: use: \.\/broken\.mjs cannot be loaded: SyntaxError: /],
  ['a module that throws', underSession('use = ./throwing.mjs'), /^7: use: \.\/throwing\.mjs cannot be loaded: Error: no database \(file:\/\/.+\/throwing\.mjs:2\)$/],
  ['a module that throws nothing', underSession('use = ./undefined.mjs'), '7: use: ./undefined.mjs cannot be loaded: undefined'],
  ['a module that imports what is not there', underSession('use = ./importing.mjs'), /^7: use: \.\/importing\.mjs cannot be loaded: Error.*: Cannot find module .+nowhere\.mjs' imported from/],
  ['a factory that makes nothing', underSession('use = ./makers.mjs#nothing()'), '7: use: ./makers.mjs#nothing() made a thing of type undefined, and no handler'],
  ['a factory that makes null', underSession('use = ./makers.mjs#none()'), '7: use: ./makers.mjs#none() made null, and no handler'],
  ['a factory that fails', underSession('use = ./makers.mjs#wrong()'), /^7: use: \.\/makers\.mjs#wrong\(\) failed: TypeError: title is missing \(file:\/\/.+\/makers\.mjs:1\)$/],
  ['a handler called as a factory', underSession('use = ./fine.mjs()'), /^7: use: \.\/fine\.mjs\(\) failed: TypeError: res\.end is not a function/],
  ['a filter that is not there', `[pipeline:main]\npipeline = session f x\n[filter:session]\nuse = session\n${SESSION}[filter:f]\nuse = ./nowhere.mjs\n[app:x]\nuse = ./fine.mjs`, '8: use: there is no file HERE/nowhere.mjs'],
  ['the second of two', `[composite:main]\nuse = urlmap\n/ = a\n/b = b\n[app:a]\nuse = ./fine.mjs\n${SESSION}[app:b]\nuse = ./nowhere.mjs\n${SESSION}`, '10: use: there is no file HERE/nowhere.mjs'],
  ['sessions within sessions', underSession(`use = ./fine.mjs\n${SESSION}session.key = other`),
    '7: use: there are sessions on req.session around this already: take one of the two away, or give it another request_key'],
]

for (const [name, ini, message] of faults) {
  test(`a ConfigError with file and line, and what was opened is closed: ${name}`, async (t) => {
    const path = site(t, { 'development.ini': ini, ...modules })
    const { type, counts } = countingStore()
    const error = (await t.throwsAsync(loadApp(path, { overrides: { type } }), { instanceOf: ConfigError, code: 'PHIAL_CONFIG' }))!
    const text = error.message.replace(`${path}:`, '').replace(dirname(path), 'HERE')
    t.is(error.file, path)
    t.is(error.line, Number(/^\d+/.exec(text)?.[0]))
    if (typeof message === 'string') t.is(text, message)
    else t.regex(text, message)
    t.true(counts.opened > 0)
    t.is(counts.closed, counts.opened)
  })
}

test('sessions within sessions are fine under another request_key', async (t) => {
  const other = `${SESSION}session.key = other\nsession.request_key = other`
  const app = await load(t, {
    'two.ini': underSession(`use = ./two.mjs\n${other}`),
    'two.mjs': `export default async (req, res) => {
      await req.session.update('n', (n = 0) => n + 1)
      res.end(JSON.stringify([await req.session.load(), await req.other.load()]))
    }`,
  })
  const browser = await browse(t, app)
  await browser.text()
  t.is(await browser.text(), '[{"n":2},{}]')
})

test('a fault in the settings of a section has its file and line; nothing that has sessions at all is a fault of the file', async (t) => {
  const bad = site(t, { 'bad.ini': underSession('use = ./fine.mjs').replace('secure = false', 'secure = perhaps'), ...modules })
  const error = await t.throwsAsync(loadApp(bad), { instanceOf: ConfigError })
  t.is(error?.message, `${bad}:5: session.secure: expected true, false or auto; got "perhaps"`)
  const none = site(t, { 'none.ini': `[DEFAULT]\n${SESSION}[app:main]\nuse = ./fine.mjs`, ...modules })
  await t.throwsAsync(loadApp(none), { instanceOf: ConfigError, message: `${none}: nothing that was asked for has sessions: write session.* in its section, or a [filter-app:NAME] with use = session` })
  const nowhere = join(dirname(none), 'nowhere.ini')
  await t.throwsAsync(loadApp(nowhere), { instanceOf: ConfigError, message: `${nowhere}: there is no file ${nowhere}` })
})

test('a factory without "()" is told at the first request, which does not wait for ever', async (t) => {
  for (const make of ['() => () => {}', 'async () => () => {}']) {
    const onError: SettingsInput['onError'] = (error, _req, res) => (res as ServerResponse).end(error.message)
    const app = await load(t, { 'app.ini': `[app:main]\nuse = ./make.mjs\n${SESSION}`, 'make.mjs': `export default ${make}` }, { overrides: { onError } })
    t.regex(await (await browse(t, app)).text(), /app\.ini:2: use: \.\/make\.mjs is a factory: write use = \.\/make\.mjs\(\)$/)
  }
})

test('wrong arguments are a TypeError; overrides are checked like settings', async (t) => {
  for (const path of [undefined, 5, {}, null]) await t.throwsAsync(loadApp(path as unknown as string), { instanceOf: TypeError })
  const path = site(t, twoApps)
  await t.throwsAsync(loadApp(path, { overrides: { timeout: -1 } }), { instanceOf: ConfigError, message: /^timeout: / })
  await t.throwsAsync(loadApp(path, { overrides: { type: 'nonsense' } }), { instanceOf: ConfigError })
})

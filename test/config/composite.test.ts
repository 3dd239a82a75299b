import test from 'ava'
import type { ExecutionContext } from 'ava'
import fc from 'fast-check'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readComposite } from '../../config/composite.js'
import type { AppPart, MapPart, Part, SessionPart } from '../../src/composite.js'
import { ConfigError } from '../../src/errors.js'
import { fuzzCount } from '../support/fuzz-count.js'
import { faultOf, iniFile, withEnvironment } from './support.js'

const read = (t: ExecutionContext, text: string, section = 'main'): Part => readComposite(iniFile(t, text), section)

/** The part, short: who stands behind whom. */
const shape = (part: Part): unknown => {
  if (part.kind === 'map') return Object.fromEntries([...part.routes].map(([prefix, to]) => [prefix || '/', shape(to)]))
  if (part.kind === 'app') return part.module.written
  return [part.kind === 'session' ? part.section : part.module.written, shape(part.next)]
}

/** The message of the fault, without the file's path: `3: next: …`. */
const messageOf = (t: ExecutionContext, text: string, section = 'main'): string => {
  const path = iniFile(t, text)
  const { message, file, line } = faultOf(t, () => readComposite(path, section))
  t.is(file, path)
  t.true(message.startsWith(`${path}:${line === undefined ? '' : `${line}:`} `), message)
  return message.slice(path.length + 1).trim()
}

const composite = `[DEFAULT]
debug = true
use = egg:Nothing
session.timeout = 60

[filter-app:main]
use = session
next = sessioned
session.auto = true

[composite:sessioned]
use = urlmap
/ = home
/broker/ = broker

[app:home]
use = ./apps/home.js

[app:broker]
use = %(here)s/apps/broker.js#makeBroker()
title = Gold & %(metal)s ; today
metal = silver
`

test('a directory may have # in its name: what an application is called stands behind the last one, without a slash', (t) => {
  const section = (use: string): string => `[app:main]\nuse = ${use}\n`
  const paths: [string, string, string][] = [
    ['%(here)s/app.mjs', 'app.mjs', 'default'], ['%(here)s/app.mjs#make', 'app.mjs', 'make'], ['%(here)s/app.mjs#make()', 'app.mjs', 'make'], ['%(here)s/app.mjs()', 'app.mjs', 'default'],
    ['./d#e/app.mjs#make', 'd#e/app.mjs', 'make'], ['./#/app.mjs', '#/app.mjs', 'default'], ['./a#b#make', 'a#b', 'make'],
  ]
  const directory = join(dirname(iniFile(t, '')), 'c#')
  mkdirSync(directory)
  for (const [use, path, name] of paths) {
    const file = join(directory, 'site.ini')
    writeFileSync(file, section(use))
    const { module } = readComposite(file, 'main') as AppPart
    t.deepEqual([module.path, module.name], [join(directory, path), name], use)
  }
})

test('a session before a map of two applications, with what their sections say', (t) => {
  const path = iniFile(t, composite)
  const directory = dirname(path)
  const main = readComposite(path, 'main') as SessionPart
  t.deepEqual([main.kind, main.section, main.place], ['session', 'filter-app:main', { setting: 'use', file: path, line: 7 }])
  const map = main.next as MapPart
  t.deepEqual([...map.routes.keys()], ['', '/broker'])
  t.deepEqual((map.routes.get('') as AppPart).module, {
    written: './apps/home.js', path: join(directory, 'apps/home.js'), name: 'default', isCalled: false, options: {},
    place: { setting: 'use', file: path, line: 17 },
  })
  t.deepEqual((map.routes.get('/broker') as AppPart).module, {
    written: `${directory}/apps/broker.js#makeBroker()`, path: join(directory, 'apps/broker.js'), name: 'makeBroker', isCalled: true,
    options: { title: 'Gold & silver', metal: 'silver' }, place: { setting: 'use', file: path, line: 20 },
  })
})

test('another application of the file is asked for by its name, or by the whole head of its section', (t) => {
  const map = { '/': './apps/home.js', '/broker': './broker.js' }
  const text = composite.replace(/^use = %.*\n[^]*/m, 'use = ./broker.js\n')
  t.deepEqual(shape(read(t, text)), ['filter-app:main', map])
  for (const section of ['sessioned', 'composite:sessioned']) t.deepEqual(shape(read(t, text, section)), map)
  t.is(shape(read(t, text, 'home')), './apps/home.js')
})

test('the names that Paste and Beaker have for them', (t) => {
  t.deepEqual(shape(read(t, `[filter-app:main]
use = egg:Beaker#beaker_session
next = sessioned
beaker.session.key = shop
[composit:sessioned]
use = egg:Paste#urlmap
/ = home
[application:home]
use = ./home.js`)), ['filter-app:main', { '/': './home.js' }])
})

test('a section that several name is one part', (t) => {
  const map = read(t, '[composite:main]\nuse = urlmap\n/a = x\n/b = x\n[app:x]\nuse = ./x.js') as MapPart
  t.is(map.routes.get('/a'), map.routes.get('/b'))
})

test('a section with session settings of its own is under a session; those of [DEFAULT] are for such sections', (t) => {
  const app = (lines: string): string => `[DEFAULT]\nsession.timeout = 60\n[app:main]\nuse = ./x.js\n${lines}`
  t.is(shape(read(t, app(''))), './x.js')
  for (const line of ['session.auto = true', 'beaker.session.auto = true', 'Session.auto = true']) t.deepEqual(shape(read(t, app(line))), ['app:main', './x.js'])
  t.deepEqual(shape(read(t, app('session.auto = true\ncache_dir = %(here)s/data'))), ['app:main', './x.js'])
  t.deepEqual(shape(read(t, '[composite:main]\nuse = urlmap\n/ = x\nsession.auto = true\ncache_dir = data\n[app:x]\nuse = ./x.js')), ['composite:main', { '/': './x.js' }])
  t.deepEqual(shape(read(t, '[pipeline:main]\npipeline = x\nsession.auto = true\n[app:x]\nuse = ./x.js')), ['pipeline:main', './x.js'])
  t.deepEqual(shape(read(t, '[filter-app:main]\nuse = ./f.js\nnext = x\nsession.auto = true\n[app:x]\nuse = ./x.js')), ['filter-app:main', ['./f.js', './x.js']])
})

test('a pipeline is its filters, the first outermost, and an application at the end', (t) => {
  const part = read(t, `[pipeline:main]
pipeline = log session  zip x
[filter:log]
use = ./log.js
level = all
[filter:session]
use = session
cache_dir = data
[filter:zip]
use = ./zip.js#gzip
[app:x]
use = ./x.js`)
  t.deepEqual(shape(part), ['./log.js', ['filter:session', ['./zip.js#gzip', './x.js']]])
  t.true(part.kind === 'filter' && part.module.options['level'] === 'all')
  t.is(shape(read(t, '[pipeline:main]\npipeline = x\n[app:x]\nuse = ./x.js')), './x.js')
})

test('a filter before an application takes the other keys as its options', (t) => {
  const part = read(t, '[filter-app:main]\nuse = ./log.js\nnext = x\nlevel = all\n[app:x]\nuse = ./x.js')
  t.deepEqual(shape(part), ['./log.js', './x.js'])
  t.true(part.kind === 'filter' && JSON.stringify(part.module.options) === '{"level":"all"}')
})

const x = '[app:x]\nuse = ./x.js\n'
const filterApp = (lines: string): string => `[filter-app:main]\nnext = x\n${lines}\n${x}`
const map = (lines: string): string => `[composite:main]\nuse = urlmap\n${lines}\n${x}`
const app = (lines: string): string => `[app:main]\n${lines}\n`
const pipeline = (lines: string): string => `[pipeline:main]\n${lines}\n[filter:f]\nuse = ./f.js\n${x}`

const said = {
  app: 'expected a module with a handler, such as ./apps/home.js',
  filter: 'expected session, or a module with a filter, such as ./filters/log.js',
  python: 'packages of Python are not known here',
  unknown: 'unknown here: settings of sessions are written session.NAME, and what %(NAME)s stands for in [DEFAULT]',
  pasteFactory: 'names a module of Python; write use = ./module.js, or ./module.js#name() for a factory',
}

const faults: readonly (readonly [name: string, text: string, message: string])[] = [
  ['no section main', '[app:one]\n[server:main]\n[filter:main]', 'there is no application named "main"; there are: [app:one]'],
  ['no section at all', '', 'there is no application named "main"; there are: none of this kind'],
  ['two sections main', '[app:main]\n[composite:main]', '[app:main] and [composite:main] have the same name'],
  ['next leads nowhere', '[filter-app:main]\nuse = session\nnext = y\n', '3: next: there is no application named "y"; there are: [filter-app:main]'],
  ['a prefix leads nowhere', map('/ = y'), '3: /: there is no application named "y"; there are: [composite:main], [app:x]'],
  ['a prefix leads to a filter', map('/ = f\n[filter:f]\nuse = session'), '3: /: there is no application named "f"; there are: [composite:main], [app:x]'],
  ['a pipeline of what is not there', pipeline('pipeline = f y'), '2: pipeline: there is no application named "y"; there are: [pipeline:main], [app:x]'],
  ['a pipeline through what is not there', pipeline('pipeline = y x'), '2: pipeline: there is no filter named "y"; there are: [filter:f]'],
  ['an application that leads to itself', '[filter-app:main]\nuse = session\nnext = main', '3: next: leads back to where it came from: [filter-app:main], [filter-app:main]'],
  ['a circle', '[composite:main]\nuse = urlmap\n/ = y\n[filter-app:y]\nuse = session\nnext = z\n[pipeline:z]\npipeline = main',
    '8: pipeline: leads back to where it came from: [composite:main], [filter-app:y], [pipeline:z], [composite:main]'],
  ['no use', app(''), `1: use: is missing: ${said.app}`],
  ['use in [DEFAULT]', `[DEFAULT]\nuse = ./x.js\n${app('')}`, `3: use: is missing: ${said.app}`],
  ['no use in a composite', '[composite:main]\n/ = x\n', '1: use: is missing: expected urlmap'],
  ['no use in a filter', filterApp(''), `1: use: is missing: ${said.filter}`],
  ['an empty use', app('use ='), `2: use: ${said.app}; got ""`],
  ['an unknown word', app('use = home'), `2: use: ${said.app}; got "home"`],
  ['a path without a dot', app('use = apps/home.js#x'), `2: use: ${said.app}; got "apps/home.js#x": a path begins with ./`],
  ['an egg', app('use = egg:shop'), `2: use: ${said.app}; got "egg:shop": ${said.python}`],
  ['another egg as filter', filterApp('use = egg:Paste#gzip'), `3: use: ${said.filter}; got "egg:Paste#gzip": ${said.python}`],
  ['a cascade', '[composite:main]\nuse = egg:Paste#cascade\n', `2: use: expected urlmap; got "egg:Paste#cascade": ${said.python}`],
  ['config:', app('use = config:other.ini'), `2: use: ${said.app}; got "config:other.ini": one file holds all sections`],
  ['call:', app('use = call:shop:make'), `2: use: ${said.app}; got "call:shop:make": a factory is written ./module.js#name()`],
  ['a session without a next', app('use = session'), `2: use: ${said.app}; got "session": that stands in a [filter-app:NAME], with next, or in a [filter:NAME]`],
  ['a map as application', app('use = urlmap'), `2: use: ${said.app}; got "urlmap": that stands in a [composite:NAME]`],
  ['a module as map', '[composite:main]\nuse = ./x.js\n', '2: use: expected urlmap; got "./x.js"'],
  ['options of a handler', app('use = ./x.js#y\ntitle = z'), '3: title: a handler takes no options; a factory is called with them: use = ./x.js#y()'],
  ['a filter that is called', filterApp('use = ./f.js#g()'), '3: use: a filter is always called: write ./f.js#g'],
  ['no next', '[DEFAULT]\nnext = x\n[filter-app:main]\nuse = session\n', '3: next: is missing: the application that stands behind this'],
  ['a setting without its prefix', filterApp('use = session\ncache_dir = x\ntimeout = 60'), `5: timeout: ${said.unknown}`],
  ['no prefix', map(''), '2: use: urlmap without a prefix, such as / = home'],
  ['no prefix but a domain', map('domain example.org / = x'), '3: domain example.org /: "domain example.org /" is no prefix of paths: it begins with "/"; hosts are not told apart'],
  ['a prefix with a query', map('/a?b = x'), '3: /a?b: "/a?b" is no prefix of paths: it has no query, and what is not ASCII is written as it is sent, "%C3%A9" for "é"'],
  ['a prefix twice', map('/a = x\n/a/ = x'), '4: /a/: is there twice: slashes at the end make no difference'],
  ['an empty pipeline', pipeline('pipeline ='), '2: pipeline: is missing: names of filters and, at the end, of an application'],
  ['no pipeline', pipeline(''), '1: pipeline: is missing: names of filters and, at the end, of an application'],
  ['a pipeline with a use', pipeline('pipeline = x\nuse = session'), `3: use: ${said.unknown}`],
  ['paste.app_factory', app('paste.app_factory = shop:make'), `2: paste.app_factory: ${said.pasteFactory}`],
  ['paste.filter_factory', pipeline('pipeline = g x\n[filter:g]\npaste.filter_factory = shop:make'), `4: paste.filter_factory: ${said.pasteFactory}`],
  ['set debug', app('use = ./x.js()\nset debug = false'), '3: set debug: write it without "set": what stands in a section comes before [DEFAULT]'],
  ['filter-with', app('use = ./x.js\nfilter-with = f'), '3: filter-with: is not known here; write a [pipeline:NAME] with pipeline = FILTER APPLICATION'],
  ['not_found_app', map('not_found_app = x'), '3: not_found_app: is not known here; / = NAME takes what no other prefix takes'],
]

for (const [name, text, message] of faults) {
  test(`refused with file and line: ${name}`, (t) => t.is(messageOf(t, text), message))
}

test('refused by its whole head: a section that is not there, or that is no application', (t) => {
  t.is(messageOf(t, app('use = ./x.js'), 'app:y'), 'there is no section [app:y]; there are: [app:main]')
  t.is(messageOf(t, '[server:main]\nport = 1', 'server:main'), '[server:main] is no application')
  t.is(messageOf(t, app('use = ./x.js'), ''), 'there is no application named ""; there are: [app:main]')
})

test('what came from the environment is not shown', (t) => {
  withEnvironment({ PHIAL_TEST_APP: 'what-nobody-should-see' }, () => {
    t.is(messageOf(t, app('use = ${PHIAL_TEST_APP}')), '2: use: expected a module with a handler, such as ./apps/home.js; got ${PHIAL_TEST_APP}')
    t.is(shape(read(t, app('use = ./${PHIAL_TEST_APP}.js'))), './what-nobody-should-see.js')
  })
})

test('a chain that is no sound file\'s ends before the stack does', (t) => {
  const links = Array.from({ length: 5_000 }, (_, at) => `[filter-app:${at}]\nuse = session\nnext = ${at + 1}\n`).join('')
  t.is(messageOf(t, links, '0'), '300: next: more than 100 sections deep')
})

const word = fc.constantFrom('main', 'x', 'y', 'z')
const head = fc.tuple(fc.constantFrom('app', 'application', 'composite', 'composit', 'filter-app', 'filter', 'pipeline', 'server', 'DEFAULT'), word).map(([kind, name]) => `[${kind}:${name}]`)
const key = fc.constantFrom('use', 'next', 'pipeline', '/', '/a', '/a/', '/a//b', 'session.auto', 'cache_dir', 'filter-with', 'option')
const use = fc.constantFrom('session', 'urlmap', './x.js', './x.js()', './x.js#y()', './#', '#()', '()', '', 'egg:Paste#urlmap', 'egg:', '/', '%(use)s', '%(here)s/x.js')
const line = fc.oneof({ weight: 1, arbitrary: head }, { weight: 2, arbitrary: fc.tuple(key, fc.oneof(word, use, fc.tuple(word, word).map((names) => names.join(' ')))).map((parts) => parts.join(' = ')) })

test('whatever the sections say, it is a description, or a ConfigError of the file', (t) => {
  const path = iniFile(t, '')
  const outcomes = { read: 0, refused: 0 }
  fc.assert(fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
    writeFileSync(path, [...new Set(['[app:x]', 'use = ./x.js', '[filter-app:main]', 'use = session', 'next = x', ...lines])].join('\n'))
    try {
      shape(readComposite(path, 'main'))
      outcomes.read++
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      t.is(error.file, path)
      outcomes.refused++
    }
  }), { numRuns: fuzzCount(300) })
  t.true(outcomes.read > 0 && outcomes.refused > 0)
})

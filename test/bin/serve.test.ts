import test from 'ava'
import type { ExecutionContext } from 'ava'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { loadApp } from '../../src/index.js'
import { clientOf } from '../support/app.js'
import type { Client } from '../support/app.js'
import { site } from '../support/composite-site.js'
import { freePort, root, start } from '../support/demo-program.js'
import type { Program } from '../support/demo-program.js'
import { SECRET } from '../support/harness.js'
import { doSteps, filesOn } from '../support/page-files.js'
import { ask, exchange, parseHead } from '../support/raw-http.js'
import { hear } from '../support/hear.js'

const command = join(root, 'dist/bin/phial.js')

/** Deadlines are generous: a busy disk is not what is tested. */
const PATIENT = 'session.operation_timeout = 10\nsession.request_budget = 20\n'
const SESSION = `session.secret = ${SECRET}\nsession.secure = false\n${PATIENT}`

const composite = `[filter-app:main]
use = session
next = sessioned
session.data_dir = %(here)s/data
${SESSION}
[composite:sessioned]
use = urlmap
/ = home
/broker = broker
[app:home]
use = ./home.mjs
[app:broker]
use = ./broker.mjs()
title = Gold
`

const modules = {
  'home.mjs': `export default async (req, res) => {
    let text = ''
    for await (const chunk of req) text += chunk
    if (text !== '') await req.session.update('texts', (texts = []) => [...texts, text])
    res.end(JSON.stringify(await req.session.load()))
  }`,
  'broker.mjs': `export default ({ title }) => async (req, res) => {
    const session = await req.session.load()
    await session.set('broker', title).save()
    if (req.url === '/fail') throw new Error('the broker is ill')
    if (req.url === '/fail/unseen') throw Object.defineProperty(new Error(), 'stack', { get() { throw new Error('no stack') } })
    if (req.url === '/fail/late') {
      res.write('half of')
      throw new Error('the broker fell ill')
    }
    if (req.url === '/fail/after') {
      res.end('all of it '.repeat(500_000))
      throw new Error('the broker fell asleep')
    }
    res.end(JSON.stringify(session))
  }`,
}

const phial = (t: ExecutionContext, path: string, ...args: string[]): Program =>
  start(t, command, { cwd: dirname(path), args: ['serve', basename(path), ...args] })

interface Served {
  readonly program: Program
  readonly url: string
  readonly port: number
}

const serve = async (t: ExecutionContext, path: string, ...args: string[]): Promise<Served> => {
  const program = phial(t, path, ...args)
  const [, url = '', port] = await program.says(/^Serving \S+ on (http:\/\/127\.0\.0\.1:(\d+)) \(stop it with Ctrl-C\)\n$/)
  return { program, url, port: Number(port) }
}

test('it serves two applications under one session, where [server:main] says', async (t) => {
  const port = await freePort()
  const path = site(t, { 'shop.ini': `[server:main]\nuse = egg:Paste#http\nhost = 127.0.0.1\nport = ${port}\n${composite}`, ...modules })
  const { url, program } = await serve(t, path)
  t.is(url, `http://127.0.0.1:${port}`)
  const browser = clientOf(url)
  await browser.text('/', { method: 'POST', body: 'hello' })
  t.is(await browser.text('/broker'), '{"texts":["hello"],"broker":"Gold"}')
  t.is(await browser.text('/'), '{"texts":["hello"],"broker":"Gold"}')
  t.deepEqual(await program.stop('SIGTERM'), { code: 0, signal: null })
})

test('the command line comes before [server:main]; development.ini and main are what is served unless it says another', async (t) => {
  const ini = `[server:main]\nport = 1\nhost = 192.0.2.1\n${composite.replaceAll('main', 'other')}[app:main]\nuse = ./broker.mjs()\ntitle = main\n${SESSION}`
  const path = site(t, { 'development.ini': ini, ...modules })
  const port = await freePort()
  const main = start(t, command, { cwd: dirname(path), args: ['serve', '--port', String(port), '--host', '127.0.0.1'] })
  await main.says(new RegExp(`^Serving development\\.ini on http://127\\.0\\.0\\.1:${port} `))
  t.is(await clientOf(`http://127.0.0.1:${port}`).text('/'), '{"broker":"main"}')
  const { url } = await serve(t, path, '--section', 'other', '--host', '127.0.0.1', '--port', '0')
  t.is(await clientOf(url).text('/'), '{}')
})

/** A form of which the server has the head and waits for the rest: `100 Continue` says so. */
const beginForm = async (port: number, cookie: string, length: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  socket.write(`POST / HTTP/1.1\r\nHost: test\r\nCookie: ${cookie}\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`)
  await hear(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n/)
  return socket
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal}: what was asked before is saved and answered, the managers are closed, and a restart has the sessions`, async (t) => {
    const path = site(t, { 'development.ini': composite, ...modules })
    const { program, url, port } = await serve(t, path, '--port', '0')
    const browser = clientOf(url)
    await browser.text('/broker')
    const socket = await beginForm(port, await browser.cookies(), 4)
    t.teardown(() => socket.destroy())
    program.signal(signal)
    await program.says(/Stopping \.\.\.\n/)
    t.is((await ask(port).catch(() => undefined))?.text ?? '', '', 'nobody new is answered')
    socket.write('late')
    await hear(socket, /^HTTP\/1\.1 200 OK\r\n[^]*\{"broker":"Gold","texts":\["late"\]\}/)
    t.deepEqual(await program.ended, { code: 0, signal: null })
    t.regex(program.output, /Stopping \.\.\.\n$/)
    const again = await serve(t, path, '--port', '0')
    t.is(await clientOf(again.url, browser.jar).text('/'), '{"broker":"Gold","texts":["late"]}')
  })
}

test('close() is called on the manager of each section, once the requests are over', async (t) => {
  const backend = JSON.stringify(join(root, 'dist/backends/memory.js'))
  const { program, url } = await serve(t, site(t, {
    'development.ini': `[composite:main]\nuse = urlmap\n/ = a\n/b = b
[app:a]\nuse = ./home.mjs\nsession.type = %(here)s/backend.cjs\n${SESSION}
[app:b]\nuse = ./home.mjs\nsession.type = %(here)s/backend.cjs\n${SESSION}`,
    ...modules,
    'backend.cjs': `const { memoryBackend } = require(${backend})
      const open = (context) => {
        const manager = memoryBackend.open(context)
        const close = manager.close.bind(manager)
        return Object.assign(manager, { close: () => (console.log('closed'), close()) })
      }
      exports.backend = { ...memoryBackend, type: 'telling', open }`,
  }), '--port', '0')
  t.is(await clientOf(url).text('/b'), '{}')
  t.deepEqual(await program.stop('SIGTERM'), { code: 0, signal: null })
  t.regex(program.output, /Stopping \.\.\.\nclosed\nclosed\n$/)
})

test('what a module leaves open does not keep it alive after the stop', async (t) => {
  const { program } = await serve(t, site(t, {
    'development.ini': `[app:main]\nuse = ./home.mjs\n${SESSION}`, 'home.mjs': 'setInterval(() => {}, 1000)\nexport default (req, res) => res.end()',
  }), '--port', '0')
  t.deepEqual(await program.stop('SIGTERM'), { code: 0, signal: null })
})

const textOf = async (browser: Client, path: string): Promise<readonly [number, string]> => {
  const answer = await browser.get(path)
  return [answer.status, await answer.text()]
}

test('an error that leaves an application is printed, and is its request\'s alone', async (t) => {
  const { program, url, port } = await serve(t, site(t, { 'development.ini': composite, ...modules }), '--port', '0')
  const browser = clientOf(url)
  t.deepEqual(await textOf(browser, '/broker/fail'), [500, 'Internal Server Error\n'])
  await program.says(/^Error: the broker is ill\n +at .*broker\.mjs/m)
  t.deepEqual(await textOf(browser, '/broker/fail/unseen'), [500, 'Internal Server Error\n'])
  await program.says(/^An error left the application that cannot be printed\.$/m)
  const [status, text] = await textOf(browser, '/broker/fail/after')
  t.deepEqual([status, text.length], [200, 5_000_000])
  await program.says(/^Error: the broker fell asleep\n/m)
  const late = await exchange(port, 'GET /broker/fail/late HTTP/1.1\r\nHost: test\r\n\r\n')
  t.is(late.outcome, 'ECONNRESET')
  t.notRegex(parseHead(late.text).body, /0\r\n\r\n$/)
  t.is(await browser.text('/broker'), '{"broker":"Gold"}')
})

const faults: readonly (readonly [name: string, ini: string, line: RegExp])[] = [
  ['a section that is not there', '[app:other]\nuse = ./home.mjs', /^phial: app\.ini: there is no application named "main"; there are: \[app:other\]\n$/],
  ['a module that is not there', `[app:main]\nuse = ./nowhere.mjs\n${SESSION}`, /^phial: app\.ini:2: use: there is no file \S+\/nowhere\.mjs\n$/],
  ['a setting', `[app:main]\nuse = ./home.mjs\n${SESSION}session.timeout = 5m`, /^phial: app\.ini:7: session\.timeout: expected whole seconds, 1 or more; got "5m"\n$/],
  ['a prefix that names a host', `[composite:main]\nuse = urlmap\nhttp://example.com/ = x`, /^phial: app\.ini:3: a prefix begins with "\/": hosts are not told apart\n$/],
  ['a port', `[server:main]\nport = 65536\n${composite}`, /^phial: app\.ini:2: port: expected a port, 0 to 65535; got "65536"\n$/],
  ['a host', `[server:main]\nhost = http://x\n${composite}`, /^phial: app\.ini:2: host: expected an address or a name of this machine; got "http:\/\/x"\n$/],
  ['another server', `[server:main]\nuse = egg:gunicorn\n${composite}`, /^phial: app\.ini:2: use: expected http, which is the only one; got "egg:gunicorn"\n$/],
  ['what a server does not know', `[server:main]\nthreads = 4\n${composite}`, /^phial: app\.ini:2: threads: unknown here: a server has a host and a port\n$/],
  ['an address of another machine', `[server:main]\nhost = 192.0.2.1\nport = 0\n${composite}`, /^phial: listen EADDRNOTAVAIL[^\n]*\n$/],
]

for (const [name, ini, line] of faults) {
  test(`it says in one line what keeps it from serving, and ends with 1: ${name}`, async (t) => {
    const program = phial(t, site(t, { 'app.ini': ini, ...modules }))
    t.deepEqual(await program.ended, { code: 1, signal: null })
    t.regex(program.output, line)
  })
}

test('so it does for a file that is not there, and a port that is taken', async (t) => {
  const path = site(t, { 'app.ini': composite, ...modules })
  const missing = phial(t, join(dirname(path), 'nowhere.ini'))
  t.deepEqual(await missing.ended, { code: 1, signal: null })
  t.regex(missing.output, /^phial: nowhere\.ini: there is no file nowhere\.ini\n$|^phial: nowhere\.ini: there is no file \S+\/nowhere\.ini\n$/)
  const { port } = await serve(t, path, '--port', '0')
  const second = phial(t, path, '--port', String(port))
  t.deepEqual(await second.ended, { code: 1, signal: null })
  t.is(second.output, `phial: 127.0.0.1, port ${port}, is in use; choose another: --port ${port + 1}\n`)
})

test('a command that makes no sense shows the usage and ends with 2', async (t) => {
  const path = site(t, { 'app.ini': composite, ...modules })
  const port = '--port: expected a port, 0 to 65535'
  for (const [args, reason] of [
    [['--port', 'x'], port], [['--port', '65536'], port], [['--port', ''], port], [['--host', 'a b'], '--host: expected an address or a name of this machine'],
    [['--port'], 'Option \'--port <value>\' argument missing'], [['--nonsense'], 'Unknown option \'--nonsense\''], [['more.ini'], 'Unexpected argument \'more.ini\''],
  ] as const) {
    const program = phial(t, path, ...args)
    t.deepEqual(await program.ended, { code: 2, signal: null }, args.join(' '))
    t.regex(program.output, /^Usage: phial init \[folder\]\n {7}phial serve \[file\]/)
    t.true(program.output.endsWith(`\nphial: ${reason}\n`), program.output)
  }
  const init = start(t, command, { cwd: dirname(path), args: ['init', '--port', '1'] })
  t.deepEqual(await init.ended, { code: 2, signal: null })
})

test('the files on the page about several applications run as they stand', async (t) => {
  const page = readFileSync(join(root, 'docs/several-applications.md'), 'utf8')
  const files = filesOn(page)
  t.deepEqual(Object.keys(files), ['development.ini', 'apps/home.mjs', 'apps/broker.mjs'])
  const path = site(t, { ...files, 'development.ini': files['development.ini']!.replace(/^session\.secure = auto$/m, `$&\n${PATIENT}`) })
  doSteps(page, dirname(path))
  const { url } = await serve(t, path, '--port', '0')
  const browser = clientOf(url)
  t.is(await browser.text('/broker/gold'), 'The broker knows all about it.\n')
  t.is(await browser.text('/'), 'You asked the broker about: gold\n')

  const [, options] = /loadApp\(file, (\{.*\})\)/.exec(page)!
  t.is(options, '{ overrides: { type: \'memory\' } }')
  const app = await loadApp(path, { overrides: { type: 'memory' } })
  t.teardown(() => app.close())
  t.is(app.manager.backend, 'memory')
  await t.throwsAsync(loadApp(path, { section: 'home' }), { code: 'PHIAL_CONFIG', message: /has sessions/ })
})

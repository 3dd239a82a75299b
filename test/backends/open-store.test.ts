import test from 'ava'
import type { ExecutionContext } from 'ava'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { createManager, loadIni } from '../../src/index.js'
import { ConfigError, DependencyError } from '../../src/errors.js'
import type { Backend, BackendContext, NamespaceManager, SettingsInput } from '../../src/index.js'
import { fileBackend } from '../../backends/file.js'
import { memoryBackend } from '../../backends/memory.js'
import { requireClient } from '../../backends/require-client.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { memoryStore, SECRET } from '../support/harness.js'

type Context = BackendContext<Record<string, unknown>>

interface Probe extends Backend {
  /** What it was opened with, one by one. */
  readonly contexts: Context[]
  /** How many of its managers are open. */
  isOpen(): number
}

/** A backend that notes what it is opened with, and may do something more then. */
const probe = (type: string, then: (context: Context) => void = () => {}): Probe => {
  const contexts: Context[] = []
  let count = 0
  return {
    type, supports: memoryBackend.supports, takesUrl: true, contexts, isOpen: () => count,
    options: {
      password: { type: 'string', default: undefined, sentence: '', secret: true },
      client: { type: 'object', default: undefined, sentence: '' },
      behind: { type: 'backend', default: undefined, sentence: '' },
      max_calls: { type: 'count', default: 5, sentence: '' },
    },
    open(context) {
      contexts.push(context)
      then(context)
      count++
      const store = memoryStore(context.now)
      const close = store.close.bind(store)
      return Object.assign(store, { close: () => { count--; return close() } })
    },
  }
}

/** With options of the tests' own backends. */
type Input = SettingsInput & Readonly<Record<string, unknown>>

const make = (t: ExecutionContext, input: Input): void => {
  const manager = createManager({ secret: SECRET, ...input })
  t.teardown(() => manager.close())
}

/** The `ConfigError` or `DependencyError` that the settings end with. */
const faultOf = (t: ExecutionContext, input: Input): ConfigError | DependencyError =>
  t.throws(() => createManager({ secret: SECRET, ...input })) as ConfigError

const wrapping = (type = 'outer', which: (options: Record<string, unknown>) => unknown = ({ behind }) => behind): Probe & { readonly inner: NamespaceManager[] } => {
  const inner: NamespaceManager[] = []
  return { ...probe(type, ({ options, openOther }) => { inner.push(openOther!(which(options), 'behind')) }), inner }
}

test('a backend is given what its settings say, in the clear, and no other secret', (t) => {
  const own = probe('own')
  const client = {}
  make(t, { type: own, url: 'a://me:pw@b', namespace: 'shop', dataDir: '/d', lockDir: '/l', operationTimeout: 0.5, maxBytes: 1000, lifetime: 90_000,
    own: { password: 'pw', client, maxCalls: 9 } })
  const { openOther, sealer, now, ...rest } = own.contexts[0]!
  t.deepEqual(rest, {
    url: 'a://me:pw@b', namespace: 'shop', dataDir: '/d', lockDir: '/l', operationTimeout: 0.5, maxBytes: 1000, lifetime: 90_000,
    options: { password: 'pw', client, behind: undefined, maxCalls: 9 },
  })
  t.is(rest.options['client'], client)
  t.deepEqual([typeof openOther, typeof sealer, typeof now], ['function', 'object', 'function'])
  t.false(inspect(own.contexts[0], { depth: 9, showHidden: true }).includes(SECRET))
})

test('a backend by name is not opened before something asks for it, and then once for all who ask', (t) => {
  const [front, unused] = [probe('front'), probe('unused')]
  const inner: NamespaceManager[] = []
  const outer = probe('outer', ({ openOther }) => { inner.push(openOther!('near'), openOther!('near')) })
  make(t, { type: outer, backends: { near: { type: front, url: 'x', front: { maxCalls: 7 } } as Input, far: { type: unused } } })
  t.deepEqual([front.contexts.length, unused.contexts.length], [1, 0])
  t.is(inner[0], inner[1])
  const { url, namespace, options } = front.contexts[0]!
  t.deepEqual([url, namespace, options['maxCalls']], ['x', 'phial', 7])
})

test('a backend that wraps others opens them by settings, as a backend, a manager or a class', (t) => {
  const own = probe('own')
  const manager = memoryStore(Date.now)
  class Made {
    readonly given: Context
    constructor(context: Context) {
      this.given = context
      return Object.assign(memoryStore(context.now), { given: context })
    }
  }
  const open = (behind: unknown): NamespaceManager => {
    const outer = wrapping()
    make(t, { type: outer, namespace: 'shop', outer: { behind } })
    return outer.inner[0]!
  }
  open({ type: own, url: 'x', own: { maxCalls: 3 } })
  open(own)
  const { given } = open(Made) as unknown as Made
  t.is(open(manager), manager)
  t.deepEqual(own.contexts.map(({ url, namespace, options }) => [url, namespace, options['maxCalls']]), [['x', 'shop', 3], [undefined, 'shop', 5]])
  t.is(given.namespace, 'shop')
  t.is(open({ type: 'memory', memory: { maxSessions: 3 } }).supports.scope, 'process')
})

test('a backend that leads back to itself is a ConfigError: by its name, by way of another, by its own settings', (t) => {
  const [a, b] = [wrapping('a'), wrapping('b')]
  const behind = (of: string, name: string): object => ({ [of]: { behind: name } })
  t.is(faultOf(t, { type: a, ...behind('a', 'one'), backends: { one: { type: b, ...behind('b', 'one') } } }).message,
    'backends.one.b.behind: "one" leads back to itself')
  const two = { one: { type: a, ...behind('a', 'other') }, other: { type: b, ...behind('b', 'one') } }
  t.is(faultOf(t, { type: b, ...behind('b', 'one'), backends: two }).message, 'backends.other.b.behind: "one" leads back to itself')
  const itself: Record<string, unknown> = { type: a }
  itself['a'] = { behind: itself }
  t.is(faultOf(t, { type: b, b: { behind: itself } }).message, 'b.behind.a.behind: this backend leads back to itself')
})

const misfits: [unknown, string][] = [
  ['nope', 'outer.behind: there is no backend "nope"; there are: near'],
  [undefined, 'outer.behind: expected the name of a backend, its settings, or one of your own'],
  [{ type: 'cookie' }, 'outer.behind: the cookie backend keeps sessions with their clients: it goes with no other'],
  [{}, 'outer.behind.type: required: the type of this backend'],
  [{ type: 'redsi' }, 'outer.behind.type: expected memory, file, cookie'],
  [{ type: 'memory', url: 'x' }, 'outer.behind.url: memory takes none'],
  [{ type: 'file' }, 'outer.behind.data_dir: '],
  [{ supports: {}, get: 1 }, 'outer.behind.type: expected a backend, a namespace manager or its class'],
]
for (const [behind, message] of misfits) {
  test(`what a backend cannot wrap is told of the option that named it: ${message}`, (t) => {
    const fault = faultOf(t, { type: wrapping(), backends: { near: { type: 'memory' } }, outer: { behind } })
    t.true(fault instanceof ConfigError)
    t.true(fault.message.startsWith(message), fault.message)
    t.is(fault.setting, message.split(': ')[0])
  })
}

test('when one of several cannot be opened, those that were are closed', async (t) => {
  const [good, bad] = [probe('good'), probe('bad', () => { throw new ConfigError('url: no', { setting: 'url' }) })]
  const outer = probe('outer', ({ openOther }) => { openOther!('good'); openOther!('bad') })
  t.is(faultOf(t, { type: outer, backends: { good: { type: good }, bad: { type: bad, url: 'x' } } }).message, 'backends.bad.url: no')
  t.deepEqual([good.contexts.length, good.isOpen(), outer.isOpen()], [1, 0, 0])
  const ready = memoryStore(Date.now)
  faultOf(t, { type: probe('outer', ({ openOther }) => { openOther!(ready); openOther!('bad') }), backends: { bad: { type: bad } } })
  t.is(await ready.get('0'.repeat(64)), undefined) // it is not ours to close: nobody has it from us
})

test('with a cache, the store is asked once for what is read often; both are closed with the manager', async (t) => {
  const front = probe('front')
  const data = temporaryDirectory(t)
  const calls: string[] = []
  const counted = { ...fileBackend, type: 'counted', options: {}, open: (context: Context) => {
    const store = fileBackend.open({ ...context, options: { sync: false, disk: 'auto', purgeInterval: 0 } }) as NamespaceManager
    return new Proxy(store, { get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => { calls.push(String(name)); return value.apply(target, args) }
    } })
  } }
  const manager = createManager({
    secret: SECRET, type: counted, dataDir: data, cache: 'front', cacheTtl: 30, backends: { front: { type: front }, unused: { type: 'nonsense' } },
  })
  const session = await manager.create()
  await session.set('n', 1).save()
  for (let i = 0; i < 5; i++) {
    t.is((await manager.getById(session.id))?.get('n'), 1)
    await setImmediate() // the copy is put by nobody who waits for it
  }
  t.deepEqual(calls, ['create', 'get'])
  t.is(manager.backend, 'counted')
  t.is(manager.supports.scope, 'machine')
  t.is(front.contexts[0]?.namespace, 'phial')
  await manager.close()
  t.deepEqual([calls.at(-1), front.isOpen()], ['close', 0])
})

test('a cache that the store itself is made of is refused', (t) => {
  const inner = probe('inner')
  const outer = { ...wrapping(), supports: fileBackend.supports }
  const shared: Backend = { ...outer, open: (context) => Object.assign(outer.open(context), { supports: fileBackend.supports }) }
  const input = { type: shared, outer: { behind: 'near' }, backends: { near: { type: inner }, far: { type: inner } } }
  t.is(faultOf(t, { ...input, cache: 'near' }).message, 'cache: "near" is part of the store itself')
  make(t, { ...input, cache: 'far' })
})

test('a url is refused where the type takes none', (t) => {
  const told = (input: Input): string => faultOf(t, { url: 'redis://me:pw@x', ...input }).message
  t.regex(told({ type: 'memory' }), /^url: memory takes none/)
  t.regex(told({ type: 'cookie' }), /^url: cookie takes none/)
  t.regex(told({ type: memoryStore(Date.now) }), /^url: own takes none/)
  t.regex(told({ type: class { constructor() { return memoryStore(Date.now) } } as never }), /^url: own takes none/)
  t.notRegex(told({ type: 'memory' }), /pw/)
  let seen: string | undefined
  class Taking {
    static readonly takesUrl = true
    constructor({ url }: Context) {
      seen = url
      return memoryStore(Date.now)
    }
  }
  make(t, { type: Taking as never, url: 'x' })
  t.is(seen, 'x')
})

/** A module with a backend that throws what is asked for. */
const MODULE = `
const { memoryBackend } = require(process.env.PHIAL_TEST_MEMORY)
exports.backend = { ...memoryBackend, type: 'own', takesUrl: true, options: { max_calls: { type: 'count', default: 5, sentence: '' } },
  open(context) {
    const { ConfigError, DependencyError } = require(process.env.PHIAL_TEST_ERRORS)
    const { setting, dependency } = JSON.parse(context.url ?? '{}')
    if (dependency) throw new DependencyError('type: own needs a package that is not installed: npm install x@^1', { setting: 'type' })
    if (setting) throw new ConfigError(setting + ': no', { setting })
    return memoryBackend.open({ ...context, options: { maxSessions: context.options.maxCalls, maxTotalBytes: 1e9, purgeInterval: 60 } })
  },
}
exports.backend.opened = []
`

const withModule = (t: ExecutionContext, ...lines: string[]): string => {
  process.env['PHIAL_TEST_MEMORY'] = new URL('../../backends/memory.js', import.meta.url).pathname
  process.env['PHIAL_TEST_ERRORS'] = new URL('../../src/errors.js', import.meta.url).pathname
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'own.cjs'), MODULE)
  writeFileSync(join(directory, 'app.ini'), ['[app:main]', `session.secret = ${SECRET}`, ...lines.map((line) => (line.startsWith('beaker.') ? line : `session.${line}`)), ''].join('\n'))
  return join(directory, 'app.ini')
}

const placed: [string[], string, number | undefined][] = [
  [['type = ./own.cjs', `url = '{"setting":"url"}'`], 'session.url: no', 4],
  [['type = ./own.cjs', `url = '{"setting":"session.url"}'`], 'session.url: no', 4],
  [['type = ./own.cjs', 'data_dir = /d', `url = '{"setting":"dataDir"}'`], 'session.data_dir: no', 4],
  [['type = ./own.cjs', `url = '{"setting":"own.maxCalls"}'`], 'session.own.max_calls: no', undefined],
  [['type = ./own.cjs', `url = '{"dependency":true}'`], 'session.type: own needs a package that is not installed: npm install x@^1', 3],
  [['type = file', 'data_dir = data', 'cache = front', 'backends.front.type = ./own.cjs', `backends.front.url = '{"setting":"url"}'`],
    'session.backends.front.url: no', 7],
  [['type = file', 'data_dir = data', 'cache = front', 'backends.front.type = ./own.cjs', `backends.front.url = '{"dependency":true}'`],
    'session.backends.front.type: own needs a package that is not installed: npm install x@^1', 6],
  [['type = file', 'data_dir = data', 'cache = front', 'beaker.session.backends.front.type = ./nope.cjs'],
    'beaker.session.backends.front.type: there is no such file: ', 6],
  [['type = file', 'data_dir = data', 'cache = front', 'backends.front.type = cookie'], 'session.cache: the cookie backend keeps sessions with their clients', 5],
  [['type = cookie', 'cache = front', 'backends.front.type = memory'], 'session.cache: the cookie backend keeps sessions with their clients', 4],
  [['cache = front', 'backends.front.type = memory', 'type = memory', 'namespace = a', 'backends.front.namespace = b'],
    'session.cache: the sessions are in this process already', 3],
  [['type = memory', 'url = redis://me:pw@x'], 'session.url: memory takes none', 4],
]
for (const [lines, message, line] of placed) {
  test(`S200: a fault that shows when a backend is opened has file, line and the name as written: ${lines.join(', ')}`, (t) => {
    const file = withModule(t, ...lines)
    const fault = t.throws(() => createManager(loadIni(file))) as ConfigError
    t.true(fault.message.startsWith(`${file}${line === undefined ? '' : `:${line}`}: ${message}`), fault.message)
    t.deepEqual([fault.setting, fault.file, fault.line], [message.split(': ')[0], file, line])
    t.notRegex(fault.message, /pw/)
  })
}

test('a module with a backend has its defaults, and its options in TypeScript', async (t) => {
  const file = withModule(t, 'type = ./own.cjs')
  make(t, { type: join(file, '../own.cjs'), own: { maxCalls: 6 } })
  const manager = createManager(loadIni(file), { own: { maxCalls: 6 } } as SettingsInput)
  t.is(manager.backend, 'own')
  await manager.close()
  t.regex((t.throws(() => createManager(loadIni(file), { own: { max: 6 } } as SettingsInput)) as Error).message, /^own\.max: unknown setting/)
})

test('what a module needs and is not there is told as it is', (t) => {
  const file = withModule(t, 'type = ./broken.cjs')
  writeFileSync(join(file, '../broken.cjs'), 'require("./its-own-part.cjs")')
  t.throws(() => createManager(loadIni(file)), { code: 'MODULE_NOT_FOUND', message: /its-own-part/ })
})

test('a client that is not installed is a DependencyError with the command to install it, and the setting', (t) => {
  const error = t.throws(() => requireClient('@acme/nowhere', '^1.2.3', 'acme'), { instanceOf: DependencyError })!
  t.is(error.message, 'type: acme needs a package that is not installed: npm install @acme/nowhere@^1.2.3')
  t.is(error.setting, 'type')
})

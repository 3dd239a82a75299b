import test from 'ava'
import type { ExecutionContext } from 'ava'
import fc from 'fast-check'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Session } from '../../src/index.js'
import { FaultyStore } from '../support/faulty-store.js'
import { SECRET } from '../support/harness.js'
import { withSupports } from '../support/with-supports.js'
import {
  acts, ask, countOf, directory, ENCRYPT_KEY, keysOf, MODES, openStore, record, serveIn, STORED, Visitor,
  withMethods,
} from './support.js'
import type { Handler, Mode } from './support.js'

const FUZZ = countOf('PHIAL_FUZZ', 60)

/** A handler that lets the test act on the session itself: `act` is what the next request does. */
const puppet = (): { readonly handler: Handler; act: ((session: Session) => unknown) | undefined } => {
  const strings = {
    act: undefined as ((session: Session) => unknown) | undefined,
    handler: (async (req, res) => {
      const session = await req.session.load()
      let outcome: unknown
      try {
        outcome = await strings.act?.(session)
      } catch (error) {
        outcome = { code: (error as { code?: string }).code ?? (error as Error).name, path: (error as { path?: string }).path }
      }
      res.end(JSON.stringify(outcome ?? null))
    }) as Handler,
  }
  return strings
}

interface Puppeteer {
  readonly visitor: Visitor
  run(act: (session: Session) => unknown): Promise<any>
}

/** A visitor whose requests do what the test says; `run` answers what came of it. */
const puppeteer = async (t: ExecutionContext, mode: Mode, settings = {}): Promise<Puppeteer> => {
  const strings = puppet()
  const { port } = await serveIn(t, mode, strings.handler, settings)
  const visitor = new Visitor(port)
  return {
    visitor,
    run: async (act) => {
      strings.act = act
      return JSON.parse(await visitor.body())
    },
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

test('S130: nothing in the sources makes code or objects of classes of data', (t) => {
  const dangerous = /\beval\(|new Function\(|node:vm|node:v8|\bdeserialize\(|\bimport\((?!['"])|structuredClone\(|\.constructor\(/
  const files = ['src', 'backends', 'config'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts')).map((name) => join(folder, name)))
  t.true(files.length > 80)
  const loader = join('src', 'http', 'compose.ts') // imports the modules that an INI file names: its author's words, no data
  for (const file of files.filter((name) => name !== loader)) t.notRegex(readFileSync(join(root, file), 'utf8'), dangerous, file)
  const found = [...readFileSync(join(root, loader), 'utf8').matchAll(new RegExp(dangerous, 'g'))].map(([words]) => words)
  t.deepEqual(found, ['import('])
})

const HOSTILE = [
  '{"__proto__":{"polluted":true}}', '{"a":{"__proto__":{"polluted":true}}}', '{"a":[{"__proto__":{"polluted":true}}]}',
  '{"\\u005f_proto__":{"polluted":true}}',
  '{"__pro\\u0074o__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":{"constructor":{"prototype":{"polluted":true}}}}',
  '{"toString":1,"valueOf":1,"hasOwnProperty":1,"toJSON":1}', '[]', 'null', '1', '"a"', '', '{', '{"a":1}{', '{"length":1e9}',
  `${'[{"a":'.repeat(300)}1${'}]'.repeat(300)}`,
  '{"__defineGetter__":1,"__lookupGetter__":2}', '{"then":{"then":1}}', '{"$type":"Date","value":1}',
  '{"rce":"_$$ND_FUNC$$_function(){}()"}',
]

const prototypes = (): string => JSON.stringify([Object, Array, Function, String, Map, Promise].map(
  ({ prototype }) => Reflect.ownKeys(prototype).map(String)
))

for (const mode of STORED) {
  test(`S130, S131: a record that somebody else wrote changes no prototype, and never makes the server fail: ${mode.name}`, async (t) => {
    const store = openStore(t, mode)
    let payload: string | undefined
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      Object.assign({}, session.data)
      const merged: Record<string, unknown> = { ...session.data }
      for (const [key, value] of session) merged[key] = value
      if (req.url === '/save') await session.set('n', 1).save()
      res.end(JSON.stringify(session))
    }, {
      type: withMethods(store, {
        get: async (key, touch) => {
          const found = await store.get(key, touch)
          return found && payload !== undefined ? { ...found, value: `${found.value.slice(0, found.value.indexOf('\n'))}\n\n${payload}` } : found
        },
      }),
    })
    const visitor = new Visitor(port)
    await visitor.ask('/save')
    const cookie = await visitor.cookies()
    const before = prototypes()
    for (payload of HOSTILE) {
      for (const path of ['/', '/save']) {
        const { status } = await ask(port, path, { cookie })
        t.is(status, 200, payload)
      }
      t.is(prototypes(), before, payload)
      t.is(({} as { polluted?: unknown }).polluted, undefined)
    }
  })
}

const NAMES = [
  'save', 'id', 'destroy', 'regenerate', 'regenerateId', 'then', 'toJSON', 'get', 'set', 'load', 'data', 'cookie', 'owner',
  'flash', 'constructor', 'prototype',
  'toString', 'valueOf', 'hasOwnProperty', 'isNew', 'size', 'length', 'Symbol.iterator', 'catch', 'reload', 'revert', 'fields',
  'meta', '', ' ', '\n', '🍪', 'a.b', '0',
]

for (const mode of MODES) {
  test(`S131: no way of setting data changes a prototype: ${mode.name}`, async (t) => {
    const { run } = await puppeteer(t, mode)
    const before = prototypes()
    const hostile = JSON.parse('{"__proto__":{"polluted":true}}')
    const refused = [
      (session: Session) => session.set('__proto__', { polluted: true }),
      (session: Session) => session.assign(hostile),
      (session: Session) => session.setDefault('__proto__', 1),
      (session: Session) => session.update('__proto__', () => ({ polluted: true })),
      (session: Session) => session.set('a', hostile).save(),
      (session: Session) => session.set('a', [[hostile]]).save(),
      (session: Session) => session.update((draft) => void (draft.a = hostile)),
      (session: Session) => session.flash(hostile),
      (session: Session) => session.flash('x', { key: '__proto__' }),
      (session: Session) => (Object.setPrototypeOf(session.data, { polluted: true }), session.set('a', 1).save()),
    ]
    for (const act of refused) t.is((await run(act))?.code, 'PHIAL_CODEC', act.toString())
    for (const act of [
      (session: Session) => (session.data['constructor'] = { prototype: { polluted: true } }, session.save()),
      (session: Session) => Object.assign(session.data, { hasOwnProperty: 1, toString: 2, __defineGetter__: 3 }),
      (session: Session) => session.update((draft) => void Object.assign(draft, { valueOf: 1 })),
    ]) await run(act)
    t.is(prototypes(), before)
    t.is(({} as { polluted?: unknown }).polluted, undefined)
    t.deepEqual(
      await run((session) => [session.get('constructor'), session.get('toString'), session.get('hasOwnProperty')]),
      [{ prototype: { polluted: true } }, null, null]
    )
  })

  test(`S132: data may have the names of the session's own members, and shadows none of them: ${mode.name}`, async (t) => {
    const { run } = await puppeteer(t, mode)
    const values = Object.fromEntries(NAMES.map((name, n) => [name, n % 3 === 0 ? { [name]: name } : name]))
    t.is(await run((session) => session.assign(values).save()), null)
    const read = await run((session) => {
      const { data } = session
      return [
        JSON.parse(JSON.stringify(session)), { ...data }, Object.fromEntries(session),
        Object.fromEntries(NAMES.map((name) => [name, session.get(name)])), session.keys().length,
      ]
    })
    t.deepEqual(read, [values, values, values, values, NAMES.length])
    t.deepEqual(
      await run((session) => ['save', 'destroy', 'get', 'toJSON', 'regenerateId'].map((name) => typeof (session as any)[name])),
      Array(5).fill('function')
    )
    t.is(await run((session) => typeof (session as { then?: unknown }).then), 'undefined')
  })
}

const cyclic: Record<string, unknown> = {}
cyclic['self'] = { cyclic }

class Point {
  x = 1
}

/** What JSON drops or changes, each with where the error says it stands. */
const UNSTORABLE: readonly (readonly [what: string, value: unknown, path?: string])[] = [
  ['a Date', new Date(0)], ['an invalid Date', new Date(NaN)], ['a Map', new Map()], ['a Set', new Set([1])], ['a BigInt', 1n],
  ['a symbol', Symbol('x')],
  ['a function', () => 1], ['a class', Point], ['NaN', NaN], ['Infinity', Infinity], ['-Infinity', -Infinity], ['-0', -0],
  ['undefined', undefined], ['a cycle', cyclic, 'v.self.cyclic'],
  ['an object of a class', new Point()], ['a RegExp', /x/], ['a Buffer', Buffer.from('x')], ['a typed array', new Uint8Array(2)],
  ['an Error', new Error('x')], ['a WeakMap', new WeakMap()],
  ['a promise', Promise.resolve(1)], ['a boxed number', Object(1)], ['a boxed string', Object('x')],
  ['a hole', Object.assign([1], { 2: 2 })], ['a lone surrogate', '\ud800'],
  ['undefined in depth', { a: [undefined] }, 'v.a[0]'], ['a Date in depth', [{ born: new Date(0) }], 'v[0].born'],
  ['an accessor', { get a() { return 1 } }, 'v.a'],
  ['a symbol as a key', { [Symbol('x')]: 1 }], ['what is not enumerable', Object.defineProperty({}, 'a', { value: 1 }), 'v.a'],
  ['a URL', new URL('http://x')],
]

for (const mode of MODES) {
  test(`S133: what would not come back as it is is refused with its path, and what is stored stays: ${mode.name}`, async (t) => {
    const { run } = await puppeteer(t, mode)
    await run((session) => session.set('v', 'before').save())
    for (const [what, value, path = 'v'] of UNSTORABLE) {
      for (const act of [
        (session: Session) => session.set('v', value).save(),
        (session: Session) => (session.data['v'] = value, session.save()),
        (session: Session) => session.update((draft) => void (draft.v = value)),
        (session: Session) => session.set('v', value).regenerateId(),
      ]) t.deepEqual(await run(act), { code: 'PHIAL_CODEC', path }, `${what}, ${act}`)
      t.is(await run((session) => session.get('v')), 'before', what)
    }
  })

  test(`S134: whatever is stored comes back the same: ${mode.name}`, async (t) => {
    const { run } = await puppeteer(t, mode, mode.isStored ? {} : { cookie: { chunks: 2 } })
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    const leaf = fc.oneof(
      text, fc.constantFrom('', '\0', '\u2028', '😀', '\u{10ffff}', 'é', '"\\\n'), fc.boolean(), fc.constant(null), fc.integer(),
      fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MAX_VALUE, Number.MIN_VALUE, 0.1, 1e21, 2 ** 53),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text.filter((key) => key !== '__proto__'), tie('value'), { maxKeys: 4, noNullPrototype: true })
      ),
    }))
    const data = fc.dictionary(text.filter((key) => key !== '__proto__'), value!, { maxKeys: 3, noNullPrototype: true })
    await fc.assert(fc.asyncProperty(data, async (data) => {
      t.is(await run((session) => session.clear().assign(data).save()), null)
      let isSame = false
      await run((session) => { isSame = isDeepStrictEqual(session.data, data) })
      return isSame
    }), { numRuns: FUZZ })
  })

  test(`S135: what is nested too deep is a typed error, and the session goes on: ${mode.name}`, async (t) => {
    const { run } = await puppeteer(t, mode)
    await run((session) => session.set('v', {}).save())
    for (const levels of [1e3, 1e4, 1e5, 1e6]) {
      for (const wrap of [(inner: unknown) => ({ a: inner }), (inner: unknown) => [inner]]) {
        let nested: unknown = 1
        for (let level = 0; level < levels; level++) nested = wrap(nested)
        t.is((await run((session) => session.set('v', nested).save())).code, 'PHIAL_CODEC', `${levels}`)
        t.is((await run((session) => (session.get('v').deep = nested, session.save()))).code, 'PHIAL_CODEC', `${levels}`)
      }
    }
    t.deepEqual(await run((session) => session.get('v')), {})
  })
}

for (const mode of STORED) {
  test(`S134: a text of a megabyte comes back the same: ${mode.name}`, async (t) => {
    const { run } = await puppeteer(t, mode, { maxBytes: 1_048_576 })
    const text = `${'megabyte'.repeat(125_000)}"é😀`
    t.is(await run((session) => session.set('text', text).save()), null)
    t.true(await run((session) => session.get('text') === text))
  })
}

const base = () => ({ list: [3, 1, 2], map: { a: 1, b: { c: [1, { d: 2 }] } }, text: 'x', n: 1, gone: true })
type Base = ReturnType<typeof base>

/** Changes of the data as the session handed it out. */
const MUTATIONS: ((data: any) => unknown)[] = [
  (d) => d.list.push(4), (d) => d.list.pop(), (d) => d.list.shift(), (d) => d.list.unshift(0), (d) => d.list.splice(1, 1),
  (d) => d.list.splice(1, 0, 'x'), (d) => d.list.sort(),
  (d) => d.list.reverse(), (d) => d.list.fill(7), (d) => d.list.copyWithin(0, 1), (d) => (d.list.length = 1),
  (d) => (d.list.length = 0), (d) => (d.list[0] = 9), (d) => (d.list[3] = 9),
  (d) => ([d.list[0], d.list[1]] = [d.list[1], d.list[0]]), (d) => (d.list[1] = { deep: true }), (d) => (d.list[1] = null),
  (d) => (d.list[1] = '1'),
  (d) => (d.map.a = 2), (d) => (d.map.z = 1), (d) => delete d.map.a, (d) => (d.map.b.c[1].d = 3), (d) => delete d.map.b.c[1].d,
  (d) => d.map.b.c.push([]), (d) => (d.map.b = null),
  (d) => Object.assign(d.map, { a: 5 }), (d) => Object.assign(d.map.b, { e: {} }),
  (d) => Object.defineProperty(d.map, 'a', { value: 6 }), (d) => Reflect.set(d.map, 'a', 7),
  (d) => Reflect.deleteProperty(d.map, 'b'), (d) => (d.map.b.c = d.map.b.c.concat(5)), (d) => d.map.a++, (d) => (d.map.a += 'x'),
  (d) => (d.map.a &&= 0), (d) => (d.map.b.c.length = 0),
  (d) => { for (const key in d.map) d.map[key] = key }, (d) => d.list.forEach((_: unknown, n: number) => (d.list[n] = n)),
  (d) => (d.map[''] = 1), (d) => (d.map['a.b'] = 1),
  (d) => { const { b } = d.map; b.c[0] = 'aliased' }, (d) => (d.map.a = d.list), (d) => (d.map.b.c[1] = [{ d: 2 }]),
  (d) => (d.map.a = true),
]

/** Changes of the top level of `session.data`. */
const TOP_LEVEL: ((data: any) => unknown)[] = [
  (d) => (d.text = 'y'), (d) => (d.fresh = 1), (d) => delete d.gone, (d) => (d.list = []),
  (d) => Object.assign(d, { n: 2, m: 3 }), (d) => d.n++, (d) => Object.defineProperty(d, 'n', { value: 9, enumerable: true }),
  (d) => { for (const key of Object.keys(d)) delete d[key] }, (d) => ([d.text, d.n] = [d.n, d.text]),
]

/** What hands the data out: each is a way by which a change may reach it. */
const HANDLES: Record<string, (session: Session) => unknown> = {
  get: (session) => ({ list: session.get('list'), map: session.get('map') }),
  data: (session) => session.data,
  values: (session) => { const [list, map] = session.values(); return { list, map } },
  entries: (session) => Object.fromEntries(session.entries()),
  iteration: (session) => Object.fromEntries(session),
  toJSON: (session) => session.toJSON(),
  setDefault: (session) => ({ list: session.setDefault('list', []), map: session.setDefault('map', {}) }),
}

/** Ways of looking at a session that are no change. */
const READINGS: ((session: Session) => unknown)[] = [
  ...Object.values(HANDLES), (s) => s.get('nothing'), (s) => s.has('list'), (s) => s.keys(), (s) => s.size,
  (s) => JSON.stringify(s), (s) => s.id, (s) => s.peekFlashes(), (s) => s.owner, (s) => s.expiresAt,
  (s) => s.get('list').map(String), (s) => s.get('list').toSorted(), (s) => s.get('map').b.c[1].d, (s) => s.cookie.path,
  (s) => structuredClone(s.data), (s) => 'list' in s.data, (s) => s.isNew,
]

for (const mode of MODES) {
  test(`S136: every change in depth is noticed and saved: ${mode.name}`, async (t) => {
    const { run } = await puppeteer(t, mode)
    const handles = Object.keys(HANDLES)
    for (const [n, mutate] of [...MUTATIONS, ...TOP_LEVEL].entries()) {
      const name = n < MUTATIONS.length ? handles[n % handles.length]! : 'data'
      await run((session) => session.clear().assign(base()).save())
      const dirty = await run(async (session) => {
        mutate(HANDLES[name]!(session))
        const { dirty } = session
        await session.save()
        return dirty
      })
      const expected: Base = base()
      mutate(expected)
      t.deepEqual(
        [dirty, await run((session) => session.toJSON())], [true, JSON.parse(JSON.stringify(expected))], `${mutate} of ${name}`
      )
    }
  })

  test(`S136, S176: reading is no write, whatever is handed out: ${mode.name}`, async (t) => {
    const store = mode.isStored ? new FaultyStore(openStore(t, mode)) : undefined
    const { run, visitor } = await puppeteer(t, mode, { auto: true, ...(store && { type: store.manager }) })
    await run((session) => session.assign(base()))
    const cookie = await visitor.cookies()
    store?.calls.splice(0)
    for (const read of READINGS) t.is(await run((session) => (read(session), session.dirty)), false, read.toString())
    if (store) t.deepEqual(store.calls, READINGS.map(() => 'get'))
    t.is(await visitor.cookies(), cookie)
  })
}

const kindsOf = (value: string, at: number): string[] => {
  const flipped = String.fromCharCode(value.charCodeAt(at) ^ 1)
  return [value.slice(0, at) + flipped + value.slice(at + 1), value.slice(0, at) + value.slice(at + 1), value.slice(0, at)]
}

for (const encrypted of [false, true]) {
  test.serial(`S137: a record with any one byte wrong is no session and told, never a failure: memory${encrypted ? ', encrypted' : ''}`, async (t) => {
    const told = record(t)
    const store = openStore(t, STORED[0]!)
    let corrupt: ((value: string) => string) | undefined
    const { port } = await serveIn(t, STORED[0]!, acts, {
      ...(encrypted && { encryptKey: ENCRYPT_KEY }),
      type: withMethods(withSupports(store, { verified: false }), {
        get: async (key, touch) => {
          const found = await store.get(key, touch)
          return found && corrupt ? { ...found, value: corrupt(found.value) } : found
        },
      }),
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const cookie = await visitor.cookies()
    const [key] = await keysOf(store)
    const { value } = (await store.get(key!))!
    for (const [at, broken] of [...value].flatMap((_, at) => kindsOf(value, at).map((broken) => [at, broken] as const))) {
      corrupt = () => broken
      told.length = 0
      const { status, body, setCookies } = await ask(port, '/', { cookie })
      t.deepEqual([status, body, setCookies], [200, '{}', []], `byte ${at}`)
      t.true(told.some(({ event }) => event === 'corrupt'), `byte ${at}`)
    }
    corrupt = () => ''
    t.is((await ask(port, '/set?user=eve', { cookie })).body, '{"user":"eve"}')
    corrupt = undefined
    t.is((await ask(port, '/', { cookie })).body, '{"user":"ann"}')
  })
}

test.serial('S137: a file with any one byte wrong is no session and told, never a failure; mended, it is the session again', async (t) => {
  const told = record(t)
  const dataDir = directory(t)
  const { port } = await serveIn(t, STORED[1]!, acts, { dataDir })
  const visitor = new Visitor(port)
  await visitor.ask('/set?user=ann')
  const path = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map((name) => join(dataDir, name)).find(
    (name) => /[0-9a-f]{64}$/.test(name) && statSync(name).isFile()
  )!
  const whole = readFileSync(path)
  const { mtime } = statSync(path)
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole)
    flipped[at]! ^= 1 << (at % 8)
    for (const broken of [flipped, whole.subarray(0, at)]) {
      writeFileSync(path, broken)
      utimesSync(path, mtime, mtime)
      told.length = 0
      t.deepEqual([(await visitor.ask()).status, await visitor.body()], [200, '{}'], `byte ${at}`)
      t.true(told.some(({ event }) => event === 'corrupt'), `byte ${at}`)
    }
  }
  writeFileSync(path, whole)
  utimesSync(path, mtime, mtime)
  t.is(await visitor.body(), '{"user":"ann"}')
})

for (const mode of STORED) {
  test(`S137: with invalidate_corrupt off a record that cannot be read is an error answer, and a new log-in is not barred: ${mode.name}`, async (t) => {
    const store = openStore(t, mode)
    let isCorrupt = false
    const { port } = await serveIn(t, mode, acts, {
      invalidateCorrupt: false,
      type: withMethods(store, {
        get: async (key, touch) => {
          const found = await store.get(key, touch)
          return found && isCorrupt ? { ...found, value: '{' } : found
        },
      }),
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    isCorrupt = true
    const { status, body, setCookies } = await visitor.ask()
    t.deepEqual([status, body, setCookies], [500, 'Internal Server Error\n', []])
    t.is((await ask(port, '/set?user=ann')).status, 200)
  })
}

for (const mode of MODES) {
  test(`S138: the limit on a record is checked before the store is called: ${mode.name}`, async (t) => {
    const measuring = openStore(t, mode.isStored ? mode : STORED[0]!)
    let stored = 0
    const app = await serveIn(t, STORED[0]!, acts, {
      type: withMethods(
        measuring, { create: (key, value, at) => ((stored = Buffer.byteLength(value)), measuring.create(key, value, at)) }
      ),
      secret: SECRET,
    })
    await ask(app.port, `/set?v=${'x'.repeat(500)}`) // as many digits has its length as those below
    const overhead = stored - 500
    const store = mode.isStored ? new FaultyStore(openStore(t, mode)) : undefined
    const limit = 1000
    const strings = puppet()
    const { port } = await serveIn(t, mode, strings.handler, { maxBytes: limit, ...(store && { type: store.manager }) })
    for (const size of [limit - 1, limit, limit + 1, 100 * limit]) {
      const outcome = size <= limit ? null : { code: 'PHIAL_TOO_LARGE' }
      for (const letter of ['x', 'é']) {
        const room = size - overhead
        const text = letter.repeat(Math.floor(room / Buffer.byteLength(letter)))
        strings.act = (session) => session.set('v', text.padEnd(text.length + room - Buffer.byteLength(text), 'x')).save()
        store?.calls.splice(0)
        const { body, setCookies } = await ask(port)
        t.deepEqual(JSON.parse(body), outcome, `${size}`)
        t.is(setCookies.length, outcome === null ? 1 : 0)
        if (store) t.deepEqual(store.calls, outcome === null ? ['create'] : [])
      }
    }
  })
}


import test from 'ava'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { makeCodec, type DataCodec } from '../../src/record/codec.js'
import { CodecError } from '../../src/errors.js'
import { fuzzCount } from '../support/fuzz-count.js'

const json = makeCodec('json')
const devalue = makeCodec('devalue')
const reviving = makeCodec('json', (key, value) => key.endsWith('At') ? new Date(value as string) : value)

const roundTrip = (codec: DataCodec, data: object): object => codec.decode(codec.encode(data))

const errorOf = (act: () => unknown): CodecError => {
  try {
    act()
  } catch (error) {
    if (error instanceof CodecError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const cycle = (): object => {
  const ring: { name: string; inner: { back?: object } } = { name: 'ring', inner: {} }
  ring.inner.back = ring
  return ring
}
const nested = (levels: number): object => {
  let data: object = {}
  for (let level = 1; level < levels; level++) data = { a: data }
  return data
}
const hasProtoKey = (value: unknown, seen = new Set<unknown>()): boolean => {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  seen.add(value)
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(inner => hasProtoKey(inner, seen))
}
class Account { name = 'Ada' }

test('S133: JSON keeps what it can hold, as it is', t => {
  for (const value of [null, true, false, 0, 1, -1, 1.5, 1e308, 5e-324, Number.MAX_SAFE_INTEGER, '', 'text', '😀', '\u2028\0"\\', '__proto__', '\\ud800',
    [], {}, [[]], [null], { a: { b: [1, { c: '' }] } }, { '': 1 }, { toString: 'x', constructor: { prototype: 1 }, hasOwnProperty: 2, toJSON: 'x', save: 2, id: 3 },
    Object.fromEntries(['then'].map(name => [name, 1]))]) {
    t.deepEqual(roundTrip(json, { value }), { value })
    t.deepEqual(roundTrip(devalue, { value }), { value })
  }
  t.is(json.encode({ a: 1 }), '{"a":1}')
  t.deepEqual(roundTrip(json, [1, 'two']), [1, 'two'])
})

for (const [what, value] of [
  ['undefined', undefined],
  ['a function', () => 1],
  ['a class', Account],
  ['a symbol', Symbol('x')],
  ['a BigInt', 1n],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
  ['a Date', new Date(0)],
  ['a Map', new Map()],
  ['a Set', new Set()],
  ['a RegExp', /x/],
  ['an Error', new Error('x')],
  ['a Promise', Promise.resolve()],
  ['a Buffer', Buffer.from('x')],
  ['a typed array', new Float64Array(1)],
  ['an ArrayBuffer', new ArrayBuffer(1)],
  ['a boxed number', Object(1)],
  ['a boxed string', Object('x')],
  ['a boxed boolean', Object(false)],
  ['an instance of a class', new Account()],
  ['an instance of a class without a name', new (class {})()],
  ['an object with another prototype', Object.create({ inherited: 1 })],
  ['an object with a toJSON', { toJSON: () => 1 }],
  ['an array of a class', new (class List extends Array {})()],
  ['a sparse array', [1, , 3]], // oxlint-disable-line no-sparse-arrays
  ['an array that is longer than its elements', Object.assign([1], { length: 2 })],
  ['an array with a property', Object.assign([1], { index: 0 })],
  ['an array with a symbol', Object.assign([1], { [Symbol('x')]: 0 })],
  ['a symbol as a key', { [Symbol('x')]: 1 }],
  ['an accessor', Object.defineProperty({}, 'x', { get: () => 1, enumerable: true })],
  ['a setter', Object.defineProperty({}, 'x', { set: () => {}, enumerable: true })],
  ['a property that is not enumerable', Object.defineProperty({}, 'x', { value: 1 })],
  ['a lone surrogate', '\ud800'],
  ['a lone surrogate within', 'a\udc00b'],
  ['a lone surrogate as a key', { '\ud800': 1 }],
  ['the key __proto__', JSON.parse('{"__proto__":1}')],
  ['a cycle', cycle()],
  ['too many levels', nested(1000)],
  ['a revoked proxy', (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()],
] as [string, unknown][]) {
  test(`S133: JSON refuses ${what}, wherever it stands`, t => {
    for (const data of [{ value }, { user: { value } }, { items: [1, { value }] }, { items: [value] }]) {
      t.is(errorOf(() => json.encode(data)).code, 'PHIAL_CODEC')
    }
  })
}

test('S133: the error says what, and where it stands', t => {
  for (const [data, path, what] of [
    [{ user: { born: new Date(0) } }, 'user.born', /^a Date cannot be stored as JSON: user\.born$/],
    [{ items: [0, 1, 2, NaN] }, 'items[3]', /^NaN/],
    [{ items: [[undefined]] }, 'items[0][0]', /^undefined/],
    [{ a: -0 }, 'a', /^-0/],
    [{ a: 1n }, 'a', /^a bigint/],
    [{ 'first name': { b: new Map() } }, '["first name"].b', /^a Map/],
    [{ '1': { '2a': () => 1 } }, '["1"]["2a"]', /^a function/],
    [{ größe: Symbol('x') }, 'größe', /^a symbol/],
    [{ a: new (class {})() }, 'a', /^an object of a class/],
    [{ a: [1, , 2] }, 'a', /^an array with holes/], // oxlint-disable-line no-sparse-arrays
    [{ a: { b: '\ud800' } }, 'a.b', /surrogate/],
    [{ a: { get b() { return 1 } } }, 'a.b', /^an accessor/],
    [{ a: { b: 1, [Symbol('x')]: 1 } }, 'a', /symbols/],
    [JSON.parse('{"a":{"__proto__":1}}') as object, 'a.__proto__', /__proto__/],
    [new Date(0), '', /^a Date cannot be stored as JSON$/],
    [cycle(), 'inner.back', /holds itself/],
    [{ list: [{}, cycle()] }, 'list[1].inner.back', /holds itself/],
  ] as [object, string, RegExp][]) {
    const error = errorOf(() => json.encode(data))
    t.is(error.path, path)
    t.regex(error.message, what)
  }
})

test('S133: what is left of an earlier path does not get into a later one', t => {
  t.is(errorOf(() => json.encode({ a: { b: { c: 1 } }, d: undefined })).path, 'd')
})

test('a value that stands in two places is stored in both', t => {
  const shared = { a: 1 }
  t.deepEqual(roundTrip(json, { one: shared, two: [shared] }), { one: { a: 1 }, two: [{ a: 1 }] })
})

test('an object without a prototype is stored as a plain one', t => {
  t.deepEqual(roundTrip(json, { a: Object.assign(Object.create(null) as object, { b: 1 }) }), { a: { b: 1 } })
})

test('S135: up to 200 levels are stored, and more are a CodecError, never a RangeError', t => {
  t.deepEqual(roundTrip(json, nested(200)), nested(200))
  for (const levels of [201, 1000, 10_000, 100_000, 1_000_000]) {
    t.regex(errorOf(() => json.encode(nested(levels))).message, /200 levels/)
  }
  t.regex(errorOf(() => json.encode(nested(201))).path, /^a(\.a){199}$/)
  for (const codec of [json, reviving]) t.deepEqual(codec.decode(JSON.stringify(nested(200))), nested(200))
  for (const levels of [201, 100_000]) {
    t.throws(() => reviving.decode('['.repeat(levels) + ']'.repeat(levels)), { code: 'PHIAL_CODEC' })
    t.throws(() => json.decode(`${'['.repeat(levels)}"__proto__"${']'.repeat(levels)}`), { code: 'PHIAL_CODEC' })
  }
  t.throws(() => devalue.encode(nested(100_000)), { code: 'PHIAL_CODEC' })
})

test('S133: what the codec takes comes back the same, of all kinds of values', t => {
  const anything = fc.anything({ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true, withObjectString: true, withSparseArray: true,
    withTypedArray: true, withUnicodeString: true } as object)
    // Node 20 does not take two of these for equal.
    .filter(value => !inspect(value, { depth: null, maxArrayLength: null }).includes('Invalid Date'))
  for (const codec of [json, devalue]) {
    let taken = 0
    fc.assert(fc.property(anything, value => {
      let text: string
      try {
        text = codec.encode({ value })
      } catch (error) {
        t.true(error instanceof CodecError, inspect(error))
        return
      }
      taken++
      const back = codec.decode(text)
      if (!isDeepStrictEqual(back, { value })) t.fail(`${inspect(value)} became ${inspect(back)}`)
    }), { numRuns: fuzzCount(3000) })
    t.true(taken > 0)
  }
})

test('S134: any JSON comes back the same', t => {
  const text = fc.string({ unit: 'binary' })
  const value = fc.letrec(tie => ({
    value: fc.oneof({ depthSize: 'medium' }, fc.constant(null), fc.boolean(), fc.integer(), fc.maxSafeInteger(), text,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => number + 0),
      fc.array(tie('value')), fc.dictionary(text.filter(key => key !== '__proto__'), tie('value'), { noNullPrototype: true })),
  })).value
  fc.assert(fc.property(value, inner => {
    const back = roundTrip(json, { inner })
    if (!isDeepStrictEqual(back, { inner })) t.fail(inspect(inner))
  }), { numRuns: fuzzCount(3000) })
  const long = '€😀x'.repeat(250_000)
  t.deepEqual(roundTrip(json, { long }), { long })
})

test('S131: a stored key __proto__ is refused, however it is spelled and wherever it stands', t => {
  for (const key of ['__proto__', '\\u005f_proto__', '\\u005F\\u005fproto__', '__pr\\u006fto__', '__\\u0070roto__', '__pro\\u0074o__', '\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f']) {
    for (const text of [`{"${key}":{"polluted":1}}`, `{"a":{"${key}":1}}`, `{"a":[{"b":{"${key}":null}}]}`, `[{"${key}":1}]`, `{"a":1,"${key}":{},"b":2}`]) {
      for (const codec of [json, reviving]) t.throws(() => codec.decode(text), { code: 'PHIAL_CODEC' }, text)
    }
  }
  t.deepEqual(json.decode('{"a":"__proto__","b":"\\u005f_proto__","c":"\\u0000"}'), { a: '__proto__', b: '__proto__', c: '\0' })
})

test('S131: hostile records change no prototype', t => {
  const names = (): string[] => [Object.prototype, Array.prototype, String.prototype, Function.prototype].flatMap(prototype => Reflect.ownKeys(prototype).map(String))
  const before = names()
  const key = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'then', 'toJSON', '\\u005f_proto__', 'a')
  const hostile = fc.letrec<{ text: string }>(tie => ({
    text: fc.oneof({ depthSize: 'small' }, fc.constantFrom('1', '"x"', 'null', '{}', '[]'),
      fc.array(fc.tuple(key, tie('text'))).map(pairs => `{${pairs.map(([name, value]) => `"${name}":${value}`).join(',')}}`),
      fc.array(tie('text')).map(values => `[${values.join(',')}]`)),
  })).text
  fc.assert(fc.property(hostile, text => {
    for (const codec of [json, reviving, devalue]) {
      let data: Record<string, unknown>
      try {
        data = codec.decode(text) as Record<string, unknown>
      } catch (error) {
        t.true(error instanceof CodecError)
        continue
      }
      t.false(hasProtoKey(data), text)
      Object.assign({}, data)
    }
  }), { numRuns: fuzzCount(2000) })
  t.deepEqual(names(), before)
})

test('S137: what is not a stored record is a CodecError, which holds nothing of it', t => {
  const canary = 'canary-of-a-user'
  for (const text of ['', ' ', canary, `"${canary}"`, '1', 'null', 'true', `{"a":"${canary}"`, `{"a":"${canary}"}}`, `{'a':'${canary}'}`, '\ufeff{}', 'undefined', '[', `["${canary}`]) {
    for (const codec of [json, reviving, devalue, makeCodec(JSON)]) {
      const error = errorOf(() => codec.decode(text))
      t.is(error.path, '')
      t.false(inspect(error, { depth: 9, showHidden: true }).includes('canary'), text)
    }
  }
})

test('S014: an error in storing holds no data but the path', t => {
  const canary = 'canary-of-a-user'
  for (const codec of [json, devalue]) {
    const error = errorOf(() => codec.encode({ secret: canary, list: [canary, () => canary] }))
    t.is(error.path, 'list[1]')
    t.false(inspect(error, { depth: 9, showHidden: true }).includes('canary'))
  }
})

test('revive: what has a toJSON is stored as that says, and made again by the hook', t => {
  const createdAt = new Date(86_400_000)
  const data = { createdAt, list: [{ savedAt: createdAt }], plain: { a: 1 }, none: null }
  t.is(reviving.encode(data), JSON.stringify(data))
  t.deepEqual(roundTrip(reviving, data), data)
  t.is(data.createdAt, createdAt)
})

test('revive: toJSON is told its key, and may be of the data itself', t => {
  const keys: string[] = []
  const speaking = { toJSON(key: string) { keys.push(key); return { key } } }
  t.is(reviving.encode({ a: speaking, b: [speaking] }), '{"a":{"key":"a"},"b":[{"key":"0"}]}')
  t.is(reviving.encode(speaking), '{"key":""}')
  t.deepEqual(keys, ['a', '0', ''])
})

test('revive: what toJSON gives is as strictly looked at, and what it throws is told with its path', t => {
  for (const [given, path] of [[undefined, 'a'], [{ b: [NaN] }, 'a.b[0]'], [new Map(), 'a'], [new Date(0), 'a'], ['\ud800', 'a']] as const) {
    t.is(errorOf(() => reviving.encode({ a: { toJSON: () => given } })).path, path)
  }
  const failure = new Error('toJSON of the application')
  const error = errorOf(() => reviving.encode({ list: [{ toJSON() { throw failure } }] }))
  t.is(error.path, 'list[0]')
  t.is(error.cause, failure)
  const ring: { toJSON(): object } = { toJSON: () => ({ ring }) }
  t.regex(errorOf(() => reviving.encode(ring)).message, /200 levels/)
})

test('revive: without it a toJSON is refused, since nobody would make the object again', t => {
  t.is(errorOf(() => json.encode({ a: { createdAt: new Date(0) } })).path, 'a.createdAt')
})

test('revive: what the hook throws passes through, and what is not ours never reaches it', t => {
  const failure = new Error('the hook of the application')
  let calls = 0
  const codec = makeCodec('json', () => { calls++; throw failure })
  t.throws(() => codec.decode('{"a":1}'), { is: failure })
  t.is(calls, 1)
  t.throws(() => codec.decode('{"a":1'), { code: 'PHIAL_CODEC' })
  t.throws(() => codec.decode('{"__proto__":1}'), { code: 'PHIAL_CODEC' })
  t.is(calls, 1)
  t.throws(() => makeCodec('json', () => undefined).decode('{"a":1}'), { code: 'PHIAL_CODEC' })
})

test('revive: works with JSON only', t => {
  t.throws(() => makeCodec('devalue', (_key, value) => value), { code: 'PHIAL_CONFIG' })
  t.throws(() => makeCodec(JSON, (_key, value) => value), { code: 'PHIAL_CONFIG' })
})

test('devalue: keeps what JSON cannot', t => {
  const data = { born: new Date(0), map: new Map<unknown, unknown>([['a', new Set([1n])]]), none: undefined, numbers: [NaN, Infinity, -Infinity, -0, 1n], pattern: /x/gi, bytes: new Uint8Array([1, 2]),
    url: new URL('https://example.org/'), holes: [1, , 3] } // oxlint-disable-line no-sparse-arrays
  t.true(isDeepStrictEqual(roundTrip(devalue, data), data))
  t.is((roundTrip(devalue, { never: new Date(NaN) }) as { never: Date }).never.getTime(), NaN)
  const ring = roundTrip(devalue, cycle()) as { inner: { back: object } }
  t.is(ring.inner.back, ring)
})

test('devalue: refuses functions, classes, symbols and __proto__, and says where', t => {
  for (const value of [() => 1, Account, new Account(), Symbol('x'), { [Symbol('x')]: 1 }, JSON.parse('{"__proto__":1}'), Promise.resolve()] as unknown[]) {
    t.is(errorOf(() => devalue.encode({ user: [{ value }] })).path, 'user[0].value')
  }
  t.is(errorOf(() => devalue.encode(new Account())).path, '')
  t.is(errorOf(() => devalue.encode({ 'a b': () => 1 })).path, '["a b"]')
})

test('devalue: a hostile record is a CodecError', t => {
  for (const text of ['[]', '[["Function","x"]]', '[{"__proto__":1},1]', '[["null","__proto__",1],1]', '[["Object",0]]', '-1', '[[-7,4294967296]]', '[1]', `[${'["Set",1],'.repeat(3)}]`,
    `[${Array.from({ length: 100_000 }, (_, index) => `[${index + 1}]`).join(',')},1]`]) {
    t.throws(() => devalue.decode(text), { code: 'PHIAL_CODEC' }, text.slice(0, 50))
  }
})

test('devalue: when it is not installed the error names the setting and the command', t => {
  const place = mkdtempSync(join(realpathSync(tmpdir()), 'phial-codec-'))
  try {
    cpSync(fileURLToPath(new URL('../../src', import.meta.url)), join(place, 'src'), { recursive: true })
    writeFileSync(join(place, 'package.json'), '{"type":"module"}')
    writeFileSync(join(place, 'try.js'), `
      import { makeCodec } from ${JSON.stringify(pathToFileURL(join(place, 'src/record/codec.js')).href)}
      makeCodec('json').encode({})
      try { makeCodec('devalue') } catch ({ name, code, message }) { console.log(JSON.stringify({ name, code, message })) }`)
    const { stdout, stderr } = spawnSync(process.execPath, [join(place, 'try.js')], { encoding: 'utf8', cwd: place, env: {} })
    t.is(stderr, '')
    t.deepEqual(JSON.parse(stdout), { name: 'DependencyError', code: 'PHIAL_DEPENDENCY',
      message: 'dataSerializer: devalue needs a package that is not installed: npm install devalue' })
  } finally {
    rmSync(place, { recursive: true })
  }
})

test('a serializer of one\'s own is used as it is', t => {
  const codec = makeCodec({ stringify: data => `<${JSON.stringify(data)}>`, parse: text => JSON.parse(text.slice(1, -1)) as unknown })
  t.is(codec.encode({ a: 1 }), '<{"a":1}>')
  t.deepEqual(codec.decode('<{"a":1}>'), { a: 1 })
})

test('a serializer of one\'s own that fails, or gives no well-formed text, gives a CodecError', t => {
  const failure = new Error('the serializer of the application')
  const failing = makeCodec({ stringify() { throw failure }, parse() { throw failure } })
  t.is(errorOf(() => failing.encode({})).cause, failure)
  t.throws(() => failing.decode('{}'), { code: 'PHIAL_CODEC' })
  for (const given of [undefined, null, 1, Buffer.from('{}'), Promise.resolve('{}'), '\ud800']) {
    t.throws(() => makeCodec({ stringify: () => given as string, parse: JSON.parse }).encode({}), { code: 'PHIAL_CODEC' })
  }
  t.throws(() => makeCodec({ stringify: () => '', parse: () => 'text' }).decode(''), { code: 'PHIAL_CODEC' })
})

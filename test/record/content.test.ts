import test from 'ava'
import fc from 'fast-check'
import { makeCodec } from '../../src/record/codec.js'
import { Content } from '../../src/record/content.js'

const json = makeCodec('json')

const again = (content: Content): Content => Content.decode(json, { payload: content.encode() })

/** Integer-like keys come first in an object, whenever they were put there; the others are what a text may stumble over. */
const keys = fc.constantFrom('a', 'b', '10', '2', '', '{', '\n', '\r', '\u2028', '"', 'toString', 'constructor', 'é', '\u{1F600}')
const values = fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('-0') && !JSON.stringify(value).includes('__proto__'))

type Step = readonly [kind: 'get' | 'set' | 'delete' | 'open' | 'store', key: string, value: unknown]

const steps = fc.array(fc.tuple(fc.constantFrom<Step[0]>('get', 'set', 'delete', 'open', 'store'), keys, values), { maxLength: 30 })

const taken = (content: Content, [kind, key, value]: Step): Content => {
  if (kind === 'get') void content.get(key)
  if (kind === 'set') content.set(key, value)
  if (kind === 'delete') content.delete(key)
  if (kind === 'open') void content.data
  return kind === 'store' ? again(content) : content
}

test('whatever is read, set, deleted and stored in between, content is what a plain object would be', (t) => {
  fc.assert(fc.property(steps, (all) => {
    let content = new Content(json)
    const model: Record<string, unknown> = {}
    for (const step of all) {
      content = taken(content, step)
      const [kind, key, value] = step
      if (kind === 'set') model[key] = value
      if (kind === 'delete') delete model[key]
      t.deepEqual([content.keys().sort(), content.has(key), content.get(key)], [Object.keys(model).sort(), Object.hasOwn(model, key), Object.hasOwn(model, key) ? model[key] : undefined])
    }
    t.deepEqual(again(content).data, model)
    t.deepEqual(content.data, model)
  }), { numRuns: 300 })
})

/** `1.0` is a spelling that is never written: whoever decodes it writes `1`. */
const oddlySpelled = '{"a":3,"b":3}\n[1.0,2.0]'

test('what nobody asked for is stored again as the text that it was', (t) => {
  const content = Content.decode(json, { payload: oddlySpelled })
  t.deepEqual([content.has('a'), content.keys()], [true, ['a', 'b']])
  t.is(content.encode(), oddlySpelled)
  t.is(content.get('a'), 1)
  t.is(content.encode(), '{"a":1,"b":3}\n[1,2.0]')
  content.set('c', [3])
  content.delete('b')
  t.is(content.encode(), '{"a":1,"c":3}\n[1,[3]]')
  content.delete('a')
  content.delete('c')
  t.is(content.encode(), '{}\n[]')
})

test('an object that was asked for is stored as it is by then, in depth too', (t) => {
  const content = Content.decode(json, { payload: '{"list":3,"b":3}\n[[1],2.0]' })
  ;(content.get('list') as number[]).push(2)
  t.is(content.encode(), '{"list":5,"b":3}\n[[1,2],2.0]')
  ;(content.data['list'] as number[]).push(3)
  t.is(content.encode(), '{"list":7,"b":1}\n[[1,2,3],2]')
})

test('fields that nobody asked for stay the text that they were', (t) => {
  const content = Content.decode(json, { payload: '11{"a":3}\n{"f": 1.0 }[1.0]' })
  t.is(content.encode(), '11{"a":3}\n{"f": 1.0 }[1.0]')
  t.deepEqual(content.fields, { f: 1 })
  t.is(content.encode(), '7{"a":3}\n{"f":1}[1.0]')
  content.fields = {}
  t.is(content.encode(), '{"a":3}\n[1.0]')
})

test('a damaged value is found when it is asked for; where nothing else proves the text, at once', (t) => {
  const damaged = { payload: '{"a":1,"b":1}\n[x,2]' }
  t.is(Content.decode(json, damaged).get('b'), 2)
  for (const read of [(content: Content) => content.get('a'), (content: Content) => content.data]) {
    t.throws(() => read(Content.decode(json, damaged)), { code: 'PHIAL_CODEC' })
  }
  t.throws(() => Content.decode(json, { ...damaged, isUnverified: true }), { code: 'PHIAL_CODEC' })
  t.throws(() => Content.decode(json, { payload: '2{"b":1}\n[][2]', isUnverified: true }), { code: 'PHIAL_CODEC' })
})

test('a serializer of another kind has the whole, and reads what was stored by key', (t) => {
  const reviving = makeCodec('json', (key, value) => key === 'at' ? new Date(value as string) : value)
  const content = Content.decode(reviving, { payload: new Content(json, { at: '2030-01-01T00:00:00.000Z', b: 2 }).encode() })
  t.deepEqual(content.data, { at: new Date('2030-01-01'), b: 2 })
  t.is(content.encode(), '\n{"at":"2030-01-01T00:00:00.000Z","b":2}')
  t.is(Content.decode(json, { payload: content.encode() }).get('at'), '2030-01-01T00:00:00.000Z')
})

test('who asks for more than a few values gets all decoded at once', (t) => {
  const names = [...'abcdefghij']
  const content = Content.decode(json, { payload: `${JSON.stringify(Object.fromEntries(names.map((name) => [name, 3])))}\n[${names.map(() => '1.0').join(',')}]` })
  for (const name of names.slice(0, 8)) t.is(content.get(name), 1)
  t.true(content.encode().endsWith(',1.0,1.0]'))
  content.delete('j')
  t.is(content.get('i'), 1)
  t.deepEqual([content.has('j'), content.get('j'), content.keys()], [false, undefined, names.slice(0, 9)])
  t.true(content.encode().endsWith(',1,1]'))
})

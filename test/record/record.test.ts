import test from 'ava'
import fc from 'fast-check'
import { formatMoved, formatRecord, parseRecord } from '../../src/record/record.js'

const KEY = 'f'.repeat(64)

const time = fc.integer({ min: -1e15, max: 1e15 })
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(' {', '\n', '\r', '\u2028', '"', '} moved 1 2'))
const list = (item: fc.Arbitrary<string>) => fc.array(item, { minLength: 1, maxLength: 6 })

const metas = fc.record({
  createdAt: time, savedAt: time, writes: fc.oneof(list(fc.base64String({ minLength: 1 }).map((one) => one.replaceAll(/[+/=]/g, '_'))), fc.constant([])),
  authenticatedAt: time, owner: text, generations: list(text), domain: text, path: text,
}, { requiredKeys: ['createdAt', 'savedAt', 'writes'] }).filter(({ generations, owner }) => generations === undefined || owner !== undefined)

test('what is kept beside the content comes back as it was, with a checksum and without', (t) => {
  fc.assert(fc.property(metas, text, fc.boolean(), (meta, payload, hasChecksum) => {
    const { isUnverified, ...record } = parseRecord(KEY, formatRecord(KEY, { meta, payload }, hasChecksum), false) as any
    const given = Object.fromEntries(Object.entries(record.meta).filter(([, value]) => value !== undefined))
    t.deepEqual([given, record.payload, isUnverified], [meta, payload, !hasChecksum])
  }), { numRuns: 500 })
})

test('a checksum tells of any other content, unless others have looked', (t) => {
  const record = formatRecord(KEY, { meta: { createdAt: 1, savedAt: 2, writes: [] }, payload: '{"a":1}\n[1]' }, true)
  t.is((parseRecord(KEY, record, false) as any).isUnverified, false)
  const altered = record.replace(/1\]$/, '2]')
  t.throws(() => parseRecord(KEY, altered, false), { code: 'PHIAL_CODEC' })
  t.is((parseRecord(KEY, altered, true) as any).payload, '{"a":1}\n[2]')
})

test('a sign that a session has another id now says where it is, and until when that may be followed', (t) => {
  t.deepEqual(parseRecord(KEY, formatMoved(KEY, { movedTo: 'a'.repeat(64), until: 17 }), false), { movedTo: 'a'.repeat(64), until: 17 })
  t.throws(() => parseRecord('0'.repeat(64), formatMoved(KEY, { movedTo: KEY, until: 17 }), true), { code: 'PHIAL_CODEC' })
})

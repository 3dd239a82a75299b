import assert from 'node:assert/strict'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present, type Stage } from '../stage.js'

const values: Readonly<Record<string, string>> = {
  'the empty string': '',
  'one character': 'x',
  'one digit': '0',
  'a NUL': 'a\0b',
  'a NUL alone': '\0',
  'line ends of all kinds': '\na\r\nb\rc\u2028d\u2029\n',
  'blanks at both ends': ' \t value \t ',
  'a byte order mark': '\uFEFFvalue',
  'control characters': '\u0001\u001B\u007F\u0085',
  'accents, composed and apart': '\u00E9 e\u0301',
  'text of two and three bytes a character': '\u0436\u20AC\u6F22',
  'emoji': '\u{1F600}\u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
  'the last code points': '\uFFFD\uFFFE\uFFFF\u{10FFFF}',
  'what looks like escapes': '%00 \\u0000 &amp; + %2B "\'` $& {}',
  'what looks like a record': JSON.stringify({ value: 'a', version: 'b', expiresAt: 0 }),
}

const roundTrips = Object.entries(values).map(([what, value]) => [
  `value: ${what} comes back as it was, from create and from replace`,
  async (stage: Stage): Promise<void> => {
    const key = stage.key()
    const manager = await stage.open()
    const version = present(await manager.create(key, value, stage.later()))
    assert.equal(await stage.readValue(key), value)
    const next = await stage.open()
    const between = present(await next.replace(key, 'between', version, stage.later()))
    present(await next.replace(key, value, between, stage.later()))
    assert.equal(await stage.readValue(key), value)
  },
] as const)

const tooLarge = { code: 'PHIAL_TOO_LARGE' }

/** Text of exactly so many bytes, in characters of three bytes as far as it goes. */
const euros = (bytes: number): string => '\u20AC'.repeat(Math.floor(bytes / 3)) + 'x'.repeat(bytes % 3)

export const valueCases: readonly CaseDefinition[] = casesFor([], {
  ...Object.fromEntries(roundTrips),
  'value: of maxValueBytes is taken': async (stage) => {
    const value = 'x'.repeat(stage.supports.maxValueBytes)
    const key = stage.key()
    const manager = await stage.open()
    const version = present(await manager.create(key, value, stage.later()))
    const next = await stage.open()
    assert.ok((await next.get(key))?.value === value, 'made')
    present(await next.replace(key, value, version, stage.later()))
    assert.ok((await stage.readValue(key)) === value, 'replaced')
  },
  'value: of maxValueBytes in characters of three bytes is taken': async (stage) => {
    const value = euros(stage.supports.maxValueBytes)
    const key = stage.key()
    present(await (await stage.open()).create(key, value, stage.later()))
    assert.ok((await stage.readValue(key)) === value)
  },
  'value: over maxValueBytes, create rejects with TooLargeError and makes nothing': async (stage) => {
    const key = stage.key()
    const manager = await stage.open()
    await assert.rejects(manager.create(key, 'x'.repeat(stage.supports.maxValueBytes + 1), stage.later()), tooLarge)
    assert.equal(await stage.read(key), undefined)
  },
  'value: over maxValueBytes, replace rejects with TooLargeError and the record is as it was': async (stage) => {
    const key = stage.key()
    const manager = await stage.open()
    const version = present(await manager.create(key, 'old', stage.soon()))
    await assert.rejects(manager.replace(key, 'x'.repeat(stage.supports.maxValueBytes + 1), version, stage.later()), tooLarge)
    const record = present(await manager.get(key))
    assert.deepEqual([record.value, record.version], ['old', version])
    await stage.outlive()
    assert.equal(await stage.read(key), undefined, 'the expiry, too')
  },
  'value: over maxValueBytes, a stale replace leaves the record as it was': async (stage) => {
    const key = stage.key()
    const manager = await stage.open()
    const stale = present(await manager.create(key, 'old', stage.later()))
    const version = present(await manager.replace(key, 'new', stale, stage.later()))
    await manager.replace(key, 'x'.repeat(stage.supports.maxValueBytes + 1), stale, stage.later()).catch(() => undefined)
    const record = present(await stage.read(key))
    assert.deepEqual([record.value, record.version], ['new', version])
  },
  'value: is measured in bytes, not in characters': async (stage) => {
    const key = stage.key()
    const manager = await stage.open()
    const value = euros(stage.supports.maxValueBytes + 1)
    assert.ok(value.length < stage.supports.maxValueBytes)
    await assert.rejects(manager.create(key, value, stage.later()), tooLarge)
    assert.equal(await stage.read(key), undefined)
  },
})

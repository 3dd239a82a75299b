import fc from 'fast-check'
import test from 'ava'
import { readCookies } from '../../src/http/cookie-header.js'
import { fuzzRuns } from './cookie-support.js'

const name = '__Host-sid'

const cases = (number: string, title: string, table: readonly (readonly [header: string, ...values: string[]])[]): void => {
  test(`${number}: ${title}`, t => {
    for (const [header, ...values] of table) t.deepEqual(readCookies(header, name), values, JSON.stringify(header))
  })
}

cases('S080', 'a cookie is found first, last, between others and alone', [
  ['__Host-sid=x', 'x'],
  ['a=1; __Host-sid=x', 'x'],
  ['__Host-sid=x; a=1', 'x'],
  ['a=1;__Host-sid=x;b=2', 'x'],
  ['a=__Host-sid; __Host-sid=x', 'x'],
  ['__Host-sid2=1; __Host-sid=x', 'x'],
  ['__Host-sid; __Host-sid=x', 'x'],
  ['__Host-sid=a=b==; c', 'a=b==']
])

cases('S081', 'all values of our name are given, in their order, equal and empty ones too', [
  ['__Host-sid=valid; __Host-sid=forged', 'valid', 'forged'],
  ['__Host-sid=forged; a=1; __Host-sid=valid', 'forged', 'valid'],
  ['__Host-sid=; __Host-sid=x; __Host-sid=', '', 'x', ''],
  ['__Host-sid=x; __Host-sid=x', 'x', 'x']
])

cases('S082', 'names are not percent-decoded, nor are values', [
  ['%5F%5FHost-sid=x'], ['__Host%2Dsid=x'], ['%5f_Host-sid=x'], ['__Host-sid%3Dx'], ['__Host-sid=%41%', '%41%']
])

cases('S083', 'only SP and TAB are trimmed, from names and from values', [
  [' \t __Host-sid \t = \tx\t ', 'x'],
  ['a=1 ; \t__Host-sid=x ;', 'x'],
  ['__Host-sid=a b', 'a b'],
  ['__Host-sid= \t ', ''],
  ...'\u2000 \u00a0 \u0085 \u1680 \u2028 \u3000 \ufeff \v \f \0 \u001f \r \n'.split(' ').flatMap(blank => {
    const asNodeReadsUtf8 = Buffer.from(blank).toString('latin1')
    return [blank, asNodeReadsUtf8].flatMap((odd): [string, ...string[]][] => [
      [`${odd}__Host-sid=x`], [`a=1; ${odd}__Host-sid=x`], [`__Host-sid${odd}=x`], [`__Host-sid=${odd}x${odd}`, `${odd}x${odd}`]
    ])
  })
])

cases('S084', 'no character of a name stands for another', [
  ['__Host.sid=x'], ['__Host[sid=x'], ['__Host sid=x'], ['__Host_sid=x'], ['. _Host-sid=x'], ['++Host-sid=x'], ['__Host-sid[]=x']
])

cases('S085', 'a cookie without a name is not ours', [
  ['=__Host-sid=x'], ['a=1; =__Host-sid=x'], [' = __Host-sid=x'], ['==__Host-sid=x'], ['__Host-sid'], ['__Host-sid;=x']
])

cases('S086', 'there is no $Version, and no quote spans a semicolon', [
  ['$Version=1; __Host-sid=x; $Path=/', 'x'],
  ['$Version="1"; __Host-sid="x"; $Domain=y', '"x"'],
  ['$Version=1, __Host-sid=x'],
  ['a="; __Host-sid=x; b="', 'x'],
  ['__Host-sid="x; a=y"', '"x'],
  ['$__Host-sid=x'],
  ['a="\\"; __Host-sid=x"', 'x"']
])

cases('S087', 'case matters', [
  ['__host-sid=x'], ['__HOST-SID=x'], ['__Host-Sid=x'], ['__Host-s\u0131d=x']
])

cases('S088', 'broken headers give what is in them, or nothing', [
  [''], ['='], [';'], [';;;;'], [' '], ['; ; ='], ['%'], ['a=%E0%A4%A'], ['é=ü; __Host-sid=é', 'é'], ['__Host-sid==', '='],
  [`${'a=b; '.repeat(3000)}__Host-sid=x`, 'x'], [`__Host-sid=${';'.repeat(3000)}`, ''], ['\ud800; __Host-sid=\udfff', '\udfff']
])

test('S090: the names of Object.prototype are names like any other, and change nothing', t => {
  const prototype = Reflect.ownKeys(Object.prototype)
  for (const odd of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']) {
    t.deepEqual(readCookies(`${odd}=polluted; __Host-sid=x; ${odd}.a=1`, name), ['x'])
    t.deepEqual(readCookies(`${odd}=1; __Host-sid=x`, odd), ['1'])
    t.deepEqual(readCookies('__Host-sid=x', odd), [])
  }
  t.deepEqual(Reflect.ownKeys(Object.prototype), prototype)
})

test('S091: a missing cookie is no value, not a failure', t => {
  t.deepEqual(readCookies(undefined, name), [])
  t.deepEqual(readCookies('a=1; b=2', name), [])
})

/** What it should be, said plainly and slowly. */
const plainly = (header: string, wanted: string): string[] =>
  header.split(';').flatMap(pair => {
    const [found, ...value] = pair.split('=')
    return value.length > 0 && unpadded(found!) === wanted ? [unpadded(value.join('='))] : []
  })

const unpadded = (text: string): string => {
  const octets = text.split('')
  while (octets.length > 0 && ' \t'.includes(octets[0]!)) octets.shift()
  while (octets.length > 0 && ' \t'.includes(octets.at(-1)!)) octets.pop()
  return octets.join('')
}

const scrap = fc.constantFrom(
  name, name, '=', '=', ';', ';', ';', '; ', ' ', '\t', '"', ',', '%', '\\', '$Version', '\u00a0', '\u2000', '\0', 'é',
  '__Host-', 'sid', 'x', 'X'
)
const header = fc.array(fc.oneof(scrap, fc.string({ unit: 'binary', maxLength: 3 }))).map(parts => parts.join(''))

test('S088: any header at all is read as the plain definition reads it', t => {
  fc.assert(fc.property(header, text => {
    t.deepEqual(readCookies(text, name), plainly(text, name))
  }), fuzzRuns(3000))
})

test('S082, S083, S084, S087: no value comes from a name that is not ours to the byte', t => {
  const wrong = fc.oneof(fc.constantFrom('%', '\u00a0', '\u2000', '_', '.', '\0'), fc.string({ maxLength: 2 }))
  const almost = fc.tuple(fc.nat(name.length), fc.nat(1), wrong)
    .map(([at, cut, put]) => name.slice(0, at) + put + name.slice(at + cut))
  const foreign = fc.oneof(almost, fc.string({ unit: 'binary' }))
    .map(text => text.replaceAll(/[;=]/g, '')).filter(text => unpadded(text) !== name)
  fc.assert(fc.property(fc.array(fc.tuple(foreign, fc.constantFrom('x', name, `${name}=x`, ''))), pairs => {
    t.deepEqual(readCookies(pairs.map(pair => pair.join('=')).join('; '), name), [])
  }), fuzzRuns(2000))
})

test('S089: each octet of a header is looked at a bounded number of times', t => {
  const filled = [
    ';', ' ', '\t', '=', 'a', '"', '; ', ' ;', 'a=b;', '__Host-si', '__Host-si;', `${name} `, `${name};`, `${name}=;`, ` ${name} = ;`,
    `=${name}`, `;${name}\t=\t`
  ].map(unit => (length: number) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length))
  const padded = [
    (length: number) => name.padEnd(length),
    (length: number) => name.padStart(length),
    (length: number) => `${name}=`.padEnd(length),
    (length: number) => `${name}=`.padStart(length),
    (length: number) => `${name.padEnd(length / 2)}=`.padStart(length),
    (length: number) => `${name}=`.padEnd(length, '; ')
  ]
  const hostile = [...filled, ...padded]
  for (const [index, make] of hostile.entries()) {
    for (const kibibytes of [1, 2, 4, 8, 16]) {
      const counted = countLooks(make(kibibytes * 1024))
      const values = readCookies(counted.header, name)
      t.deepEqual(values, plainly(make(kibibytes * 1024), name))
      t.true(counted.looks() <= 6 * kibibytes * 1024 + 64, `pattern ${index}, ${kibibytes} KiB: ${counted.looks()} looks`)
    }
  }
})

/** A header that counts the octets that are looked at. It offers what a reader needs of a string, and nothing else. */
const countLooks = (text: string): { header: string; looks: () => number } => {
  let looks = 0
  const members: Record<string, unknown> = {
    length: text.length,
    indexOf: (needle: string, from = 0) => {
      const at = text.indexOf(needle, from)
      looks += (at === -1 ? text.length : at + needle.length) - from
      return at
    },
    slice: (from: number, to: number) => text.slice(from, to)
  }
  const header = new Proxy({}, {
    get: (_, property) => {
      if (typeof property !== 'string') throw new Error('Not a member of the counted header')
      if (property in members) return members[property]
      if (!/^-?\d+$/.test(property)) throw new Error(`${property} is not counted`)
      looks++
      return text[Number(property)]
    }
  })
  return { header: header as string, looks: () => looks }
}

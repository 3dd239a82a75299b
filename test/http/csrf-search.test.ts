import test from 'ava'
import { tokenSearch } from '../../src/http/csrf-search.js'

const URL_ENCODED = 'application/x-www-form-urlencoded'
const MULTIPART = 'multipart/form-data'
const TOKEN = 'a-_9z'.repeat(13)
const SIZES = [1, 2, 3, 7, 64, 65, 1000, 70_000]

const cut = (text: string, size: number): string[] => Array.from({ length: Math.ceil(text.length / size) }, (_, piece) => text.slice(piece * size, (piece + 1) * size))

const found = (mediaType: string, pieces: readonly string[]): string | undefined => {
  const search = tokenSearch(mediaType)!
  return pieces.map(search).find((token) => token !== undefined)
}

const part = (head: string, value: string): string => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`

test('the token is found wherever it stands, in pieces of any size', (t) => {
  const bodies: [string, string][] = [
    [URL_ENCODED, `csrf_token=${TOKEN}`], [URL_ENCODED, `a=b&csrf_token=${TOKEN}&c=d`], [URL_ENCODED, `csrf_token=x&&csrf_token=csrf_token=&csrf_token=${TOKEN}`],
    [MULTIPART, part('name="csrf_token"', TOKEN)], [MULTIPART, part('name=csrf_token', TOKEN)], [MULTIPART, part('name="a"', 'x'.repeat(500)) + part('name="csrf_token"', TOKEN)],
    [MULTIPART, part('name="csrf_token"', 'short') + part('name="csrf_token"', TOKEN)], [MULTIPART, part('name="csrf_token"\r\nContent-Type: text/plain\r\nX: y', TOKEN)],
    [MULTIPART, part('name="csrf_token"\r\n; name="csrf_token"', TOKEN)],
  ]
  for (const [type, body] of bodies) for (const size of SIZES) t.is(found(type, cut(body, size)), TOKEN, `${body} in pieces of ${size}`)
})

test('what is not the field, or is no token, is not found', (t) => {
  const bodies: [string, string][] = [
    [URL_ENCODED, ''], [URL_ENCODED, `xcsrf_token=${TOKEN}`], [URL_ENCODED, `csrf_token=${TOKEN.slice(1)}`], [URL_ENCODED, `csrf_token=${TOKEN.slice(1)}&`], [URL_ENCODED, `\r\ncsrf_token=${TOKEN}`],
    [MULTIPART, part('name="csrf_token"', TOKEN.slice(1))], [MULTIPART, part('name="xcsrf_token"', TOKEN)], [MULTIPART, part('filename="csrf_token"; x=y', TOKEN)],
    [MULTIPART, part('name="csrf_token"; x=y', TOKEN)], [MULTIPART, part('name="a"', `csrf_token=${TOKEN}`)], [MULTIPART, `; name="csrf_token"\r\n${TOKEN}`],
  ]
  for (const [type, body] of bodies) for (const size of SIZES) t.is(found(type, cut(body, size)), undefined, `${body} in pieces of ${size}`)
  for (const type of ['', 'text/plain', 'application/json', 'multipart/mixed', '__proto__']) t.is(tokenSearch(type), undefined)
})

/** How many characters are passed over by all that looks into texts meanwhile, and the patterns that did. */
const watched = (work: () => void): { passed: number; patterns: Set<string> } => {
  const patterns = new Set<string>()
  let passed = 0
  const count = (text: string, from: number, end: number | undefined): void => void (passed += (end ?? text.length) - from)
  const { exec } = RegExp.prototype
  const { indexOf } = String.prototype
  RegExp.prototype.exec = function (text) {
    patterns.add(this.source)
    const match = exec.call(this, text)
    count(text, 0, match === null ? undefined : match.index + match[0].length)
    return match
  }
  String.prototype.indexOf = function (sought, from = 0) {
    const at = indexOf.call(this, sought, from)
    count(String(this), from, at === -1 ? undefined : at + sought.length)
    return at
  }
  try {
    work()
  } finally {
    Object.assign(RegExp.prototype, { exec })
    Object.assign(String.prototype, { indexOf })
  }
  return { passed, patterns }
}

const HOSTILE: Readonly<Record<string, readonly [string, string]>> = {
  'names without end': [MULTIPART, 'a;name=csrf_token\r\n'],
  'names and empty lines': [MULTIPART, ' name=csrf_token\r\n\r\n'],
  'almost tokens': [MULTIPART, ` name=csrf_token\r\n\r\n${TOKEN.slice(1)}\r\n`],
  'lines': [MULTIPART, 'a\r\n'],
  'empty lines': [MULTIPART, '\r\n'],
  'blanks': [MULTIPART, ' '],
  'pairs': [URL_ENCODED, `&csrf_token=${TOKEN.slice(1)}`],
  'ampersands': [URL_ENCODED, '&'],
}

for (const [name, [type, line]] of Object.entries(HOSTILE)) {
  test(`a body of 65,536 bytes that is made to be costly is looked at in proportion to its length, in whatever pieces: ${name}`, (t) => {
    const body = line.repeat(Math.ceil(65_536 / line.length)).slice(0, 65_536)
    for (const size of [65_536, 164, 1]) {
      const pieces = cut(body, size)
      const { passed, patterns } = watched(() => void found(type, pieces))
      t.is(found(type, pieces), undefined)
      t.deepEqual([...patterns].filter((pattern) => /[*+]|,\d*\}/.test(pattern)), [], 'patterns that repeat without a bound')
      t.true(passed <= 8 * body.length + 80 * pieces.length, `${passed} characters, in pieces of ${size}`)
    }
  })
}

import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../../', import.meta.url)

const sources = [...['src/record/', 'backends/cookie/'].flatMap(folder => readdirSync(new URL(folder, root)).map(file => folder + file)), 'backends/cookie.ts']
  .map(file => ({ file, code: codeOf(readFileSync(new URL(file, root), 'utf8')) }))

/** Without comments, which may name what is forbidden. */
function codeOf(source: string): string {
  return source.replaceAll(/\/\*.*?\*\/|(?<=^|\s)\/\/[^\n]*/gs, '')
}

const forbidden = {
  'S104: a weak or unauthenticated algorithm': /\b(?:aes-\d+-(?!gcm)\w+|ecb|cbc|ctr|md5|sha-?1|rc4)\b/i,
  'S110: bytes compared in a time that tells where they differ': /\.equals\(|\.compare\(|Buffer\.compare/,
  'S130: code or types made of data': /\beval\b|\bnew Function\b|node:vm|node:v8|\bdeserialize\b/,
  'S003: a random source that can be guessed': /Math\.random|pseudoRandomBytes/,
  'S113: compression': /node:zlib/,
}

const hits = (pattern: RegExp, files = sources): string[] => files.filter(({ code }) => pattern.test(code)).map(({ file }) => file)

for (const [what, pattern] of Object.entries(forbidden)) {
  test(`${what} is in no source`, t => {
    t.true(sources.length >= 10)
    t.deepEqual(hits(pattern), [])
  })
}

test('the patterns find what they are for', t => {
  for (const code of ["createCipheriv('aes-256-cbc')", "hash('md5', x)", 'tag.equals(other)', 'eval(text)', 'Math.random()', "from 'node:zlib'"]) {
    t.is(Object.values(forbidden).filter(pattern => pattern.test(codeOf(code))).length, 1, code)
  }
  t.is(codeOf('a // md5\n/* sha1\n */b'), 'a \nb')
})

test('S104: the only algorithms are AES-256-GCM and SHA-256', t => {
  const named = sources.flatMap(({ code }) => [...code.matchAll(/'((?:aes|sha|hmac|chacha)[\w-]*)'/gi)].map(([, name]) => name))
  t.deepEqual([...new Set(named)].sort(), ['aes-256-gcm', 'sha256'])
})

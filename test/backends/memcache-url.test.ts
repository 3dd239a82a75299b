import test from 'ava'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memcacheBackend } from '../../backends/memcache.js'
import { loadIni } from '../../src/index.js'
import { parseMemcacheUrl } from '../../backends/memcache/url.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { openMemcache } from '../support/memcache-store.js'

const names = (url: string): string[] => parseMemcacheUrl(url).addresses.map(({ name }) => name)

const forms: readonly (readonly [url: string, ...names: string[]])[] = [
  ['memcache://localhost', 'localhost:11211'],
  ['memcached://localhost:2', 'localhost:2'],
  ['MEMCACHE://LocalHost:2/', 'localhost:2'],
  ['memcache://a:1,b:2', 'a:1', 'b:2'],
  ['memcache://a:1, b:2', 'a:1', 'b:2'],
  ['a:1 b:2', 'a:1', 'b:2'],
  [' a;b:2 ', 'a:11211', 'b:2'],
  ['10.0.0.1,10.0.0.2:11212', '10.0.0.1:11211', '10.0.0.2:11212'],
  ['memcache://[::1]:2,[fe80::1]', '[::1]:2', '[fe80::1]:11211'],
  ['memcache:///run/memcached.sock', '/run/memcached.sock'],
  ['/run/a%20b.sock', '/run/a b.sock'],
  ['memcache:///run/a.sock,b:2', '/run/a.sock', 'b:2'],
  ['memcache://my_container:2', 'my_container:2'],
]

for (const [url, ...expected] of forms) {
  test(`url: ${url}`, (t) => {
    t.deepEqual(names(url), expected)
    t.is(parseMemcacheUrl(url).credentials, undefined)
  })
}

test('url: user and password are percent-encoded, and for all servers', (t) => {
  const { addresses, credentials } = parseMemcacheUrl('memcache://an%3An:p%40%3A%2C%20%C3%B6@a:1,b:2')
  t.deepEqual(credentials, { username: 'an:n', password: 'p@:, ö' })
  t.is(addresses.length, 2)
  t.deepEqual(addresses.map(({ target }) => target), [{ host: 'a', port: 1 }, { host: 'b', port: 2 }])
})

const refused = [
  '', 'memcache://', 'redis://a', 'memcaches://a', 'memcache://a:1,', 'a,,b', 'a:0', 'a:65536', 'a:x', 'a:', ':1', 'a:1:2', '::1', '[::1', '[::x]:1',
  '1.2.3', 'a/b', 'memcache://a:1/b', 'memcache://a?x=1', 'memcache://a#x', 'a:1 a:1', 'A:1 a:1', 'a a:11211', 'memcache://secret-word@a',
  'memcache://secret-word:@a', 'memcache://:secret-word@a', 'memcache://user:secret-word:more@a', 'memcache://user:secret-word@@a',
  'memcache://a,user:secret-word@b', 'memcache://user:secret-word%@a', `/${'x'.repeat(107)}`, '/run/%00', 'memcache://user:secret-word@a?', 'münchen:1',
]

for (const url of refused) {
  test(`url: refused, and not repeated: ${JSON.stringify(url.slice(0, 40))}`, (t) => {
    const error = t.throws(() => openMemcache(url), { code: 'PHIAL_CONFIG' }) as Error & { setting?: string }
    t.is(error.setting, 'url')
    t.false(error.message.includes('secret-word'))
    if (url.length > 3) t.false(error.message.includes(url))
  })
}

const options: readonly (readonly [what: string, setting: string, url: string | undefined, options: Record<string, unknown>])[] = [
  ['a user in the url and as an option', 'memcache.username', 'memcache://ann:secret-word@a', { username: 'ann', password: 'secret-word' }],
  ['a user without a password', 'memcache.password', 'a', { username: 'ann' }],
  ['a password without a user', 'memcache.username', 'a', { password: 'secret-word' }],
  ['an empty password', 'memcache.password', 'a', { username: 'ann', password: '' }],
  ['a NUL, which ends the password', 'memcache.password', 'a', { username: 'ann', password: 'secret-word\0more' }],
  ['a NUL in the url', 'memcache.password', 'memcache://ann:secret-word%00@a', {}],
  ['a client that is none', 'memcache.client', undefined, { client: {} }],
  ['a client without servers', 'memcache.client', undefined, { client: { servers: [] } }],
  ['a client of something else', 'memcache.client', undefined, { client: { servers: [{ host: 'a', port: 1 }] } }],
  ['a client beside a url', 'memcache.client', 'a', { client: { servers: [] } }],
  ['a client beside a password', 'memcache.client', undefined, { client: { servers: [] }, username: 'ann', password: 'secret-word' }],
]

for (const [what, setting, url, given] of options) {
  test(`options: refused at start: ${what}`, (t) => {
    const error = t.throws(() => openMemcache(url, { options: given as never }), { code: 'PHIAL_CONFIG' }) as Error & { setting?: string }
    t.is(error.setting, setting)
    t.false(error.message.includes('secret-word'))
  })
}

const page = readFileSync(new URL('../../../docs/memcache.md', import.meta.url), 'utf8')

test('docs: the addresses on the page are understood, and its options are the options', (t) => {
  const urls = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, first]) => first!).filter((cell) => !cell.startsWith('session.') && !cell.startsWith('memcache.'))
  t.is(urls.length, 5)
  for (const url of urls) t.notThrows(() => parseMemcacheUrl(url), url)
  for (const option of Object.keys(memcacheBackend.options!)) t.true(page.includes(`memcache.${option}\``), option)
  t.true(page.includes(`| ${memcacheBackend.supports.maxValueBytes} |`))
})

test('docs: the two lines that choose it', (t) => {
  const [, block] = /```ini\n(.*?)```/s.exec(page)!
  const file = join(temporaryDirectory(t), 'app.ini')
  writeFileSync(file, `[app:main]\n${block}`)
  t.notThrows(() => loadIni(file))
  t.is(block!.trim().split('\n').length, 2)
})

import test from 'ava'
import fc from 'fast-check'
import { parseNatMap, parseRedisUrl } from '../../../backends/redis/url.js'
import { ConfigError } from '../../../src/errors.js'

const understood: Readonly<Record<string, unknown>> = {
  'redis://localhost': { kind: 'server', server: { host: 'localhost', port: 6379 }, isTls: false, db: 0 },
  'redis://cache_1.example.org:7000/3': { kind: 'server', server: { host: 'cache_1.example.org', port: 7000 }, isTls: false, db: 3 },
  'redis://10.0.0.1/': { kind: 'server', server: { host: '10.0.0.1', port: 6379 }, isTls: false, db: 0 },
  'REDISS://[::1]:6380/15': { kind: 'server', server: { host: '::1', port: 6380 }, isTls: true, db: 15 },
  'rediss://[fe80::1%25eth0]': { kind: 'server', server: { host: 'fe80::1%eth0', port: 6379 }, isTls: true, db: 0 },
  'valkey://h': { kind: 'server', server: { host: 'h', port: 6379 }, isTls: false, db: 0 },
  'valkeys://h': { kind: 'server', server: { host: 'h', port: 6379 }, isTls: true, db: 0 },
  'redis://app:pw@h': { kind: 'server', server: { host: 'h', port: 6379 }, isTls: false, db: 0, username: 'app', password: 'pw' },
  'redis://:a:b@h': { kind: 'server', server: { host: 'h', port: 6379 }, isTls: false, db: 0, password: 'a:b' },
  'redis://a%40b:%2F%3F%23%25%20%3A%C3%A9@h': { kind: 'server', server: { host: 'h', port: 6379 }, isTls: false, db: 0, username: 'a@b', password: '/?#% :é' },
  'unix:///run/redis.sock': { kind: 'socket', path: '/run/redis.sock', db: 0 },
  'unix:///run/my%20redis%3F.sock?db=2': { kind: 'socket', path: '/run/my redis?.sock', db: 2 },
  'unix://app:pw@/run/redis.sock': { kind: 'socket', path: '/run/redis.sock', db: 0, username: 'app', password: 'pw' },
  'redis+sentinel://a,b:7,[::1]:8,[::2]/mymaster': {
    kind: 'sentinel', sentinels: [{ host: 'a', port: 26379 }, { host: 'b', port: 7 }, { host: '::1', port: 8 }, { host: '::2', port: 26379 }],
    master: 'mymaster', isTls: false, db: 0,
  },
  'rediss+sentinel://:pw@a/my-master.1_x/4': { kind: 'sentinel', sentinels: [{ host: 'a', port: 26379 }], master: 'my-master.1_x', isTls: true, db: 4, password: 'pw' },
  'valkeys+sentinel://a/m/': { kind: 'sentinel', sentinels: [{ host: 'a', port: 26379 }], master: 'm', isTls: true, db: 0 },
  'redis+cluster://a,b:7001': { kind: 'cluster', seeds: [{ host: 'a', port: 6379 }, { host: 'b', port: 7001 }], isTls: false },
  'rediss+cluster://app:pw@a/0': { kind: 'cluster', seeds: [{ host: 'a', port: 6379 }], isTls: true, username: 'app', password: 'pw' },
  'valkey+cluster://a/': { kind: 'cluster', seeds: [{ host: 'a', port: 6379 }], isTls: false },
}

for (const [url, target] of Object.entries(understood)) test(`${url} is understood`, (t) => t.deepEqual(parseRedisUrl(url), target as never))

const refused: Readonly<Record<string, readonly string[]>> = {
  'another scheme': ['', 'redis', 'redis:', 'redis:/h', 'http://h', 'redis-sentinel://a/m', 'redis+server://h', 'redis+unix://h', 'rediss+unix:///x', '://h', 'sentinel://a', 'rediss+://h', ' redis://h'],
  'a query': ['redis://h?connectTimeout=1', 'redis://h/1?', 'redis+cluster://h?x', 'unix:///s?db=1&x=2', 'unix:///s?password=x', 'unix:///s?', 'unix:///s?db=1?'],
  'a fragment': ['redis://h#m', 'redis://:p#w@h', 'unix:///s#'],
  'a bad port': ['redis://h:0', 'redis://h:65536', 'redis://h:', 'redis://h:6379x', 'redis://h:-1', 'redis://h:06379', 'redis+cluster://a:1,b:0', 'redis+sentinel://a:x/m', 'redis://[::1]:'],
  'a bad host': ['redis://', 'redis:///1', 'redis://:6379', 'redis://a..b', 'redis://.a', 'redis://[::1', 'redis://::1', 'redis://[::g]', 'redis://[1.2.3.4]', 'redis://1.2.3', 'redis://999.1.1.1', 'redis://é',
    'redis+cluster://a,,b', 'redis+cluster://a,', 'redis+cluster://', 'redis+sentinel:///m', `redis://${'a'.repeat(254)}`, 'redis://a[::1]', 'redis://a%62'],
  'a bad database': ['redis://h/x', 'redis://h/-1', 'redis://h/1.5', 'redis://h/01', 'redis://h/1/2', 'redis://h//1', 'redis://h/1234567890', 'redis+sentinel://a/m/x', 'redis+sentinel://a/m/1/2', 'unix:///s?db=x'],
  'a database of a cluster': ['redis+cluster://a/1', 'redis+cluster://a/mymaster'],
  'no name of a master': ['redis+sentinel://a', 'redis+sentinel://a/', 'redis+sentinel://a//1', 'redis+sentinel://a/my%20master', 'redis+sentinel://a/m%2F1'],
  'several hosts of one server': ['redis://a,b', 'redis://a:1,b:2/0'],
  'blanks': ['redis://a b', 'redis+cluster://a, b', 'redis://h\n', 'redis://h\0', 'redis://h\u200B', 'redis://\uD800'],
  'user and password in the wrong place': ['redis://u@h', 'redis://@h', 'redis://:@h', 'redis://u:@h', 'redis://u:p@q@h', 'redis+cluster://a,u:p@b', 'redis+sentinel://u:p@a,u:p@b/m', 'redis+cluster://u:p@a,u:p@b'],
  'a broken percent sign': ['redis://:%@h', 'redis://:%zz@h', 'redis://:%C3@h', 'unix:///%', 'redis://[%]'],
  'a path that is none': ['unix://', 'unix://h', 'unix:///', 'unix://h/s', 'unix://a,b/s', 'unix:///s%00', `unix:///${'a'.repeat(107)}`],
}

for (const [fault, urls] of Object.entries(refused)) {
  test(`${fault} is a ConfigError of the setting url`, (t) => {
    for (const url of urls) t.is(t.throws(() => parseRedisUrl(url), { instanceOf: ConfigError }, url)!.setting, 'url', url)
  })
}

const piece = fc.oneof(
  fc.constantFrom('redis', 'rediss', 'valkey', 'unix', '+sentinel', '+cluster', '://', ':', '@', '/', ',', '[', ']', '::1', 'a.b', '127.0.0.1', '6379', '65536', '%41', '%', '?db=1', '#', ' ', 'm'),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const scheme = fc.constantFrom('redis://', 'rediss://', 'redis+sentinel://', 'valkeys+sentinel://', 'valkey+cluster://', 'unix://')
const plausible = fc.tuple(
  scheme, fc.constantFrom('', '', 'u:p@', ':p%25@'), fc.array(fc.constantFrom('a', 'b.c:7', '[::1]:8', '10.0.0.1'), { maxLength: 3 }), fc.constantFrom('', '/', '/m', '/1', '/m/1', '/s?db=1'), piece, fc.nat(60),
).map(([start, user, hosts, end, odd, at]) => {
  const url = start + user + hosts.join(',') + end
  return at > url.length ? url : url.slice(0, at) + odd + url.slice(at)
})
const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.tuple(scheme, fc.array(piece, { maxLength: 10 })).map(([start, rest]) => start + rest.join('')), plausible)

const isEndpoint = ({ host, port }: { host: string; port: number }): boolean => host.length > 0 && !/[\s@/?#,]/.test(host) && Number.isInteger(port) && port > 0 && port < 65_536

test('any text is a target or a ConfigError', (t) => {
  const seen = new Map<string, number>()
  fc.assert(fc.property(anything, (url) => {
    try {
      const target = parseRedisUrl(url)
      seen.set(target.kind, (seen.get(target.kind) ?? 0) + 1)
      if (target.kind !== 'cluster' && !Number.isSafeInteger(target.db)) return false
      if (target.kind === 'socket') return target.path.startsWith('/')
      const endpoints = target.kind === 'server' ? [target.server] : target.kind === 'sentinel' ? target.sentinels : target.seeds
      return endpoints.length > 0 && endpoints.every(isEndpoint)
    } catch (error) {
      return error instanceof ConfigError && error.setting === 'url'
    }
  }), { numRuns: 20_000 })
  t.true(['server', 'socket', 'sentinel', 'cluster'].every((kind) => seen.get(kind)! > 100), JSON.stringify([...seen]))
})

test('a password is read as it is written, and no message holds it', (t) => {
  const password = fc.string({ unit: 'binary', minLength: 1 })
  fc.assert(fc.property(password, fc.constantFrom('h', 'a,b'), (text, hosts) => {
    return parseRedisUrl(`${hosts === 'h' ? 'redis' : 'redis+cluster'}://u:${encodeURIComponent(text)}@${hosts}`).password === text
  }), { numRuns: 2000 })
  const secret = 's3cret'
  const faulty = [`redis://u:${secret}/x@h`, `redis://u:${secret}@h:x`, `redis://${secret}@h`, `redis://u:p@${secret}@h`, `${secret}://h`, `redis://${secret}:h`, `redis://h/${secret}`, `redis+sentinel://h/ ${secret}`,
    `redis://h?password=${secret}`, `redis://:${secret}%@h`, `redis://[${secret}]`, `unix://${secret}`, `redis+cluster://h/${secret}`]
  for (const url of faulty) t.false(String(t.throws(() => parseRedisUrl(url), { instanceOf: ConfigError }, url)!.stack).includes(secret), url)
})

test('a map of addresses is read', (t) => {
  t.deepEqual([...parseNatMap('10.0.0.5:6379=db.example.org:7001, [::1]:1 = [::2]:2')], [['10.0.0.5:6379', { host: 'db.example.org', port: 7001 }], ['::1:1', { host: '::2', port: 2 }]])
  for (const text of ['', 'a:1', 'a=b', 'a:1=b', 'a:1=b:2=c:3', 'a:1=b:2,', 'a:1=b:0', ':1=b:2']) {
    t.is(t.throws(() => parseNatMap(text), { instanceOf: ConfigError }, text)!.setting, 'redis.nat_map', text)
  }
})

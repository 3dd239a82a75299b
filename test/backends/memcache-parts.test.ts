import test from 'ava'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { decode, encode, HEAD_BYTES } from '../../backends/memcache/envelope.js'
import type { MemcacheOptions } from '../../backends/memcache/manifest.js'
import { Memo } from '../../backends/memcache/memo.js'
import { serversOf } from '../../backends/memcache/servers.js'
import { spreadOver } from '../../backends/memcache/spread.js'
import { frameOf, lifeOf } from '../../backends/memcache/wire.js'
import type { BackendContext } from '../../src/namespace-manager.js'

const DAY = 86_400
const NOW = 1_800_000_000_000

const keys = Array.from({ length: 20_000 }, (_, n) => createHash('sha256').update(String(n)).digest('hex'))

test('M05: an expiry is sent as seconds, rounded up and one more, and beyond 30 days as a date', (t) => {
  t.is(lifeOf(NOW + 1, NOW), 2)
  t.is(lifeOf(NOW + 1_000, NOW), 2)
  t.is(lifeOf(NOW + 1_001, NOW), 3)
  t.is(lifeOf(NOW + 0.25, NOW), 2)
  t.is(lifeOf(NOW + (30 * DAY - 1) * 1000, NOW), 30 * DAY)
  const today = Date.now() / 1000
  for (const days of [30, 31, 400]) {
    const date = lifeOf(NOW + days * DAY * 1000, NOW)
    t.true(date > today + days * DAY && date < today + days * DAY + 4, `${days}`)
  }
})

test('M05: an expiry that is past, or no number, is a day in 1970; none at all is never; no other is', (t) => {
  for (const past of [NOW, NOW - 1, 0, -1, -Infinity, NaN]) t.is(lifeOf(past, NOW), 30 * DAY + 1)
  t.is(lifeOf(Infinity, NOW), 0)
  t.is(lifeOf(1e16, NOW), 0xffff_ffff)
})

test('a frame: header, extras, key, body, as the protocol has them', (t) => {
  const add = frameOf({ opcode: 2, key: 'key', life: 258, body: Buffer.from('body'), cas: '0102030405060708' }, 7)
  t.is(add.toString('hex'), `80020003${'08000000'}${'0000000f'}${'00000007'}0102030405060708${'00000000'}${'00000102'}${Buffer.from('keybody').toString('hex')}`)
  const touch = frameOf({ opcode: 0x1c, key: 'k', life: 1 }, 0x7fff_ffff)
  t.is(touch.toString('hex'), `801c0001${'04000000'}${'00000005'}7fffffff${'0'.repeat(16)}${'00000001'}6b`)
  t.is(frameOf({ opcode: 0, key: 'k' }, 1).toString('hex'), `80000001${'00000000'}${'00000001'}00000001${'0'.repeat(16)}6b`)
})

test('an item is read as it was written: value, nonce and expiry', (t) => {
  for (const value of ['', 'plain', '\uFEFFé😀\u0000\n', 'x'.repeat(100_000)]) {
    const { nonce, body } = encode(value, NOW)
    t.deepEqual(decode(body), { nonce, value, expiresAt: NOW })
    t.is(body.length, HEAD_BYTES + Buffer.byteLength(value))
  }
  t.not(encode('a', NOW).nonce, encode('a', NOW).nonce)
  t.is(decode(encode('a', -5).body).expiresAt, 0)
  t.true(decode(encode('a', Infinity).body).expiresAt > 1e14)
})

test('what an item looks like never changes, from release to release', (t) => {
  const item = Buffer.from('1AAAAAAAAAAAAAAAA0mywpiww01faf483f\nvalue: é')
  t.deepEqual(decode(item), { nonce: 'A'.repeat(16), value: 'value: é', expiresAt: NOW })
})

test('R24: an item that is not whole, or not ours, is no value, wherever it is damaged', (t) => {
  const { body } = encode('value: é', NOW)
  const damaged = [...body.keys()].map((at) => {
    const copy = Buffer.from(body)
    copy[at]! ^= 0x01
    return copy
  })
  const others = [Buffer.alloc(0), Buffer.from('garbage'), body.subarray(0, -1), body.subarray(0, HEAD_BYTES), Buffer.concat([body, body])]
  for (const bytes of [...damaged, ...others]) t.is(decode(bytes).value, '')
})

test('the servers of a memjs client: by host and port, IPv6, and a socket, with their users and passwords', (t) => {
  const { Server } = createRequire(import.meta.url)('memjs') as typeof import('memjs')
  const servers = [new Server('LocalHost', 1, 'ann', 'secret-word'), new Server('::1', 2), new Server('localhost', '/run/a.sock' as never)]
  const context = { options: { maxValueBytes: 1, client: { servers } } } as unknown as BackendContext<MemcacheOptions>
  const found = serversOf(context)
  t.deepEqual(found.map(({ address }) => address.name), ['localhost:1', '[::1]:2', '/run/a.sock'])
  const made = found.map(({ makeServer }) => makeServer())
  t.deepEqual(made.map(({ username, password }) => [username, password]), [['ann', 'secret-word'], [undefined, undefined], [undefined, undefined]])
  t.false(made.some((server) => (servers as unknown[]).includes(server)))
  const twice = { options: { maxValueBytes: 1, client: { servers: [servers[0], servers[0]] } } } as unknown as BackendContext<MemcacheOptions>
  t.throws(() => serversOf(twice), { code: 'PHIAL_CONFIG' })
})

test('keys are spread evenly, by the names of the servers and not by their order', (t) => {
  const names = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211', '10.0.0.4:11211', '/run/memcached.sock']
  const spread = spreadOver(names)
  const counts = names.map(() => 0)
  for (const key of keys) counts[spread(key)]! += 1
  for (const count of counts) t.true(Math.abs(count - keys.length / 5) < keys.length / 50, `${counts}`)
  const reversed = spreadOver(names.toReversed())
  for (const key of keys) t.is(names.toReversed()[reversed(key)], names[spread(key)])
})

test('a server that leaves the list, or comes, moves no key of the others', (t) => {
  const names = ['a:1', 'b:1', 'c:1', 'd:1']
  const whole = spreadOver(names)
  for (const gone of names) {
    const left = names.filter((name) => name !== gone)
    const spread = spreadOver(left)
    for (const key of keys) if (names[whole(key)] !== gone) t.is(left[spread(key)], names[whole(key)])
  }
})

test('where a key belongs never changes, from release to release', (t) => {
  const spread = spreadOver(['a:11211', 'b:11211', 'c:11211'])
  t.is(keys.slice(0, 24).map(spread).join(''), '021221001110001020210200')
})

test('what is known of records is bounded, and what was met first is forgotten first', (t) => {
  const memo = new Memo()
  for (let n = 0; n < 10_000; n++) memo.learn(`${n}`, 'v', 1, 0)
  memo.learn('1', 'w', 2, 3)
  t.deepEqual([memo.get('0'), memo.get('1')], [{ version: 'v', connection: 1, expiresAt: 0 }, { version: 'w', connection: 2, expiresAt: 3 }])
  memo.learn('new', 'v', 1, 0)
  t.is(memo.get('0'), undefined)
  t.truthy(memo.get('1'))
  memo.forget('1')
  t.is(memo.get('1'), undefined)
})

import test from 'ava'
import fc from 'fast-check'
import { Refused } from '../../../backends/redis/errors.js'
import { redirectionIn, SlotMap, slotOf, slotRanges } from '../../../backends/redis/slots.js'
import { Redis } from 'ioredis'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisNode } from '../../support/redis-node.js'
import { redisProgram } from '../../support/redis-server.js'
import { freePorts } from '../../support/server-process.js'

const from = { host: '10.0.0.9', port: 7009 }

test('the slot of a key is that of the specification', (t) => {
  t.is(slotOf('123456789'), 0x31c3)
  t.is(slotOf('{user1000}.following'), slotOf('user1000'))
  t.is(slotOf('foo{}{bar}'), slotOf('foo{}{bar}'))
  t.not(slotOf('foo{}{bar}'), slotOf('bar'))
  t.is(slotOf('foo{{bar}}zap'), slotOf('{bar'))
})

const withServer = redisProgram === undefined ? test.skip : test
withServer('the slot of any key is the one that a server reckons', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'phial-slots-'))
  const [port, busPort] = await freePorts(2)
  const node = await RedisNode.start(directory, port!, ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--save', ''])
  const client = new Redis({ port: port!, host: '127.0.0.1' })
  t.teardown(async () => {
    client.disconnect()
    await node.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  const key = fc.oneof(fc.string({ unit: 'grapheme' }), fc.array(fc.constantFrom('{', '}', 'a', 'é', ':'), { maxLength: 8 }).map((parts) => parts.join('')))
  await t.notThrowsAsync(fc.assert(fc.asyncProperty(key, async (text) => slotOf(text) === (await client.cluster('KEYSLOT', text))), { numRuns: 2000 }))
})

test('ranges are read with their masters alone, and nonsense is left out', (t) => {
  const answer = [
    [0, 99, ['10.0.0.1', 7001, 'id', ['hostname', 'a']], ['10.0.0.2', 7002, 'id']],
    [100, 199, [null, 7003, 'id']], [200, 299, ['', 7004]], [300, 399, ['?', 7005]],
    [400, 16_384, ['10.0.0.1', 7001]], [9, 8, ['10.0.0.1', 7001]], [500, 501, ['10.0.0.1', 0]], ['a', 1, ['h', 1]], [1, 2], 'x', null,
  ]
  t.deepEqual(slotRanges(answer, from), [
    { from: 0, to: 99, master: { host: '10.0.0.1', port: 7001 } },
    { from: 100, to: 199, master: { host: '10.0.0.9', port: 7003 } },
    { from: 200, to: 299, master: { host: '10.0.0.9', port: 7004 } },
    { from: 300, to: 399, master: { host: '10.0.0.9', port: 7005 } },
  ])
  for (const nonsense of [null, undefined, 'OK', 1, {}]) t.deepEqual(slotRanges(nonsense, from), [])
})

test('a map is replaced as a whole, and by nothing that says nothing', (t) => {
  const map = new SlotMap()
  const [one, two] = [{ host: 'a', port: 1 }, { host: 'b', port: 2 }]
  t.true(map.replaceBy([{ from: 0, to: 9, master: one }, { from: 10, to: 16_383, master: two }]))
  t.deepEqual([map.masterOf(9), map.masterOf(10), map.masterOf(16_383)], [one, two, two])
  map.set(9, two)
  t.deepEqual(map.masterOf(9), two)
  t.deepEqual(map.masters(), [one, two])
  t.false(map.replaceBy([]))
  t.deepEqual(map.masterOf(0), one)
  t.true(map.replaceBy([{ from: 5, to: 5, master: two }]))
  t.deepEqual([map.masterOf(5), map.masterOf(6)], [two, undefined])
})

test('R50: a redirection that makes no sense is none', (t) => {
  const reply = (message: string): Error => new Refused(message)
  t.deepEqual(redirectionIn(reply('MOVED 3999 127.0.0.1:6381'), from), { kind: 'MOVED', slot: 3999, to: { host: '127.0.0.1', port: 6381 } })
  t.deepEqual(redirectionIn(reply('ASK 0 ::1:6381'), from), { kind: 'ASK', slot: 0, to: { host: '::1', port: 6381 } })
  t.deepEqual(redirectionIn(reply('MOVED 3999 :6381'), from)?.to, { host: '10.0.0.9', port: 6381 })
  t.deepEqual(redirectionIn(reply('MOVED 3999 ?:6381'), from)?.to, { host: '10.0.0.9', port: 6381 })
  for (const nonsense of ['MOVED __proto__ h:1', 'MOVED 16384 h:1', 'MOVED -1 h:1', 'MOVED 1.5 h:1', 'MOVED 1', 'MOVED 1 h', 'MOVED 1 h:0', 'MOVED 1 h:65536', 'MOVED 1 h:1 x', 'moved 1 h:1', 'ERR MOVED 1 h:1']) {
    t.is(redirectionIn(reply(nonsense), from), undefined, nonsense)
  }
  t.is(redirectionIn(new Error('MOVED 1 h:1'), from), undefined)
})

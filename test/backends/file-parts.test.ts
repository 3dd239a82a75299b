import test from 'ava'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { endOf, isDead, newToken } from '../../backends/file/holder.js'
import { InFlight } from '../../backends/in-flight.js'
import { Lanes } from '../../backends/file/lanes.js'

test('a token is a short lower-case name that no other has, and tells its end', t => {
  const tokens = Array.from({ length: 1000 }, () => newToken())
  t.is(new Set(tokens).size, 1000)
  t.regex(newToken(), /^[0-9a-f]{12}-[0-9a-z]+-[0-9a-z]+-[0-9a-f]{16}$/)
  t.true(`${'k'.repeat(64)}.${newToken(253_402_300_799_000)}.old`.length <= 128)
  t.is(endOf(newToken()), undefined)
  t.is(endOf('a-b-c-d-!'), undefined)
  t.is(endOf(newToken(1_763_628_000_123)), 1_763_628_000_123)
})

test('a process is dead when its id is free or another\'s, and no process is judged from elsewhere', t => {
  const { pid: ended } = spawnSync(process.execPath, ['--version'])
  const [place, pid, start, nonce] = newToken().split('-')
  t.false(isDead(newToken()))
  t.true(isDead([place, ended.toString(36), start, nonce].join('-')))
  t.true(isDead([place, pid, '1', nonce].join('-')))
  t.false(isDead(['000000000000', ended.toString(36), start, nonce].join('-')))
  t.false(isDead('planted'))
  t.false(isDead(''))
})

const testOnLinux = process.platform === 'linux' ? test : test.skip

testOnLinux('a process that ended and whom its parent leaves alone is dead (needs /proc)', async t => {
  const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => parent.kill('SIGKILL'))
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer]
  const [place, , start, nonce] = newToken().split('-')
  while (!/^State:\tZ/m.test(readFileSync(`/proc/${Number(pid)}/status`, 'utf8'))) await sleep(2)
  t.true(isDead([place, Number(pid).toString(36), start, nonce].join('-')))
})

test('a lane runs one at a time in the order of asking, also after a failure', async t => {
  const lanes = new Lanes()
  const log: string[] = []
  const step = (name: string) => async (): Promise<string> => {
    log.push(`${name} begins`)
    await new Promise(resolve => setImmediate(resolve))
    log.push(`${name} ends`)
    if (name === 'b') throw new Error('b failed')
    return name
  }
  const results = await Promise.allSettled([lanes.run('x', step('a')), lanes.run('x', step('b')), lanes.run('x', step('c'))])
  t.deepEqual(results.map(result => result.status), ['fulfilled', 'rejected', 'fulfilled'])
  t.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('those who waited are told what was made meanwhile, those who come later are not', async t => {
  const lanes = new Lanes()
  const told = await Promise.all([
    lanes.run('x', async lane => {
      await Promise.resolve()
      lane.made('one')
      return lane.madeMeanwhile
    }),
    lanes.run('x', async lane => lane.madeMeanwhile),
    lanes.run('y', async lane => lane.madeMeanwhile)
  ])
  t.deepEqual(told, ['one', 'one', undefined])
  t.is(await lanes.run('x', async lane => lane.madeMeanwhile), undefined)
})

test('what is under way is waited for, however it ends', async t => {
  const inFlight = new InFlight()
  await inFlight.none()
  const ends: (() => void)[] = []
  const work = [
    inFlight.run(() => new Promise<void>(resolve => ends.push(resolve))),
    inFlight.run(() => new Promise<void>((_, reject) => ends.push(reject)))
  ]
  let isNone = false
  const none = inFlight.none().then(() => void (isNone = true))
  ends[1]?.()
  await t.throwsAsync(work[1] ?? Promise.resolve(), { any: true })
  t.false(isNone)
  ends[0]?.()
  await none
  t.true(isNone)
})

import test, { type ExecutionContext } from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newToken } from '../../backends/file/holder.js'
import { FileProcess, works } from '../support/file-process.js'
import { contentsOf, inAnHour, isFreeAtOnce, keyOf, newStore, recordPath } from '../support/file-store.js'

const key = keyOf('counter')

/** A process that holds the lock of the record, having checked its version: `signal` came just before its change. */
const holder = async (t: ExecutionContext, data: string, signal: NodeJS.Signals, method: string, ...args: unknown[]) => {
  const child = new FileProcess(t, data)
  await child.call('signalInNextCheck', signal)
  const outcome = child.call<unknown>(method, ...args)
  outcome.catch(() => {})
  const lock = `${recordPath(data, key)}.lock`
  while (!readdirSync(dirname(lock)).includes(`${key}.lock`) || readdirSync(lock).length === 0) await sleep(2)
  if (signal === 'SIGKILL') await child.ended()
  return { child, outcome }
}

const until = async <T>(look: () => T | null | undefined): Promise<T> => {
  for (;;) {
    try {
      const found = look()
      if (found !== undefined && found !== null) return found
    } catch {
      // a file went away while it was looked at
    }
    await sleep(1)
  }
}

for (const [method, given] of [['replace', 'key, value, version'], ['delete', 'key, version']] as const) {
  test(`F12: the lock of a process killed within ${method}(${given}) is seen to be dead at once`, async t => {
    const { store, data } = newStore(t)
    const version = (await store.create(key, 'value', inAnHour())) ?? ''
    await holder(t, data, 'SIGKILL', method, key, ...(method === 'replace' ? ['late', version, inAnHour()] : [version]))
    t.like(await store.get(key), { value: 'value', version })
    t.true(await isFreeAtOnce(recordPath(data, key)))
    t.not(await store.replace(key, 'next', version, inAnHour()), undefined)
    t.deepEqual(contentsOf(data).map(path => path.slice(-64)), [key])
  })
}

test('a process that stalls within a save is taken over, and its late save changes nothing', async t => {
  const { store, data } = newStore(t)
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  const { child, outcome } = await holder(t, data, 'SIGSTOP', 'replace', key, 'late', version, inAnHour())
  const next = await store.replace(key, 'next', version, inAnHour())
  t.not(next, undefined)
  child.signal('SIGCONT')
  t.is(await outcome, undefined)
  t.like(await store.get(key), { value: 'next', version: next })
  t.deepEqual(contentsOf(data).map(path => path.slice(-64)), [key])
})

test('a process that stalls within a deletion is taken over, and its late deletion removes nothing newer', async t => {
  const { store, data } = newStore(t)
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  const { child, outcome } = await holder(t, data, 'SIGSTOP', 'delete', key, version)
  const next = await store.replace(key, 'next', version, inAnHour())
  t.not(next, undefined)
  child.signal('SIGCONT')
  t.is(await outcome, false)
  t.like(await store.get(key), { value: 'next', version: next })
})

test('a process that stalls within a save brings nothing back that was deleted, nor overwrites what was created since', async t => {
  for (const isCreatedAnew of [false, true]) {
    const { store, data } = newStore(t)
    const version = (await store.create(key, 'value', inAnHour())) ?? ''
    const { child, outcome } = await holder(t, data, 'SIGSTOP', 'replace', key, 'late', version, inAnHour())
    await store.delete(key)
    if (isCreatedAnew) t.not(await store.create(key, 'new', inAnHour()), undefined)
    child.signal('SIGCONT')
    t.is(await outcome, undefined)
    t.is((await store.get(key))?.value, isCreatedAnew ? 'new' : undefined)
  }
})

test.serial('F13: a lock that somebody removes is lost, told, and the save is decided anew', async t => {
  const events: unknown[] = []
  const listen = (event: unknown): void => void events.push(event)
  subscribe('phial:lock-compromised', listen)
  t.teardown(() => unsubscribe('phial:lock-compromised', listen))
  let check: (() => void) | undefined
  const now = (): number => {
    check?.()
    return Date.now()
  }
  const { store, data } = newStore(t, { now })
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  check = () => {
    check = undefined
    rmSync(`${recordPath(data, key)}.lock`, { recursive: true })
  }
  t.not(await store.replace(key, 'next', version, inAnHour()), undefined)
  t.deepEqual(events, [{ backend: 'file' }])
})

test('a lock of another machine, or of an earlier start of this one, is taken over when nobody beats its heart', async t => {
  const { store, data } = newStore(t)
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  mkdirSync(join(`${recordPath(data, key)}.lock`, `000000000000${newToken().slice(12)}`), { recursive: true })
  t.not(await store.replace(key, 'next', version, inAnHour()), undefined)
})

test('a lock whose heart beats is waited for, and a write that waits too long fails as timed out', async t => {
  const { store, data } = newStore(t)
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  const lock = `${recordPath(data, key)}.lock`
  mkdirSync(join(lock, newToken()), { recursive: true })
  const beat = setInterval(() => utimesSync(lock, new Date(), new Date()), 50)
  t.teardown(() => clearInterval(beat))
  const error = await t.throwsAsync(store.replace(key, 'next', version, inAnHour()))
  t.like(error, { code: 'PHIAL_STORE_TIMEOUT', operation: 'replace', retryable: true })
  t.is((await store.get(key))?.value, 'value')
  t.deepEqual(readdirSync(dirname(lock)).toSorted(), [key, `${key}.lock`])
})

test('a process id that was given to another process does not keep a dead lock', async t => {
  const { store, data } = newStore(t)
  await store.create(key, 'value', inAnHour())
  const [place, pid, , nonce] = newToken().split('-')
  mkdirSync(join(`${recordPath(data, key)}.lock`, [place, pid, '1', nonce].join('-')), { recursive: true })
  t.true(await isFreeAtOnce(recordPath(data, key)))
})

test('S172: 4 processes that add 25 times each count 100', async t => {
  const { store, data } = newStore(t)
  await store.create(key, '0', inAnHour())
  const children = Array.from({ length: 4 }, () => new FileProcess(t, data))
  await Promise.all(children.map(child => child.call('increment', key, 25)))
  t.is((await store.get(key))?.value, '100')
  t.deepEqual(contentsOf(data).map(path => path.slice(-64)), [key])
})

test('S171: 100 that add once each in one process count 100', async t => {
  const { store } = newStore(t)
  await store.create(key, '0', inAnHour())
  const add = async (): Promise<void> => {
    const { value, version } = (await store.get(key)) ?? { value: '', version: '' }
    if ((await store.replace(key, String(Number(value) + 1), version, inAnHour())) === undefined) return add()
  }
  await Promise.all(Array.from({ length: 100 }, add))
  t.is((await store.get(key))?.value, '100')
})

const testTraced = works('strace', '-f', 'true') ? test : test.skip

testTraced('F11: on a slow disk a living holder keeps its lock, and its event loop stays free (needs strace)', async t => {
  const { store, data } = newStore(t)
  const version = (await store.create(key, 'value', inAnHour())) ?? ''
  const slowly = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', '-e', 'inject=fsync:delay_enter=3000000:when=1']
  const child = new FileProcess(t, data, { sync: true, wrapper: slowly })
  await child.ready
  const slow = child.call('replace', key, 'slow', version, inAnHour())
  const lock = `${recordPath(data, key)}.lock`
  while (!readdirSync(dirname(lock)).includes(`${key}.lock`)) await sleep(2)
  const mine = store.replace(key, 'mine', version, inAnHour())
  t.like(await child.call('get', key), { value: 'value' })
  t.true(readdirSync(dirname(lock)).includes(`${key}.lock`))
  t.is(await mine, undefined)
  t.like(await store.get(key), { value: 'slow', version: await slow })
})

testTraced('of two that create where a record has just gone, one succeeds (needs strace)', async t => {
  const { store, data } = newStore(t)
  await store.create(key, 'expired', Date.now() - 1)
  const path = recordPath(data, key)
  const lock = `${path}.lock`
  mkdirSync(`${lock}/${newToken()}`, { recursive: true })
  const renames = '?rename,?renameat,renameat2'
  const log = `${data}.log`
  const slowly = ['-e', `trace=?link,linkat,${renames}`, '-e', `inject=${renames}:delay_enter=200000`]
  const wrapper = ['strace', '-f', '-qq', '-o', log, ...slowly]
  const stages = join(data, 'app', 'stages')
  const ours = readdirSync(stages)
  const child = new FileProcess(t, data, { wrapper })
  const theirs = child.call<string | undefined>('create', key, 'theirs', inAnHour())
  const stage = await until(() => readdirSync(stages).find(name => !ours.includes(name)))
  await until(() => readFileSync(log, 'utf8').match(/EEXIST/))
  rmSync(path)
  rmSync(lock, { recursive: true })
  await until(() => (existsSync(join(stages, stage)) ? undefined : true)) // it has the lock, or begins anew
  for (let look = 0; look < 10 && existsSync(lock); look++) await sleep(1) // and has looked at the record
  const mine = await store.create(key, 'mine', inAnHour())
  const versions = [mine, await theirs].filter(version => version !== undefined)
  t.is(versions.length, 1)
  t.is((await store.get(key))?.version, versions[0])
})

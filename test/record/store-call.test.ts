import test from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { stat } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError, StoreUnavailableError } from '../../src/errors.js'
import { StoreCalls } from '../../src/record/store-call.js'

const details = { backend: 'own', operation: 'get' }
const down = () => Promise.reject(new StoreUnavailableError('refused', details))
const run = <T>(calls: StoreCalls, call: () => Promise<T>, operation = 'get'): Promise<T> => calls.run(operation, Infinity, call)

const broken = async (failure: () => Promise<never>, times = 5): Promise<StoreCalls> => {
  const calls = new StoreCalls('own', 1)
  for (let n = 0; n < times; n++) await run(calls, failure).catch(() => {})
  return calls
}

test('a store that failed five times and never answered is not asked, and the error says so at once', async (t) => {
  const calls = await broken(down)
  let asked = 0
  const error = await t.throwsAsync(run(calls, async () => asked++), { instanceOf: StoreUnavailableError, code: 'PHIAL_STORE_UNAVAILABLE' })
  t.is(asked, 0)
  t.true((error as StoreError).retryable)
  t.is((error.cause as Error).message, 'refused')
})

test('a store that came back is found without a restart', async (t) => {
  const calls = await broken(down)
  const until = performance.now() + 5_000
  const attempt = (): Promise<string> => run(calls, async () => 'back').catch(async (error: unknown) => {
    if (performance.now() > until) throw error
    await sleep(20)
    return attempt()
  })
  t.is(await attempt(), 'back')
  t.is(await run(calls, async () => 'at once'), 'at once')
})

test('failures that only a person can mend stop nobody: they are answered at once as it is', async (t) => {
  const calls = await broken(() => Promise.reject(new StoreError('wrong password', details)), 20)
  t.is(await run(calls, async () => 'asked'), 'asked')
})

test('what is not an error of the store is no outage', async (t) => {
  const calls = await broken(() => Promise.reject(new TypeError('a fault in an adapter')), 20)
  t.is(await run(calls, async () => 'asked'), 'asked')
})

test('a store that takes no writes is read all the same', async (t) => {
  const calls = new StoreCalls('own', 1)
  for (let n = 0; n < 20; n++) await run(calls, down, 'create').catch(() => {})
  t.is(await run(calls, async () => 'read'), 'read')
  await t.throwsAsync(run(calls, async () => 'written', 'replace'), { code: 'PHIAL_STORE_UNAVAILABLE' })
})

test('an answer that came while the process was busy with something else is in time', async (t) => {
  const calls = new StoreCalls('own', 0.05)
  const asked = run(calls, () => new Promise<string>((resolve) => stat(new URL(import.meta.url), () => resolve('came'))))
  const until = performance.now() + 400
  while (performance.now() < until); // the file system answers long before this ends
  t.is(await asked, 'came')
})

for (const end of ['answer', 'failure'] as const) {
  test(`a call is told once as timed out, and its late ${end} not at all`, async (t) => {
    const calls = new StoreCalls(`late ${end}`, 0.01)
    const told: string[] = []
    const listen = (message: unknown, channel: string | symbol): void => {
      if ((message as { backend: string }).backend === calls.backend) told.push(String(channel))
    }
    for (const channel of ['phial:store-error', 'phial:store-recovered']) {
      subscribe(channel, listen)
      t.teardown(() => unsubscribe(channel, listen))
    }
    let settle = (): void => {}
    const late = new Promise<void>((resolve, reject) => (settle = end === 'answer' ? resolve : () => reject(new Error('late'))))
    await t.throwsAsync(run(calls, () => late), { code: 'PHIAL_STORE_TIMEOUT' })
    settle()
    await late.catch(() => {})
    await new Promise(setImmediate)
    t.deepEqual(told, ['phial:store-error'])
  })
}

test('what went wrong with another server than the store itself, a cache in front of it, is no outage of the store', async (t) => {
  const calls = await broken(() => Promise.reject(new StoreUnavailableError('refused', { backend: 'cache', operation: 'delete' })), 20)
  t.is(await run(calls, async () => 'asked'), 'asked')
})

test('where each server knows by itself whether it is down, the others are asked', async (t) => {
  const calls = new StoreCalls('own', 1, true)
  for (let n = 0; n < 20; n++) await run(calls, down).catch(() => {})
  t.is(await run(calls, async () => 'asked'), 'asked')
})

test('a call that answers without a promise is answered without one, and what it throws is an error of ours', async (t) => {
  const calls = new StoreCalls('own', 1)
  t.is(calls.runAtOnce('get', Infinity, () => 'there'), 'there')
  const error = t.throws(() => calls.runAtOnce('get', Infinity, () => { throw new RangeError('boom') }), { code: 'PHIAL_STORE' })
  t.true(error.cause instanceof RangeError)
  t.is(await calls.runAtOnce('get', Infinity, async () => 'later'), 'later')
})

test('where calls answer without a promise, a store that is down is not asked either', (t) => {
  const calls = new StoreCalls('own', 1)
  const fail = (): never => { throw new StoreUnavailableError('refused', details) }
  for (let n = 0; n < 5; n++) t.throws(() => calls.runAtOnce('get', Infinity, fail), { message: 'refused' })
  let asked = 0
  t.throws(() => calls.runAtOnce('get', Infinity, () => asked++), { code: 'PHIAL_STORE_UNAVAILABLE' })
  t.is(asked, 0)
})

test('a call whose time is spent is not made: it is a time-out at once, and no failure of the store', async (t) => {
  const calls = new StoreCalls('own', 1)
  let asked = 0
  for (let n = 0; n < 20; n++) {
    await t.throwsAsync(calls.run('get', performance.now(), async () => asked++), { code: 'PHIAL_STORE_TIMEOUT' })
  }
  t.is(asked, 0)
  t.is(await run(calls, async () => 'asked'), 'asked')
})

test('an answer whose `then` throws is a failure of the store like any other, told once', async (t) => {
  const calls = new StoreCalls('own', 0.05)
  const odd = { then() { throw new RangeError('boom') } }
  const error = await t.throwsAsync(async () => calls.runAtOnce('get', Infinity, () => odd as never), { code: 'PHIAL_STORE' })
  t.true((error as Error).cause instanceof RangeError)
})

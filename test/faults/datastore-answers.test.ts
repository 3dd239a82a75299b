import ava from 'ava'
import type { ExecutionContext } from 'ava'
import type { DatastoreManager } from '../../backends/datastore/datastore-manager.js'
import { StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError } from '../../src/index.js'
import { serve } from '../support/app.js'
import { borrowEmulator, freshNamespace, missingEmulator, tellMissing } from '../support/datastore-emulator.js'
import { HOUR, keyOf, openDatastore, timed } from '../support/datastore-store.js'
import { ScriptedDatastore } from '../support/scripted-datastore.js'

tellMissing('the tests of datastore\'s answers are')
const test = missingEmulator === undefined ? ava.serial : (ava.serial.skip as unknown as typeof ava.serial) // one at a time: the emulator starts slowly

const ABORTED = 10
const UNAVAILABLE = 14
const INTERNAL = 13
const RESOURCE_EXHAUSTED = 8

interface Setting {
  readonly scripted: ScriptedDatastore
  readonly manager: DatastoreManager
  /** Of a record that is there, as this manager has made it. */
  readonly key: string
  readonly version: string
  readonly later: number
}

/** Seconds, where time is measured: more than by default, so that a busy machine tells the same. */
const TIMEOUT = 4
/** Milliseconds in which a call is over, whatever happens. */
const IN_TIME = TIMEOUT * 1_000 + 3_000

/** A record in the emulator, before which the script stands. The first calls are over. */
const setting = async (t: ExecutionContext, operationTimeout = 60): Promise<Setting> => {
  const scripted = await ScriptedDatastore.start(t, (await borrowEmulator(t)).port)
  const namespace = freshNamespace()
  const manager = openDatastore(t, { url: scripted.url, namespace, operationTimeout })
  const later = Date.now() + HOUR
  const made = await openDatastore(t, { url: scripted.url, namespace }).create(keyOf('a'), 'first', later)
  const { version } = (await eventually(() => manager.get(keyOf('a'))))!
  t.is(version, made!)
  scripted.taken()
  return { scripted, manager, key: keyOf('a'), version, later }
}

/** A process that has just begun may need longer than a call has. */
const eventually = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === 10) throw error
    }
  }
}

type Call = (on: Setting) => Promise<unknown>

const reads: Readonly<Record<string, Call>> = {
  get: ({ manager, key }) => manager.get(key),
  listOwned: ({ manager }) => manager.listOwned(keyOf('owner')),
}
const writes: Readonly<Record<string, Call>> = {
  create: ({ manager, later }) => manager.create(keyOf('new'), 'value', later),
  replace: ({ manager, key, version, later }) => manager.replace(key, 'second', version, later),
  delete: ({ manager, key }) => manager.delete(key),
  'delete with a version': ({ manager, key, version }) => manager.delete(key, version),
  touch: ({ manager, key, later }) => manager.touch(key, later + 1_000),
  addOwned: ({ manager, later }) => manager.addOwned(keyOf('owner'), keyOf('a'), later),
  removeOwned: ({ manager }) => manager.removeOwned(keyOf('owner'), keyOf('a')),
}
const calls = { ...reads, ...writes }

/** Each of the calls, on a record of its own, at the same time. */
const each = async (
  t: ExecutionContext, which: Readonly<Record<string, Call>>, check: (name: string, on: Setting, call: Call) => Promise<void>, timeout = 60,
): Promise<void> => {
  await Promise.all(Object.entries(which).map(async ([name, call]) => check(name, await setting(t, timeout), call)))
}

const always = ({ scripted }: Setting, code: number): void => {
  for (const method of ['lookup', 'commit', 'runQuery'] as const) scripted.always(method, code)
}

test('D03: ABORTED once, or twice: the call is tried again, and done', async (t) => {
  for (const times of [1, 2]) {
    await each(t, writes, async (name, on, call) => {
      on.scripted.next('commit', ...Array<number>(times).fill(ABORTED))
      await t.notThrowsAsync(call(on), name)
      t.is(on.scripted.left, 0, name)
    })
  }
})

test('D03: ABORTED always: StoreUnavailableError in time', async (t) => {
  await each(t, calls, async (name, on, call) => {
    always(on, ABORTED)
    const { ms, error } = await timed(() => call(on))
    const isLate = name in writes && error instanceof StoreOutcomeUnknownError // a busy machine may not answer the last try
    t.true(error instanceof StoreUnavailableError || isLate, `${name}: ${error}`)
    t.true(ms < IN_TIME, `${name}: ${ms} ms`)
  }, TIMEOUT)
})

test('D05: UNAVAILABLE, INTERNAL, RESOURCE_EXHAUSTED once: what may be repeated is done', async (t) => {
  for (const code of [UNAVAILABLE, INTERNAL, RESOURCE_EXHAUSTED]) {
    await each(t, calls, async (name, on, call) => {
      if (name === 'create' && code !== RESOURCE_EXHAUSTED) return
      on.scripted.next(name in reads ? 'lookup' : 'commit', code)
      on.scripted.next('runQuery', code)
      await t.notThrowsAsync(call(on), `${name} ${code}`)
    })
  }
})

test('D05: UNAVAILABLE always: StoreUnavailableError for a read, StoreOutcomeUnknownError for a write that was sent, in time', async (t) => {
  await each(t, calls, async (name, on, call) => {
    always(on, UNAVAILABLE)
    const { ms, error } = await timed(() => call(on))
    const wasSent = on.scripted.taken().includes('commit')
    t.is(error.constructor, wasSent ? StoreOutcomeUnknownError : StoreUnavailableError, name)
    t.is(wasSent, name in writes && !['touch', 'addOwned'].includes(name), name)
    t.true(ms < IN_TIME, `${name}: ${ms} ms`)
  }, TIMEOUT)
})

test('D05: INTERNAL always: tried twice and no more', async (t) => {
  const on = await setting(t)
  always(on, INTERNAL)
  t.true((await timed(() => reads['get']!(on))).error instanceof StoreUnavailableError)
  t.deepEqual(on.scripted.taken(), ['lookup', 'lookup'])
  t.true((await timed(() => writes['delete']!(on))).error instanceof StoreOutcomeUnknownError)
  t.deepEqual(on.scripted.taken(), ['commit', 'commit'])
})

test('D05: a create that may have been done is not sent again', async (t) => {
  for (const code of [UNAVAILABLE, INTERNAL]) {
    const on = await setting(t)
    on.scripted.next('commit', code)
    t.true((await timed(() => writes['create']!(on))).error instanceof StoreOutcomeUnknownError)
    t.deepEqual(on.scripted.taken(), ['commit'])
    t.is(await on.manager.get(keyOf('new')), undefined)
    on.scripted.next('lookup', code) // reading what is in its way may be repeated
    t.is(await on.manager.create(on.key, 'other', on.later), undefined)
  }
})

test('D06: what only a person can mend is told at once, is not tried again and not retryable', async (t) => {
  const codes = { INVALID_ARGUMENT: 3, PERMISSION_DENIED: 7, FAILED_PRECONDITION: 9, OUT_OF_RANGE: 11, UNIMPLEMENTED: 12, UNAUTHENTICATED: 16 }
  await each(t, calls, async (name, on, call) => {
    for (const [word, code] of Object.entries(codes)) {
      always(on, code)
      const { ms, error } = await timed(() => call(on))
      t.is(error.constructor, StoreError, `${word} ${name}`)
      t.deepEqual([error.code, error.retryable, error.backend, error.operation], ['PHIAL_STORE', false, 'datastore', name.split(' ')[0]])
      t.is(on.scripted.taken().length, 1, name)
      t.true(ms < 5_000, `${name}: ${ms} ms`)
    }
  })
})

test('D06: a database that is not there is no missing record: StoreError, not retryable', async (t) => {
  await each(t, calls, async (name, on, call) => {
    if (name === 'delete' || name === 'removeOwned') return // what is not there need not be removed
    always(on, 5)
    const { error } = await timed(() => call(on))
    t.is(error?.constructor, StoreError, name)
    t.false(error.retryable)
  })
})

test('D06: no message repeats what the server said, which may hold a key', async (t) => {
  const on = await setting(t)
  on.scripted.always('lookup', async () => { throw Object.assign(new Error('x'), { code: 7, details: `no entity ${on.key}` }) })
  const { error } = await timed(() => on.manager.get(on.key))
  t.notRegex(error.message, new RegExp(on.key))
  t.regex(String(error.cause), new RegExp(on.key))
})

test('D08: a conflict that is told in a success is a conflict, and nothing is written', async (t) => {
  const on = await setting(t)
  const conflict = async (): Promise<object> => ({ mutationResults: [{ version: '1', conflictDetected: true }] })
  on.scripted.next('commit', conflict)
  on.scripted.next('lookup', async (forward) => {
    const answer = await forward()
    const { entity } = answer['found'][0]
    entity.properties.version.stringValue = 'another'
    return answer
  })
  t.is(await on.manager.replace(on.key, 'late', on.version, on.later), undefined)
  t.is((await on.manager.get(on.key))?.value, 'first')
})

test('keys that the server defers are asked for again, and are not missing', async (t) => {
  const on = await setting(t)
  const deferred = async (_: unknown, request: any): Promise<object> => ({ found: [], missing: [], deferred: request.keys })
  on.scripted.next('lookup', deferred, deferred)
  t.is((await on.manager.get(on.key))?.value, 'first')
  const never = await setting(t, TIMEOUT)
  never.scripted.always('lookup', deferred)
  t.true((await timed(() => never.manager.get(never.key))).error instanceof StoreError)
})

test('answers that lack what was asked for are errors, and not answers', async (t) => {
  const nothing = async (): Promise<object> => ({})
  await each(t, calls, async (name, on, call) => {
    for (const method of ['lookup', 'commit', 'runQuery'] as const) on.scripted.always(method, nothing)
    const { error } = await timed(() => call(on))
    t.true(error instanceof StoreError, `${name}: ${error}`)
  })
})

// Lost answers

test('a write whose answer is an error, though it was done, is found to be done, and made once', async (t) => {
  const on = await setting(t)
  const done = async (forward: () => Promise<object>): Promise<never> => {
    await forward()
    throw Object.assign(new Error('gone'), { code: UNAVAILABLE })
  }
  on.scripted.next('commit', done)
  const next = await on.manager.replace(on.key, 'second', on.version, on.later)
  t.deepEqual(on.scripted.taken(), ['commit', 'lookup'])
  const record = await on.manager.get(on.key)
  t.deepEqual([record?.value, record?.version], ['second', next])

  on.scripted.next('commit', done)
  t.true(await on.manager.touch(on.key, on.later + 1))
  on.scripted.next('commit', done)
  t.true((await timed(() => on.manager.delete(on.key, next!))).error instanceof StoreOutcomeUnknownError) // by this call, or by another?
  t.is(await on.manager.get(on.key), undefined)
})

test('a write whose answer was lost, and after which another came, is not called refused', async (t) => {
  const on = await setting(t)
  on.scripted.next('commit', async (forward) => {
    await forward()
    const now = (await on.manager.get(on.key))!
    await on.manager.replace(on.key, 'third', now.version, on.later)
    throw Object.assign(new Error('gone'), { code: UNAVAILABLE })
  })
  t.true((await timed(() => on.manager.replace(on.key, 'second', on.version, on.later))).error instanceof StoreOutcomeUnknownError)
  t.is((await on.manager.get(on.key))?.value, 'third')
})

test('D02: a call that is never answered ends in time: StoreTimeoutError; the client\'s own patience is a minute', async (t) => {
  await each(t, calls, async (name, on, call) => {
    for (const method of ['lookup', 'commit', 'runQuery'] as const) on.scripted.always(method, 'hang')
    const { ms, error } = await timed(() => call(on))
    t.true(error instanceof StoreTimeoutError, `${name}: ${error}`)
    t.true(error.retryable)
    t.true(ms > 0.8 * TIMEOUT * 1_000 && ms < IN_TIME, `${name}: ${ms} ms`)
  }, TIMEOUT)
})

test('a touch that is refused, or never answered, does not fail the read', async (t) => {
  const on = await setting(t, TIMEOUT)
  for (const act of [7, INTERNAL, 'hang'] as const) {
    on.scripted.always('commit', act)
    const { ms, value } = await timed(() => on.manager.get(on.key, { expiresAt: on.later + 1_000, ifBefore: on.later + 1_000 }))
    t.deepEqual([value?.value, value?.touched], ['first', false])
    t.true(ms < 0.95 * TIMEOUT * 1_000, `${ms} ms`)
  }
})

// Through HTTP

const counting = (t: ExecutionContext, scripted: ScriptedDatastore, namespace = freshNamespace()) => serve(t, async (req, res) => {
  const session = await req.session.load()
  if (req.url === '/add') await session.update('n', (n = 0) => n + 1)
  if (req.url === '/set') await session.set('at', Math.random()).save()
  res.end(String(session.get('n')))
}, { type: 'datastore', url: scripted.url, namespace, operationTimeout: TIMEOUT, requestBudget: 4 * TIMEOUT })

test('HTTP: a lost answer is followed up: 200, and counted once', async (t) => {
  const { scripted } = await setting(t)
  const browser = (await counting(t, scripted)).client()
  await browser.get('/add')
  for (let n = 2; n <= 4; n++) {
    scripted.next('commit', 'lost')
    const answer = await browser.get('/add')
    t.deepEqual([answer.status, await answer.text()], [200, `${n}`])
  }
  t.is(scripted.left, 0)
})

test('HTTP: a first save that was not done, or of which nothing is known, is a 503 without a cookie; one that is found is a 200', async (t) => {
  const { scripted } = await setting(t)
  const { client } = await counting(t, scripted)
  await client().get('/set')
  scripted.next('commit', UNAVAILABLE)
  const refused = await client().get('/set')
  t.deepEqual([refused.status, refused.headers.getSetCookie()], [503, []])
  scripted.next('commit', 'lost')
  const found = await client().get('/set')
  t.deepEqual([found.status, found.headers.getSetCookie().length], [200, 1])
})

test('HTTP: refused for good is a 503 without a cookie, and the next request is served', async (t) => {
  const { scripted } = await setting(t)
  const browser = (await counting(t, scripted)).client()
  await browser.get('/add')
  scripted.next('lookup', 7)
  const answer = await browser.get('/')
  t.deepEqual([answer.status, answer.headers.getSetCookie()], [503, []])
  t.is(await browser.text('/'), '1')
})

// Leases

test('a lease is timed by the server\'s clock, where it tells it: ours may be hours off', async (t) => {
  const on = await setting(t)
  const [holder, other] = [0, 5 * HOUR].map((ahead) =>
    openDatastore(t, { url: on.scripted.url, namespace: 'leases', now: () => Date.now() + ahead })) as [DatastoreManager, DatastoreManager]
  const key = keyOf(freshNamespace())
  const serverTime = (ms: number): object => ({ seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 })
  let serverNow = 1_000_000
  on.scripted.always('lookup', async (forward) => {
    const answer = await forward()
    for (const found of answer['found']) found.updateTime = serverTime(1_000_000)
    return { ...answer, readTime: serverTime(serverNow) }
  })
  t.truthy(await holder.lock(key, 10_000, Date.now()))
  t.is(await other.lock(key, 10_000, Date.now() + 5 * HOUR), undefined)
  serverNow += 9_999
  t.is(await other.lock(key, 10_000, Date.now() + 5 * HOUR), undefined)
  serverNow += 1
  t.truthy(await other.lock(key, 10_000, Date.now() + 5 * HOUR))
})

test('a lease that was taken by a call whose answer was lost is found to be ours', async (t) => {
  const on = await setting(t)
  const key = keyOf(freshNamespace())
  on.scripted.next('commit', async (forward) => {
    await forward()
    throw Object.assign(new Error('gone'), { code: UNAVAILABLE })
  })
  const lease = await on.manager.lock(key, 60_000, Date.now())
  t.truthy(lease)
  await lease!.release()
  t.truthy(await on.manager.lock(key, 60_000, Date.now()))
})

test('who waits for a lease looks at it now and then, and not without a pause', async (t) => {
  const on = await setting(t)
  const key = keyOf(freshNamespace())
  await on.manager.lock(key, 60_000, Date.now())
  on.scripted.taken()
  t.is(await on.manager.lock(key, 60_000, Date.now() + 1_000), undefined)
  const { length } = on.scripted.taken()
  t.true(length >= 2 && length < 40, `${length} looks`)
})

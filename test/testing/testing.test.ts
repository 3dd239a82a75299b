import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FaultyStore, makeSession, memoryManager, testClock } from '../../testing/index.js'
import { StoreUnavailableError } from '../../src/index.js'
import type { Fault, FaultyMethod } from '../../testing/faulty-store.js'
import type { Manifest, NamespaceManager, OwnerIndex, SessionObject, StoredRecord } from '../../src/index.js'
import { serve } from '../support/app.js'
import { root } from '../support/demo-program.js'
import { modes, serveMode, testIn } from '../support/every-backend.js'
import { filesOn, siteWithPhial } from '../support/page-files.js'

const page = readFileSync(join(root, 'docs/testing.md'), 'utf8')

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: Beaker webtest_varname: a test makes a session without HTTP, a request finds it, and the test looks at it`, async (t) => {
    const { url, manager } = await serveMode(t, mode, async (req, res) => {
      const session = await req.session.load()
      res.end(`${session.get('user')} ${session.isNew} ${session.owner}`)
    })
    const { cookie, headers, id } = await makeSession(manager, { user: 'ada' }, { owner: 'u1' })
    t.is(headers['cookie'], cookie)
    t.is(await (await fetch(url, { headers })).text(), 'ada false u1')
    const seen = await manager.open({ headers }).load()
    t.deepEqual([seen.id, seen.toJSON()], [id, { user: 'ada' }])
    if (mode.isStored) t.is((await manager.getById(id))?.get('user'), 'ada')
  })
}

test('a session is made for a name, and where the id is in a header', async (t) => {
  const { url, manager } = await serve(t, async (req, res) => void res.end(String(await req.session.get('n'))), { useCookies: false, idHeader: 'X-Session' })
  const { cookie, headers } = await makeSession(manager, { n: 1 })
  t.deepEqual([cookie, Object.keys(headers)], ['', ['x-session']])
  t.is(await (await fetch(url, { headers })).text(), '1')
  const other = await serve(t, (_req, res) => void res.end())
  t.regex((await makeSession(other.manager.named('cart'), { items: [] })).cookie, /^phial\.cart=/)
})

test('a session that cannot be stored is not made', async (t) => {
  const store = new FaultyStore()
  const { manager } = await serve(t, (_req, res) => void res.end(), { type: store.manager })
  store.next('create', new StoreUnavailableError('down', { backend: 'test', operation: 'create' }))
  await t.throwsAsync(makeSession(manager), { code: 'PHIAL_STORE_UNAVAILABLE' })
  await t.throwsAsync(makeSession(manager, { a: () => 1 }), { code: 'PHIAL_CODEC' })
})

test('the clock stands still until it is told to move, by seconds', (t) => {
  const clock = testClock(1000)
  t.is(clock.now(), 1000)
  clock.advance(2)
  t.is(clock.now(), 3000)
  t.true(Math.abs(testClock().now() - Date.now()) < 60_000)
})

test('each fault does to the next call of its method what it is called', async (t) => {
  const clock = testClock()
  const store = new FaultyStore(memoryManager(clock.now))
  const { manager } = store
  const at = clock.now() + 1000
  const isSettled = async (call: Promise<unknown>): Promise<boolean> => Promise.race([call.then(() => true, () => true), new Promise<boolean>((resolve) => setTimeout(resolve, 20, false))])
  store.next('create', 'hung', 'lost', 'late', new TypeError('no'), async (call) => [await call()])
  t.false(await isSettled(manager.create('hung', 'x', at)))
  t.false(await isSettled(manager.create('lost', 'x', at)))
  t.false(await isSettled(manager.create('late', 'x', at)))
  await t.throwsAsync(manager.create('error', 'x', at), { instanceOf: TypeError })
  t.true(Array.isArray(await manager.create('function', 'x', at)))
  t.is(typeof (await manager.create('none', 'x', at)), 'string')
  const there = async (...keys: string[]): Promise<boolean[]> => Promise.all(keys.map(async (key) => (await manager.get(key)) !== undefined))
  t.deepEqual(await there('hung', 'lost', 'late', 'error', 'function', 'none'), [false, true, false, false, true, true])
  await store.release()
  t.deepEqual(await there('late'), [true])
  t.deepEqual(store.calls.slice(0, 7), ['create', 'create', 'create', 'create', 'create', 'create', 'get'])
})

/** A store as classes make them: what is private is there for the store itself alone. */
class PrivateStore implements NamespaceManager {
  readonly #inner = memoryManager()
  readonly #isSpread: boolean

  constructor(isSpread: boolean) {
    this.#isSpread = isSpread
  }

  get isSpread(): boolean { return this.#isSpread }
  get supports(): Manifest { return this.#inner.supports }
  get(key: string): Promise<StoredRecord | undefined> { return this.#inner.get(key) }
  create(key: string, value: string, at: number): Promise<string | undefined> { return this.#inner.create(key, value, at) }
  replace(key: string, value: string, version: string, at: number): Promise<string | undefined> { return this.#inner.replace(key, value, version, at) }
  touch(key: string, at: number): Promise<boolean> { return this.#inner.touch(key, at) }
  async delete(key: string): Promise<any> { await this.#inner.delete(key) }
  async settle(key: string): Promise<void> { await this.#inner.delete(key) }
  async listOwned(owner: string): Promise<string[]> { return this.#isSpread ? [owner] : [] }
  async close(): Promise<void> { await this.#inner.close() }
}

test('FaultyStore stands over any store: also over one with getters and methods on what is private', async (t) => {
  for (const isSpread of [true, false]) {
    const { manager } = new FaultyStore(new PrivateStore(isSpread))
    t.teardown(() => manager.close())
    t.is(manager.isSpread, isSpread)
    t.is(typeof (await manager.create('a', 'x', Date.now() + 60_000)), 'string')
    await manager.settle!('a', Date.now())
    t.is(await manager.get('a'), undefined)
    t.deepEqual(await (manager as NamespaceManager & OwnerIndex).listOwned('o'), isSpread ? ['o'] : [])
    const { client } = await serve(t, async (req, res) => void res.end(String(await req.session.get('n'))), { type: manager })
    t.is(await client().text(), 'undefined')
  }
})

test('a late call that fails in the end is nobody\'s unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const inner = memoryManager()
  t.teardown(() => inner.close())
  const store = new FaultyStore({ ...inner, supports: inner.supports, touch: () => Promise.reject(new TypeError('late')) })
  store.next('touch', 'late')
  void store.manager.touch('a', 1)
  await store.release()
  await new Promise(setImmediate)
  t.deepEqual(unhandled, [])
})

test('the files on the page about testing run as they stand', (t) => {
  const cwd = siteWithPhial(t, filesOn(page))
  const { NODE_TEST_CONTEXT: _none, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, ['--test', 'app.test.mjs'], { cwd, env, encoding: 'utf8', timeout: 60_000 })
  t.is(status, 0, stdout)
  t.regex(stdout, /^(?:# |ℹ )pass 3$/m)
})

/** What a request does so that this method of the store is called. */
const WORK: Readonly<Record<string, (session: SessionObject) => Promise<unknown>>> = {
  get: async (session) => session.load(),
  create: async (session) => (await session.set('user', 'ada')).save(),
  replace: async (session) => (await session.set('user', 'bob')).save(),
  delete: async (session) => session.destroy(),
}

const answerTo = async (t: ExecutionContext, method: FaultyMethod, faults: readonly Fault[]): Promise<string> => {
  const store = new FaultyStore()
  let seen: string | undefined
  const app = await serve(t, async (req, res) => {
    await WORK[method]!(req.session).catch((error: Error) => {
      seen = error.name
      throw error
    })
    res.end()
  }, { type: store.manager, operationTimeout: 0.1, requestBudget: 60 })
  const { headers } = method === 'create' ? {} : await makeSession(app.manager, { user: 'ada' })
  store.next(method, ...faults)
  const { status } = await fetch(app.url, headers === undefined ? {} : { headers })
  await store.release()
  return seen === undefined ? String(status) : `\`${seen}\`, ${status}`
}

const rows = Array.from(page.matchAll(/^\| (one|two) `(\w+)` \| ([^|]+) \| ([^|]+) \|$/gm), ([, ...cells]) => cells as [string, FaultyMethod, string, string])

test('the page tells of faults of reading and of every write', (t) => {
  t.deepEqual(Object.keys(WORK).filter((method) => !rows.some(([, of]) => of === method)), [])
})

for (const [count, method, unanswered, lost] of rows) {
  test(`what an application sees of ${count} ${method} that goes wrong is what the page says`, async (t) => {
    const saidOf = (fault: Fault): Promise<string> => answerTo(t, method, count === 'one' ? [fault] : [fault, fault])
    for (const [fault, said] of [['hung', unanswered], ['late', unanswered], ['lost', lost]] as const) t.is(await saidOf(fault), said.split(':')[0]!, fault)
    t.is(await saidOf(new StoreUnavailableError('down', { backend: 'test', operation: method })), '`StoreUnavailableError`, 503')
  })
}

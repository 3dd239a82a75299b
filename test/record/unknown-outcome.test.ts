import test from 'ava'
import { StoreOutcomeUnknownError } from '../../src/errors.js'
import { Clock, harness, memoryStore } from '../support/harness.js'
import type { Harness } from '../support/harness.js'
import { FaultyStore } from '../support/faulty-store.js'

/** A short deadline: what is tested is what follows it, not how long it is. */
const started = async (): Promise<Harness & { readonly faulty: FaultyStore }> => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const made = harness({ store: faulty.manager, clock, manager: { operationTimeout: 0.05, requestBudget: 5 } })
  await made.visit(async (object) => (await object.load()).set('n', 1).save())
  faulty.calls.length = 0
  return { ...made, faulty }
}

test('a save whose answer was lost is found to have landed: it is one write and no error', async (t) => {
  const { visit, faulty } = await started()
  faulty.next('replace', 'lost')
  await visit(async (object) => object.update('n', (n) => n + 1))
  t.deepEqual(faulty.calls, ['get', 'replace', 'get'])
  t.is(await visit((object) => object.get('n')), 2)
})

test('a save that never reached the store is sent again, the same', async (t) => {
  const { visit, faulty } = await started()
  faulty.next('replace', 'hung')
  await visit(async (object) => object.update('n', (n) => n + 1))
  t.deepEqual(faulty.calls, ['get', 'replace', 'get', 'replace'])
  t.is(await visit((object) => object.get('n')), 2)
})

test('a save that was sent again and lands late takes effect once', async (t) => {
  const { visit, faulty } = await started()
  faulty.next('replace', 'late')
  await visit(async (object) => object.update('n', (n) => n + 1))
  await visit(async (object) => object.update('n', (n) => n + 1))
  await faulty.release()
  t.is(await visit((object) => object.get('n')), 3)
})

test('a save whose answer was lost and that another has built on is known by its nonce', async (t) => {
  const { visit, faulty } = await started()
  let others = 0
  faulty.next('replace', async (run) => {
    await run()
    if (others++ === 0) await visit(async (object) => object.update('m', () => 'other'))
    throw new StoreOutcomeUnknownError('lost', { backend: 'test', operation: 'replace' })
  })
  await visit(async (object) => {
    const session = await object.load()
    await session.update('n', (n) => n + 1)
    t.is(session.get('m'), undefined)
  }).catch((error: unknown) => t.fail(String(error)))
  t.is(await visit((object) => object.get('n')), 2)
})

test('a save that was refused for another, its answer lost, is made again on the newer record', async (t) => {
  const { visit, open, browser, faulty } = await started()
  const session = await open(browser.begin()).load()
  await visit(async (object) => object.update('n', (n) => n + 10))
  faulty.next('replace', 'hung')
  await session.update('n', (n) => n + 1)
  t.is(await visit((object) => object.get('n')), 12)
})

test('a save whose outcome cannot be learnt rejects with StoreOutcomeUnknownError', async (t) => {
  const { visit, faulty } = await started()
  faulty.next('replace', 'lost')
  await visit(async (object) => {
    const session = await object.load()
    faulty.next('get', 'hung')
    await t.throwsAsync(session.set('n', 5).save(), { code: 'PHIAL_STORE_OUTCOME_UNKNOWN' })
  })
})

test('a create whose answer was lost is recognised, and its cookie is sent', async (t) => {
  const { visit, faulty, browser } = await started()
  browser.cookies.clear()
  faulty.next('create', 'lost')
  await visit(async (object) => (await object.load()).set('fresh', 1).save())
  t.is(await visit((object) => object.get('fresh')), 1)
})

test('a renewal whose claim of the old id was lost on its way back is confirmed by sending that again, for what may keep copies', async (t) => {
  const { visit, faulty } = await started()
  const sent: unknown[][] = []
  const { replace } = faulty.manager
  faulty.manager.replace = (...args) => {
    sent.push(args)
    return replace(...args)
  }
  faulty.next('replace', 'lost')
  await visit(async (object) => object.regenerateId())
  t.deepEqual(faulty.calls, ['get', 'create', 'replace', 'get', 'replace'])
  t.is(sent[0]![4], 'moved')
  t.deepEqual(sent[1], sent[0])
  t.is(await visit((object) => object.get('n')), 1)
})

test('a create that stays unknown sets no cookie, and what it may have left is removed', async (t) => {
  const { visit, faulty, browser, store } = await started()
  browser.cookies.clear()
  faulty.next('create', 'lost')
  faulty.next('get', 'hung')
  const removed = new Promise<void>((resolve) => {
    faulty.next('delete', async (run) => {
      await run()
      resolve()
    })
  })
  await visit(async (object) => {
    await t.throwsAsync((await object.load()).set('fresh', 1).save(), { code: 'PHIAL_STORE_OUTCOME_UNKNOWN' })
  })
  await removed
  t.is(browser.cookies.size, 0)
  const keys: string[] = []
  for await (const key of (store as any).keys()) keys.push(key)
  t.is(keys.length, 1)
})

test('a destroy whose answer was lost is done', async (t) => {
  const { visit, faulty, browser } = await started()
  const old = browser.copy()
  faulty.next('delete', 'lost')
  await visit(async (object) => object.destroy())
  t.true(await visit(async (object) => (await object.load()).isNew, old))
})

test('a renewal whose claim of the old record was lost is finished: one id lives', async (t) => {
  const { visit, faulty, browser } = await started()
  const old = browser.copy()
  faulty.next('replace', 'lost')
  await visit(async (object) => object.regenerateId())
  t.is(await visit((object) => object.get('n')), 1)
  t.true(await visit(async (object) => (await object.load()).isNew, old))
})

test('a store that never answers, throws at once or answers nonsense gives typed errors', async (t) => {
  const { visit, faulty } = await started()
  const failing = (fault: Parameters<FaultyStore['next']>[1]) => {
    faulty.next('get', fault)
    return visit(async (object) => void (await object.load()))
  }
  await t.throwsAsync(failing('hung'), { code: 'PHIAL_STORE_TIMEOUT' })
  await t.throwsAsync(failing(new RangeError('boom')), { code: 'PHIAL_STORE' })
  await t.throwsAsync(failing(() => 42), { code: 'PHIAL_STORE' })
  await t.throwsAsync(failing(() => ({ value: 7, version: null })), { code: 'PHIAL_STORE' })
})

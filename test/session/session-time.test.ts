import test from 'ava'
import { Clock, harness, memoryStore } from '../support/harness.js'
import { FaultyStore } from '../support/faulty-store.js'

const HOUR = 3_600_000

test('S040: the idle end is exact: there at T−1 ms, gone at T', async (t) => {
  for (const [late, there] of [[-1, true], [0, false], [1, false]] as const) {
    const { visit, clock } = harness()
    await visit(async (object) => (await object.load()).set('a', 1).save())
    clock.advance(HOUR + late)
    t.is(await visit((object) => object.get('a')), there ? 1 : undefined, `T${late}`)
  }
})

test('S041: the absolute end is exact, whatever the activity', async (t) => {
  const { visit, clock } = harness({ time: { lifetime: 13 * 3600, timeout: 3600 } })
  await visit(async (object) => (await object.load()).set('a', 1).save())
  for (let minute = 1; minute < 13 * 60; minute++) {
    clock.advance(60_000)
    t.is(await visit((object) => object.get('a')), 1, `minute ${minute}`)
  }
  clock.advance(59_999)
  t.is(await visit((object) => object.get('a')), 1)
  clock.advance(1)
  t.is(await visit((object) => object.get('a')), undefined)
})

test('S048: a record from the future beyond a minute counts as expired, within it it does not', async (t) => {
  for (const [back, there] of [[60_000, true], [60_001, false], [HOUR, false]] as const) {
    const { visit, clock } = harness()
    await visit(async (object) => (await object.load()).set('a', 1).save())
    clock.advance(-back)
    t.is(await visit((object) => object.get('a')), there ? 1 : undefined, `${back} ms back`)
  }
})

test('S050: a session is touched at most once an interval, inside the read', async (t) => {
  const clock = new Clock()
  const faulty = new FaultyStore(memoryStore(clock.now))
  const { visit } = harness({ store: faulty.manager, clock })
  await visit(async (object) => (await object.load()).set('a', 1).save())
  faulty.calls.length = 0
  let moved = 0
  let before = 0
  for (let n = 0; n < 1000; n++) {
    clock.advance(10)
    const expiresAt = await visit(async (object) => (await object.load()).expiresAt)
    if (expiresAt !== before) moved++
    before = expiresAt
  }
  t.is(moved, 1)
  t.deepEqual(new Set(faulty.calls), new Set(['get']))
  clock.advance(60_000)
  await visit((object) => object.get('a'))
  clock.advance(HOUR - 1)
  t.is(await visit((object) => object.get('a')), 1)
})

test('S051: createdAt, authenticatedAt and lastAccessedAt are readable, true to the touch interval', async (t) => {
  const { visit, clock } = harness()
  const created = clock.now()
  await visit(async (object) => (await object.load()).set('a', 1).save())
  clock.advance(30_000)
  await visit((object) => object.get('a'))
  clock.advance(90_000)
  await visit(async (object) => {
    const session = await object.load()
    t.is(session.createdAt, created)
    t.is(session.authenticatedAt, undefined)
    t.is(session.lastAccessedAt, created)
    t.is(session.expiresAt, clock.now() + HOUR)
    await session.regenerateId({ authenticated: true })
    t.is(session.authenticatedAt, clock.now())
  })
  const touched = clock.now()
  clock.advance(1000)
  await visit(async (object) => {
    const session = await object.load()
    t.is(session.lastAccessedAt, touched)
    t.is(session.authenticatedAt, touched)
    t.is(session.createdAt, created)
  })
})

test('without touching the session lives as long as its lifetime, and reading writes nothing', async (t) => {
  const { visit, clock } = harness({ time: { timeout: undefined, saveAccessedTime: false, lifetime: 7200 } })
  await visit(async (object) => (await object.load()).set('a', 1).save())
  clock.advance(2 * HOUR - 1)
  t.is(await visit((object) => object.get('a')), 1)
  clock.advance(1)
  t.is(await visit((object) => object.get('a')), undefined)
})

test('saving what did not change touches, and tells when the session is gone', async (t) => {
  const { visit, clock, open, browser } = harness()
  await visit(async (object) => (await object.load()).set('a', 1).save())
  const session = await open(browser.begin()).load()
  clock.advance(HOUR / 2)
  await session.save()
  t.is(session.expiresAt, clock.now() + HOUR)
  clock.advance(HOUR - 1)
  t.is(await visit((object) => object.get('a')), 1)
})

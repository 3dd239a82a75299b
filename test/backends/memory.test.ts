import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { memoryBackend } from '../../backends/memory.js'
import { contractCases } from '../contract/index.js'
import { type EveryAbility, memoryFixture, openMemory } from '../support/memory-fixture.js'

for (const { name, run } of contractCases(memoryFixture)) test(name, (t) => t.notThrowsAsync(run()))

const LATER = 4e12

/** Keys of their own for each test: `a`, `b`, `c`, … */
const key = (letter: string): string => letter.repeat(64)

const createAll = async (manager: EveryAbility, letters: string, value = 'value', expiresAt = LATER): Promise<void> => {
  for (const letter of letters) await manager.create(key(letter), value, expiresAt)
}

const live = async (manager: EveryAbility): Promise<string> => {
  const letters: string[] = []
  for await (const one of manager.keys()) letters.push(one.slice(0, 1))
  return letters.toSorted().join('')
}

/** What was told on `phial:evicted` while the others ran; tests of this file that evict are serial. */
const evictions = async (t: ExecutionContext, act: () => Promise<void>): Promise<unknown[]> => {
  const told: unknown[] = []
  const note = (message: unknown): void => void told.push(message)
  subscribe('phial:evicted', note)
  t.teardown(() => unsubscribe('phial:evicted', note))
  await act()
  unsubscribe('phial:evicted', note)
  return told
}

test.serial('S152: at max_sessions the one that was not used for the longest time makes room, and it is told', async (t) => {
  const manager = openMemory({ maxSessions: 3 })
  const told = await evictions(t, () => createAll(manager, 'abcde'))
  t.is(await live(manager), 'cde')
  t.deepEqual(told, [{ backend: 'memory', reason: 'count' }, { backend: 'memory', reason: 'count' }])
})

test.serial('S152: reading, touching and writing are use', async (t) => {
  const manager = openMemory({ maxSessions: 4 })
  await createAll(manager, 'abcd')
  const version = (await manager.get(key('a')))?.version ?? ''
  await manager.touch(key('b'), LATER)
  await createAll(manager, 'e')
  t.is(await live(manager), 'abde')
  await manager.replace(key('a'), 'again', version, LATER)
  await manager.get(key('d'))
  await createAll(manager, 'f')
  t.is(await live(manager), 'adef')
})

test.serial('S152: at the bound an expired session goes before a live one, and that is no eviction', async (t) => {
  let clock = 1_000
  const manager = openMemory({ maxSessions: 3 }, () => clock)
  const told = await evictions(t, async () => {
    await createAll(manager, 'ab')
    await createAll(manager, 'c', 'value', 2_000)
    clock = 2_000
    await createAll(manager, 'd')
  })
  t.is(await live(manager), 'abd')
  t.deepEqual(told, [])
})

test.serial('S152: at max_total_bytes sessions make room, and it is told', async (t) => {
  const manager = openMemory({ maxTotalBytes: 300_000 })
  const told = await evictions(t, () => createAll(manager, 'abcd', 'x'.repeat(100_000)))
  t.is(await live(manager), 'bcd')
  t.deepEqual(told, [{ backend: 'memory', reason: 'bytes' }])
})

test.serial('S152: what is not ASCII counts two bytes a character, as it takes on the heap', async (t) => {
  const manager = openMemory({ maxTotalBytes: 300_000 })
  await createAll(manager, 'ab', `${'x'.repeat(99_999)}\u20AC`)
  t.is(await live(manager), 'b')
})

test.serial('S152: a session that grows makes others give way, never itself', async (t) => {
  const manager = openMemory({ maxTotalBytes: 300_000 })
  await createAll(manager, 'abc', 'x'.repeat(100_000))
  const version = (await manager.get(key('a')))?.version ?? ''
  t.truthy(await manager.replace(key('a'), 'x'.repeat(150_000), version, LATER))
  t.is(await live(manager), 'ac')
  const next = (await manager.get(key('c')))?.version ?? ''
  t.truthy(await manager.replace(key('c'), 'x'.repeat(1_000_000), next, LATER))
  t.is(await live(manager), 'c')
})

test.serial('S152: bytes that were freed are free again', async (t) => {
  const manager = openMemory({ maxTotalBytes: 300_000 })
  const told = await evictions(t, async () => {
    for (let round = 0; round < 5; round += 1) {
      await createAll(manager, 'abc', 'x'.repeat(100_000))
      const version = (await manager.get(key('a')))?.version ?? ''
      await manager.replace(key('a'), 'x'.repeat(50_000), version, LATER)
      for (const letter of 'abc') await manager.delete(key(letter))
    }
  })
  t.deepEqual(told, [])
})

test.serial('a session that was evicted leaves the index of its owner, others stay', async (t) => {
  const manager = openMemory({ maxSessions: 2 })
  for (const letter of 'abc') {
    await manager.addOwned(key('f'), key(letter), LATER)
    await createAll(manager, letter)
  }
  t.deepEqual(await manager.listOwned(key('f')), [key('b'), key('c')])
})

test.serial('a session that changed hands and was evicted leaves the index of its last owner', async (t) => {
  const manager = openMemory({ maxSessions: 1 })
  await manager.addOwned(key('e'), key('a'), LATER)
  await createAll(manager, 'a')
  await manager.addOwned(key('f'), key('a'), LATER)
  await manager.removeOwned(key('e'), key('a'))
  await createAll(manager, 'b')
  t.deepEqual(await manager.listOwned(key('f')), [])
})

type Step = readonly [operation: 'create' | 'get' | 'touch' | 'replace' | 'delete', letter: string]

/** What a Map in the order of use says that is kept after the steps. */
const model = (steps: readonly Step[], bound: number): string => {
  const kept = new Map<string, true>()
  for (const [operation, letter] of steps) {
    const isThere = kept.delete(letter)
    const stays = operation === 'create' || (isThere && operation !== 'delete')
    if (stays) kept.set(letter, true)
    const [oldest] = kept.keys()
    if (kept.size > bound && oldest !== undefined) kept.delete(oldest)
  }
  return [...kept.keys()].toSorted().join('')
}

const play = async (manager: EveryAbility, steps: readonly Step[]): Promise<string> => {
  for (const [operation, letter] of steps) {
    const one = key(letter)
    if (operation === 'touch') await manager.touch(one, LATER)
    else if (operation === 'delete') await manager.delete(one)
    else if (operation === 'replace') await manager.replace(one, 'next', (await manager.get(one))?.version ?? '', LATER)
    else if ((await manager.get(one)) === undefined && operation === 'create') await manager.create(one, 'value', LATER)
  }
  return live(manager)
}

test.serial('S152: whatever is done, those that were used last are the ones that are kept', async (t) => {
  const operation = fc.constantFrom<Step[0]>('create', 'create', 'get', 'touch', 'replace', 'delete')
  const step = fc.tuple(operation, fc.constantFrom(...'abcde'))
  // Arrays are short unless asked for: few steps fill and evict little.
  const manySteps = fc.array(step, { minLength: 20, maxLength: 60, size: 'max' })
  await fc.assert(
    fc.asyncProperty(manySteps, fc.integer({ min: 1, max: 4 }), async (steps, bound) => {
      const manager = openMemory({ maxSessions: bound })
      const kept = await play(manager, steps)
      await manager.close()
      if (kept !== model(steps, bound)) throw new Error(`kept ${kept}, not ${model(steps, bound)}`)
    }),
    { numRuns: Number(process.env['PHIAL_TEST_RUNS'] ?? 500) },
  )
  t.pass()
})

test('S202: max_total_bytes below max_bytes is refused at start', (t) => {
  const error = t.throws(() => openMemory({ maxTotalBytes: 262_143 }), { code: 'PHIAL_CONFIG' })
  t.is((error as { setting?: unknown }).setting, 'session.memory.max_total_bytes')
  t.notThrows(() => openMemory({ maxTotalBytes: 262_144 }))
})

test('two managers share nothing, and a manager that is closed keeps nothing', async (t) => {
  const [one, other] = [openMemory(), openMemory()]
  await createAll(one, 'a')
  t.is(await other.get(key('a')), undefined)
  await one.close()
  await createAll(other, 'a')
  t.is((await other.get(key('a')))?.value, 'value')
})

test('S151: purging removes expired entries of the owner index, too', async (t) => {
  let clock = 1_000
  const manager = openMemory({}, () => clock)
  await manager.addOwned(key('f'), key('a'), 2_000)
  await manager.addOwned(key('f'), key('b'), LATER)
  await manager.addOwned(key('e'), key('c'), 2_000)
  clock = 2_000
  t.is(await manager.purgeExpired(), 0, 'they are no records')
  t.deepEqual(await manager.listOwned(key('f')), [key('b')])
  t.deepEqual(await manager.listOwned(key('e')), [])
})

const SESSIONS = Number(process.env['PHIAL_TEST_SESSIONS'] ?? 20_000)

/** Turns of the event loop that others get meanwhile. */
const turnsDuring = async (act: () => Promise<void>): Promise<number> => {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await act()
  isOver = true
  return turns
}

const fillMany = async (manager: EveryAbility, expiresAt: number): Promise<void> => {
  for (let index = 0; index < SESSIONS; index += 1) {
    const digits = ((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')
    await manager.create(digits.repeat(8), 'value', expiresAt)
  }
}

test(`F21: ${SESSIONS} sessions are purged in slices, with a turn of the event loop for others after each 1,000`, async (t) => {
  let clock = 1_000
  const manager = openMemory({ maxSessions: SESSIONS }, () => clock)
  await fillMany(manager, 2_000)
  clock = 2_000
  const turns = await turnsDuring(async () => {
    t.is(await manager.purgeExpired(), SESSIONS)
  })
  t.true(turns >= SESSIONS / 1_000, `${turns} turns`)
})

test(`F21: ${SESSIONS} keys are listed in slices, with a turn of the event loop for others after each 1,000`, async (t) => {
  const manager = openMemory({ maxSessions: SESSIONS })
  await fillMany(manager, LATER)
  let count = 0
  const turns = await turnsDuring(async () => {
    for await (const one of manager.keys()) count += one.length / 64
  })
  t.is(count, SESSIONS)
  t.true(turns >= SESSIONS / 1_000, `${turns} turns`)
})

test('a listing of keys ends with SessionClosedError when the manager is closed meanwhile', async (t) => {
  const manager = openMemory()
  await createAll(manager, 'abc')
  const keys = manager.keys()[Symbol.asyncIterator]()
  t.false((await keys.next()).done)
  await manager.close()
  await t.throwsAsync(async () => keys.next(), { code: 'PHIAL_CLOSED' })
})

test('lock: who came first is served first', async (t) => {
  const manager = openMemory()
  const first = await manager.lock(key('a'), 60_000, Date.now())
  const served: number[] = []
  const waiting = [1, 2, 3].map(async (turn) => {
    const lease = await manager.lock(key('a'), 60_000, Date.now() + 60_000)
    served.push(turn)
    await lease?.release()
  })
  await first?.release()
  await Promise.all(waiting)
  t.deepEqual(served, [1, 2, 3])
})

test('lock: a lease and a wait of more than 24.8 days do not end at once', async (t) => {
  const manager = openMemory()
  const month = 31 * 86_400_000
  t.truthy(await manager.lock(key('a'), month, Date.now()))
  const waiting = manager.lock(key('a'), month, Date.now() + month)
  const aWhile = manager.lock(key('a'), 1, Date.now() + 20).then(() => 'still waiting')
  t.is(await Promise.race([waiting.catch(() => 'refused'), aWhile]), 'still waiting')
  await manager.close()
  await t.throwsAsync(waiting, { code: 'PHIAL_CLOSED' })
})

test('S048: a clock that is set neither ends a lease nor keeps one', async (t) => {
  let clock = 1_000
  const manager = openMemory({}, () => clock)
  t.truthy(await manager.lock(key('a'), 60_000, clock))
  clock += 86_400_000
  t.is(await manager.lock(key('a'), 60_000, clock), undefined)
  t.truthy(await manager.lock(key('b'), 20, clock))
  clock -= 2 * 86_400_000
  t.truthy(await manager.lock(key('b'), 60_000, clock + 60_000))
  await manager.close()
})

test('defaults: 100,000 sessions, 128 MiB, a purge a minute', (t) => {
  const { max_sessions, max_total_bytes, purge_interval } = memoryBackend.options ?? {}
  t.deepEqual([max_sessions?.default, max_total_bytes?.default, purge_interval?.default], [100_000, 134_217_728, 60])
})

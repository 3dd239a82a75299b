import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { migrating, migratingBackend } from '../../backends/migrating.js'
import { inCommon } from '../../backends/migrating/manifest.js'
import { memoryBackend } from '../../backends/memory.js'
import { StoreUnavailableError } from '../../src/errors.js'
import { createManager } from '../../src/index.js'
import type { BackendContext, NamespaceManager } from '../../src/namespace-manager.js'
import { FaultyStore } from '../support/faulty-store.js'
import { SECRET } from '../support/harness.js'
import { Connection, openMemory } from '../support/memory-fixture.js'
import type { EveryAbility } from '../support/memory-fixture.js'
import { openMigrating } from '../support/migrating-fixture.js'
import { withSupports } from '../support/with-supports.js'

const KEY = 'a'.repeat(64)
const OTHER = 'b'.repeat(64)
const OWNER = 'c'.repeat(64)
const later = (): number => Date.now() + 3_600_000
const down = (): Error => new StoreUnavailableError('down', { backend: 'memory', operation: 'any' })

/** An old and a new store, and what stands between them and the process of a step. */
const stores = () => {
  const [from, to] = [openMemory(), openMemory()]
  const step = (createIn: 'from' | 'to') => {
    const [old, next] = [new FaultyStore(new Connection(from)), new FaultyStore(new Connection(to))]
    return { manager: openMigrating([old.manager, next.manager], createIn, Date.now) as EveryAbility, from: old, to: next }
  }
  return { from, to, step }
}

for (const createIn of ['from', 'to'] as const) {
  test(`a record stays where it was made, here in "${createIn}", through saves, touches and whatever the other step's processes do`, async (t) => {
    const all = stores()
    const [maker, other] = [all.step(createIn).manager, all.step(createIn === 'to' ? 'from' : 'to').manager]
    const elsewhere = createIn === 'to' ? all.from : all.to
    let version = (await maker.create(KEY, '0', later()))!
    for (const [index, manager] of [other, maker, other].entries()) {
      const found = await manager.get(KEY, { expiresAt: later() + 1_000, ifBefore: later() + 1_000 })
      t.like(found, { value: `${index}`, version, touched: true })
      version = (await manager.replace(KEY, `${index + 1}`, version, later()))!
      t.true(await manager.touch(KEY, later()))
      t.is(await elsewhere.get(KEY), undefined)
    }
    t.is((await all[createIn].get(KEY))?.value, '3')
  })

  test(`no second record is made of a key that lives in the other store, by who makes them in "${createIn}"`, async (t) => {
    const all = stores()
    const elsewhere = createIn === 'to' ? all.from : all.to
    const version = await elsewhere.create(KEY, 'there', later())
    const { manager } = all.step(createIn)
    t.is(await manager.create(KEY, 'here', later()), undefined)
    t.is((await elsewhere.get(KEY))?.version, version)
    t.is(await all[createIn].get(KEY), undefined)
  })
}

test('what is where new sessions are made is found in one call, what is not in a second', async (t) => {
  const all = stores()
  await all.from.create(KEY, 'old', later())
  await all.to.create(OTHER, 'new', later())
  for (const createIn of ['from', 'to'] as const) {
    const { manager, ...step } = all.step(createIn)
    const [own, other] = createIn === 'to' ? [step.to, step.from] : [step.from, step.to]
    const [here, there] = createIn === 'to' ? [OTHER, KEY] : [KEY, OTHER]
    t.is((await manager.get(here))?.value, createIn === 'to' ? 'new' : 'old')
    t.deepEqual([own.calls, other.calls], [['get'], []])
    t.is((await manager.get(there))?.value, createIn === 'to' ? 'old' : 'new')
    t.deepEqual([own.calls, other.calls], [['get', 'get'], ['get']])
  }
})

test('a delete without a version reaches both stores, one with a version its record\'s', async (t) => {
  const all = stores()
  const { manager, from, to } = all.step('to')
  await all.from.create(KEY, 'old', later())
  await all.to.create(OTHER, 'new', later())
  for (const key of [KEY, OTHER]) await manager.delete(key)
  t.deepEqual([from.calls, to.calls], [['delete', 'delete'], ['delete', 'delete']])
  for (const [store, key] of [[all.from, KEY], [all.to, OTHER]] as const) t.is(await store.get(key), undefined)
  await all.from.create(KEY, 'old', later())
  t.true(await manager.delete(KEY, (await manager.get(KEY))!.version))
  for (const version of ['', 'x', '1', 'to', 'from']) t.false(await manager.delete(KEY, version), version)
})

test('G03: a delete that one store refuses is a failure, and done in the other', async (t) => {
  const all = stores()
  await all.from.create(KEY, 'old', later())
  const { manager, from, to } = all.step('to')
  to.next('delete', down())
  from.next('delete', (call) => sleep(20).then(call))
  await t.throwsAsync(async () => manager.delete(KEY), { code: 'PHIAL_STORE_UNAVAILABLE' })
  t.is(await all.from.get(KEY), undefined)
})

// One of them is down

test('G01: while "from" is down, who creates in "to" reads what is there; of all else nobody can say that it is missing', async (t) => {
  const all = stores()
  await all.to.create(KEY, 'new', later())
  const { manager, from } = all.step('to')
  from.next('get', ...Array.from({ length: 10 }, down))
  t.is((await manager.get(KEY))?.value, 'new')
  await t.throwsAsync(manager.get(OTHER), { code: 'PHIAL_STORE_UNAVAILABLE' })
  await t.throwsAsync(manager.create(OTHER, 'value', later()), { code: 'PHIAL_STORE_UNAVAILABLE' })
  t.is(await all.to.get(OTHER), undefined)
})

test('G04: a record is taken back when it cannot be seen whether it is the only one, or is not', async (t) => {
  const all = stores()
  const { manager, from } = all.step('to')
  from.next('get', (call) => call(), down())
  await t.throwsAsync(manager.create(KEY, 'value', later()), { code: 'PHIAL_STORE_UNAVAILABLE' })
  t.is(await all.to.get(KEY), undefined)
  from.next('get', (call) => call(), async (call) => {
    await all.from.create(KEY, 'by another', later())
    return call()
  })
  t.is(await manager.create(KEY, 'value', later()), undefined)
  t.is(await all.to.get(KEY), undefined)
  t.is((await manager.get(KEY))?.value, 'by another')
})

test('G02: while "to" is down, who creates in "from" reads what is there; who creates in "to" cannot say anything', async (t) => {
  const all = stores()
  await all.from.create(KEY, 'old', later())
  const [first, second] = [all.step('from'), all.step('to')]
  for (const { to } of [first, second]) to.next('get', ...Array.from({ length: 10 }, down))
  t.is((await first.manager.get(KEY))?.value, 'old')
  await t.throwsAsync(second.manager.get(KEY), { code: 'PHIAL_STORE_UNAVAILABLE' })
  for (const { manager } of [first, second]) await t.throwsAsync(manager.get(OTHER), { code: 'PHIAL_STORE_UNAVAILABLE' })
  await t.throwsAsync(first.manager.create(OTHER, 'value', later()), { code: 'PHIAL_STORE_UNAVAILABLE' })
})

// Abilities

test('an owner\'s sessions in both stores are listed once each; entries are added beside new records and removed from both', async (t) => {
  const all = stores()
  const [first, second] = [all.step('from').manager, all.step('to').manager]
  await first.addOwned(OWNER, KEY, later())
  await second.addOwned(OWNER, KEY, later())
  await second.addOwned(OWNER, OTHER, later())
  await first.addOwned(KEY, OTHER, later())
  t.deepEqual(await second.listOwned(KEY), [OTHER])
  t.deepEqual(await all.from.listOwned(OWNER), [KEY], 'who knows the old store alone misses none of its sessions')
  t.deepEqual((await all.to.listOwned(OWNER)).toSorted(), [KEY, OTHER])
  for (const manager of [first, second]) t.deepEqual((await manager.listOwned(OWNER)).toSorted(), [KEY, OTHER])
  await first.removeOwned(OWNER, KEY)
  for (const manager of [first, second, all.to]) t.deepEqual(await manager.listOwned(OWNER), [OTHER])
})

test('all keys are told, and none twice', async (t) => {
  const all = stores()
  const keys = Array.from({ length: 20 }, (_, index) => `${index}`.padStart(64, '0'))
  const [first, second] = [all.step('from').manager, all.step('to').manager]
  for (const [index, key] of keys.entries()) await (index % 2 ? first : second).create(key, 'value', later())
  const told: string[] = []
  for await (const key of first.keys()) told.push(key)
  t.deepEqual(told.toSorted(), keys)
})

test('both stores are purged, or the one that needs it', async (t) => {
  let now = 0
  const fill = async (store: EveryAbility): Promise<void> => void (await store.create(KEY, 'value', 1_000))
  const [from, to] = [openMemory({}, () => now), openMemory({}, () => now)]
  await fill(from)
  await fill(to)
  now = 1_000_000
  const manager = openMigrating([from, withSupports(to, { purgeable: false })], 'to', () => now) as EveryAbility
  t.true(manager.supports.purgeable)
  t.is(await manager.purgeExpired(), 1)
  await fill(from)
  t.is(await (openMigrating([from, to], 'to', () => now) as EveryAbility).purgeExpired(), 2)
})

test('a lock excludes whoever knows one of the stores alone, and is given back whole', async (t) => {
  const [from, to] = [openMemory(), openMemory()]
  const step = (createIn: 'from' | 'to'): EveryAbility => openMigrating([from, to], createIn, Date.now) as EveryAbility
  const managers = { 'the old store alone': from, 'the first step': step('from'), 'the second step': step('to'), 'the new store alone': to }
  for (const [holder, held] of Object.entries(managers)) {
    for (const [name, manager] of Object.entries(managers)) {
      if (holder.startsWith('the old') && name.startsWith('the new') || holder.startsWith('the new') && name.startsWith('the old')) continue
      const lease = await held.lock(KEY, 60_000, 0)
      t.is(await manager.lock(KEY, 60_000, 0), undefined, `${name} while ${holder} holds it`)
      await lease!.release()
      const next = await manager.lock(KEY, 60_000, 0)
      t.truthy(next, `${name} after ${holder}`)
      await next!.release()
    }
  }
})

test('a lock that fails in the new store is given back in the old one', async (t) => {
  const all = stores()
  const { manager, to } = all.step('to')
  ;(to.manager as EveryAbility).lock = () => Promise.reject(down())
  await t.throwsAsync(manager.lock(KEY, 60_000, 0), { code: 'PHIAL_STORE_UNAVAILABLE' })
  t.truthy(await all.from.lock(KEY, 60_000, 0))
})

test('the manifest is what both are able to do; records are as large as the smaller one takes', async (t) => {
  const { supports } = memoryBackend
  const least = { ...supports, scope: 'process', durable: false, atomic: false, revocable: false, maxValueBytes: 10, enumerable: false, lockable: false, ownerIndex: false, verified: false } as const
  const most = { ...supports, scope: 'shared', durable: true } as const
  t.deepEqual(inCommon(least, most), least)
  t.deepEqual(inCommon(most, least), least)
  t.deepEqual(inCommon(most, most), most)
  t.is(inCommon({ ...most, scope: 'machine' }, most).scope, 'machine')
  const small = openMigrating([withSupports(openMemory(), { maxValueBytes: 10 }), openMemory()], 'to', Date.now)
  await t.throwsAsync(small.create(KEY, 'x'.repeat(11), later()), { code: 'PHIAL_TOO_LARGE' })
  const version = await small.create(KEY, 'x'.repeat(10), later())
  await t.throwsAsync(small.replace(KEY, 'x'.repeat(11), version!, later()), { code: 'PHIAL_TOO_LARGE' })
})

test('the sign of an end is handed on', async (t) => {
  const all = stores()
  const { manager, from } = all.step('from')
  let handed: unknown[] = []
  const { replace } = from.manager
  from.manager.replace = (...args) => {
    handed = args
    return replace.apply(from.manager, args)
  }
  const version = await manager.create(KEY, 'one', later())
  await manager.replace(KEY, 'two', version!, later(), 'moved')
  t.is(handed[4], 'moved')
})

test('close closes both, and waits for both', async (t) => {
  const all = stores()
  const { manager, to } = all.step('to')
  to.manager.close = () => Promise.reject(down())
  await t.throwsAsync(manager.close(), { code: 'PHIAL_STORE_UNAVAILABLE' })
  await t.throwsAsync(manager.replace(KEY, 'value', 'x', later()), { code: 'PHIAL_CLOSED' })
})

// Settings

const settings = { secret: SECRET, backends: { old: { type: 'memory' }, new: { type: 'memory', namespace: 'other' } } } as const

test('what is missing, or leads nowhere, is refused at start', (t) => {
  const refused = (given: object, setting: string): void => {
    const error = t.throws(() => createManager({ ...settings, type: 'migrating', migrating: given } as never), { code: 'PHIAL_CONFIG' })
    t.true(error?.message.includes(setting), `${error?.message} names ${setting}`)
  }
  refused({}, 'migrating.from')
  refused({ from: 'old' }, 'migrating.to')
  refused({ from: 'old', to: 'nowhere' }, 'migrating.to')
  refused({ from: 'old', to: 'old' }, 'migrating.to')
  refused({ from: 'old', to: 'new', createIn: 'both' }, 'migrating.createIn')
  t.throws(() => migrating({ from: 'old', to: 'new' }).open({} as BackendContext), { code: 'PHIAL_CONFIG' })
})

for (const isListed of [true, false]) test(`at the end of a move nobody who logged in since it began is logged out, and who was revoked stays so; listed: ${isListed}`, async (t) => {
  const [from, to] = [openMemory(), openMemory()]
  const [old, next] = [new Connection(from), withSupports(new Connection(to), { ownerIndex: isListed })]
  const logIn = async (type: object, owner: string): Promise<string> => {
    const manager = createManager({ type: type as NamespaceManager, secret: SECRET })
    const session = await manager.create()
    session.owner = owner
    await session.save()
    return session.id
  }
  const step = migrating({ from: old, to: next })
  await logIn(old, 'ann')
  const [ann, bob, stolen] = [await logIn(step, 'ann'), await logIn(step, 'bob'), await logIn(step, 'eve')]
  await createManager({ type: step, secret: SECRET }).revoke({ owner: 'eve' })
  const eve = await logIn(step, 'eve')
  const last = createManager({ type: next, secret: SECRET })
  t.is((await last.getById(ann))?.owner, 'ann')
  t.is((await last.getById(bob))?.owner, 'bob')
  t.is((await last.getById(eve))?.owner, 'eve')
  t.is(await last.getById(stolen), undefined)
})

test('by name, by settings or ready made; as a type or as a function', async (t) => {
  const managers = [
    createManager({ ...settings, type: 'migrating', migrating: { from: 'old', to: 'new' } }),
    createManager({ ...settings, type: migrating({ from: 'old', to: { type: 'memory' }, createIn: 'from' }) }),
    createManager({ ...settings, type: migrating({ from: memoryBackend, to: openMemory() }) }),
  ]
  for (const manager of managers) {
    const session = await manager.create()
    await session.set('user', 'ann').save()
    t.is((await manager.getById(session.id))?.get('user'), 'ann')
    t.is(manager.supports.scope, 'process')
    t.is(manager.backend, migratingBackend.type)
    await manager.close()
  }
})

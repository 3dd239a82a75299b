import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease, Lockable } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { isPending, present, range, type Stage } from '../stage.js'

/** Longer than a case takes. */
const LONG = 600_000
const MOMENT = 30

const lockNow = async (manager: Lockable, stage: Stage, key: string, leaseMs = LONG): Promise<Lease | undefined> =>
  stage.settled(manager.lock(key, leaseMs, stage.now()))

/** To be waited for as long as it takes. */
const lockLater = (manager: Lockable, stage: Stage, key: string, leaseMs = LONG): Promise<Lease | undefined> =>
  manager.lock(key, leaseMs, stage.now() + LONG)

export const lockableCases: readonly CaseDefinition[] = casesFor(['lockable'], {
  'lock: a key that is free is leased at once': async (stage) => {
    const lease = present(await lockNow(await stage.open<Lockable>(), stage, stage.key()))
    await lease.release()
  },
  'lock: undefined when the key is not free, for this manager and for another': async (stage) => {
    const [one, other] = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    const lease = present(await lockNow(one, stage, stage.key()))
    assert.equal(await lockNow(one, stage, stage.key()), undefined)
    assert.equal(await lockNow(other, stage, stage.key()), undefined)
    await lease.release()
    assert.ok(await lockNow(other, stage, stage.key()))
  },
  'lock: undefined when the key was not free until waitUntil': async (stage) => {
    const [one, other] = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    present(await lockNow(one, stage, stage.key()))
    assert.equal(await stage.settled(other.lock(stage.key(), LONG, stage.now() + MOMENT)), undefined)
  },
  'lock: who gave up waiting is not given the key afterwards': async (stage) => {
    const [one, other] = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    const lease = present(await lockNow(one, stage, stage.key()))
    assert.equal(await stage.settled(other.lock(stage.key(), LONG, stage.now() + MOMENT)), undefined)
    await lease.release()
    assert.ok(await lockNow(one, stage, stage.key()))
  },
  'lock: who waits gets the key when it is released, and not before': async (stage) => {
    const [one, other] = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    const lease = present(await lockNow(one, stage, stage.key()))
    const next = lockLater(other, stage, stage.key())
    await stage.pass(MOMENT)
    assert.equal(await isPending(next), true)
    await lease.release()
    await present(await stage.settled(next)).release()
  },
  'lock: one holder at a time, and all get their turn': async (stage) => {
    const managers = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    let holders = 0
    const visits: number[] = []
    const visit = async (index: number): Promise<void> => {
      const lease = present(await lockLater(present(managers[index % 2]), stage, stage.key()))
      visits.push((holders += 1))
      await sleep(1)
      holders -= 1
      await lease.release()
    }
    await stage.settled(Promise.all(range(10).map(visit)))
    assert.deepEqual(visits, range(10).map(() => 1))
  },
  'lock: keys do not wait for each other': async (stage) => {
    const manager = await stage.open<Lockable>()
    present(await lockNow(manager, stage, stage.key('one')))
    assert.ok(await lockNow(manager, stage, stage.key('other')))
  },
  'lock: namespaces do not wait for each other': async (stage) => {
    const [shop, forum] = [await stage.open<Lockable>('shop'), await stage.open<Lockable>('forum')]
    present(await lockNow(shop, stage, stage.key()))
    assert.ok(await lockNow(forum, stage, stage.key()))
  },
  'lock: a lease ends by itself, so that a dead holder blocks nobody for longer': async (stage) => {
    const [dead, other] = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    present(await lockNow(dead, stage, stage.key(), stage.lease))
    assert.ok(await stage.settled(lockLater(other, stage, stage.key())))
  },
  'lock: the next lease is a whole one, and not what the former left': async (stage) => {
    const manager = await stage.open<Lockable>()
    const first = present(await lockNow(manager, stage, stage.key(), stage.lease))
    const next = lockLater(manager, stage, stage.key())
    await first.release()
    present(await stage.settled(next))
    await stage.pass(stage.lease + MOMENT)
    assert.equal(await lockNow(manager, stage, stage.key()), undefined)
  },
  'release: may be called twice, and frees nobody else\'s lease': async (stage) => {
    const [one, other] = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    const first = present(await lockNow(one, stage, stage.key()))
    await first.release()
    present(await lockNow(other, stage, stage.key()))
    await first.release()
    assert.equal(await lockNow(one, stage, stage.key()), undefined)
  },
  'release: after the lease has ended it frees nobody else\'s': async (stage) => {
    const [slow, other] = [await stage.open<Lockable>(), await stage.open<Lockable>()]
    const ended = present(await lockNow(slow, stage, stage.key(), stage.lease))
    present(await stage.settled(lockLater(other, stage, stage.key())))
    await ended.release()
    assert.equal(await lockNow(slow, stage, stage.key()), undefined)
  },
  'lock: is advisory: makes no record, and keeps nobody from reading and writing': async (stage) => {
    const [holder, other] = [await stage.open<Lockable>(), await stage.open()]
    const lease = present(await lockNow(holder, stage, stage.key()))
    assert.equal(await other.get(stage.key()), undefined)
    const version = present(await other.create(stage.key(), 'one', stage.later()))
    present(await other.replace(stage.key(), 'two', version, stage.later()))
    await lease.release()
    assert.equal(await stage.readValue(stage.key()), 'two')
    await other.delete(stage.key())
    assert.equal(await stage.read(stage.key()), undefined)
  },
})

import test from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { keyOf } from '../../src/record/id.js'
import { harness } from '../support/harness.js'
import type { Harness, HarnessOptions } from '../support/harness.js'

/** A session whose stored text was replaced behind the library's back. */
const damaged = async (damage: (text: string) => string, options: HarnessOptions = {}): Promise<Harness> => {
  const made = harness(options)
  await made.visit(async (object) => (await object.load()).assign({ a: 1 }).flash('f').save())
  const { store } = made
  for await (const key of (store as any).keys()) {
    const { value, version, expiresAt } = (await store.get(key))!
    await store.replace(key, damage(value), version, expiresAt!)
  }
  return made
}

const otherKey = (text: string): string => text.replace(/"k":"[^"]+"/, '"k":"0123456789abcdef"')

const damages: readonly [string, (text: string) => string][] = [
  ['empty', () => ''],
  ['no line', (text) => text.replaceAll('\n', '')],
  ['no header', (text) => text.replace('{', '')],
  ['not JSON', () => 'hello\nworld'],
  ['a null header', (text) => `null\n${text}`],
  ['another form', (text) => text.replace('"v":1', '"v":2')],
  ['another key\'s record', otherKey],
  ['no times', (text) => text.replace(/"c":\d+/, '"c":"soon"')],
  ['a time that is none', (text) => text.replace(/"s":\d+/, '"s":1.5')],
  ['damaged nonces', (text) => text.replace(/"w":\[[^\]]*\]/, '"w":[1]')],
  ['an owner that is none', (text) => text.replace('"v":1', '"v":1,"o":7')],
  ['data cut', (text) => text.slice(0, -1)],
  ['data that is a list', (text) => text.replace(/\{"a":1\}$/, '[1]')],
  ['fields that are a list', (text) => text.replace(/\n\d+\n.*$/s, '\n2\n[]{}')],
  ['a length that is none', (text) => text.replace(/\n\d+\n/, '\nxx\n')],
  ['__proto__ in the data', (text) => text.replace('"a":1', '"__proto__":{"x":1}')],
]

for (const [what, damage] of damages) {
  test(`S137: a corrupt record (${what}) is no session and an event, and the next save makes a new one`, async (t) => {
    const events: unknown[] = []
    const note = (message: unknown): void => void events.push(message)
    subscribe('phial:corrupt', note)
    const { visit } = await damaged(damage)
    await visit(async (object) => {
      const session = await object.load()
      t.true(session.isNew)
      t.is(session.size, 0)
      await session.set('b', 2).save()
    })
    unsubscribe('phial:corrupt', note)
    t.true(events.length >= 1)
    t.is(await visit((object) => object.get('b')), 2)
    t.is(({} as any).x, undefined)
  })
}

test('with invalidate_corrupt off a corrupt record is an error', async (t) => {
  const { visit } = await damaged(() => 'nonsense', { manager: { invalidateCorrupt: false } })
  await t.throwsAsync(visit((object) => object.get('a')), { code: 'PHIAL_CODEC' })
})

test('a corrupt record of an owner is listed nowhere, and can be ended by its id', async (t) => {
  const made = harness()
  const id = await made.visit(async (object) => {
    const session = await object.load()
    session.owner = 'ann'
    await session.save()
    return session.id
  })
  for await (const key of (made.store as any).keys()) {
    const { version, expiresAt } = (await made.store.get(key))!
    await made.store.replace(key, 'nonsense', version, expiresAt!)
  }
  t.deepEqual(await made.manager.list({ owner: 'ann' }), [])
  t.is(await made.manager.revoke({ owner: 'ann' }), 0)
  t.is((await made.store.get(keyOf(id)))?.value, 'nonsense')
  await made.manager.revoke({ id })
  t.is(await made.store.get(keyOf(id)), undefined)
})

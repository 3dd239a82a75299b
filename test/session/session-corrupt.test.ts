import test from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { keyOf } from '../../src/record/id.js'
import { Clock, harness, memoryStore } from '../support/harness.js'
import type { Harness, HarnessOptions } from '../support/harness.js'
import { withSupports } from '../support/with-supports.js'

/** A session whose stored text was replaced behind the library's back. */
const damaged = async (damage: (text: string) => string, options: HarnessOptions = {}): Promise<Harness> => {
  const clock = new Clock()
  const made = harness({ clock, store: withSupports(memoryStore(clock.now), { verified: false }), ...options })
  await made.visit(async (object) => (await object.load()).assign({ a: 1 }).flash('f').save())
  const { store } = made
  for await (const key of (store as any).keys()) {
    const { value, version, expiresAt } = (await store.get(key))!
    await store.replace(key, damage(value), version, expiresAt!)
  }
  return made
}

/** As it would be in a store that comes to a process's own texts, which have no checksum. */
const unchecked = (text: string): string => text.replace(/^(1 \S+ )[\da-f]{8} /, '$1 ')

const damages: readonly [string, (text: string) => string][] = [
  ['empty', () => ''],
  ['no line', (text) => text.replaceAll('\n', '')],
  ['no lengths', (text) => text.replace('{"a":1}', '')],
  ['not ours', () => 'hello\nworld'],
  ['an empty line before', (text) => `\n${text}`],
  ['another form', (text) => text.replace(/^1/, '2')],
  ['another key\'s record', (text) => text.replace(/^1 \S+/, '1 0123456789abcdef')],
  ['no times', (text) => text.replace(/^(1 \S+ \w*) \d+/, '$1 soon')],
  ['a time that is none', (text) => text.replace(/^(1 \S+ \w*) \d+/, '$1 1.5')],
  ['a time beyond all times', (text) => text.replace(/^(1 \S+ \w*) \d+/, '$1 99999999999999999999')],
  ['damaged nonces', (text) => text.replace(/^(1 \S+ \w* \d+ \d+) \S+/, '$1 [1]')],
  ['an owner that is none', (text) => text.replace('\n', ' {"o":7}\n')],
  ['an owner cut', (text) => text.replace('\n', ' {"o":"ann\n')],
  ['a sign that leads nowhere', (text) => text.replace(/^(1 \S+) .*$/s, '$1 moved soon there\n')],
  ['data cut', (text) => text.slice(0, -1)],
  ['data too long', (text) => `${text} `],
  ['data that is no list', (text) => text.replace(/\[1\]$/, '{1}')],
  ['more data than keys', (text) => text.replace('{"a":1}', '{"a":3}').replace(/\[1\]$/, '[1,2]')],
  ['a value that is none', (text) => text.replace(/\[1\]$/, '[x]')],
  ['fields that are a list', (text) => text.replace(/\n\d+\{.*$/s, '\n2{"a":1}\n[][1]')],
  ['a length that is none', (text) => text.replace(/\n\d+\{/, '\nxx{')],
  ['lengths cut', (text) => text.replace('{"a":1}', '{"a"}')],
  ['__proto__ as a key', (text) => text.replace('{"a":1}', '{"__proto__":1}')],
  ['__proto__ in the data', (text) => text.replace('{"a":1}', '{"a":19}').replace(/\[1\]$/, '[{"__proto__":{"x":1}}]')],
]

for (const [what, damage] of damages.flatMap(([what, damage]) => [[what, damage], [`${what}, and no checksum`, (text: string) => unchecked(damage(text))]] as typeof damages)) {
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

test('a record has a checksum where the store does not find damage itself', async (t) => {
  for (const verified of [true, false]) {
    const clock = new Clock()
    const { visit, store } = harness({ clock, store: withSupports(memoryStore(clock.now), { verified }) })
    await visit(async (object) => (await object.load()).set('a', 1).save())
    for await (const key of (store as any).keys()) t.is(/^1 \S+ [\da-f]{8} /.test((await store.get(key))!.value), !verified)
  }
})

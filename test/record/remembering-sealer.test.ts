import test from 'ava'
import type { Sealer } from '../../src/namespace-manager.js'
import { RememberingSealer } from '../../src/record/remembering-sealer.js'
import { makeSealer } from '../../src/record/seal.js'

const settings = { secrets: ['a secret of thirty-two characters'], encryptKeys: ['a key of thirty-two characters or so'], name: 'test' }

/** Counts how often the one behind it has to work. */
const counted = (): { sealer: Sealer; opened: () => number } => {
  const inner = makeSealer(settings)
  let opened = 0
  const open: Sealer['open'] = (purpose, context, sealed) => (opened++, inner.open(purpose, context, sealed))
  return { sealer: new RememberingSealer({ seal: (...args) => inner.seal(...args), open }), opened: () => opened }
}

test('what was sealed, here or elsewhere, is opened twice, and then remembered', (t) => {
  const { sealer, opened } = counted()
  for (const by of [sealer, makeSealer(settings)]) {
    const [before, sealed] = [opened(), by.seal('record', 'key', 'text')]
    for (let times = 0; times < 5; times++) t.deepEqual(sealer.open('record', 'key', sealed), { text: 'text', stale: false })
    t.is(opened() - before, 2)
  }
})

test('S103: a remembered message does not open for another purpose or context', (t) => {
  const { sealer } = counted()
  const sealed = sealer.seal('record', 'key', 'text')
  for (let times = 0; times < 3; times++) t.is(sealer.open('record', 'key', sealed)?.text, 'text')
  t.deepEqual([sealer.open('cookie', 'key', sealed), sealer.open('record', 'other', sealed)], [undefined, undefined])
})

test('S102: beside a remembered message none passes that only ends like it', (t) => {
  const { sealer } = counted()
  const sealed = sealer.seal('record', 'key', 'text')
  for (let times = 0; times < 3; times++) t.is(sealer.open('record', 'key', sealed)?.text, 'text')
  const forged = (sealed.startsWith('A') ? 'B' : 'A') + sealed.slice(1)
  for (let times = 0; times < 3; times++) t.is(sealer.open('record', 'key', forged), undefined)
  t.is(sealer.open('record', 'key', sealed)?.text, 'text')
})

test('what is larger than a cookie is opened each time', (t) => {
  const { sealer, opened } = counted()
  const sealed = sealer.seal('record', 'key', 'x'.repeat(4096))
  for (let times = 0; times < 5; times++) t.is(sealer.open('record', 'key', sealed)?.text.length, 4096)
  t.is(opened(), 5)
})

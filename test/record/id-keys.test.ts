import test from 'ava'
import { IdKeys } from '../../src/record/id-keys.js'
import { keyOf, newId } from '../../src/record/id.js'

const [newest, older] = ['a secret of thirty-two characters', 'another secret of thirty-two chars']

test('a signature that was verified twice is remembered: the same answer, with the key of its record, and not another one like it', (t) => {
  const keys = new IdKeys([newest, older], 'phial', keyOf)
  const id = newId()
  const signed = keys.sign(id)
  for (let times = 0; times < 2; times++) {
    t.is(keys.remembered(signed), undefined)
    t.deepEqual(keys.verify(signed), { id, stale: false })
  }
  t.deepEqual(keys.remembered(signed), { id, stale: false, key: keyOf(id) })
})

test('S109: an id under an older secret stays stale each time it comes', (t) => {
  const id = newId()
  const signed = new IdKeys([older], 'phial', keyOf).sign(id)
  const keys = new IdKeys([newest, older], 'phial', keyOf)
  for (let times = 0; times < 4; times++) t.like(keys.remembered(signed) ?? keys.verify(signed), { id, stale: true })
})

test('S102: what did not verify is not believed the second time either, nor beside one that is remembered', (t) => {
  const keys = new IdKeys([newest], 'phial', keyOf)
  const signed = keys.sign(newId())
  for (let times = 0; times < 2; times++) t.truthy(keys.verify(signed))
  t.truthy(keys.remembered(signed))
  const forged = `${newId()}${signed.slice(43)}`
  for (let times = 0; times < 3; times++) t.deepEqual([keys.verify(forged), keys.remembered(forged)], [undefined, undefined])
})

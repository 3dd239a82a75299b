import test from 'ava'
import { Recent } from '../../src/record/recent.js'

test('what was set is there, and of many at least the last are', (t) => {
  const recent = new Recent<number>(3)
  for (let n = 0; n < 100; n++) recent.set(String(n), n)
  t.deepEqual(['97', '98', '99'].map((key) => recent.get(key)), [97, 98, 99])
})

test('there are never more than twice as many as were asked for', (t) => {
  const recent = new Recent<number>(3)
  for (let n = 0; n < 100; n++) recent.set(String(n), n)
  const left = Array.from({ length: 100 }, (_, n) => recent.get(String(n))).filter((value) => value !== undefined)
  t.true(left.length >= 3 && left.length <= 6)
})

test('what is used stays while others come and go', (t) => {
  const recent = new Recent<number>(3)
  recent.set('used', -1)
  for (let n = 0; n < 100; n++) {
    recent.set(String(n), n)
    t.is(recent.get('used'), -1)
  }
})

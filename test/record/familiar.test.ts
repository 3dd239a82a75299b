import test from 'ava'
import { randomBytes } from 'node:crypto'
import { Familiar } from '../../src/record/familiar.js'

/** As good as random at its end. */
const text = (): string => randomBytes(32).toString('base64url')

const meet = (familiar: Familiar<string>, met: string): string | undefined => {
  const known = familiar.get(met)
  if (known === undefined) familiar.meet(met, (own) => `${own} is known`)
  return known
}

test('what comes for the third time is known', (t) => {
  const familiar = new Familiar<string>(64)
  const one = text()
  t.deepEqual([1, 2, 3, 4].map(() => meet(familiar, one)), [undefined, undefined, `${one} is known`, `${one} is known`])
})

test('what comes once leaves nothing behind, and what is known stays while others come and go', (t) => {
  const familiar = new Familiar<string>(64)
  const one = text()
  for (let times = 0; times < 2; times++) meet(familiar, one)
  for (let others = 0; others < 1_000; others++) {
    const other = text()
    t.is(meet(familiar, other), undefined)
    t.is(familiar.get(other), undefined)
  }
  t.is(familiar.get(one), `${one} is known`)
})

test('a place has room for one: who comes twice in a row takes it', (t) => {
  const familiar = new Familiar<string>(1)
  const [one, other] = [text(), text()]
  for (const met of [one, one, other, other]) meet(familiar, met)
  t.deepEqual([familiar.get(one), familiar.get(other)], [undefined, `${other} is known`])
})

test('what only ends like it is not known', (t) => {
  const familiar = new Familiar<string>(64)
  const one = text()
  for (let times = 0; times < 2; times++) meet(familiar, one)
  t.is(familiar.get(`_${one}`), undefined)
  t.is(familiar.get(one.slice(1)), undefined)
})

test('short texts, and none, are texts', (t) => {
  const familiar = new Familiar<string>(64)
  for (const short of ['', 'a', 'abc']) t.deepEqual([1, 2, 3].map(() => meet(familiar, short)), [undefined, undefined, `${short} is known`])
})

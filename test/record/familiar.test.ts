import test from 'ava'
import { hash, randomBytes } from 'node:crypto'
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

test('a place has room for four: the fifth takes it from the first, if it comes again before four others', (t) => {
  const familiar = new Familiar<string>(4)
  const texts = Array.from({ length: 5 }, text)
  for (const met of texts) for (let times = 0; times < 2; times++) meet(familiar, met)
  t.deepEqual(texts.map((one) => familiar.get(one)), [undefined, ...texts.slice(1).map((one) => `${one} is known`)])
})

test('five in turn, in a place for four, do not push each other out again and again', (t) => {
  const familiar = new Familiar<string>(4)
  const texts = Array.from({ length: 5 }, text)
  for (let turns = 0; turns < 5; turns++) for (const met of texts) t.is(meet(familiar, met), undefined)
})

test('an eighth as many as there is room for are all known, in whatever order they come', (t) => {
  const familiar = new Familiar<string>(2048)
  const texts = Array.from({ length: 256 }, (_, number) => hash('sha256', `text ${number}`))
  for (let turns = 0; turns < 2; turns++) for (const one of texts) meet(familiar, one)
  t.is(texts.filter((one) => familiar.get(one) === undefined).length, 0)
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

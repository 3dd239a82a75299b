import test from 'ava'
import { Breaker } from '../src/breaker.js'

const breaker = () => {
  const clock = { now: 50_000 }
  const under = new Breaker(() => clock.now)
  const fail = (times: number): void => {
    for (let n = 0; n < times; n++) under.failed()
  }
  return { under, clock, fail }
}

test('five failures without a success for a second: calls are not admitted any more', (t) => {
  const { under, fail } = breaker()
  fail(4)
  t.true(under.admits())
  fail(1)
  t.false(under.admits())
  t.true(under.isOpen)
})

test('failures among successes are one server of several: calls go on', (t) => {
  const { under, clock, fail } = breaker()
  under.succeeded()
  fail(100)
  t.true(under.admits())
  clock.now += 999
  fail(1)
  t.true(under.admits())
  clock.now += 1
  fail(1)
  t.false(under.admits())
})

test('a success starts the count again', (t) => {
  const { under, clock, fail } = breaker()
  fail(4)
  under.succeeded()
  clock.now += 5_000
  fail(4)
  t.true(under.admits())
})

test('five failures spread over more than ten seconds are no outage', (t) => {
  const { under, clock, fail } = breaker()
  for (let n = 0; n < 20; n++) {
    fail(1)
    clock.now += 2_600
    t.true(under.admits())
  }
})

test('while it is down one call in half a second is let through', (t) => {
  const { under, clock, fail } = breaker()
  fail(5)
  clock.now += 499
  t.false(under.admits())
  clock.now += 1
  t.true(under.admits())
  t.false(under.admits())
  fail(1)
  t.false(under.admits())
  clock.now += 500
  t.true(under.admits())
})

test('the first success ends it', (t) => {
  const { under, clock, fail } = breaker()
  fail(5)
  clock.now += 500
  t.true(under.admits())
  under.succeeded()
  t.false(under.isOpen)
  t.true(under.admits())
  t.true(under.admits())
})

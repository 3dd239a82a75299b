import { stat } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { Patience } from '../src/patience.js'

const busyFor = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Which of the two came of it: the answer, for which `ask` is called, or that it was late. */
const outcome = (ms: number, ask: (answer: () => void) => void): Promise<'answered' | 'late'> => new Promise((resolve) => {
  const patience = new Patience(ms, () => resolve('late'))
  ask(() => {
    patience.end()
    resolve('answered')
  })
})

test('without an answer it is late, once', async (t) => {
  let times = 0
  const patience = new Patience(10, () => (times += 1))
  t.is(await outcome(50, () => {}), 'late')
  while (times === 0) await sleep(5)
  t.is(await outcome(300, () => {}), 'late')
  t.is(times, 1)
  patience.end()
})

test('it tells the first answer from another one, and from one that is late', async (t) => {
  const patience = new Patience(1_000, () => {})
  t.deepEqual([patience.end(), patience.end()], [true, false])
  await new Promise<void>((resolve) => {
    const late = new Patience(1, () => {
      t.false(late.end())
      resolve()
    })
  })
})

test('what was answered is never late', async (t) => {
  new Patience(1, () => t.fail()).end()
  t.is(await outcome(300, () => {}), 'late')
})

test('an answer that came while the process was busy is in time', async (t) => {
  const asked = outcome(50, (answer) => stat(new URL(import.meta.url), answer))
  busyFor(400)
  t.is(await asked, 'answered')
})

test('what could not leave while the process was busy gets a moment to be answered', async (t) => {
  const asked = outcome(50, (answer) => setImmediate(() => stat(new URL(import.meta.url), () => stat(new URL(import.meta.url), answer))))
  busyFor(400)
  t.is(await asked, 'answered')
})

test('a moment, and no more', async (t) => {
  const asked = outcome(50, () => {})
  busyFor(400)
  t.is(await asked, 'late')
})

test('what is longer than a timer may be is waited for', async (t) => {
  for (const ms of [2 ** 31, Infinity]) t.is(await outcome(ms, (answer) => setTimeout(answer, 20)), 'answered')
})

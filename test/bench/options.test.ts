import test from 'ava'
import { contestants } from '../../bench/contestants.js'
import { readOptions } from '../../bench/options.js'

test('without options: every server and scenario, three rounds of five seconds, each again when it was disturbed', (t) => {
  const options = readOptions([])
  t.deepEqual(options.contestants, contestants)
  t.is(options.scenarios.map(({ letter }) => letter).join(''), 'UNRWC')
  t.deepEqual([options.seconds, options.rounds, options.attempts, options.seeds], [5, 3, 3, 256])
  t.regex(options.out, /bench[\\/]results[\\/]$/)
})

test('groups and servers are chosen by name, scenarios by letter; the order stays', (t) => {
  const options = readOptions(['--only', 'datastore,phial-redis,phial-datastore', '--scenarios', 'w,R', '--seconds', '1.5', '--rounds', '2'])
  t.deepEqual(options.contestants.map(({ name }) => name), ['phial-redis', 'phial-datastore', 'express-session-connect-datastore'])
  t.deepEqual([options.scenarios.map(({ letter }) => letter).join(''), options.seconds, options.rounds], ['RW', 1.5, 2])
})

test('the short form is one round that looks at no disturbance, and whose results are kept apart', (t) => {
  const { rounds, attempts, out } = readOptions(['--short'])
  t.deepEqual([rounds, attempts], [1, undefined])
  t.regex(out, /bench[\\/]results[\\/]short$/)
})

test('what is not there is refused', (t) => {
  for (const args of [['--only', 'mongo'], ['--scenarios', 'X'], ['--seconds', '0'], ['--rounds', 'many'], ['--long']]) {
    t.throws(() => readOptions(args), { instanceOf: TypeError }, args.join(' '))
  }
})

test('no two servers have the same name', (t) => {
  t.is(new Set(contestants.map(({ name }) => name)).size, contestants.length)
})

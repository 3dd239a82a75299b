import test from 'ava'
import { contestants } from '../../bench/contestants.js'
import { UsageError } from '../../bench/command.js'
import { readOptions } from '../../bench/options.js'

test('without options: every server and scenario, three rounds of five seconds, each again when it was disturbed', (t) => {
  const options = readOptions([])
  t.deepEqual(options.contestants, contestants)
  t.is(options.scenarios.map(({ letter }) => letter).join(''), 'UNRWC')
  t.deepEqual([options.seconds, options.rounds, options.attempts, options.seeds], [5, 3, 3, 256])
  t.regex(options.out, /bench[\\/]results[\\/]$/)
})

test('groups and servers are chosen by name, scenarios by letter; the order stays', (t) => {
  const options = readOptions(['--only', 'Datastore, phial-redis,phial-datastore', '--scenarios', 'w,R', '--seconds', '1.5', '--rounds', '2'])
  t.deepEqual(options.contestants.map(({ name }) => name), ['phial-redis', 'phial-datastore', 'express-session-connect-datastore'])
  t.deepEqual([options.scenarios.map(({ letter }) => letter).join(''), options.seconds, options.rounds], ['RW', 1.5, 2])
})

test('the short form is one round that looks at no disturbance, and whose results are kept apart', (t) => {
  const { rounds, attempts, out } = readOptions(['--short'])
  t.deepEqual([rounds, attempts], [1, undefined])
  t.regex(out, /bench[\\/]results[\\/]short$/)
})

test('a part of it does not take the place of the whole', (t) => {
  for (const args of [['--only', 'redis'], ['--scenarios', 'R'], ['--sessions', '20000']]) t.regex(readOptions(args).out, /bench[\\/]results[\\/]part$/)
  t.is(readOptions(['--only', 'redis', '--out', 'mine']).out, 'mine')
})

test('what is not there is refused', (t) => {
  for (const [option, value, message] of [
    ['only', 'mongo', 'no such server or group: mongo'], ['only', '', 'no such server or group: (none named)'], ['scenarios', 'X', 'no such scenario: x'],
    ['seconds', '0', '--seconds: expected a number over 0; got 0'], ['seconds', 'Infinity', '--seconds: expected a number over 0; got Infinity'],
    ['rounds', 'many', '--rounds: expected a whole number, 1 or more; got many'], ['sessions', '0', '--sessions: expected a whole number, 1 or more; got 0'], ['rounds', '1.5', '--rounds: expected a whole number, 1 or more; got 1.5'],
  ] as const) t.throws(() => readOptions([`--${option}=${value}`]), { instanceOf: UsageError, message })
  t.throws(() => readOptions(['--long']), { instanceOf: TypeError })
})

test('no two servers have the same name', (t) => {
  t.is(new Set(contestants.map(({ name }) => name)).size, contestants.length)
})

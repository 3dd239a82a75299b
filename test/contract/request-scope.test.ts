import test from 'ava'
import { jarFixture } from '../support/jar-backend.js'
import { contractCases } from './index.js'

const cases = contractCases(jarFixture)

for (const { name, run } of cases) test(name, (t) => t.notThrowsAsync(run()))

test('a backend that the client keeps is asked for one record at a time, and for no decision between writers', (t) => {
  const names = cases.map(({ name }) => name)
  t.true(names.length >= 100, `${names.length} cases`)
  const others = /(?<!^close.*)at once|several|another manager|namespace:|^lock|^keys|^purge|Owned|^durable/u
  t.deepEqual(names.filter((name) => others.test(name)), [])
})

import test from 'ava'
import { contractCases } from '../contract/index.js'
import { fileFixtureOn } from '../support/file-fixture.js'

for (const disk of ['local', 'remote'] as const) {
  for (const { name, run } of contractCases(fileFixtureOn(disk))) test(`${name}, on a ${disk} disk`, (t) => t.notThrowsAsync(run()))
}

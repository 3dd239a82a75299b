import test from 'ava'
import { contractCases } from '../contract/index.js'
import { fileFixture } from '../support/file-fixture.js'

for (const { name, run } of contractCases(fileFixture)) test(name, (t) => t.notThrowsAsync(run()))

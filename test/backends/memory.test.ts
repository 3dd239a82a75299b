import test from 'ava'
import { contractCases } from '../contract/index.js'
import { memoryFixture } from '../support/memory-fixture.js'

for (const { name, run } of contractCases(memoryFixture)) test(`memory: ${name}`, (t) => t.notThrowsAsync(run()))

import test from 'ava'
import { contractCases } from '../contract/index.js'
import { cachedFixture, warmFixture } from '../support/cached-fixture.js'
import { fileFixture } from '../support/file-fixture.js'
import { memoryFixture } from '../support/memory-fixture.js'
import { mutantFixture } from '../support/mutants/mutant-fixture.js'

/** Memory managers as servers, to which each manager has a connection of its own. */
const server = mutantFixture()

const fixtures = {
  'memory behind memory': cachedFixture(memoryFixture, memoryFixture),
  'a server behind a server': cachedFixture(server, server),
  'a server behind a server that has a copy of everything': warmFixture(server, server),
  'files behind a server': cachedFixture(fileFixture, server),
}

for (const [of, fixture] of Object.entries(fixtures)) {
  for (const { name, run } of contractCases(fixture)) test(`${of}: ${name}`, (t) => t.notThrowsAsync(run()))
}

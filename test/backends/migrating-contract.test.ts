import test from 'ava'
import { contractCases } from '../contract/index.js'
import { fileFixture } from '../support/file-fixture.js'
import { memoryFixture } from '../support/memory-fixture.js'
import { migratingFixture, mixedFixture } from '../support/migrating-fixture.js'
import { mutantFixture } from '../support/mutants/mutant-fixture.js'

/** Memory managers as servers, to which each manager has a connection of its own. */
const server = mutantFixture()

const fixtures = {
  'memory to files, made in memory': migratingFixture(memoryFixture, fileFixture, 'from'),
  'memory to files, made in files': migratingFixture(memoryFixture, fileFixture, 'to'),
  'files to memory, made in files': migratingFixture(fileFixture, memoryFixture, 'from'),
  'files to memory, made in memory': migratingFixture(fileFixture, memoryFixture, 'to'),
  'a server to another, by processes of both steps': mixedFixture(server, server),
}

for (const [of, fixture] of Object.entries(fixtures)) {
  for (const { name, run } of contractCases(fixture)) test(`${of}: ${name}`, (t) => t.notThrowsAsync(run()))
}

import test from 'ava'
import { memoryBackend } from '../../backends/memory.js'
import { type EveryAbility, openMemory } from '../support/memory-fixture.js'
import { type ContractFixture, contractCases } from './index.js'

/** As a server that nobody can set the clock of. */
const fixture: ContractFixture = {
  supports: memoryBackend.supports,
  ownClock: { lifeMs: 1_000, lateMs: 20 },
  createStore() {
    const managers = new Map<string, EveryAbility>()
    return {
      open: (namespace = 'test') => {
        const manager = managers.get(namespace) ?? openMemory()
        managers.set(namespace, manager)
        return manager
      },
      now: Date.now,
      advance: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
      dispose: async () => {
        for (const manager of managers.values()) await manager.close()
      },
    }
  },
}

const cases = contractCases(fixture)

for (const { name, run } of cases) test(name, (t) => t.notThrowsAsync(run()))

test('no case asks a clock of its own for milliseconds', (t) => {
  t.deepEqual(cases.map(({ name }) => name).filter((name) => /1 ms|last millisecond/u.test(name)), [])
})

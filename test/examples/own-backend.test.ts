import { readFile } from 'node:fs/promises'
import test from 'ava'
import { type Row, tableBackend } from '../../examples/own-backend.js'
import type { NamespaceManager, Sealer } from '../../src/namespace-manager.js'
import { type ContractFixture, contractCases } from '../contract/index.js'

const sealer: Sealer = { seal: (_purpose, _context, text) => text, open: (_purpose, _context, text) => ({ text, stale: false }) }

const fixture: ContractFixture = {
  supports: tableBackend(new Map()).supports,
  createStore() {
    let clock = 1_800_000_000_000
    const now = (): number => clock
    const backend = tableBackend(new Map<string, Row>())
    return {
      open: (namespace = 'test') => backend.open({ namespace, now, options: {}, maxBytes: 262_144, sealer }) as NamespaceManager,
      now,
      advance: (ms) => {
        clock += ms
      },
      dispose: () => undefined,
    }
  },
}

for (const { name, run } of contractCases(fixture)) test(name, (t) => t.notThrowsAsync(run()))

const repository = new URL('../../../', import.meta.url)
const page = readFile(new URL('docs/writing-a-backend.md', repository), 'utf8')
const example = readFile(new URL('examples/own-backend.ts', repository), 'utf8')

const withoutImports = (source: string): string =>
  source.split('\n').filter((line) => !line.startsWith('import ')).join('\n').trim()

test('the guide shows the example as it is, and the example is short', async (t) => {
  const [shown] = /(?<=```ts examples\/own-backend\.ts\n).*?(?=```)/su.exec(await page) ?? ['']
  t.is(withoutImports(shown), withoutImports(await example))
  t.true((await example).split('\n').length <= 81)
})

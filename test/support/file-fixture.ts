import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileBackend } from '../../backends/file.js'
import type { NamespaceManager, Sealer } from '../../src/namespace-manager.js'
import type { ContractFixture } from '../contract/index.js'

const sealer: Sealer = { seal: (_purpose, _context, text) => text, open: (_purpose, _context, text) => ({ text, stale: false }) }

/** The file backend: each `open` is a manager of its own on the same directory, as another process would have it. */
export const fileFixtureOn = (disk: 'local' | 'remote'): ContractFixture => ({
  supports: fileBackend.supports,
  async createStore() {
    const dataDir = await mkdtemp(join(tmpdir(), 'phial-contract-'))
    const opened: NamespaceManager[] = []
    let clock = 1_800_000_000_000
    return {
      open(namespace = 'test') {
        const options = { sync: false, disk, purgeInterval: 3600 }
        const manager = fileBackend.open({ namespace, dataDir, now: () => clock, options, maxBytes: 262_144, sealer }) as NamespaceManager
        opened.push(manager)
        return manager
      },
      now: () => clock,
      advance(ms) {
        clock += ms
      },
      async dispose() {
        for (const manager of opened) await manager.close()
        await rm(dataDir, { recursive: true, force: true })
      },
    }
  },
})

export const fileFixture: ContractFixture = fileFixtureOn('local')

import { memoryBackend } from '../backends/memory.js'
import type { NamespaceManager } from '../src/namespace-manager.js'

const notSealed = (): never => {
  throw new Error('what this process keeps is sealed by nobody')
}

/** A namespace manager in this process, to stand below a `FaultyStore` or to be given as `type`. `now` is the clock, in epoch milliseconds. */
export const memoryManager = (now: () => number = Date.now): NamespaceManager =>
  memoryBackend.open({
    namespace: 'test', now, maxBytes: 262_144, sealer: { seal: notSealed, open: notSealed },
    options: Object.freeze({ maxSessions: 100_000, maxTotalBytes: 128 * 1024 * 1024, purgeInterval: 60 }),
  }) as NamespaceManager

import type { Server } from 'node:http'

/** Closing closes the connections that wait for nothing, once: those whose answer comes later have to be looked for. */
const LOOK_MS = 50
/** Who has not got an answer by then gets none; and what still keeps the process alive this long after the stop does so no more. */
const PATIENCE_MS = 5_000

/**
 * At SIGINT or SIGTERM, stops the server: requests under way are answered. `stop` closes it, and then what its requests need.
 * A second Ctrl-C stops at once.
 */
export const stopOnSignals = (server: Server, stop: () => Promise<unknown>): void => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      console.log('Stopping ...')
      setInterval(() => server.closeIdleConnections(), LOOK_MS).unref()
      setTimeout(() => server.closeAllConnections(), PATIENCE_MS).unref()
      void stop().finally(() => setTimeout(() => process.exit(), PATIENCE_MS).unref())
    })
  }
}

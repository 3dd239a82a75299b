import type { Mutant } from './mutant.js'

export const durableMutants: readonly Mutant[] = [
  {
    fault: 'a restart loses the records',
    caughtBy: 'durable: records outlive',
    store: {
      restart: async (server) => {
        for await (const key of server.keys()) await server.delete(key)
      },
    },
  },
  {
    fault: 'a restart gives new versions',
    caughtBy: 'durable: records outlive',
    store: {
      restart: async (server) => {
        for await (const key of server.keys()) {
          const { value = '', version = '', expiresAt = 0 } = (await server.get(key)) ?? {}
          await server.replace(key, value, version, expiresAt)
        }
      },
    },
  },
]

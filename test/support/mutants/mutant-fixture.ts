import type { ContractFixture, ContractStore } from '../../contract/contract-fixture.js'
import { Connection, type EveryAbility, openMemory, sharedSupports } from '../memory-fixture.js'
import { type Mutant, override, type World } from './mutant.js'

/** Memory managers as servers of a shared, durable backend, and what the mutant breaks of it. */
export const mutantFixture = (mutant: Partial<Mutant> = {}): ContractFixture => {
  let shared: ContractStore | undefined
  return {
    supports: sharedSupports,
    patienceMs: 2_000,
    createStore: () => (mutant.store?.isSharedByAll ? (shared ??= createStore(mutant)) : createStore(mutant)),
  }
}

const createStore = ({ server: serverFault, connection: connectionFault, store = {} }: Partial<Mutant>): ContractStore => {
  let clock = 1_800_000_000_000
  const now = (): number => store.clock?.(clock) ?? clock
  const servers = new Map<string, EveryAbility>()
  const memories: EveryAbility[] = []
  const connections: EveryAbility[] = []
  const world: World = { now, first: () => memories[0], all: () => memories }

  const startServer = (name: string): EveryAbility => {
    const memory = openMemory({}, now)
    memories.push(memory)
    const server = override(memory, serverFault?.(memory, world))
    servers.set(name, server)
    return server
  }

  return {
    open: (namespace = 'test') => {
      const name = store.namespace?.(namespace) ?? namespace
      const server = (store.isSharedByNone ? undefined : servers.get(name)) ?? startServer(name)
      const connection = new Connection(server)
      connections.push(connection)
      const close = async (): Promise<void> => {
        for (const one of store.closesAll ? connections : [connection]) await one.close()
      }
      const whole = override(connection, { close })
      return override(whole, connectionFault?.(whole, world))
    },
    now: () => clock,
    advance: (ms) => {
      clock += store.advance?.(ms) ?? ms
    },
    restart: async () => {
      for (const server of servers.values()) await store.restart?.(server)
    },
    dispose: async () => {
      if (!store.isSharedByAll) for (const memory of memories) await memory.close()
    },
  }
}

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { datastoreCalls } from './datastore-calls.js'

/** What the process of a server has used so far. */
export interface Usage {
  /** Microseconds, of all its threads. */
  readonly cpuMicros: number
  readonly datastoreCalls: Readonly<Record<string, number>>
}

/** Tells the benchmark which port a listening server has got, then, whenever it is asked, what the process has used. Ends when the benchmark lets go. */
export const announce = async (server: Server): Promise<void> => {
  if (!server.listening) await once(server, 'listening')
  process.on('message', () => process.send!(usage()))
  process.on('disconnect', () => process.exit())
  process.send!({ port: (server.address() as AddressInfo).port })
}

const usage = (): Usage => {
  const { user, system } = process.cpuUsage()
  return { cpuMicros: user + system, datastoreCalls }
}

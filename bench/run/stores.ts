import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from '../../test/support/app.js'
import { DatastoreEmulator, missingEmulator } from '../../test/support/datastore-emulator.js'
import { MEMCACHED, MemcachedServer } from '../../test/support/memcached-server.js'
import { redisProgram, RedisServer } from '../../test/support/redis-server.js'
import type { Usage } from '../servers/announce.js'

export type StoreName = 'redis' | 'memcached' | 'directory' | 'datastore'

/** How often each command was run. */
export type Counts = Readonly<Record<string, number>>

/** A server or a directory that sessions are kept in. */
export interface Store {
  /** What a contestant is told of it. */
  readonly location: string
  /** Takes away all that is in it. */
  clear(): Promise<unknown>
  /** The commands that it ran so far, with those that scripts run, where it tells; one that does not count is asked by calls that the server counts. */
  commands?(ofServer: Usage): Counts | Promise<Counts>
}

/** Why a store cannot be had on this machine. */
export const missing: Readonly<Record<StoreName, string | undefined>> = {
  redis: redisProgram === undefined ? 'redis-server is not installed' : undefined,
  memcached: MEMCACHED === undefined ? 'memcached is not installed' : undefined,
  directory: undefined,
  datastore: missingEmulator && `${missingEmulator.replace(/,$/, '')} is not installed`,
}

/** Starts it; it is stopped with the run. */
export const startStore = (name: StoreName, t: Teardown): Promise<Store> => starts[name](t)

const starts: Readonly<Record<StoreName, (t: Teardown) => Promise<Store>>> = {
  async redis(t) {
    const server = await RedisServer.start(t)
    return { location: server.url, clear: () => server.run('flushall'), commands: async () => ofCommandStats(String(await server.run('info', 'commandstats'))) }
  },
  async memcached(t) {
    const server = await MemcachedServer.start({ args: ['-m', '1024'] })
    t.teardown(() => server.kill())
    return { location: server.address, clear: () => server.flush(), commands: () => server.commands() }
  },
  async directory(t) {
    const location = mkdtempSync(join(tmpdir(), 'phial-bench-'))
    const remove = (): void => rmSync(location, { recursive: true, force: true })
    t.teardown(remove)
    return { location, clear: async () => { remove(); mkdirSync(location, { mode: 0o700 }) } }
  },
  async datastore(t) {
    const server = await DatastoreEmulator.start()
    t.teardown(() => server.kill())
    return { location: server.url, clear: () => fetch(`http://127.0.0.1:${server.port}/reset`, { method: 'POST' }), commands: ({ datastoreCalls }) => datastoreCalls }
  },
}

const ofCommandStats = (info: string): Counts =>
  Object.fromEntries([...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].filter(([, name]) => name !== 'info').map(([, name, calls]) => [name!.toUpperCase(), Number(calls)]))

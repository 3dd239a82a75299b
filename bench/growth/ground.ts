import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from '../../test/support/app.js'
import { MEMCACHED, MemcachedServer } from '../../test/support/memcached-server.js'
import { RedisServer, redisProgram } from '../../test/support/redis-server.js'
import { atExit } from './cleanup.js'
import type { Place, StoreName } from './scene.js'

/** What a session takes where it is kept. */
export interface Footprint {
  readonly bytes: number
  /** Of the disk: whole blocks. */
  readonly diskBytes?: number
  readonly inodes?: number
}

/** What a server has spent so far. */
export interface Spent {
  readonly cpuUs: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** Where the sessions of a scene are. */
export interface Ground {
  readonly place: Place
  /** Of each of `count` sessions, which are all that is there; absent where they are in the process, or with the client. */
  footprint?(count: number): Promise<Footprint>
  /** Of a server. */
  spent?(): Promise<Spent>
}

/** Made for one scene and removed after it. Says why, instead, when there can be none. */
export const prepareGround = async (t: Teardown, store: StoreName, count: number, size: number): Promise<Ground | string> => {
  if (store === 'file') return fileGround(t, count, size)
  if (store === 'redis') return redisProgram === undefined ? 'redis-server is not installed' : redisGround(t)
  if (store === 'memcache') return MEMCACHED === undefined ? 'memcached is not installed' : memcachedGround(t)
  return { place: {} }
}

const BLOCK = 4096
const INODE = 256

const fileGround = async (t: Teardown, count: number, size: number): Promise<Ground | string> => {
  const wanted = count * (BLOCK * Math.ceil((size + 200) / BLOCK) + INODE)
  const { bavail, bsize, ffree } = await statfs(tmpdir())
  if (wanted > 0.5 * bavail * bsize || count > 0.5 * ffree) {
    return `no room for ${count.toLocaleString('en')} files: ${gb(wanted)} wanted; there are ${gb(bavail * bsize)} and ${ffree.toLocaleString('en')} inodes free`
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'phial-growth-'))
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
  t.teardown(atExit(remove))
  t.teardown(remove)
  return { place: { dataDir }, footprint: async (count) => {
    const { bytes, diskBytes, inodes } = keyedBelow(dataDir)
    return { bytes: bytes / count, diskBytes: diskBytes / count, inodes: inodes / count }
  } }
}

/** What is named by a key: records, owners' directories and what is in them. The directories above are there once, for all. */
const keyedBelow = (folder: string): { bytes: number; diskBytes: number; inodes: number } => {
  const sum = { bytes: 0, diskBytes: 0, inodes: 0 }
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (/^[0-9a-f]{64}$/.test(entry.name)) {
      const { size, blocks } = lstatSync(path)
      sum.bytes += size
      sum.diskBytes += blocks * 512
      sum.inodes += 1
    }
    if (!entry.isDirectory()) continue
    const below = keyedBelow(path)
    for (const name of ['bytes', 'diskBytes', 'inodes'] as const) sum[name] += below[name]
  }
  return sum
}

const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

const redisGround = async (t: Teardown): Promise<Ground> => {
  const server = await RedisServer.start(t)
  const info = async (section: string, ...names: string[]): Promise<number> => {
    const text = String(await server.run('info', section))
    return names.reduce((sum, name) => sum + Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]), 0)
  }
  const usedMemory = (): Promise<number> => info('memory', 'used_memory')
  const before = await usedMemory()
  return {
    place: { url: server.url },
    footprint: async (count) => ({ bytes: ((await usedMemory()) - before) / count }),
    spent: async () => ({
      cpuUs: 1e6 * (await info('cpu', 'used_cpu_user', 'used_cpu_sys')),
      bytesIn: await info('stats', 'total_net_input_bytes'),
      bytesOut: await info('stats', 'total_net_output_bytes'),
    }),
  }
}

const memcachedGround = async (t: Teardown): Promise<Ground> => {
  const server = await MemcachedServer.start({ args: ['-m', '1024'] })
  t.teardown(() => server.kill())
  const stats = async (what: string): Promise<Map<string, number>> =>
    new Map([...(await server.say(what, /^END\r\n/m)).matchAll(/^STAT (\S+) ([\d.]+)\r$/gm)].map(([, name, value]) => [name!, Number(value)]))
  return {
    place: { url: server.url },
    footprint: async (count) => {
      const slabs = await stats('stats slabs')
      const chunks = [...slabs].filter(([name]) => name.endsWith(':used_chunks')).map(([name, used]) => used * slabs.get(name.replace('used_chunks', 'chunk_size'))!)
      return { bytes: chunks.reduce((sum, bytes) => sum + bytes, 0) / count }
    },
    spent: async () => {
      const all = await stats('stats')
      return { cpuUs: 1e6 * (all.get('rusage_user')! + all.get('rusage_system')!), bytesIn: all.get('bytes_read')!, bytesOut: all.get('bytes_written')! }
    },
  }
}

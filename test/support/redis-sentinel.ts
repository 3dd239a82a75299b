import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from './app.js'
import { RedisNode, SERVER_ARGS, startedGroup, tlsArgs, until } from './redis-node.js'
import { freePorts } from './server-process.js'
import { sharedBy } from './shared.js'
import type { Borrow } from './shared.js'

export const MASTER_NAME = 'mymaster'

export interface SentinelSetOptions {
  /** Default 2. */
  readonly replicas?: number
  /** Milliseconds without an answer after which a sentinel takes the master for down; default 1000. */
  readonly downAfter?: number
  readonly serverArgs?: readonly string[]
  /** With these certificates everybody talks over TLS. */
  readonly tlsDirectory?: string
}

/** A master, its replicas and three sentinels on loopback. */
export class SentinelSet {
  readonly servers: readonly RedisNode[]
  readonly sentinels: readonly RedisNode[]
  readonly downAfter: number
  readonly #directory: string
  readonly #isTls: boolean

  private constructor(directory: string, servers: readonly RedisNode[], sentinels: readonly RedisNode[], downAfter: number, isTls: boolean) {
    this.#isTls = isTls
    this.#directory = directory
    this.servers = servers
    this.sentinels = sentinels
    this.downAfter = downAfter
  }

  /** Resolves when the replicas are in step and the sentinels know of all of them and of each other. */
  static start(options: SentinelSetOptions = {}): Promise<SentinelSet> {
    return startedGroup(() => SentinelSet.#start(options))
  }

  static async #start({ replicas = 2, downAfter = 1000, serverArgs = [], tlsDirectory }: SentinelSetOptions): Promise<SentinelSet> {
    const directory = mkdtempSync(join(tmpdir(), 'phial-sentinel-'))
    const count = replicas + 4
    const ports = await freePorts(tlsDirectory === undefined ? count : 2 * count)
    const masterPort = ports.at(-count)!
    const servers: RedisNode[] = []
    const sentinels: RedisNode[] = []
    const set = new SentinelSet(directory, servers, sentinels, downAfter, tlsDirectory !== undefined)
    const begin = (index: number, args: readonly string[], lines: readonly string[]): Promise<RedisNode> => {
      const [port, clientPort] = [ports[index]!, ports.slice(-count)[index]!]
      // In a file, which the server rewrites when a sentinel gives it another role, so that it still has that when it comes back.
      const file = join(directory, `${port}.conf`)
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
      return RedisNode.start(directory, port, [...(tlsDirectory === undefined ? [] : tlsArgs(tlsDirectory, clientPort)), ...args], file, clientPort)
    }
    try {
      for (let index = 0; index <= replicas; index++) {
        servers.push(await begin(index, [...SERVER_ARGS, ...serverArgs], index === 0 ? [] : [`replicaof 127.0.0.1 ${masterPort}`]))
      }
      const rule = (name: string, value: number): string => `sentinel ${name} ${MASTER_NAME} ${value}`
      for (let index = replicas + 1; index < count; index++) {
        const rules = [rule('down-after-milliseconds', downAfter), rule('failover-timeout', 3000), rule('parallel-syncs', replicas)]
        sentinels.push(await begin(index, ['--sentinel'], [`sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} 2`, ...rules]))
      }
      await set.whole()
      return set
    } catch (error) {
      await set.stop()
      throw error
    }
  }

  /** One more, that nobody knows, and that knows this server as the master. */
  static async sentinel(t: Teardown, masterPort: number): Promise<RedisNode> {
    const directory = mkdtempSync(join(tmpdir(), 'phial-sentinel-'))
    const [port] = await freePorts(1)
    const file = join(directory, 'own.conf')
    writeFileSync(file, `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} 1\n`)
    const sentinel = await RedisNode.start(directory, port!, ['--sentinel'], file)
    t.teardown(async () => {
      await sentinel.kill()
      rmSync(directory, { recursive: true, force: true })
    })
    return sentinel
  }

  get url(): string {
    return `redis${this.#isTls ? 's' : ''}+sentinel://${this.sentinels.map(({ clientPort }) => `127.0.0.1:${clientPort}`).join(',')}/${MASTER_NAME}`
  }

  /** Where the sentinels send clients; rejects while they do not agree. */
  async master(): Promise<RedisNode> {
    const ports = new Set<number>()
    for (const sentinel of this.sentinels) ports.add(Number(((await sentinel.ask('SENTINEL', 'get-master-addr-by-name', MASTER_NAME)) as string[])[1]))
    const master = this.servers.find(({ clientPort }) => ports.has(clientPort))
    if (ports.size !== 1 || master === undefined) throw new Error(`the sentinels know ${[...ports].join(' and ')}`)
    return master
  }

  async replicas(): Promise<RedisNode[]> {
    const master = await this.master()
    return this.servers.filter((server) => server !== master)
  }

  /** Asks for a planned failover, and resolves when it has begun. */
  async failover(): Promise<void> {
    await until('a failover may begin', async () => (await this.sentinels[0]!.ask('SENTINEL', 'FAILOVER', MASTER_NAME)) === 'OK')
  }

  /** Resolves when one master has all the replicas in step, and every sentinel sees all of it and nobody down. */
  async whole(): Promise<void> {
    const others = this.servers.length - 1
    await until('the replicas follow the master', async () => {
      const master = await this.master()
      if ((await master.info('role')) !== 'master') return false
      for (const server of this.servers) if (server !== master && (await server.info('master_link_status')) !== 'up') return `${server.port} is not in step`
      return (await master.info('connected_slaves')) === String(others) && master.replicatesTo(others, 'probe')
    }, 40_000)
    await until('the sentinels know everybody', async () => {
      for (const sentinel of this.sentinels) {
        const fields = (await sentinel.ask('SENTINEL', 'MASTER', MASTER_NAME)) as string[]
        const field = (name: string): string | undefined => fields[fields.indexOf(name) + 1]
        if (field('num-slaves') !== String(others) || field('num-other-sentinels') !== '2' || field('flags') !== 'master') return fields.join(' ')
        const replicas = (await sentinel.ask('SENTINEL', 'REPLICAS', MASTER_NAME)) as string[][]
        for (const replica of replicas) if (replica[replica.indexOf('flags') + 1] !== 'slave' || !replica.includes('ok')) return replica.join(' ')
      }
      return true
    }, 40_000)
  }

  /** Brings back who was killed or hung, and waits until the set is whole. */
  async heal(): Promise<void> {
    for (const node of [...this.servers, ...this.sentinels]) {
      node.wake()
      if (!node.isRunning) await node.start()
    }
    // A sentinel does it too, after ten seconds.
    await until('everybody follows the master', async () => {
      const master = await this.master()
      for (const server of this.servers) if (server !== master && (await server.info('role')) === 'master') await server.ask('REPLICAOF', '127.0.0.1', master.clientPort)
      return (await master.info('role')) === 'master'
    }, 40_000)
    await this.whole()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers, ...this.sentinels].map((node) => node.kill()))
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** The Sentinel set-up that the tests of this process share, as long as none does it harm. */
export const borrowSentinels: Borrow<SentinelSet> = sharedBy(async (t) => {
  const started = await SentinelSet.start()
  t.teardown(() => started.stop())
  return started
})

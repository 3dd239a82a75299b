import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { slotOf } from '../../backends/redis/slots.js'
import { RedisNode, SERVER_ARGS, startedGroup, tlsArgs, until } from './redis-node.js'
import { freePorts } from './server-process.js'
import { sharedBy } from './shared.js'
import type { Borrow } from './shared.js'

const SLOTS = 16_384

export interface RedisClusterOptions {
  /** Default 3. */
  readonly masters?: number
  /** Of each master; default 1. */
  readonly replicas?: number
  /** Milliseconds without an answer after which a node is taken for down; default 1000. */
  readonly nodeTimeout?: number
  readonly serverArgs?: readonly string[]
  /** With these certificates everybody talks over TLS. */
  readonly tlsDirectory?: string
}

/** What one line of `CLUSTER NODES` says. */
export interface ClusterView {
  readonly id: string
  readonly port: number
  readonly flags: readonly string[]
  readonly masterId: string
  readonly isLinked: boolean
  readonly ranges: readonly (readonly [from: number, to: number])[]
}

/** Masters, which share the slots evenly, and their replicas, on loopback. */
export class RedisCluster {
  readonly nodes: RedisNode[]
  readonly nodeTimeout: number
  readonly #directory: string
  readonly #args: readonly string[]
  readonly #tlsDirectory: string | undefined

  private constructor(directory: string, nodeTimeout: number, args: readonly string[], tlsDirectory: string | undefined) {
    this.#tlsDirectory = tlsDirectory
    this.#directory = directory
    this.nodeTimeout = nodeTimeout
    this.#args = args
    this.nodes = []
  }

  /** Resolves when all slots are served and all replicas in step. */
  static start(options: RedisClusterOptions = {}): Promise<RedisCluster> {
    return startedGroup(() => RedisCluster.#start(options))
  }

  static async #start({ masters = 3, replicas = 1, nodeTimeout = 1000, serverArgs = [], tlsDirectory }: RedisClusterOptions): Promise<RedisCluster> {
    const cluster = new RedisCluster(mkdtempSync(join(tmpdir(), 'phial-cluster-')), nodeTimeout, serverArgs, tlsDirectory)
    try {
      for (let count = masters * (1 + replicas); count > 0; count--) await cluster.#startNode()
      const heads = cluster.nodes.slice(0, masters)
      for (const [index, head] of heads.entries()) {
        await head.ask('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
        await head.ask('CLUSTER', 'ADDSLOTSRANGE', Math.ceil((index * SLOTS) / masters), Math.ceil(((index + 1) * SLOTS) / masters) - 1)
      }
      for (const node of cluster.nodes.slice(1)) await cluster.#introduce(node)
      await cluster.#everybodyKnows()
      for (const [index, node] of cluster.nodes.slice(masters).entries()) await node.ask('CLUSTER', 'REPLICATE', await cluster.idOf(heads[index % masters]!))
      await cluster.whole()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** The first three nodes. */
  get url(): string {
    return `redis${this.#tlsDirectory === undefined ? '' : 's'}+cluster://${this.nodes.slice(0, 3).map(({ clientPort }) => `127.0.0.1:${clientPort}`).join(',')}`
  }

  /** A new node that knows the others and has no slots; a replica when `of` is given. */
  async add(of?: RedisNode): Promise<RedisNode> {
    const node = await this.#startNode()
    await this.#introduce(node)
    await this.#everybodyKnows()
    if (of !== undefined) await node.ask('CLUSTER', 'REPLICATE', await this.idOf(of))
    await this.whole()
    return node
  }

  /** Takes a node without slots out of the cluster, and ends it. */
  async remove(node: RedisNode): Promise<void> {
    const id = await this.idOf(node)
    this.nodes.splice(this.nodes.indexOf(node), 1)
    for (const other of this.nodes) await other.ask('CLUSTER', 'FORGET', id)
    await node.kill()
  }

  async idOf(node: RedisNode): Promise<string> {
    return String(await node.ask('CLUSTER', 'MYID'))
  }

  /** The cluster as this node sees it, with the ports that are no TLS ports, since it is asked without. */
  async view(node: RedisNode): Promise<ClusterView[]> {
    const lines = String(await node.ask('CLUSTER', 'NODES')).trim().split('\n')
    return lines.map((line) => {
      const [id = '', address = '', flags = '', masterId = '', , , , link, ...slots] = line.split(' ')
      const ranges = slots.filter((slot) => !slot.startsWith('[')).map((slot) => slot.split('-').map(Number)).map(([from, to]) => [from!, to ?? from!] as const)
      return { id, port: Number(/:(\d+)@/.exec(address)?.[1]), flags: flags.split(','), masterId, isLinked: link === 'connected', ranges }
    })
  }

  /** The master that serves the slot, as one that is alive sees it. */
  async masterOf(slot: number): Promise<RedisNode> {
    const port = (await this.#aliveView()).find(({ flags, ranges }) => flags.includes('master') && !flags.includes('fail') && ranges.some(([from, to]) => from <= slot && slot <= to))?.port
    const node = this.nodes.find((each) => each.port === port)
    if (node === undefined) throw new Error(`nobody serves slot ${slot}`)
    return node
  }

  async replicasOf(master: RedisNode): Promise<RedisNode[]> {
    const view = await this.#aliveView()
    const id = view.find(({ port }) => port === master.port)?.id
    return this.nodes.filter(({ port }) => view.some((each) => each.port === port && each.masterId === id))
  }

  async #aliveView(): Promise<ClusterView[]> {
    const alive = this.nodes.find(({ isRunning, isHung }) => isRunning && !isHung)
    if (alive === undefined) throw new Error('nobody is alive')
    return this.view(alive)
  }

  async masters(): Promise<RedisNode[]> {
    const view = await this.#aliveView()
    return this.nodes.filter(({ port }) => view.some((each) => each.port === port && each.ranges.length > 0))
  }

  /** Moves a slot with its keys to another master, as `redis-cli --cluster reshard` does; `pauseMs` while it is on its way. */
  async move(slot: number, to: RedisNode, pauseMs = 0): Promise<void> {
    const from = await this.masterOf(slot)
    const [source, target] = [await this.idOf(from), await this.idOf(to)]
    await to.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source)
    await from.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target)
    for (;;) {
      const keys = (await from.ask('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[]
      await sleep(pauseMs)
      if (keys.length === 0) break
      await from.ask('MIGRATE', '127.0.0.1', to.clientPort, '', 0, 1000, 'KEYS', ...keys)
    }
    await to.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target)
    await from.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target)
  }

  /** Resolves when all slots are served, everybody agrees on who serves them, and every replica is in step. */
  async whole(): Promise<void> {
    await until('the cluster is whole', async () => {
      const views = new Set<string>()
      for (const node of this.nodes) {
        if (!String(await node.ask('CLUSTER', 'INFO')).includes('cluster_state:ok')) return `${node.port} says fail`
        if ((await node.info('role')) === 'slave' && (await node.info('master_link_status')) !== 'up') return `${node.port} is not in step`
        const seen = await this.view(node)
        if (seen.length !== this.nodes.length || seen.some(({ flags }) => flags.some((flag) => /fail|handshake|noaddr/.test(flag)))) return `${node.port} misses somebody`
        views.add(seen.map(({ port, masterId, ranges }) => `${port} ${masterId} ${ranges.join(' ')}`).sort().join('\n'))
        const self = seen.find(({ port }) => port === node.port)!
        const replicas = seen.filter(({ masterId }) => masterId === self.id).length
        if (self.ranges.length > 0 && !(await node.replicatesTo(replicas, keyIn(self.ranges[0]!)))) return `${node.port} does not replicate`
      }
      return views.size === 1
    }, 40_000)
  }

  /** Brings back who was killed or hung, and waits until the cluster is whole. */
  async heal(): Promise<void> {
    for (const node of this.nodes) {
      node.wake()
      if (!node.isRunning) await node.start()
    }
    await this.whole()
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** The cluster's own talk has a port of its own, which is else the port + 10000 and may be taken or too high. */
  async #startNode(): Promise<RedisNode> {
    const [port, busPort, tlsPort] = await freePorts(3)
    const tls = this.#tlsDirectory === undefined ? [] : ['--tls-cluster', 'yes', ...tlsArgs(this.#tlsDirectory, tlsPort!)]
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', String(this.nodeTimeout), '--cluster-replica-validity-factor', '0', '--cluster-allow-replica-migration', 'no']
    const node = await RedisNode.start(this.#directory, port!, [...SERVER_ARGS, ...args, ...tls, ...this.#args], undefined, this.#tlsDirectory === undefined ? port : tlsPort)
    this.nodes.push(node)
    busPorts.set(node, busPort!)
    return node
  }

  async #introduce(node: RedisNode): Promise<void> {
    await this.nodes[0]!.ask('CLUSTER', 'MEET', '127.0.0.1', node.clientPort, busPorts.get(node)!)
  }

  async #everybodyKnows(): Promise<void> {
    await until('the nodes know each other', async () => {
      for (const node of this.nodes) {
        const seen = await this.view(node)
        if (seen.length !== this.nodes.length || seen.some(({ flags, isLinked }) => !isLinked || flags.includes('handshake'))) return false
      }
      return true
    })
  }
}

/** A key with a slot in this range. */
const keyIn = ([from, to]: readonly [number, number]): string => {
  for (let n = 0; ; n++) {
    const slot = slotOf(`probe${n}`)
    if (from <= slot && slot <= to) return `probe${n}`
  }
}

const busPorts = new WeakMap<RedisNode, number>()

/** The cluster that the tests of this process share, as long as none does it harm. */
export const borrowCluster: Borrow<RedisCluster> = sharedBy(async (t) => {
  const started = await RedisCluster.start()
  t.teardown(() => started.stop())
  return started
})

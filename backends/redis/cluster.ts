import { setTimeout as sleep } from 'node:timers/promises'
import { InFlight } from '../in-flight.js'
import type { Sender } from './calls.js'
import { isPassing, NotSent, Refused } from './errors.js'
import type { Command } from './ioredis.js'
import { closed } from './link.js'
import { charsIn, Room } from './room.js'
import type { OneServer, Servers } from './servers.js'
import { redirectionIn, SlotMap, slotOf, slotRanges } from './slots.js'
import type { Redirection, SlotRange } from './slots.js'
import { addressOf } from './url.js'
import type { Endpoint } from './url.js'

export interface ClusterOptions {
  readonly seeds: readonly Endpoint[]
  /** A server at this address, which is being connected to. */
  serverAt(endpoint: Endpoint): OneServer
  /** Milliseconds after which a node that did not tell the slots is left out. */
  readonly patienceMs: number
  readonly waitsForReplicas: boolean
}

/** A command is sent on so many times; in a cluster that is sound once or twice. */
const MOST_HOPS = 5
/** Milliseconds, doubled for each hop after the first: a quarter of a second in all. */
const HOP_PAUSE = 2
/** Milliseconds between two looks at who serves which slot: an idle client hears of a failover by nothing else. */
const LOOK_PAUSE = 1000
/** Milliseconds that a master without a connection is waited for, until somebody is asked whether it is still one. */
const LINK_PATIENCE = 100
/** Milliseconds until it is asked again who serves a slot that nobody serves. */
const VACANT_PAUSE = 50
/** So many nodes are asked for the slots; the first one to answer is believed. */
const ASKED = 3
/** Milliseconds after which the connection to a node that is no master any more is let go. */
const UNUSED = 5000

interface Node {
  readonly endpoint: Endpoint
  readonly server: OneServer
  usedAt: number
}

/**
 * The masters of a cluster, each with connections of its own, and of a care of its own. A command goes to the master of its key's slot, and
 * where that one sends it on to.
 *
 * ioredis has a `Cluster`; it is not used, since it sends commands again whose connection ended, also after they were given up, queues
 * without an end what it cannot send, and asks a replica, that may not know of the last writes, when it knows no master.
 */
export class Cluster implements Servers {
  readonly isSpread = true
  readonly confirmed: Sender | undefined
  readonly #options: ClusterOptions
  readonly #nodes = new Map<string, Node>()
  readonly #slots = new SlotMap()
  readonly #inFlight = new InFlight()
  readonly #room = new Room()
  readonly #timer: NodeJS.Timeout
  #looking: Promise<void> | undefined
  /** Why nobody tells who serves which slot. */
  #trouble: NotSent | undefined
  #isClosed = false

  constructor(options: ClusterOptions) {
    this.#options = options
    if (options.waitsForReplicas) this.confirmed = { send: (command, deadline) => this.#send(command, deadline, ({ confirmed }) => confirmed!) }
    this.#timer = setInterval(() => void this.#look().then(() => this.#letGo()), LOOK_PAUSE).unref()
    void this.#look()
  }

  send(command: Command, deadline: number): Promise<unknown> {
    return this.#send(command, deadline, (server) => server)
  }

  async masters(deadline: number): Promise<readonly Sender[]> {
    await this.#masterOf(0, deadline)
    return this.#slots.masters().map((master) => this.#nodeAt(master).server)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#inFlight.none()
    await this.#looking
    await Promise.all([...this.#nodes.values()].map(({ server }) => server.close()))
  }

  async #send(command: Command, deadline: number, senderOf: (server: OneServer) => Sender): Promise<unknown> {
    if (this.#isClosed) throw closed()
    const chars = charsIn(command)
    this.#room.check(chars)
    return this.#inFlight.run(() => this.#room.hold(chars, () => this.#follow(command, deadline, senderOf)))
  }

  async #follow(command: Command, deadline: number, senderOf: (server: OneServer) => Sender): Promise<unknown> {
    const slot = slotOf(keyOf(command))
    let sent: Redirection | undefined
    for (let hops = 0; hops <= MOST_HOPS; hops++) {
      // Nodes may not agree for a moment on who is the master.
      if (hops > 1) await sleep(Math.min(HOP_PAUSE * 2 ** hops, msUntil(deadline)))
      const { endpoint, server } = sent === undefined ? await this.#masterOf(slot, deadline) : await this.#ready(sent.to, deadline)
      try {
        return await senderOf(server).send(command, deadline, sent?.kind === 'ASK')
      } catch (error) {
        sent = redirectionIn(error, endpoint)
        if (sent?.kind !== 'ASK') void this.#look()
        if (sent === undefined) throw error
        if (sent.kind === 'MOVED') this.#slots.set(slot, sent.to)
      }
    }
    throw new NotSent(`the cluster sent a command on more than ${MOST_HOPS} times`)
  }

  /** Once it is connected to: who does not let us for a while may have been replaced. */
  async #masterOf(slot: number, deadline: number): Promise<Node> {
    for (;;) {
      const master = this.#slots.masterOf(slot)
      try {
        if (master !== undefined) return await this.#ready(master, Math.min(deadline, performance.now() + LINK_PATIENCE))
      } catch (error) {
        if (!(error instanceof NotSent) || error.isLasting || isOver(deadline)) throw error
      }
      if (isOver(deadline) || this.#trouble?.isLasting) throw this.#trouble ?? new NotSent('no master serves this key')
      const told = this.#look().then((): unknown => this.#slots.masterOf(slot) ?? sleep(VACANT_PAUSE))
      await Promise.race([told, sleep(msUntil(deadline), undefined, { ref: false })])
    }
  }

  async #ready(endpoint: Endpoint, deadline: number): Promise<Node> {
    const node = this.#nodeAt(endpoint)
    await node.server.ready(deadline)
    return node
  }

  #nodeAt(endpoint: Endpoint): Node {
    const address = addressOf(endpoint)
    let node = this.#nodes.get(address)
    if (node === undefined) this.#nodes.set(address, (node = { endpoint, server: this.#options.serverAt(endpoint), usedAt: 0 }))
    node.usedAt = performance.now()
    return node
  }

  /** Learns who serves which slot. Never rejects. */
  #look(): Promise<void> {
    this.#looking ??= this.#learn().finally(() => { this.#looking = undefined })
    return this.#looking
  }

  async #learn(): Promise<void> {
    const masters = this.#slots.masters()
    const start = Math.floor(Math.random() * masters.length)
    const some = [...masters.slice(start), ...masters.slice(0, start)].slice(0, ASKED)
    const ranges = (await this.#firstOf(some)) ?? (await this.#firstOf(this.#options.seeds))
    if (ranges === undefined || this.#isClosed) return
    this.#slots.replaceBy(ranges)
    this.#trouble = undefined
    for (const master of this.#slots.masters()) this.#nodeAt(master)
  }

  async #firstOf(endpoints: readonly Endpoint[]): Promise<readonly SlotRange[] | undefined> {
    if (this.#isClosed) return undefined
    const deadline = performance.now() + this.#options.patienceMs
    try {
      return await Promise.any(endpoints.map(async (endpoint) => {
        const ranges = slotRanges(await this.#nodeAt(endpoint).server.send(['cluster', 'slots'], deadline), endpoint)
        if (ranges.length === 0) throw new NotSent('a node knows of no slots')
        return ranges
      }))
    } catch (error) {
      this.#trouble = (error as AggregateError).errors.map(untold).sort((one, other) => Number(other.isLasting) - Number(one.isLasting))[0]
      return undefined
    }
  }

  #letGo(): void {
    const masters = new Set(this.#slots.masters().map(addressOf))
    for (const [address, { server, usedAt }] of this.#nodes) {
      if (masters.has(address) || performance.now() - usedAt < UNUSED) continue
      this.#nodes.delete(address)
      void server.close()
    }
  }
}

const msUntil = (deadline: number): number => Math.max(0, deadline - performance.now())

/** Timers may be a millisecond early. */
const isOver = (deadline: number): boolean => msUntil(deadline) <= 1

/** Why a node does not tell the slots. */
const untold = (error: unknown): NotSent => {
  if (error instanceof NotSent) return error
  if (error instanceof Refused) return new NotSent(`a node does not tell who serves which slot: ${error.message}`, error, !isPassing(error))
  return new NotSent('no node tells who serves which slot', error)
}

/** Scripts name their key after their number of keys, all other commands first. */
const keyOf = ([name, first, , third]: Command): string => String(name === 'eval' || name === 'evalsha' ? third : first)

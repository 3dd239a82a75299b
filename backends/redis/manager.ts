import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TooLargeError } from '../../src/errors.js'
import { randomText } from '../../src/random.js'
import type { Enumerable, Lease, Lockable, Manifest, NamespaceManager, OwnerIndex, StoredRecord, Touch } from '../../src/namespace-manager.js'
import type { Sender } from './calls.js'
import { toStoreError } from './errors.js'
import type { Nature } from './errors.js'
import type { Command } from './ioredis.js'
import { KeyNames } from './key-names.js'
import { closed } from './link.js'
import { manifest } from './manifest.js'
import { addOwnedScript, deleteScript, readScript, releaseScript, replaceScript, runScript, VERSION_LENGTH } from './scripts.js'
import type { Script } from './scripts.js'
import type { Servers } from './servers.js'

export interface RedisManagerParts {
  readonly namespace: string
  readonly now: () => number
  /** Milliseconds that one method may take. */
  readonly timeoutMs: number
  readonly servers: Servers
}

/** An owner's entry stays so many milliseconds after its end: clocks of servers differ, and after a failover another one counts. */
const ENTRY_SLACK = 60_000

/** The server refuses an end that it cannot count to; this one is 285,000 years away. */
const MOST_MS = Number.MAX_SAFE_INTEGER

/** Keys looked at in one SCAN, which the server does in well under a millisecond. */
const SCAN_COUNT = 500

/** Milliseconds between two tries of who waits for a lease. */
const LOCK_PAUSE = [5, 40] as const

export class RedisManager implements NamespaceManager, Enumerable, Lockable, OwnerIndex {
  readonly supports: Manifest = manifest
  readonly #names: KeyNames
  readonly #now: () => number
  readonly #timeoutMs: number
  readonly #servers: Servers
  readonly #closing = new AbortController()

  constructor({ namespace, now, timeoutMs, servers }: RedisManagerParts) {
    this.#names = new KeyNames(namespace)
    this.#now = now
    this.#timeoutMs = timeoutMs
    this.#servers = servers
  }

  get isSpread(): boolean {
    return this.#servers.isSpread ?? false
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    const times = touch === undefined ? [] : [this.#msUntil(touch.expiresAt), this.#msUntil(touch.ifBefore)]
    return this.#read('get', async (send) => {
      const reply = await send.script(readScript, this.#names.record(key), [VERSION_LENGTH + manifest.maxValueBytes, ...times])
      return this.#recordIn(...(elements(reply, 3) as [found: string | number | null, left: number, touched: number]))
    })
  }

  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    const record = newRecord(value)
    const name = this.#names.record(key)
    const lifeMs = this.#msUntil(expiresAt)
    const isMade = await this.#write('create', async (send) => {
      if (lifeMs > 0) return (await send.command('set', name, record, 'px', lifeMs, 'nx')) !== null
      return Number(await send.command('exists', name)) === 0
    })
    return isMade ? versionOf(record) : undefined
  }

  async replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    const record = newRecord(value)
    const isReplaced = await this.#write('replace', async (send) =>
      isVersion(version) && Number(await send.script(replaceScript, this.#names.record(key), [version, record, this.#msUntil(expiresAt)])) === 1)
    return isReplaced ? versionOf(record) : undefined
  }

  /** Its answer may be lost without harm: moving an expiry twice is moving it once. */
  async touch(key: string, expiresAt: number): Promise<boolean> {
    return Number(await this.#read('touch', (send) => send.command('pexpire', this.#names.record(key), this.#msUntil(expiresAt)))) === 1
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const waits = this.#servers.confirmed === undefined ? 0 : 1
    const isRemoved = await this.#write('delete', async (send) =>
      (version === undefined || isVersion(version)) && Number(await send.script(deleteScript, this.#names.record(key), [version ?? '', waits])) === 1)
    return version === undefined ? undefined : isRemoved
  }

  async *keys(): AsyncGenerator<string> {
    for (const master of await this.#read('keys', (send) => send.masters())) yield* this.#keysAt(master)
  }

  async lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    const giveUpAt = performance.now() + (waitUntil - this.#now())
    for (;;) {
      const lease = await this.#tryLock(key, leaseMs)
      if (this.#closing.signal.aborted) throw closed()
      const leftMs = giveUpAt - performance.now()
      if (lease !== undefined || leftMs <= 0) return lease
      await sleep(Math.min(leftMs, randomInt(...LOCK_PAUSE)), undefined, { signal: this.#closing.signal }).catch(() => {})
    }
  }

  async addOwned(owner: string, key: string, expiresAt: number): Promise<void> {
    const lifeMs = Math.max(0, this.#msUntil(expiresAt))
    await this.#write('addOwned', (send) => send.script(addOwnedScript, this.#names.owner(owner), [key, lifeMs, ENTRY_SLACK]))
  }

  async removeOwned(owner: string, key: string): Promise<void> {
    await this.#write('removeOwned', (send) => send.command('zrem', this.#names.owner(owner), key))
  }

  async listOwned(owner: string): Promise<string[]> {
    return this.#read('listOwned', async (send) => elements(await send.command('zrange', this.#names.owner(owner), 0, -1)) as string[])
  }

  /** Waits for what is under way, which is `timeoutMs` at most. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#servers.close()
  }

  #recordIn(found: string | number | null, left: number, touched: number): StoredRecord | undefined {
    if (found === null) return undefined
    const text = String(found)
    return {
      value: text.slice(VERSION_LENGTH),
      version: text.slice(0, VERSION_LENGTH),
      expiresAt: Number(left) < 0 ? undefined : this.#now() + Number(left),
      touched: Number(touched) === 1,
    }
  }

  async *#keysAt(master: Sender): AsyncGenerator<string> {
    let cursor = '0'
    do {
      const found = await this.#read('keys', async (send) => {
        const [next, names] = elements(await send.to(master, 'scan', cursor, 'match', this.#names.pattern, 'count', SCAN_COUNT), 2) as [string, string[]]
        cursor = String(next)
        return names.map((name) => this.#names.keyIn(name)).filter((key) => key !== undefined)
      })
      for (const key of found) {
        if (this.#closing.signal.aborted) throw closed()
        yield key
      }
    } while (cursor !== '0')
  }

  async #tryLock(key: string, leaseMs: number): Promise<Lease | undefined> {
    const name = this.#names.lock(key)
    const token = randomText(16)
    const free = async (): Promise<void> => {
      await this.#read('release', (send) => send.script(releaseScript, name, [token]))
    }
    try {
      if ((await this.#write('lock', (send) => send.command('set', name, token, 'px', Math.max(1, Math.ceil(leaseMs)), 'nx'), false)) === null) return undefined
    } catch (error) {
      free().catch(() => {}) // in case it was had, and the answer lost
      throw error
    }
    let isHeld = true
    return {
      release: async () => {
        if (!isHeld || this.#closing.signal.aborted) return
        isHeld = false
        await free()
      },
    }
  }

  #read<T>(operation: string, work: (send: Sending) => Promise<T>): Promise<T> {
    return this.#run(operation, 'read', this.#servers, work)
  }

  #write<T>(operation: string, work: (send: Sending) => Promise<T>, isConfirmed = this.#servers.confirmed !== undefined): Promise<T> {
    return this.#run(operation, isConfirmed ? 'confirmed' : 'write', isConfirmed ? this.#servers.confirmed! : this.#servers, work)
  }

  async #run<T>(operation: string, nature: Nature, sender: Sender, work: (send: Sending) => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) throw closed()
    try {
      return await work(new Sending(this.#servers, sender, performance.now() + this.#timeoutMs))
    } catch (error) {
      throw toStoreError(error, operation, nature)
    }
  }

  #msUntil(time: number): number {
    return Math.min(Math.ceil(time - this.#now()), MOST_MS)
  }
}

/** The ways of one method, with its deadline. */
class Sending {
  readonly #servers: Servers
  readonly #sender: Sender
  readonly #deadline: number

  constructor(servers: Servers, sender: Sender, deadline: number) {
    this.#servers = servers
    this.#sender = sender
    this.#deadline = deadline
  }

  command(...command: Command): Promise<unknown> {
    return this.#sender.send(command, this.#deadline)
  }

  script(script: Script, key: string, args: readonly (string | number)[]): Promise<unknown> {
    return runScript(this.#sender, script, key, args, this.#deadline)
  }

  to(master: Sender, ...command: Command): Promise<unknown> {
    return master.send(command, this.#deadline)
  }

  masters(): Promise<readonly Sender[]> {
    return this.#servers.masters(this.#deadline)
  }
}

/** Refuses what is over the manifest's limit. */
const newRecord = (value: string): string => {
  const size = Buffer.byteLength(value)
  const limit = manifest.maxValueBytes
  if (size > limit) throw new TooLargeError(`the record has ${size} bytes; the redis backend takes ${limit}`, size, limit)
  return randomText(16) + value
}

/** A reply that is no array of so many is no redis server's. */
const elements = (reply: unknown, count?: number): unknown[] => {
  if (!Array.isArray(reply) || (count !== undefined && reply.length !== count)) throw new Error('the reply is not what the command is answered with')
  return reply
}

const versionOf = (record: string): string => record.slice(0, VERSION_LENGTH)

/** No record has another one, and an empty one would be equal to what is not there. */
const isVersion = (version: string): boolean => version.length === VERSION_LENGTH

import { createHash } from 'node:crypto'
import type { StoredRecord, Touch } from '../../src/namespace-manager.js'
import type { Connection, Reply } from './connection.js'
import { decode, encode } from './envelope.js'
import { Refusal, Unfit } from './failures.js'
import { WITHOUT_CAS, type Host } from './host.js'
import { Memo } from './memo.js'
import { spreadOver } from './spread.js'
import { lifeOf, OPCODE, STATUS } from './wire.js'

/**
 * Reads and writes records, each an item. `deadline` is on the clock of `performance.now()`: nothing is sent after it.
 *
 * memcached numbers every write (CAS), and takes one on condition of the number that is there. The numbers begin again when it is started
 * anew, so a version is a random nonce, which stands in the item, and the number. The number is used as it is over the connection that told
 * it, which leads to one run of the server; over another, the item is read again, and must have the nonce still.
 */
export class Records {
  readonly #hosts: readonly Host[]
  readonly #spread: (key: string) => number
  readonly #namespace: string
  readonly #now: () => number
  readonly #memo = new Memo()

  constructor(hosts: readonly Host[], namespace: string, now: () => number) {
    this.#hosts = hosts
    this.#spread = spreadOver(hosts.map(({ name }) => name))
    this.#namespace = namespace
    this.#now = now
  }

  /**
   * A touch is made without knowing when the item ends, which memcached does not tell: when the record was not touched lately by this
   * process. So each process makes one an interval, and it comes with the read.
   */
  async get(key: string, touch: Touch | undefined, deadline: number): Promise<StoredRecord | undefined> {
    const connection = this.#host(key).connect()
    const known = this.#memo.get(key)
    const mayBeDue = touch !== undefined && touch.ifBefore > this.#now() && !(known !== undefined && known.expiresAt >= touch.ifBefore)
    const found = await this.#read(key, connection, deadline, mayBeDue ? touch.expiresAt : undefined)
    if (found === undefined) return undefined
    const { value, version, expiresAt } = found
    if (!mayBeDue) return { value, version, touched: false }
    this.#learn(key, connection, version, touch.expiresAt)
    // A touch that was not due has shortened the life of a record that was given a longer one.
    if (expiresAt > touch.expiresAt) await this.touch(key, expiresAt, deadline).catch(() => false)
    return { value, version, touched: expiresAt < touch.ifBefore }
  }

  async create(key: string, value: string, expiresAt: number, deadline: number): Promise<string | undefined> {
    return this.#write(key, value, expiresAt, deadline, OPCODE.add)
  }

  /** As `replace` of the protocol: a `set` that memcached has no room for removes what is there. */
  async replace(key: string, value: string, version: string, expiresAt: number, deadline: number): Promise<string | undefined> {
    return this.#write(key, value, expiresAt, deadline, OPCODE.replace, version)
  }

  async touch(key: string, expiresAt: number, deadline: number): Promise<boolean> {
    const connection = this.#host(key).connect()
    const reply = await connection.ask({ opcode: OPCODE.touch, key: this.#itemKey(key), life: lifeOf(expiresAt, this.#now()) }, deadline)
    const known = this.#memo.get(key)
    if (known !== undefined) this.#memo.learn(key, known.version, known.connection, expiresAt)
    return isDone(reply, [STATUS.notFound])
  }

  /** Whether it removed the record: of that version, if one is given. */
  async delete(key: string, version: string | undefined, deadline: number): Promise<boolean> {
    const connection = this.#host(key).connect()
    const cas = version === undefined ? undefined : await this.#casOf(key, version, connection, deadline)
    if (version !== undefined && cas === undefined) return false
    this.#memo.forget(key)
    const reply = await connection.ask({ opcode: OPCODE.delete, key: this.#itemKey(key), ...(cas && { cas }) }, deadline)
    return isDone(reply, [STATUS.notFound, STATUS.exists])
  }

  async #write(key: string, value: string, expiresAt: number, deadline: number, opcode: number, version?: string): Promise<string | undefined> {
    const host = this.#host(key)
    host.assertFits(value)
    const connection = host.connect()
    const cas = version === undefined ? undefined : await this.#casOf(key, version, connection, deadline)
    if (version !== undefined && cas === undefined) return undefined
    const { nonce, body } = encode(value, expiresAt)
    const reply = await connection.ask({ opcode, key: this.#itemKey(key), life: lifeOf(expiresAt, this.#now()), body, ...(cas && { cas }) }, deadline)
    if (reply.status === STATUS.tooLarge) throw host.tooLarge(value)
    if (!isDone(reply, [STATUS.notFound, STATUS.exists, STATUS.notStored])) return void this.#memo.forget(key)
    const written = versionOf(nonce, reply)
    this.#learn(key, connection, written, expiresAt)
    return written
  }

  /** The number to write or to remove by, if the record has this version. */
  async #casOf(key: string, version: string, connection: Connection, deadline: number): Promise<string | undefined> {
    const known = this.#memo.get(key)
    const isSure = known?.version === version && known.connection === connection.id
    const isThere = isSure || (await this.#read(key, connection, deadline))?.version === version
    return isThere ? version.slice(-CAS_DIGITS) : undefined
  }

  /** Also tells when the record would have ended, as far as it is known: as its writer said, or a touch of this process. */
  async #read(key: string, connection: Connection, deadline: number, touchTo?: number): Promise<Found | undefined> {
    const how = touchTo === undefined ? { opcode: OPCODE.get } : { opcode: OPCODE.getAndTouch, life: lifeOf(touchTo, this.#now()) }
    const reply = await connection.ask({ ...how, key: this.#itemKey(key) }, deadline)
    if (!isDone(reply, [STATUS.notFound])) return void this.#memo.forget(key)
    const { nonce, value, expiresAt: given } = decode(reply.body)
    const version = versionOf(nonce, reply)
    const known = this.#memo.get(key)
    const expiresAt = known?.version === version ? known.expiresAt : given
    this.#learn(key, connection, version, expiresAt)
    return { value, version, expiresAt }
  }

  #learn(key: string, { id: connection }: Connection, version: string, expiresAt: number): void {
    this.#memo.learn(key, version, connection, expiresAt)
  }

  #host(key: string): Host {
    return this.#hosts[this.#spread(key)]!
  }

  /** Keys of the library are digits and colons; namespaces are chosen by people. What is hashed begins with `#`, and nothing else does. */
  #itemKey(key: string): string {
    const text = `${this.#namespace}:${key}`
    return PLAIN.test(text) ? text : `#${createHash('sha256').update(text).digest('hex')}`
  }
}

interface Found {
  readonly value: string
  readonly version: string
  readonly expiresAt: number
}

/** memcached takes keys of 250 bytes, and closes the connection after a longer one. */
const PLAIN = /^(?!#)[\x21-\x7e]{1,250}$/

const CAS_DIGITS = 16
const NO_CAS = '0'.repeat(CAS_DIGITS)

const versionOf = (nonce: string, { cas }: Reply): string => {
  if (cas === NO_CAS) throw new Unfit(`memcached ${WITHOUT_CAS}`)
  return nonce + cas
}

/** `false` for the statuses that say why not; throws a `Refusal` for any other. */
const isDone = ({ status, body }: Reply, reasons: readonly number[]): boolean => {
  if (status !== STATUS.ok && !reasons.includes(status)) throw new Refusal(status, body.toString('latin1', 0, 100))
  return status === STATUS.ok
}

import type { CookieAttributes, IdSource, PresentedId } from '../../src/carrier.js'
import { emit } from '../../src/diagnostics.js'
import { SessionClosedError, TooLargeError } from '../../src/errors.js'
import type { AtOnce, Manifest, NamespaceManager, StoredRecord, Touch } from '../../src/namespace-manager.js'
import { randomText } from '../../src/random.js'
import type { CookieWire } from './cookie-wire.js'
import type { Envelope } from './envelope.js'

/** The length of an id, with which `maxValueBytes` reckons. */
const ID_CHARS = 43

/** A record, and whether this request wrote it: then the client does not have it yet. */
type Held = Envelope & { readonly isWritten?: true }

/**
 * One request's namespace manager and the source of its id, since the client keeps both in one cookie. Keys are ids.
 *
 * Nothing is opened before it is asked for, and nothing is sent but by `writeId` and `expireId`, which are told the attributes:
 * `writeId` sends the record if this request wrote it, else only what a touch moved, so that a request that read
 * never puts the data that it came with over newer data. So call `writeId` after `create`, `replace` and an effective touch, and after
 * `delete` one of the two.
 */
export class RequestCookie implements NamespaceManager, IdSource {
  readonly supports: Manifest
  /** Nothing here ever waits. */
  readonly atOnce: Required<AtOnce> = {
    get: (key, touch) => this.#get(key, touch),
    create: (key, value, expiresAt) => this.#create(key, value, expiresAt),
    replace: (key, value, version, expiresAt) => this.#replace(key, value, version, expiresAt),
  }
  readonly #wire: CookieWire
  readonly #now: () => number
  readonly #isClosed: () => boolean
  readonly #records = new Map<string, Held>()
  #presented: PresentedId | undefined
  #isRead = false
  #isOver = false

  constructor(wire: CookieWire, supports: Manifest, now: () => number, isClosed: () => boolean) {
    this.supports = supports
    this.#wire = wire
    this.#now = now
    this.#isClosed = isClosed
  }

  /** Also the id of a session that has expired: `get` does not find it. */
  readId(): PresentedId | undefined {
    this.#read()
    return this.#presented
  }

  writeId(id: string, attributes: CookieAttributes): void {
    this.#read()
    const held = this.#records.get(id)
    if (held === undefined) emit('cookie-skipped', { reason: 'gone' })
    else if (held.isWritten) this.#wire.sendRecord(held, attributes)
    else this.#wire.sendLife(held.version, held.expiresAt, attributes)
  }

  expireId(attributes: CookieAttributes): void {
    this.#wire.expire(attributes)
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    return this.#get(key, touch)
  }

  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#create(key, value, expiresAt)
  }

  async replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#replace(key, value, version, expiresAt)
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const held = this.#live(key)
    if (held !== undefined) this.#records.set(key, { ...held, expiresAt })
    return held !== undefined
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const held = this.#live(key)
    if (version === undefined) return void this.#records.delete(key)
    return held?.version === version && this.#records.delete(key)
  }

  async close(): Promise<void> {
    this.#isOver = true
  }

  #get(key: string, touch?: Touch): StoredRecord | undefined {
    const held = this.#live(key)
    if (held === undefined) return undefined
    const touched = touch !== undefined && held.expiresAt < touch.ifBefore
    if (touched) this.#records.set(key, { ...held, expiresAt: touch.expiresAt })
    return { value: held.value, version: held.version, expiresAt: held.expiresAt, touched }
  }

  #create(key: string, value: string, expiresAt: number): string | undefined {
    return this.#live(key) === undefined ? this.#write(key, value, expiresAt) : undefined
  }

  #replace(key: string, value: string, version: string, expiresAt: number): string | undefined {
    return this.#live(key)?.version === version ? this.#write(key, value, expiresAt) : undefined
  }

  #read(): void {
    if (this.#isRead) return
    this.#isRead = true
    const presented = this.#wire.read()
    if (presented === undefined) return
    const { record, stale } = presented
    this.#presented = { id: record.id, stale }
    this.#records.set(record.id, record)
  }

  #live(key: string): Held | undefined {
    if (this.#isOver || this.#isClosed()) throw new SessionClosedError('the cookie namespace is closed')
    this.#read()
    const held = this.#records.get(key)
    return held !== undefined && held.expiresAt > this.#now() ? held : undefined
  }

  #write(id: string, value: string, expiresAt: number): string {
    const size = Buffer.byteLength(value) + Math.max(0, id.length - ID_CHARS)
    const limit = this.supports.maxValueBytes
    if (size > limit) throw new TooLargeError(`the session has ${size} bytes; its cookie holds ${limit}`, size, limit)
    const version = randomText(16)
    this.#records.set(id, { id, value, version, issuedAt: this.#now(), expiresAt, forgetAt: undefined, isWritten: true })
    return version
  }
}

import type { Carrier, CookieAttributes, PresentedId } from '../../src/carrier.js'
import { SessionClosedError, TooLargeError } from '../../src/errors.js'
import type { Manifest, NamespaceManager, RequestNamespace, StoredRecord, Touch } from '../../src/namespace-manager.js'
import type { ContractFixture, ContractStore } from '../contract/contract-fixture.js'

/** The smallest backend of scope `request`: one cookie holds the record as it is, neither signed nor sealed. */
const supports: Manifest = {
  scope: 'request',
  durable: true,
  atomic: false,
  revocable: false,
  maxValueBytes: 2_500,
  enumerable: false,
  purgeable: false,
  lockable: false,
  ownerIndex: false,
}

interface Kept {
  readonly key: string
  readonly value: string
  readonly version: string
  readonly expiresAt: number
}

class JarManager implements NamespaceManager {
  readonly supports: Manifest = supports
  readonly #carrier: Carrier
  readonly #now: () => number
  #kept: Kept | undefined
  #isClosed = false

  constructor(carrier: Carrier, now: () => number) {
    this.#carrier = carrier
    this.#now = now
    const [cookie] = carrier.read()
    this.#kept = cookie === undefined ? undefined : (JSON.parse(Buffer.from(cookie, 'base64url').toString()) as Kept)
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    const kept = this.#live(key)
    if (kept === undefined) return undefined
    const touched = touch !== undefined && kept.expiresAt < touch.ifBefore
    if (touched) this.#keep({ ...kept, expiresAt: touch.expiresAt })
    return { value: kept.value, version: kept.version, expiresAt: kept.expiresAt, touched }
  }

  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#live(key) === undefined ? this.#write(key, value, expiresAt) : undefined
  }

  async replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#live(key)?.version === version ? this.#write(key, value, expiresAt) : undefined
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const kept = this.#live(key)
    if (kept !== undefined) this.#keep({ ...kept, expiresAt })
    return kept !== undefined
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const kept = this.#live(key)
    const isMeant = kept !== undefined && (version ?? kept.version) === kept.version
    if (isMeant) {
      this.#kept = undefined
      this.#carrier.expire(attributes)
    }
    return version === undefined ? undefined : isMeant
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  readId(): PresentedId | undefined {
    return this.#kept && { id: this.#kept.key, stale: false }
  }

  writeId(): void {}

  expireId(): void {}

  #live(key: string): Kept | undefined {
    if (this.#isClosed) throw new SessionClosedError('the request is over')
    return this.#kept?.key === key && this.#kept.expiresAt > this.#now() ? this.#kept : undefined
  }

  #write(key: string, value: string, expiresAt: number): string {
    const size = Buffer.byteLength(value)
    if (size > supports.maxValueBytes) throw new TooLargeError(`a cookie cannot hold ${size} bytes`, size, supports.maxValueBytes)
    const version = Math.random().toString(36)
    this.#keep({ key, value, version, expiresAt })
    return version
  }

  #keep(kept: Kept): void {
    this.#kept = kept
    this.#carrier.write(Buffer.from(JSON.stringify(kept)).toString('base64url'), attributes)
  }
}

const attributes: CookieAttributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax', partitioned: false }

const jarNamespace = (now: () => number): RequestNamespace => ({
  supports,
  forRequest: (carrier) => new JarManager(carrier, now),
  close: async () => undefined,
})

/** One exchange of a client that keeps its cookie in `jar`: what is written reaches the jar when the exchange is over. */
class Exchange implements Carrier {
  readonly #jar: string[]
  readonly #received: readonly string[]
  #pending: (() => void)[] = []
  finished = false

  constructor(jar: string[]) {
    this.#jar = jar
    this.#received = [...jar]
  }

  get headersSent(): boolean {
    return this.finished
  }

  read(): readonly string[] {
    return this.#received
  }

  write(value: string): void {
    this.#pending.push(() => this.#jar.splice(0, 1, value))
  }

  expire(): void {
    this.#pending.push(() => this.#jar.splice(0))
  }

  forget(): void {
    this.#pending = []
  }

  hold(): void {}

  fail(): void {}

  used(): void {}

  finish(): void {
    this.finished = true
    for (const send of this.#pending) send()
  }
}

export const jarFixture: ContractFixture = {
  supports,
  createStore(): ContractStore {
    let clock = 1_800_000_000_000
    const jar: string[] = []
    let exchange = new Exchange(jar)
    const namespace = jarNamespace(() => clock)
    return {
      open: () => {
        exchange.finish()
        exchange = new Exchange(jar)
        return namespace.forRequest(exchange)
      },
      now: () => clock,
      advance: (ms) => {
        clock += ms
      },
      dispose: () => namespace.close(),
    }
  },
}

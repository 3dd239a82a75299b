import type { Awaitable } from './awaitable.js'
import type { Carrier, IdSource } from './carrier.js'

/**
 * The contract of a backend. A namespace manager keeps the records of one namespace: it moves strings, and
 * knows nothing of cookies, encoding, signing, encryption, merging or time rules, which live above it, once.
 *
 * What stands here is the specification; the contract suite (`phial/testing`) proves it for every backend.
 *
 * - A *key* is 64 lower-case hexadecimal digits (the hash of an id), never chosen by a client. Backends of
 *   scope `request` get the id itself, since the client is the store.
 * - A *value* is well-formed Unicode, at most `supports.maxValueBytes` bytes of UTF-8.
 * - A *version* is an opaque string, compared for equality only. No two writes share one.
 * - A *time* is absolute, in epoch milliseconds on this process's clock (`BackendContext.now`); it is sent to
 *   a server as a duration, so that no server's clock takes part.
 *   One that is past is taken like any other: the record is then missing.
 * - Missing is an answer. A rejection means that the system failed, and is a `StoreError` naming the backend and
 *   the operation, or a `TooLargeError`.
 */
export interface NamespaceManager {
  readonly supports: Manifest

  /**
   * The live record, or `undefined` when it is missing or expired (its expiry is not after now).
   * `touch` moves the expiry in the same trip where the server can. A touch that fails never fails the read.
   */
  get(key: string, touch?: Touch): Promise<StoredRecord | undefined>

  /** The version of the new record, or `undefined`, changing nothing, when a live record is there. */
  create(key: string, value: string, expiresAt: number): Promise<string | undefined>

  /**
   * The new version, or `undefined`, changing nothing, when the record is gone, expired, or has another version.
   * A touch leaves the version as it was. A client that sends this twice has made one write, and is answered the same.
   *
   * `ending`: what the former record granted is over, as after a `delete`. What keeps copies of records (a cache) rejects when it cannot make
   * sure that the former one is not read any more; all others may leave it out.
   */
  replace(key: string, value: string, version: string, expiresAt: number, ending?: Ending): Promise<string | undefined>

  /** `true`, or `false` when there is no live record. Moves the expiry only, to a later or an earlier time; never creates. */
  touch(key: string, expiresAt: number): Promise<boolean>

  /** Without a version: removes the record whatever it holds. Removing what is not there is not an error. */
  delete(key: string): Promise<void>
  /** With a version: whether this call removed the record of that version. */
  delete(key: string, version: string): Promise<boolean>

  /** The calls in which it seldom waits. */
  readonly atOnce?: AtOnce | undefined

  /** Its records are spread over several servers: one that is down says nothing of the others, and each is to refuse by itself what it cannot do. */
  readonly isSpread?: boolean

  /**
   * Of two stores, one of which takes the other's place: brings a record that lives as long as it is used to where new ones are made. Nobody
   * reads an older value of it for that; for a moment nobody may read it at all.
   */
  settle?(key: string, expiresAt: number): Promise<void>

  /** Releases sockets, handles and timers. May be called twice. Other calls after it reject with `SessionClosedError`. */
  close(): Promise<void>
}

/**
 * The same calls of a manager that need not wait: they answer without a promise, and throw what would be a rejection. That spares a request
 * all turns of the event loop. One that has to wait for once answers a promise; what always waits is left out. They are called without `this`.
 */
export interface AtOnce {
  readonly get?: (key: string, touch?: Touch) => Awaitable<StoredRecord | undefined>
  readonly create?: (key: string, value: string, expiresAt: number) => Awaitable<string | undefined>
  readonly replace?: (key: string, value: string, version: string, expiresAt: number) => Awaitable<string | undefined>
}

export interface StoredRecord {
  readonly value: string
  readonly version: string
  /** When the record would have expired before this read's touch, where the server tells it. */
  readonly expiresAt?: number | undefined
  /** `true` when this read's touch was due and took effect. */
  readonly touched?: boolean | undefined
}

/** `moved`: it goes on under another key; what can be seen to fail is then better not begun. `revoked`: it does not. */
export type Ending = 'moved' | 'revoked'

export interface Touch {
  /** Move the expiry to this … */
  readonly expiresAt: number
  /** … if it is before this now. */
  readonly ifBefore: number
}

/** What a namespace manager is able to do, read by the contract suite and by the table in the documentation. */
export interface Manifest {
  /** `process`: gone with it. `machine`: shared by its processes. `shared`: by all machines. `request`: kept by the client. */
  readonly scope: 'process' | 'machine' | 'shared' | 'request'
  /** The records outlive a restart of what keeps them. */
  readonly durable: boolean
  /** `create` and `replace` decide between concurrent writers. Without it the last response wins. */
  readonly atomic: boolean
  /** A deleted record cannot come back. False where the client may present an old copy. */
  readonly revocable: boolean
  /** The largest value, in bytes of UTF-8. */
  readonly maxValueBytes: number
  readonly enumerable: boolean
  readonly purgeable: boolean
  readonly lockable: boolean
  readonly ownerIndex: boolean
  /** `get` never answers a damaged value as it is: the backend checks it, or nothing can damage it. Absent: records get a checksum from the library. */
  readonly verified?: boolean
}

/** Ability `enumerable`. */
export interface Enumerable {
  /** Every live key of this namespace, and of no other. One may come twice; what is written meanwhile may or may not appear. */
  keys(): AsyncIterable<string>
}

/** Ability `purgeable`: removes expired records in slices that never block the event loop. */
export interface Purgeable {
  /** How many records it removed. */
  purgeExpired(): Promise<number>
}

/** Ability `lockable`: an advisory lease. */
export interface Lockable {
  /**
   * A lease on the key, `undefined` when it was not free until `waitUntil` (epoch ms, from which the time to wait is reckoned at the call).
   * A lease ends by itself after `leaseMs`, so that a dead holder blocks nobody for longer. Who waits when the manager is closed gets
   * `SessionClosedError` or `undefined`, never a lease.
   */
  lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined>
}

export interface Lease {
  /** May be called twice, and after the lease has ended: it never frees somebody else's. */
  release(): Promise<void>
}

/** Ability `ownerIndex`: which keys were indexed under an owner. `owner` is a hash, like a key. */
export interface OwnerIndex {
  /**
   * Puts the entry in, durably, before it resolves. It lasts at least until `expiresAt`, and a later call never makes it last shorter;
   * only the eviction of its record may take it away before.
   */
  addOwned(owner: string, key: string, expiresAt: number): Promise<void>
  removeOwned(owner: string, key: string): Promise<void>
  /** A superset of the owner's keys: an entry is added before its record and removed after it. */
  listOwned(owner: string): Promise<string[]>
}

/** What a backend is given when its manager is made. */
export interface BackendContext<Options = Readonly<Record<string, unknown>>> {
  /** The name that lets two applications share a server without meeting. */
  readonly namespace: string
  /** The clock, in epoch milliseconds. */
  readonly now: () => number
  /** The backend's own options (`session.TYPE.NAME`), checked and defaulted by its table. */
  readonly options: Options
  /** `session.url`, as it was written; the backend parses it, and throws `ConfigError` with `setting: 'url'` for what it does not understand. */
  readonly url?: string | undefined
  /** Seconds after which the library gives up waiting for one call, so that a client need not hold it for longer; 1 when absent. */
  readonly operationTimeout?: number | undefined
  /**
   * Opens another backend, for one that wraps others: by its name in `session.backends`, by an object with the same words as there, or a
   * backend, a namespace manager or its class. `option` names the option of this backend that said which, for errors. What it answers
   * is the caller's to close. Throws `ConfigError` for a name that there is not, for one that leads back to the caller, and for a backend
   * of scope `request`.
   */
  readonly openOther?: ((which: unknown, option?: string) => NamespaceManager) | undefined
  /** Absolute paths, for the backends that keep files. */
  readonly dataDir?: string | undefined
  readonly lockDir?: string | undefined
  /** The application's limit on a record, in bytes. */
  readonly maxBytes: number
  /** Seconds after which a session ends whatever its activity, for a backend of scope `request`; none when absent. */
  readonly lifetime?: number | undefined
  /** Signs or encrypts what a backend of scope `request` hands to the client. */
  readonly sealer: Sealer
}

/** Makes text tamper-proof, and unreadable when an encryption key is set. */
export interface Sealer {
  /** `purpose` and `context` are bound to the result: opening it with others fails. The result is made of cookie octets. */
  seal(purpose: string, context: string, text: string): string
  /** `undefined` when it was not sealed by one of our keys for this purpose and context; `stale` when by an older key. */
  open(purpose: string, context: string, sealed: string): { readonly text: string; readonly stale: boolean } | undefined
}

/** A backend of scope `request`: the client keeps the record, so each request has a manager of its own. */
export interface RequestNamespace {
  readonly supports: Manifest
  /** The slots that it reads and writes: no other session of a request may have a cookie of their names. */
  readonly slots?: readonly string[]
  forRequest(carrier: Carrier): NamespaceManager & IdSource
  close(): Promise<void>
}

/** One backend: what each file of `backends/` exports. */
export interface Backend<Options = Readonly<Record<string, unknown>>> {
  /** The word in `session.type`. */
  readonly type: string
  readonly supports: Manifest
  /** The table of `session.TYPE.NAME` options; none if absent. */
  readonly options?: OptionTable
  /** Whether `session.url` says where its servers are; for others it is refused. */
  readonly takesUrl?: boolean
  /** Makes the manager; reads and writes nothing yet. Throws `ConfigError` for what can be seen to be wrong at start. */
  open(context: BackendContext<Options>): NamespaceManager | RequestNamespace
}

/** A namespace manager's class: made with the context that a backend's `open` is called with. */
export type NamespaceManagerClass = (new (context: BackendContext<any>) => NamespaceManager) & Partial<Pick<Backend, 'takesUrl'>>

/** One setting of a table: its type, its default, and a sentence for the documentation. */
export interface OptionRow {
  /**
   * `object`: made by the application, in a program only; a ready client, for one. `backend`: what `BackendContext.openOther` takes, in an
   * INI file a name.
   */
  readonly type: 'boolean' | 'count' | 'seconds' | 'string' | 'object' | 'backend'
  readonly default: boolean | number | string | undefined
  readonly sentence: string
  /** A password or the like: prints as `[redacted]` wherever settings are shown. */
  readonly secret?: true
  /** For `count` and `seconds`: the least value allowed; 1 when absent. */
  readonly least?: number
}

/** INI name (snake_case) → its row. In a program the same option is written in camelCase. */
export type OptionTable = Readonly<Record<string, OptionRow>>

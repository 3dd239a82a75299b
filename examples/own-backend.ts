// A backend of one's own, over a table. The table is a Map here; each method names the SQL that does it on a server.
// Comparing and writing are one statement there, and one step here: nothing is awaited in between.
import { randomUUID } from 'node:crypto'
import { SessionClosedError, TooLargeError } from 'phial'
import type { Backend, BackendContext, Manifest, NamespaceManager, StoredRecord, Touch } from 'phial'

export interface Row { value: string; version: string; expiresAt: number }

const supports: Manifest = {
  scope: 'process', durable: false, atomic: true, revocable: true, maxValueBytes: 65_535,
  enumerable: false, purgeable: false, lockable: false, ownerIndex: false,
}

export const tableBackend = (table: Map<string, Row>): Backend =>
  ({ type: 'table', supports, open: (context) => new TableManager(table, context) })

class TableManager implements NamespaceManager {
  readonly supports: Manifest = supports
  readonly #table: Map<string, Row>
  readonly #context: BackendContext
  #isClosed = false

  constructor(table: Map<string, Row>, context: BackendContext) {
    this.#table = table
    this.#context = context
  }

  // SELECT value, version, expires_at FROM sessions WHERE id = ? AND expires_at > ?
  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    const row = this.#live(key)
    const touched = row !== undefined && touch !== undefined && row.expiresAt < touch.ifBefore
    const answer = row && { ...row, touched }
    if (touched) row.expiresAt = touch.expiresAt
    return answer
  }

  // INSERT … ON CONFLICT (id) DO UPDATE SET value = ?, version = ?, expires_at = ? WHERE sessions.expires_at <= ?
  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    return this.#live(key) === undefined ? this.#write(key, value, expiresAt) : undefined
  }

  // UPDATE sessions SET value = ?, version = ?, expires_at = ? WHERE id = ? AND version = ? AND expires_at > ?
  async replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    return this.#live(key)?.version === version ? this.#write(key, value, expiresAt) : undefined
  }

  // UPDATE sessions SET expires_at = ? WHERE id = ? AND expires_at > ?
  async touch(key: string, expiresAt: number): Promise<boolean> {
    const row = this.#live(key)
    if (row !== undefined) row.expiresAt = expiresAt
    return row !== undefined
  }

  // DELETE FROM sessions WHERE id = ?, and with a version: AND version = ?
  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const isOfVersion = this.#live(key)?.version === version
    if (version === undefined || isOfVersion) this.#table.delete(this.#id(key))
    return version === undefined ? undefined : isOfVersion
  }

  async close(): Promise<void> { this.#isClosed = true }

  #write(key: string, value: string, expiresAt: number): string {
    const size = Buffer.byteLength(value)
    if (size > supports.maxValueBytes) throw new TooLargeError(`${size} bytes are too much for a row`, size, supports.maxValueBytes)
    const version = randomUUID()
    this.#table.set(this.#id(key), { value, version, expiresAt })
    return version
  }

  #live(key: string): Row | undefined {
    if (this.#isClosed) throw new SessionClosedError('this manager is closed')
    const row = this.#table.get(this.#id(key))
    return row !== undefined && row.expiresAt > this.#context.now() ? row : undefined
  }

  #id(key: string): string { return key + this.#context.namespace } // unambiguous, since keys are of one length
}

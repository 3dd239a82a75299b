import { emit } from '../../src/diagnostics.js'
import { TooLargeError } from '../../src/errors.js'
import type { StoredRecord, Touch } from '../../src/namespace-manager.js'
import { randomText } from '../../src/random.js'
import { tryUntil } from './attempts.js'
import type { Entity, Key, Mutation, MutationResult } from './client.js'
import { baseOf, entityOf, seenAfter, seenIn, textIn, type Seen } from './entities.js'
import { outcomeUnknown, toStoreError } from './errors.js'
import { Known } from './known.js'
import { manifest } from './manifest.js'
import type { Service } from './service.js'
import { Write } from './write.js'

/** A record as it is. */
interface Found extends Seen {
  readonly version: string
  /** Absent when it is damaged. */
  readonly value: string | undefined
}

/**
 * Records, each an entity. Its `version`, a random text that every write but a touch changes, is the contract's. Datastore's own, which
 * a touch changes too, decides between writers: one who finds that only touches came between tries again.
 */
export class Records {
  readonly #service: Service
  readonly #now: () => number
  readonly #known = new Known()

  constructor(service: Service, now: () => number) {
    this.#service = service
    this.#now = now
  }

  async get(key: Key, touch: Touch | undefined, deadline: number): Promise<StoredRecord | undefined> {
    const found = await tryUntil(deadline, () => this.#look(key, deadline))
    if (found === undefined || this.#isDead(found)) return undefined
    this.#known.add(found.version, found)
    const { value = '', version, expiresAt } = found // an empty value is no record: above it is told as a corrupt one
    const isDue = touch !== undefined && expiresAt !== undefined && expiresAt < touch.ifBefore
    return { value, version, expiresAt, touched: isDue && (await this.#touchInPassing(key, found, touch.expiresAt, deadline)) }
  }

  /** Not sent again when it may have been done: the first one could still come when somebody has ended the session. */
  async create(key: Key, value: string, expiresAt: number, write: Write): Promise<string | undefined> {
    const { entity, version } = newRecord(key, value, expiresAt)
    let dead: Found | undefined
    return tryUntil(write.deadline, async () => {
      for (;;) {
        const result = await write.commit(dead === undefined ? { insert: entity } : { update: entity, ...baseOf(dead) })
        if (result !== undefined) {
          this.#known.add(version, seenAfter(result, expiresAt))
          return version
        }
        dead = await this.#look(key, write.deadline)
        if (dead?.version === version) return version
        if (dead !== undefined && !this.#isDead(dead)) return undefined
      }
    }, () => !write.mayHaveLanded)
  }

  async replace(key: Key, value: string, version: string, expiresAt: number, write: Write): Promise<string | undefined> {
    const { entity, version: next } = newRecord(key, value, expiresAt)
    const result = await this.#change(key, version, write, { update: entity }, next)
    if (result === undefined) return undefined
    this.#known.add(next, seenAfter(result, expiresAt))
    return next
  }

  /** Two calls: what is not read cannot be judged to live. */
  async touch(key: Key, expiresAt: number, write: Write): Promise<boolean> {
    return tryUntil(write.deadline, async () => {
      for (;;) {
        const found = await this.#look(key, write.deadline)
        if (found?.value === undefined || this.#isDead(found)) return false
        if (await this.#touch(key, found, expiresAt, write)) return true
      }
    })
  }

  async remove(key: Key, write: Write): Promise<void> {
    await tryUntil(write.deadline, () => write.commit({ delete: key }))
  }

  async removeVersion(key: Key, version: string, write: Write): Promise<boolean> {
    return (await this.#change(key, version, write, { delete: key })) !== undefined
  }

  /**
   * Changes the record of that version, however often it is touched meanwhile, and gives what the server answered; `undefined` when it
   * is not there. `next` is the version that the change gives it: found there, the change was done by an earlier try.
   */
  async #change(key: Key, version: string, write: Write, change: Mutation, next?: string): Promise<MutationResult | undefined> {
    let known = this.#known.take(version)
    if (known !== undefined && this.#isDead(known)) known = undefined // it may have been touched since
    return tryUntil(write.deadline, async () => {
      for (;;) {
        const there = known === undefined ? await this.#look(key, write.deadline) : { ...known, version }
        known = undefined
        if (next !== undefined && there?.version === next) return { version: there.native }
        if (there?.version !== version || this.#isDead(there)) {
          // Ours may have been done and another's come after it; or another's may have removed what ours was to remove.
          if (write.mayHaveLanded && (next === undefined) === (there === undefined)) throw outcomeUnknown(next === undefined ? 'delete' : 'replace')
          return undefined
        }
        const result = await write.commit({ ...change, ...baseOf(there) })
        if (result !== undefined) return result
      }
    })
  }

  /** The whole entity, as it was read, with another expiry: refused if it has changed. (Emulators ignore a mask, and lose the rest.) */
  async #touch(key: Key, { value = '', version, ...seen }: Found, expiresAt: number, write: Write): Promise<boolean> {
    const result = await write.commit({ update: entityOf(key, { value, version }, expiresAt), ...baseOf(seen) })
    if (result !== undefined) this.#known.add(version, seenAfter(result, expiresAt))
    return result !== undefined
  }

  /** A record that another has just changed is not touched: it was in use, and its expiry has moved. The reader has not to wait for long. */
  async #touchInPassing(key: Key, found: Found, expiresAt: number, deadline: number): Promise<boolean> {
    const write = new Write(this.#service, (performance.now() + deadline) / 2)
    try {
      return found.value !== undefined && (await this.#touch(key, found, expiresAt, write))
    } catch (error) {
      emit('store-error', { backend: 'datastore', operation: 'touch', error: toStoreError(error, 'touch') })
      return false
    }
  }

  async #look(key: Key, deadline: number): Promise<Found | undefined> {
    const { found: [result] } = await this.#service.lookup([key], deadline)
    if (result === undefined) return undefined
    const seen = seenIn(result)
    return { ...seen, version: textIn(result, 'version') ?? `damaged-${seen.native}`, value: textIn(result, 'value') }
  }

  #isDead({ expiresAt }: Seen): boolean {
    return expiresAt !== undefined && expiresAt <= this.#now()
  }
}

const newRecord = (key: Key, value: string, expiresAt: number): { readonly entity: Entity; readonly version: string } => {
  const size = Buffer.byteLength(value)
  const limit = manifest.maxValueBytes
  if (size > limit) throw new TooLargeError(`the record has ${size} bytes; the datastore backend takes ${limit}`, size, limit)
  const version = randomText(16)
  return { entity: entityOf(key, { value, version }, expiresAt), version }
}

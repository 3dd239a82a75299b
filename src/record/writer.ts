import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { andThen, orElse } from '../awaitable.js'
import type { Awaitable } from '../awaitable.js'
import { emit } from '../diagnostics.js'
import { SessionConflictError, SessionGoneError, TooLargeError } from '../errors.js'
import type { OpenRecord } from './change-log.js'
import type { DataCodec } from './codec.js'
import { Content } from './content.js'
import { isMoved } from './record.js'
import type { RecordForm } from './record.js'
import { REFUSED } from './sealed-store.js'
import type { Found, SealedStore } from './sealed-store.js'

/** A change of one session, waiting for its turn. */
export interface WriteJob {
  /** The record that the change was made on. */
  readonly base: Found<RecordForm>
  /** What to write if the store still holds `base`; absent: `apply` to it. */
  readonly direct?: RecordForm | undefined
  /** Makes the change on a newer record. What it throws is this job's failure alone. */
  readonly apply: (record: OpenRecord) => void
  /** On the clock of `performance.now()`. */
  readonly deadline: number
}

export interface Written extends Found<RecordForm> {
  /** It is the job's `direct` form, and nothing else. */
  readonly isDirect: boolean
}

interface Waiting extends WriteJob {
  readonly resolve: (written: Written) => void
  readonly reject: (error: unknown) => void
}

/** From this loss on a writer waits a random while before it tries again: nobody livelocks, and few starve. */
const PATIENT_LOSSES = 4

/**
 * Writes of existing records. There is one lane for each key and process, held only round store calls: it keeps this
 * process's requests from losing to each other. Its head applies all the changes that wait, in order, and writes once for
 * all of them. On a conflict with another process the changes are applied to the newer record, until the time is spent.
 */
export class Writer {
  readonly #records: SealedStore
  readonly #codec: DataCodec
  readonly #lanes = new Map<string, Waiting[]>()

  constructor(records: SealedStore, codec: DataCodec) {
    this.#records = records
    this.#codec = codec
  }

  /** Rejects with `SessionGoneError` when there is no record any more, `SessionConflictError` when the time is spent, or what the job's `apply` threw. */
  write(key: string, job: WriteJob): Awaitable<Written> {
    const lane = this.#lanes.get(key)
    if (lane !== undefined) return new Promise((resolve, reject) => lane.push({ ...job, resolve, reject }))
    const written = orElse(() => this.#writeTogether(key, [job], job.base), (error) => {
      throw reasonOf(error)
    })
    if (written instanceof Promise) void this.#work(key, written)
    return written
  }

  /** Who comes while a write is on its way waits, and is then written together with all who do. */
  async #work(key: string, first: Promise<Written>): Promise<void> {
    const lane: Waiting[] = []
    this.#lanes.set(key, lane)
    let latest: Found<RecordForm> | undefined = await first.catch(() => undefined)
    while (lane.length > 0) latest = await this.#writeAll(key, lane.splice(0), latest)
    this.#lanes.delete(key)
  }

  /** One failure among several is not the others' failure: then each is written by itself. */
  async #writeAll(key: string, jobs: Waiting[], latest: Found<RecordForm> | undefined): Promise<Found<RecordForm> | undefined> {
    try {
      const written = await this.#writeTogether(key, jobs, latest ?? jobs[0]!.base)
      for (const job of jobs) job.resolve(written)
      return written
    } catch (error) {
      if (jobs.length > 1 && error instanceof JobError) {
        for (const job of jobs) latest = await this.#writeAll(key, [job], latest)
        return latest
      }
      for (const job of jobs) job.reject(reasonOf(error))
      return undefined
    }
  }

  #writeTogether(key: string, jobs: readonly WriteJob[], base: Found<RecordForm>): Awaitable<Written> {
    const deadline = jobs.length === 1 ? jobs[0]!.deadline : Math.max(...jobs.map((job) => job.deadline))
    return andThen(this.#writeOn(key, jobs, base, deadline), (written) => written ?? this.#writeOnNewer(key, jobs, deadline))
  }

  /** `undefined` when the store holds another record than `base`. */
  #writeOn(key: string, jobs: readonly WriteJob[], base: Found<RecordForm>, deadline: number): Awaitable<Written | undefined> {
    const form = this.#compose(jobs, base)
    return andThen(this.#replace(key, form, base.version, deadline), (found) => {
      if (found === REFUSED) return undefined
      const { record, version, expiresAt, touched } = found
      return { record, version, expiresAt, touched, isDirect: form === jobs[0]!.direct && record.payload === form.payload }
    })
  }

  async #writeOnNewer(key: string, jobs: readonly WriteJob[], deadline: number): Promise<Written> {
    for (let tries = 1; ; tries++) {
      await Promise.resolve() // who hears of it may write, too: not from inside of this write
      emit('conflict', { backend: this.#records.backend, tries })
      if (tries >= PATIENT_LOSSES) await delay(randomInt(1, Math.min(50, 2 ** tries)))
      if (performance.now() >= deadline) throw new SessionConflictError('others kept writing this session until the time was spent')
      const written = await this.#writeOn(key, jobs, await this.#newer(key, deadline), deadline)
      if (written !== undefined) return written
    }
  }

  /** A record that got too large is the failure of those who made it so, not the store's. */
  #replace(key: string, form: RecordForm, version: string, deadline: number): Awaitable<Found<RecordForm> | typeof REFUSED> {
    return orElse(() => this.#records.replace(key, form, version, deadline), (cause) => {
      throw cause instanceof TooLargeError ? new JobError('the record got too large', { cause }) : cause
    })
  }

  async #newer(key: string, deadline: number): Promise<Found<RecordForm>> {
    const now = await this.#records.read(key, deadline)
    if (now !== undefined && !isMoved(now.record)) return { ...now, record: now.record }
    emit('gone', { backend: this.#records.backend, operation: 'replace' })
    throw new SessionGoneError('the session ended while this request held it')
  }

  #compose(jobs: readonly WriteJob[], base: Found<RecordForm>): RecordForm {
    const [first] = jobs
    if (jobs.length === 1 && first!.direct !== undefined && first!.base.version === base.version) return first!.direct
    try {
      const open: OpenRecord = { meta: { ...base.record.meta }, content: Content.decode(this.#codec, base.record) }
      for (const job of jobs) job.apply(open)
      return { meta: open.meta, payload: open.content.encode() }
    } catch (cause) {
      throw new JobError('a change could not be made', { cause })
    }
  }
}

/** Carries what a job threw past what the store threw. */
class JobError extends Error {}

const reasonOf = (error: unknown): unknown => (error instanceof JobError ? error.cause : error)

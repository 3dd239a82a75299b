import type { OpenRecord } from '../record/change-log.js'
import type { SessionData } from './session-data.js'
import type { SessionStorage } from './session-storage.js'
import { Update } from './update.js'

/** What a tool around the session keeps in its record, beside the user's keys. `clear()` empties it; a new id keeps it. */
export class SessionFields {
  readonly #storage: SessionStorage
  readonly #data: SessionData

  constructor(storage: SessionStorage, data: SessionData) {
    this.#storage = storage
    this.#data = data
  }

  /** The key of the record: another one with each new id. */
  get recordKey(): string {
    return this.#storage.recordKey
  }

  /** Throws what a `save()` would reject with where nothing can be saved. */
  assertWritable(): void {
    this.#storage.assertWritable()
  }

  get(name: string): unknown {
    return this.#data.content.fields[name]
  }

  /**
   * The value that is there, or else what `draw` answers, which is then written: now and by itself, so that what is not saved stays
   * so. Of several requests that do it at once the first one's value is everybody's. It has its turn among what was asked before, such as a
   * new id. Rejects like `Session.update`.
   */
  async setDefault(name: string, draw: () => unknown): Promise<unknown> {
    if (this.get(name) !== undefined) await this.#storage.queue(async () => {})
    return this.get(name) ?? this.#write(name, draw)
  }

  #write(name: string, draw: () => unknown): Promise<unknown> {
    return this.#storage.write(() => {
      this.#storage.assertWritable()
      this.#storage.assertChangeable()
      const update = new Update(this.#data, () => {}) // of no key: but a `clear()` that is not saved goes along with it
      let written = draw()
      const apply = (record: OpenRecord): void => {
        update.apply(record)
        written = record.content.fields[name] ??= written
      }
      return this.#storage.queue(async () => {
        if (this.get(name) !== undefined) return this.get(name)
        await this.#storage.apply({ life: update.life, apply, get folded() { return update.folded } })
        return written
      })
    })
  }
}

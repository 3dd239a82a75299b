import { isDeepStrictEqual } from 'node:util'
import { nameOf } from '../record/change-log.js'
import type { Change, OpenRecord } from '../record/change-log.js'
import { checkKey } from './session-data.js'
import type { SessionData, Snapshot } from './session-data.js'

type Data = Record<string, unknown>

/**
 * An atomic read-modify-write. Its function may run again, on each newer record; it sees what this session had not saved when
 * it was called, and only what it changed itself is written.
 */
export class Update {
  /** The session when it was called. */
  readonly #seen: Snapshot
  readonly #data: SessionData
  readonly #run: (draft: Data) => void
  readonly #key: string | undefined
  #changed: readonly string[] = []
  #written: unknown

  /** With a key, that key counts as changed whatever the function answers; without, those that differ afterwards. */
  constructor(data: SessionData, run: (draft: Data) => void, key?: string) {
    this.#data = data
    this.#run = run
    this.#key = key
    this.#seen = data.look()
    if (key !== undefined) data.takeAlong(key, this.#seen.changes.get(nameOf(key)), this.#seen)
  }

  get life(): number {
    return this.#seen.life
  }

  readonly apply = (record: OpenRecord): void => {
    const draft = this.#draftOf(record)
    const before = this.#key === undefined ? this.#draftOf(record) : {}
    this.#run(draft)
    if (this.#key !== undefined) this.#written = draft[this.#key]
    this.#changed = this.#key === undefined ? differingKeys(before, draft) : [this.#key]
    for (const key of this.#changed) {
      checkKey(key)
      if (Object.hasOwn(draft, key)) record.content.data[key] = draft[key]
      else delete record.content.data[key]
    }
  }

  /** The unsaved changes that went into what was written, but for keys that have changed again since. */
  folded(): [string, Change][] {
    const names = this.#key === undefined ? this.#changed.filter((key) => this.#data.isAsIn(this.#seen, key)) : [this.#key]
    return names.flatMap((key) => {
      const change = this.#seen.changes.get(nameOf(key))
      return change === undefined ? [] : [[nameOf(key), change]]
    })
  }

  /** It was not written: the change that it took along is unsaved again. */
  undo(): void {
    if (this.#key !== undefined) this.#data.bringBack(this.#key, this.#seen.changes.get(nameOf(this.#key)), this.life)
  }

  /** What was written: the object that the session shows, unless that holds something else by now. */
  result(): unknown {
    if (this.#key === undefined) return undefined
    const shown = this.#data.lend(this.#key)
    return isDeepStrictEqual(shown, this.#written) ? shown : this.#written
  }

  #draftOf(record: OpenRecord): Data {
    const copy = this.#data.copy(record)
    this.#data.replay(this.#seen, copy)
    return copy.content.data
  }
}

const differingKeys = (before: Data, after: Data): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !isSame(before, after, key))

const isSame = (before: Data, after: Data, key: string): boolean =>
  Object.hasOwn(before, key) === Object.hasOwn(after, key) && isDeepStrictEqual(before[key], after[key])

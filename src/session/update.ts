import { isDeepStrictEqual } from 'node:util'
import type { ChangeName, OpenRecord } from '../record/change-log.js'
import { checkKey } from './session-data.js'
import type { SessionData, Snapshot } from './session-data.js'

type Data = Record<string, unknown>

/**
 * An atomic read-modify-write. Its function may run again, on each newer record; it sees what this session had asked for and
 * changed when it was called, and only what it changed itself is written. A `clear()` that is not saved is written with it, since it came first.
 */
export class Update {
  readonly life: number
  readonly #data: SessionData
  readonly #run: (draft: Data) => void
  readonly #key: string | undefined
  /** What was on its way when it was called, and then what was not saved. */
  readonly #seen: readonly Snapshot[]
  #changed: readonly string[] = []
  #written: unknown

  /** With a key, that key counts as changed whatever the function answers; without, those that differ afterwards. */
  constructor(data: SessionData, run: (draft: Data) => void, key?: string) {
    this.#data = data
    this.#run = run
    this.#key = key
    this.#seen = data.lookAtAll()
    this.life = data.life
  }

  readonly apply = (record: OpenRecord): void => {
    if (this.#data.isCleared(this.#seen)) this.#replay(record)
    const draft = this.#draftOf(record)
    const before = this.#key === undefined ? this.#draftOf(record) : {}
    this.#run(draft)
    if (this.#key !== undefined) this.#written = draft[this.#key]
    this.#changed = this.#key === undefined ? differingKeys(before, draft) : [this.#key]
    for (const key of this.#changed) {
      checkKey(key)
      if (Object.hasOwn(draft, key)) record.content.set(key, draft[key])
      else record.content.delete(key)
    }
  }

  /** What went into the written record: the changes of these names in these snapshots; all of them for `undefined`. */
  get folded(): { readonly seen: readonly Snapshot[]; readonly names: ReadonlySet<ChangeName> | undefined } {
    const names = this.#data.isCleared(this.#seen) ? undefined : new Set(this.#changed)
    return { seen: this.#seen, names }
  }

  /** What was written: the object that the session shows, unless that holds something else by now. */
  result(): unknown {
    if (this.#key === undefined) return undefined
    const shown = this.#data.lend(this.#key)
    return isDeepStrictEqual(shown, this.#written) ? shown : this.#written
  }

  #draftOf(record: OpenRecord): Data {
    const copy = this.#data.copy(record)
    this.#replay(copy)
    return copy.content.data
  }

  #replay(record: OpenRecord): void {
    for (const snapshot of this.#seen) this.#data.replay(snapshot, record)
  }
}

const differingKeys = (before: Data, after: Data): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !isSame(before, after, key))

const isSame = (before: Data, after: Data, key: string): boolean =>
  Object.hasOwn(before, key) === Object.hasOwn(after, key) && isDeepStrictEqual(before[key], after[key])

import type { Content } from './content.js'
import type { RecordMeta } from './record.js'

/** A record taken apart, for changes to be applied to. */
export interface OpenRecord {
  readonly meta: RecordMeta
  readonly content: Content
}

/** One change that a session made, able to be made again on a newer record. */
export type Change = (
  | { readonly kind: 'clear' }
  | { readonly kind: 'set' | 'delete'; readonly key: string }
  | { readonly kind: 'edit'; readonly edit: (record: OpenRecord) => void }
) & {
  /** It is stored or on its way, or folded into what is: to be made on nothing again. */
  isSettled?: boolean
}

/** Tells which earlier change one takes the place of: that of a key by the key, others by a symbol. */
export type ChangeName = string | symbol

/** Changes in their order. */
export type Changes = ReadonlyMap<ChangeName, Change>

const CLEAR = Symbol('clear')
const NONE: Changes = new Map()

/** Both, one after the other: what a `clear` of the later ones undoes is left out. */
export const joined = (earlier: Changes, later: Changes): Changes => {
  if (later.has(CLEAR)) return later
  const all = new Map(earlier)
  for (const [name, change] of later) put(all, name, change)
  return all
}

/**
 * What a session changed since it was loaded or last saved: operations in their order, not a difference. An explicit `set`
 * counts even when it sets what was there; a later one on the same key takes the earlier one's place.
 */
export class ChangeLog {
  /** Most requests make none. */
  #changes: Map<ChangeName, Change> | undefined

  get isEmpty(): boolean {
    return this.size === 0
  }

  get size(): number {
    return this.#changes?.size ?? 0
  }

  /** Whether it begins with a `clear`. */
  get isCleared(): boolean {
    return this.#changes?.has(CLEAR) === true
  }

  /** What is not handed over yet, as it is now. */
  get changes(): Changes {
    return new Map(this.#changes)
  }

  has(key: string): boolean {
    return this.#changes?.has(key) === true
  }

  set(key: string): void {
    this.#put(key, { kind: 'set', key })
  }

  delete(key: string): void {
    this.#put(key, { kind: 'delete', key })
  }

  /** Everything before it is undone by it, so nothing before it is kept. */
  clear(): void {
    this.#changes = new Map<ChangeName, Change>([[CLEAR, { kind: 'clear' }]])
  }

  /** Another edit under the same name takes the earlier one's place; without a name each one counts. */
  edit(edit: (record: OpenRecord) => void, name?: string): void {
    this.#put(name === undefined ? Symbol('edit') : Symbol.for(name), { kind: 'edit', edit })
  }

  /** Hands the changes over and begins anew. */
  take(): Changes {
    const taken = this.#changes ?? NONE
    this.#changes = undefined
    return taken
  }

  /** Takes one change out, if it is still the one that is meant; answers whether it was. */
  remove(name: ChangeName, change: Change): boolean {
    return this.#changes?.get(name) === change && this.#changes.delete(name)
  }

  /** Puts changes that could not be written back, before those made since. */
  putBack(changes: Changes): void {
    this.#changes = new Map(joined(changes, this.#changes ?? NONE))
  }

  #put(name: ChangeName, change: Change): void {
    put((this.#changes ??= new Map()), name, change)
  }
}

/**
 * Makes the changes again on a newer record. Values come from the data as it was when the session was saved, and are
 * put in whole: the same key set twice is the later save's.
 */
export const applyChanges = (changes: Changes, saved: Content, record: OpenRecord): void => {
  for (const change of changes.values()) applyChange(change, saved, record)
}

const applyChange = (change: Change, saved: Content, record: OpenRecord): void => {
  const { meta, content } = record
  switch (change.kind) {
    case 'clear':
      content.data = {}
      content.fields = {}
      meta.owner = meta.generations = undefined
      break
    case 'set':
    case 'delete':
      // What was set by a call may have been removed by hand then, and the other way round.
      if (saved.has(change.key)) content.set(change.key, saved.get(change.key))
      else content.delete(change.key)
      break
    case 'edit':
      change.edit(record)
  }
}

/** A later change of a name comes last. */
const put = (changes: Map<ChangeName, Change>, name: ChangeName, change: Change): void => {
  changes.delete(name)
  changes.set(name, change)
}

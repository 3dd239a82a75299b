import { isDeepStrictEqual } from 'node:util'
import { CodecError } from '../errors.js'
import { applyChanges, ChangeLog, joined } from '../record/change-log.js'
import type { Change, ChangeName, Changes, OpenRecord } from '../record/change-log.js'
import type { DataCodec } from '../record/codec.js'
import { Content, isObject } from '../record/content.js'
import type { RecordForm, RecordMeta } from '../record/record.js'

type Data = Record<string, unknown>

/** What a session held at a moment, and what of it was not saved before: a `save()` on its way to the store. */
export interface Snapshot {
  readonly form: RecordForm
  changes: Changes
  /** While the session's lineage is still this, `form` is the record with these changes, and with nothing else. */
  readonly lineage: number
  /** `revert()` was called since: if it cannot be stored, it is dropped. */
  isReverted?: boolean
  /** Of which life of the session: one that was ended or begun anew takes no more notice of it. */
  readonly life: number
}

/** Changes that went into a record along with an update. */
export interface Folded {
  readonly seen: readonly Snapshot[]
  /** Of these names only. */
  readonly names: ReadonlySet<ChangeName> | undefined
}

/**
 * What a session shows: what is stored, with the saves that are on their way and what is not saved made on it, in their order.
 *
 * Changes in depth are noticed by comparing, key by key, what was handed out with what it was when last looked at.
 */
export class SessionData {
  readonly content: Content
  meta: RecordMeta
  readonly log: ChangeLog = new ChangeLog()
  readonly #codec: DataCodec
  /** What is stored, as far as this session knows. */
  #stored: RecordForm | undefined
  /** Saves that are on their way, the oldest first. */
  #underWay: Snapshot[] = []
  /** What changes in depth are measured against. */
  #compared: RecordForm | undefined
  #comparedContent: Content | undefined
  /** Keys whose objects are in the handler's hands; most requests take none. */
  #lent: Set<string> | 'all' | undefined
  #lineage = 0
  #life = 0

  /** `content` is the stored record's, decoded. */
  constructor(codec: DataCodec, now: number, stored?: RecordForm, content: Content = new Content(codec)) {
    this.#codec = codec
    this.#stored = this.#compared = stored
    this.content = content
    this.meta = stored === undefined ? { createdAt: now, savedAt: now, writes: [] } : { ...stored.meta }
  }

  get lineage(): number {
    return this.#lineage
  }

  /** Counts the times that the session began anew. */
  get life(): number {
    return this.#life
  }

  get isDirty(): boolean {
    return !this.log.isEmpty || this.#changedInDepth().length > 0
  }

  get changedKeys(): number {
    return this.log.size + this.#changedInDepth().length
  }

  /** The record as the session shows it now. */
  get open(): OpenRecord {
    return { meta: this.meta, content: this.content }
  }

  /** The plain object itself: from now on every key may change in depth. */
  lendAll(): Data {
    this.#lent = 'all'
    return this.#all()
  }

  lend(key: string): unknown {
    const value = this.content.get(key)
    if (isObject(value)) this.#noteLent(key)
    return value
  }

  has(key: string): boolean {
    return this.content.has(key)
  }

  set(key: string, value: unknown): void {
    checkKey(key)
    if (isObject(value)) {
      this.content.knowMade()
      this.#noteLent(key)
    }
    this.content.set(key, value)
    this.log.set(key)
  }

  delete(key: string): boolean {
    const had = this.has(key)
    this.content.delete(key)
    this.log.delete(key)
    return had
  }

  clear(): void {
    emptyOut(this.content.data)
    this.content.fields = {}
    this.meta.owner = this.meta.generations = undefined
    this.log.clear()
  }

  /** Makes a change beside the data now, and again on whatever newer record it may meet. */
  edit(edit: (record: OpenRecord) => void, name?: string): void {
    edit(this.open)
    this.log.edit(edit, name)
  }

  /** Takes what is not saved on its way. Throws `CodecError` for what cannot be stored; then nothing is taken. */
  snapshot(): Snapshot {
    const snapshot = this.#snapshotWith(() => this.log.take())
    this.#compareWith(snapshot.form)
    this.#underWay.push(snapshot)
    return snapshot
  }

  /** Like `snapshot`, but what is not saved stays so. */
  look(): Snapshot {
    return this.#snapshotWith(() => this.log.changes)
  }

  /** Makes a snapshot's changes on a newer record, but for those that are in it already. */
  replay({ form, changes }: Snapshot, record: OpenRecord): void {
    const left = new Map([...changes].filter(([, change]) => change.isSettled !== true))
    if (left.size > 0) applyChanges(left, Content.decode(this.#codec, form), record)
  }

  /** A newer record with a snapshot's changes made on it. */
  merge(snapshot: Snapshot, newer: RecordForm): RecordForm {
    const record = this.#taken(newer)
    this.replay(snapshot, record)
    return { meta: record.meta, payload: record.content.encode() }
  }

  /** A copy of a record, to be changed. */
  copy({ meta, content }: OpenRecord): OpenRecord {
    return this.#taken({ meta, payload: content.encode() })
  }

  /** A snapshot was stored: `isWhole` when just as it was taken, and with nobody else's changes. */
  landed(snapshot: Snapshot, form: RecordForm, isWhole: boolean): void {
    for (const change of snapshot.changes.values()) change.isSettled = true
    if (snapshot.life !== this.#life) return
    this.#underWay = this.#underWay.filter((other) => other !== snapshot)
    this.#stored = form
    if (!isWhole) return this.#rebase()
    const { meta } = this
    const { createdAt, savedAt, writes, owner, generations } = form.meta
    meta.createdAt = createdAt
    meta.savedAt = savedAt
    meta.writes = writes
    if (owner === meta.owner) meta.generations = generations
  }

  /** A snapshot could not be stored: its changes are unsaved again, before those made since. */
  failed(snapshot: Snapshot): void {
    if (snapshot.life !== this.#life) return
    const at = this.#underWay.indexOf(snapshot)
    if (at < 0) return
    this.#underWay.splice(at, 1)
    if (snapshot.isReverted === true) return this.#rebase()
    const left = new Map([...snapshot.changes].filter(([, change]) => change.isSettled !== true))
    const next = this.#underWay[at]
    if (next === undefined) this.log.putBack(left)
    else next.changes = joined(left, next.changes)
  }

  /** The record was written with an update's own change, and with changes of this session that it was made on. */
  updated(form: RecordForm, life: number, { seen, names }: Folded): void {
    const isOurs = life === this.#life
    for (const { form, changes } of seen) {
      const content = Content.decode(this.#codec, form)
      for (const [name, change] of changes) if (names === undefined || names.has(name)) this.#fold(name, change, form, content, isOurs)
    }
    if (!isOurs) return
    this.#stored = form
    this.#rebase()
  }

  /** What the session had asked for and not stored, and then what was not saved. */
  lookAtAll(): readonly Snapshot[] {
    return [...this.#underWay, this.look()]
  }

  /** Whether a `clear()` is among what is not stored yet. */
  isCleared(seen: readonly Snapshot[]): boolean {
    return seen.some(({ changes }) => [...changes.values()].some((change) => change.kind === 'clear' && change.isSettled !== true))
  }

  /** Drops what is not saved. */
  revert(): void {
    this.log.take()
    for (const snapshot of this.#underWay) snapshot.isReverted = true
    this.#show(this.#expected())
  }

  /** The record was read anew. */
  reload(form: RecordForm): void {
    this.#stored = form
    this.#rebase()
  }

  /** Empty, as a session that begins now. */
  startOver(now: number): void {
    this.#life++
    this.#underWay = []
    this.#stored = undefined
    this.log.take()
    this.#show({ meta: { createdAt: now, savedAt: now, writes: [] }, content: new Content(this.#codec) })
  }

  /** Others' changes came in: what is not saved is made on what there is now. */
  #rebase(): void {
    this.#logDepth()
    this.#show(this.#expected())
  }

  /** Such a change is in the store now. If the key has changed again since, that is another change. */
  #fold(name: ChangeName, change: Change, form: RecordForm, seen: Content, isOurs: boolean): void {
    change.isSettled = true
    if (!isOurs) return
    if (!this.log.remove(name, change) || change.kind === 'edit') return
    if (change.kind === 'clear') return this.#compareWith(form)
    const compared = this.#compareContent()
    if (seen.has(change.key)) compared.set(change.key, seen.get(change.key))
    else compared.delete(change.key)
    if (isSame(change.key, this.content, seen)) return
    if (this.has(change.key)) this.log.set(change.key)
    else this.log.delete(change.key)
  }

  #snapshotWith(changes: () => Changes): Snapshot {
    this.#logDepth()
    const form = { meta: { ...this.meta }, payload: this.content.encode() }
    return { form, changes: changes(), lineage: this.#lineage, life: this.#life }
  }

  /** What is stored, with what is on its way. */
  #expected(): OpenRecord {
    const { createdAt, savedAt } = this.meta
    const record = this.#stored === undefined ? { meta: { createdAt, savedAt, writes: [] }, content: new Content(this.#codec) } : this.#taken(this.#stored)
    for (const snapshot of this.#underWay) this.replay(snapshot, record)
    return record
  }

  /** Shows the record and what is not saved. Objects that the handler may hold stay the same objects where they can. */
  #show(record: OpenRecord): void {
    this.#lineage++
    this.#compareWith({ meta: record.meta, payload: record.content.encode() })
    const data = this.#all()
    const shared = sharedIn(data)
    applyChanges(this.log.changes, this.content, record)
    const shown = record.content.data
    for (const key of new Set([...Object.keys(data), ...Object.keys(shown)])) {
      if (!Object.hasOwn(shown, key)) delete data[key]
      else if (!Object.hasOwn(data, key) || data[key] !== shown[key]) data[key] = this.#kept(data[key], shown[key], shared)
    }
    this.content.fields = record.content.fields
    this.meta = record.meta
  }

  /**
   * The object that was there, with the newer content, so that a handler that holds it goes on with what is shown. Only one that this
   * session made itself, and that stands under one key: others are the application's.
   */
  #kept(held: unknown, newer: unknown, shared: ReadonlySet<unknown>): unknown {
    if (isDeepStrictEqual(held, newer)) return held
    if (isObject(held) && this.content.isMade(held) && !shared.has(held) && refilled(held, newer)) return held
    this.content.noteMade(newer)
    return newer
  }

  #noteLent(key: string): void {
    if (this.#lent !== 'all') this.#lent = (this.#lent ?? new Set<string>()).add(key)
  }

  /** The plain object: who has it may put objects in by hand. */
  #all(): Data {
    const { data } = this.content
    this.content.knowMade()
    return data
  }

  #taken(form: RecordForm): OpenRecord {
    return { meta: { ...form.meta }, content: Content.decode(this.#codec, form) }
  }

  #compareWith(form: RecordForm): void {
    this.#compared = form
    this.#comparedContent = undefined
  }

  #logDepth(): void {
    for (const key of this.#changedInDepth()) {
      if (this.has(key)) this.log.set(key)
      else this.log.delete(key)
    }
  }

  #changedInDepth(): readonly string[] {
    const { content } = this
    const lent = this.#lent
    if (lent === undefined) return NONE
    const compared = this.log.isCleared ? new Content(this.#codec) : this.#compareContent()
    const keys = lent === 'all' ? new Set([...content.keys(), ...compared.keys()]) : lent
    return [...keys].filter((key) => !this.log.has(key) && !isSame(key, content, compared))
  }

  #compareContent(): Content {
    return (this.#comparedContent ??= this.#compared === undefined ? new Content(this.#codec) : Content.decode(this.#codec, this.#compared))
  }
}

const NONE: readonly string[] = []

const isSame = (key: string, one: Content, other: Content): boolean =>
  one.has(key) === other.has(key) && isDeepStrictEqual(one.get(key), other.get(key))

const isPlain = (value: unknown): value is Data => isObject(value) && Object.getPrototypeOf(value) === Object.prototype

/** The objects that stand under several keys. */
const sharedIn = (data: Data): ReadonlySet<unknown> => {
  const [once, shared] = [new Set<unknown>(), new Set<unknown>()]
  for (const value of Object.values(data)) if (isObject(value)) (once.has(value) ? shared : once).add(value)
  return shared
}

/** Gives an object the content of another of its kind; `false` when they are not of one kind, or it takes none: it is no part of the session any more then. */
const refilled = (held: object, newer: unknown): boolean => {
  if (!Object.isExtensible(held)) return false
  try {
    return Array.isArray(held) ? Array.isArray(newer) && refilledList(held, newer) : isPlain(held) && isPlain(newer) && refilledObject(held, newer)
  } catch {
    return false // a property of its own that cannot be written
  }
}

const refilledList = (held: unknown[], newer: readonly unknown[]): true => {
  held.length = 0
  for (const value of newer) held.push(value)
  return true
}

const refilledObject = (held: Data, newer: Data): true => {
  emptyOut(held)
  Object.assign(held, newer)
  return true
}

const emptyOut = (data: Data): void => {
  for (const key of Object.keys(data)) delete data[key]
}

/** `__proto__` is no key of a plain object: to set it is to change what the object is. */
export const checkKey = (key: unknown): void => {
  if (typeof key !== 'string') throw new TypeError(`a session's keys are strings; got ${typeof key}`)
  if (key === '__proto__') throw new CodecError('"__proto__" is no key of a session', '__proto__')
}

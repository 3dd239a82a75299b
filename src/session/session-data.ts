import { isDeepStrictEqual } from 'node:util'
import { CodecError } from '../errors.js'
import { applyChanges, ChangeLog } from '../record/change-log.js'
import type { Changes, OpenRecord } from '../record/change-log.js'
import type { DataCodec } from '../record/codec.js'
import { decodeContent, encodeContent } from '../record/record.js'
import type { Content, RecordForm, RecordMeta } from '../record/record.js'

type Data = Record<string, unknown>

/** What a session held at the moment of a `save()`, and what had changed by then. */
export interface Snapshot {
  readonly form: RecordForm
  readonly changes: Changes
  /** Whether `form` is built on nothing but what this session itself wrote since it was taken. */
  readonly lineage: number
}

/**
 * What a session shows: the data as the handler sees and changes it, beside the record that it was loaded from. Changes in
 * depth are noticed by comparing, key by key, what was handed out with what was loaded.
 */
export class SessionData {
  readonly content: Content
  meta: RecordMeta
  readonly log: ChangeLog = new ChangeLog()
  readonly #codec: DataCodec
  /** What is stored, as far as this session knows. */
  #base: RecordForm | undefined
  /** What changes in depth are measured against: what is stored, or the last snapshot on its way there. */
  #compared: RecordForm | undefined
  #comparedData: Data | undefined
  /** Keys whose objects are in the handler's hands; `undefined` once all of them are. */
  #lent: Set<string> | undefined = new Set()
  #lineage = 0

  /** `content` is the base's, decoded. */
  constructor(codec: DataCodec, now: number, base?: RecordForm, content: Content = { data: {}, fields: {} }) {
    this.#codec = codec
    this.#base = this.#compared = base
    this.content = content
    this.meta = base === undefined ? { createdAt: now, savedAt: now, writes: [] } : { ...base.meta }
  }

  get lineage(): number {
    return this.#lineage
  }

  get isDirty(): boolean {
    return !this.log.isEmpty || this.#changedInDepth().length > 0
  }

  get changedKeys(): number {
    return this.log.size + this.#changedInDepth().length
  }

  /** The plain object itself: from now on every key may change in depth. */
  lendAll(): Data {
    this.#lent = undefined
    return this.content.data
  }

  lend(key: string): unknown {
    const { data } = this.content
    const value = Object.hasOwn(data, key) ? data[key] : undefined
    if (typeof value === 'object' && value !== null) this.#lent?.add(key)
    return value
  }

  has(key: string): boolean {
    return Object.hasOwn(this.content.data, key)
  }

  set(key: string, value: unknown): void {
    checkKey(key)
    this.content.data[key] = value
    this.log.set(key)
    if (typeof value === 'object' && value !== null) this.#lent?.add(key)
  }

  delete(key: string): boolean {
    const had = this.has(key)
    delete this.content.data[key]
    this.log.delete(key)
    return had
  }

  clear(): void {
    emptyOut(this.content.data)
    this.content.fields = {}
    this.meta.owner = undefined
    this.log.clear()
  }

  /** Makes a change beside the data now, and again on whatever newer record it may meet. */
  edit(edit: (record: OpenRecord) => void, name?: string): void {
    edit(this.open)
    this.log.edit(edit, name)
  }

  /** Throws `CodecError` for what cannot be stored; then nothing is taken. */
  snapshot(): Snapshot {
    this.#logDepth()
    const form = { meta: { ...this.meta }, payload: encodeContent(this.#codec, this.content) }
    this.#compareWith(form)
    return { form, changes: this.log.take(), lineage: this.#lineage }
  }

  /** Makes a snapshot's changes on a newer record. */
  replay({ form, changes }: Snapshot, record: OpenRecord): void {
    applyChanges(changes, decodeContent(this.#codec, form.payload).data, record)
  }

  /** A newer record with a snapshot's changes made on it. */
  merge(snapshot: Snapshot, newer: RecordForm): RecordForm {
    const record: OpenRecord = { meta: { ...newer.meta }, content: decodeContent(this.#codec, newer.payload) }
    this.replay(snapshot, record)
    return { meta: record.meta, payload: encodeContent(this.#codec, record.content) }
  }

  /** The record was written as this session showed it at the snapshot. */
  written(form: RecordForm): void {
    this.#base = form
    this.meta.savedAt = form.meta.savedAt
    this.meta.writes = form.meta.writes
  }

  /**
   * The record was written with others' changes in it. Keys without unsaved changes show what was written; `own` are those
   * whose change was written just now. Objects that stayed equal stay the same objects, since the handler may hold them.
   */
  merged(form: RecordForm, own: readonly string[] = []): void {
    this.#logDepth()
    for (const key of own) this.log.forget(key)
    const { data, fields } = decodeContent(this.#codec, form.payload)
    const pending = this.log.pending()
    if (!pending.has('clear')) this.#takeOver(data)
    this.content.fields = pending.has('clear') ? {} : fields
    this.meta = { ...form.meta, owner: pending.has('clear') ? undefined : form.meta.owner }
    for (const change of pending.values()) if (change.kind === 'edit') change.edit(this.open)
    this.#lineage++
    this.#rebase(form)
  }

  /** Back to the record. */
  revert(): void {
    this.reset(this.#base)
  }

  /** Shows the record and nothing else; without one, nothing. */
  reset(form: RecordForm | undefined): void {
    this.log.take()
    const { data, fields } = form === undefined ? { data: {}, fields: {} } : decodeContent(this.#codec, form.payload)
    emptyOut(this.content.data)
    Object.assign(this.content.data, data)
    this.content.fields = fields
    if (form !== undefined) this.meta = { ...form.meta }
    this.#lineage++
    this.#rebase(form)
  }

  /** Empty, as a session that begins now. */
  startOver(now: number): void {
    this.reset(undefined)
    this.meta = { createdAt: now, savedAt: now, writes: [] }
  }

  /** A copy of the content in which this session's unsaved changes are made too: what an `update` shows to its function. */
  overlay(record: OpenRecord, unsaved: Snapshot | undefined): OpenRecord {
    const copy: OpenRecord = { meta: { ...record.meta }, content: decodeContent(this.#codec, encodeContent(this.#codec, record.content)) }
    if (unsaved !== undefined) this.replay(unsaved, copy)
    return copy
  }

  /** Like `snapshot`, but the changes stay unsaved. */
  peek(): Snapshot | undefined {
    this.#logDepth()
    if (this.log.isEmpty) return undefined
    return { form: { meta: { ...this.meta }, payload: encodeContent(this.#codec, this.content) }, changes: new Map(this.log.pending()), lineage: this.#lineage }
  }

  /** The record as the session shows it now. */
  get open(): OpenRecord {
    return { meta: this.meta, content: this.content }
  }

  #rebase(form: RecordForm | undefined): void {
    this.#base = form
    this.#compareWith(form)
  }

  #compareWith(form: RecordForm | undefined): void {
    this.#compared = form
    this.#comparedData = undefined
  }

  #takeOver(newer: Data): void {
    const { data } = this.content
    for (const key of new Set([...Object.keys(data), ...Object.keys(newer)])) {
      if (this.log.has(key)) continue
      if (!Object.hasOwn(newer, key)) delete data[key]
      else if (!isDeepStrictEqual(data[key], newer[key])) data[key] = newer[key]
    }
  }

  #logDepth(): void {
    for (const key of this.#changedInDepth()) {
      if (this.has(key)) this.log.set(key)
      else this.log.delete(key)
    }
  }

  #changedInDepth(): string[] {
    const { data } = this.content
    const lent = this.#lent
    if (lent !== undefined && lent.size === 0) return []
    const compared = this.#compareData()
    const keys = lent ?? new Set([...Object.keys(data), ...Object.keys(compared)])
    return [...keys].filter((key) => !this.log.has(key) && !this.#isSame(key, data, compared))
  }

  #isSame(key: string, data: Data, base: Data): boolean {
    return Object.hasOwn(data, key) === Object.hasOwn(base, key) && isDeepStrictEqual(data[key], base[key])
  }

  #compareData(): Data {
    if (this.#compared === undefined) return {}
    return (this.#comparedData ??= decodeContent(this.#codec, this.#compared.payload).data)
  }
}

const emptyOut = (data: Data): void => {
  for (const key of Object.keys(data)) delete data[key]
}

/** `__proto__` is no key of a plain object: to set it is to change what the object is. */
export const checkKey = (key: unknown): void => {
  if (typeof key !== 'string') throw new TypeError(`a session's keys are strings; got ${typeof key}`)
  if (key === '__proto__') throw new CodecError('"__proto__" is no key of a session', '__proto__')
}

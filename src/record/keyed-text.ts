import { CodecError } from '../errors.js'

/**
 * An object's values as texts, each to be read, or written anew, without the others: the lengths of the texts under their keys, as a JSON
 * object, and the texts themselves as the elements of a JSON array.
 */
export class KeyedText {
  readonly #lengths: Readonly<Record<string, number>>
  readonly values: string

  private constructor(lengths: Readonly<Record<string, number>>, values: string) {
    this.#lengths = lengths
    this.values = values
  }

  /** Throws `CodecError` when these are not the lengths of the values. */
  static read(lengths: string, values: string): KeyedText {
    const keyed = new KeyedText(parsed(lengths), values)
    let end = 0
    for (const key of keyed.keys) end += 1 + keyed.#lengths[key]!
    if (Math.max(end, 1) + 1 !== values.length || keyed.has('__proto__')) throw damaged()
    return keyed
  }

  /** The keys of `data` as `encode` writes them, and the others of `earlier` as they are, but for those that are gone. */
  static write(data: object, encode: (key: string) => string, earlier?: KeyedText, gone?: ReadonlySet<string>): KeyedText {
    const texts: Record<string, string> = {}
    earlier?.each((key, text) => {
      if (Object.hasOwn(data, key)) texts[key] = encode(key)
      else if (gone?.has(key) !== true) texts[key] = text
    })
    for (const key of Object.getOwnPropertyNames(data)) if (!Object.hasOwn(texts, key)) texts[key] = encode(key)
    // The lengths come in the order that objects give to their keys, so the values do.
    const lengths: Record<string, number> = {}
    let values = ''
    for (const key of Object.keys(texts)) {
      const text = texts[key]!
      lengths[key] = text.length
      values += values === '' ? text : `,${text}`
    }
    return new KeyedText(lengths, `[${values}]`)
  }

  get lengths(): string {
    return JSON.stringify(this.#lengths)
  }

  get keys(): readonly string[] {
    return Object.keys(this.#lengths)
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#lengths, key)
  }

  /** Goes past all before it: who wants many had better take all. */
  textOf(key: string): string | undefined {
    if (!this.has(key)) return undefined
    let begin = 1
    for (const other of this.keys) {
      if (other === key) break
      begin += this.#lengths[other]! + 1
    }
    return this.values.slice(begin, begin + this.#lengths[key]!)
  }

  each(visit: (key: string, text: string) => void): void {
    let begin = 1
    for (const key of this.keys) {
      const end = begin + this.#lengths[key]!
      visit(key, this.values.slice(begin, end))
      begin = end + 1
    }
  }

  /** The object as JSON. */
  toString(): string {
    const members: string[] = []
    this.each((key, text) => members.push(`${JSON.stringify(key)}:${text}`))
    return `{${members.join(',')}}`
  }
}

const parsed = (lengths: string): Readonly<Record<string, number>> => {
  try {
    return JSON.parse(lengths) as Readonly<Record<string, number>>
  } catch {
    throw damaged()
  }
}

const damaged = (): CodecError => new CodecError('the lengths of the stored values are damaged', '')

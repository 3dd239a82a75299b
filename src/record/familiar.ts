/** Of the texts that share a place. 256 texts in 2,048 places of one each would be in each other's way for every eighth of them, for ever. */
const ROOM = 4

/**
 * What is known of texts that come again and again. Each text shares its place, which its end tells, with few others, and is kept from the second
 * time on that it comes, unless too many others came to its place in between: so those that come once cost next to nothing, and a crowd that has
 * no room does not push itself out again and again.
 */
export class Familiar<V extends {}> {
  /** Who came last to each place, the last one first, to be known again. */
  readonly #marks: Uint32Array
  /** Who was kept last in each place comes first. */
  readonly #kept: (Kept<V> | undefined)[]

  /** `most` is a power of two, and at least 4. The ends of the texts have to be as good as random: signatures, or tags. */
  constructor(most: number) {
    this.#marks = new Uint32Array(most)
    this.#kept = Array.from({ length: most })
  }

  get(text: string): V | undefined {
    const place = this.#placeOf(markOf(text))
    for (let at = place; at < place + ROOM; at++) {
      const kept = this.#kept[at]
      if (kept?.text === text) return kept.value
    }
    return undefined
  }

  /** The text came, and was not known. It is of ASCII. */
  meet(text: string, value: (own: string) => V): void {
    const mark = markOf(text)
    const place = this.#placeOf(mark)
    if (this.#hasMet(mark, place)) {
      const own = copied(text)
      putFirst(this.#kept, place, { text: own, value: value(own) })
    } else {
      putFirst(this.#marks, place, mark)
    }
  }

  #hasMet(mark: number, place: number): boolean {
    for (let at = place; at < place + ROOM; at++) if (this.#marks[at] === mark) return true
    return false
  }

  #placeOf(mark: number): number {
    return mark & (this.#marks.length - ROOM)
  }
}

/** The last one of the place falls out. */
const putFirst = <T>(list: { [at: number]: T }, place: number, one: T): void => {
  for (let at = place + ROOM - 1; at > place; at--) list[at] = list[at - 1] as T
  list[place] = one
}

interface Kept<V> {
  readonly text: string
  readonly value: V
}

const END_CHARS = 8

/** FNV-1a. */
const markOf = (text: string): number => {
  let mark = 0x811c9dc5
  for (let at = Math.max(0, text.length - END_CHARS); at < text.length; at++) mark = Math.imul(mark ^ text.charCodeAt(at), 0x01000193)
  return mark >>> 0
}

/** A slice would hold on to the text that it is of, here to all cookies of a request. */
const copied = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

/**
 * What is known of texts that come again and again. Each text has one of a fixed number of places, by its end, and is kept from the second
 * time on that it comes, unless another came to its place in between: so those that come once cost next to nothing, and a crowd that has no
 * room does not push itself out again and again.
 */
export class Familiar<V extends {}> {
  /** Who came last to each place, to be known again. */
  readonly #marks: Uint32Array
  readonly #kept: (Kept<V> | undefined)[]

  /** `places` is a power of two. The ends of the texts have to be as good as random: signatures, or tags. */
  constructor(places: number) {
    this.#marks = new Uint32Array(places)
    this.#kept = Array.from({ length: places })
  }

  get(text: string): V | undefined {
    const kept = this.#kept[this.#placeOf(markOf(text))]
    return kept?.text === text ? kept.value : undefined
  }

  /** The text came, and was not known. It is of ASCII. */
  meet(text: string, value: (own: string) => V): void {
    const mark = markOf(text)
    const place = this.#placeOf(mark)
    if (this.#marks[place] === mark) {
      const own = copied(text)
      this.#kept[place] = { text: own, value: value(own) }
    } else {
      this.#marks[place] = mark
    }
  }

  #placeOf(mark: number): number {
    return mark & (this.#marks.length - 1)
  }
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

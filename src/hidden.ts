import { showAs } from './show.js'

export const redacted = '[redacted]'

/** A value that may hold a password, or lead to one: it prints as `[redacted]` wherever settings end up. */
export class Hidden<V = unknown> {
  readonly #value: V

  constructor(value: V) {
    this.#value = value
    Object.freeze(this)
  }

  reveal(): V {
    return this.#value
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }
}

showAs(Hidden, () => redacted)

/** What a `Hidden` holds; anything else as it is. */
export const reveal = (value: unknown): unknown => (value instanceof Hidden ? value.reveal() : value)

/** What may be shown of a text that may be an address in a wrong place, and hold a password. */
export const withoutPassword = (text: string): string => text.replaceAll(/\/\/.*@/gs, `//${redacted}@`)

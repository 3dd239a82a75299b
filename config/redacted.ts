import { inspect } from 'node:util'
import { redacted } from '../src/hidden.js'

/** A frozen copy of secrets that works as any list does, and prints as `[redacted]` wherever it ends up. */
export const redactedList = (secrets: Iterable<string>): readonly string[] => {
  const list = [...secrets]
  for (const printer of [inspect.custom, 'toJSON', 'toString', 'toLocaleString']) {
    Object.defineProperty(list, printer, { value: () => redacted })
  }
  return Object.freeze(list)
}

import type { Sealer } from '../namespace-manager.js'
import { copied, Recent } from './recent.js'

/** So many messages are remembered, and at most twice as many. */
const REMEMBERED = 512
/** Of so many characters at most, which is two cookies: 16 MB in all if each is. */
const MOST_CHARS = 8192
/** A message is found by its end, which is a signature or a tag: to hash all of a long one takes as long as to verify it. */
const END_CHARS = 32

type Opened = NonNullable<ReturnType<Sealer['open']>>

interface Known {
  readonly sealed: string
  readonly purpose: string
  readonly context: string
  readonly opened: Opened
}

/**
 * Remembers what was opened lately: a client comes again and again with the same cookie, and while the keys are these the same message
 * opens the same way. What did not open is forgotten at once. What is sealed is not remembered: until its client comes back it would cost
 * garbage collection as much as it spares then.
 */
export class RememberingSealer implements Sealer {
  readonly #sealer: Sealer
  readonly #known = new Recent<Known>(REMEMBERED)

  constructor(sealer: Sealer) {
    this.#sealer = sealer
  }

  seal(purpose: string, context: string, text: string): string {
    return this.#sealer.seal(purpose, context, text)
  }

  open(purpose: string, context: string, sealed: string): Opened | undefined {
    const end = sealed.slice(-END_CHARS)
    const known = this.#known.get(end)
    if (known?.sealed === sealed && known.purpose === purpose && known.context === context) return known.opened
    const opened = this.#sealer.open(purpose, context, sealed)
    if (opened !== undefined && sealed.length <= MOST_CHARS) this.#known.set(copied(end), { sealed: copied(sealed), purpose, context, opened })
    return opened
  }
}

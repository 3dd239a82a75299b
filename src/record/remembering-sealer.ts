import type { Sealer } from '../namespace-manager.js'
import { Familiar } from './familiar.js'

/** So many messages are remembered at most. */
const PLACES = 2048
/** Of so many characters at most, which is a cookie: 16 MB in all if each is. */
const MOST_CHARS = 4096

type Opened = NonNullable<ReturnType<Sealer['open']>>

interface Known {
  readonly purpose: string
  readonly context: string
  readonly opened: Opened
}

/**
 * Remembers what was opened before: a client comes again and again with the same cookie, and while the keys are these the same message opens
 * the same way. What did not open is forgotten at once. What is sealed is not remembered: until its client comes back it would cost garbage
 * collection as much as it spares then.
 */
export class RememberingSealer implements Sealer {
  readonly #sealer: Sealer
  readonly #known = new Familiar<Known>(PLACES)

  constructor(sealer: Sealer) {
    this.#sealer = sealer
  }

  seal(purpose: string, context: string, text: string): string {
    return this.#sealer.seal(purpose, context, text)
  }

  open(purpose: string, context: string, sealed: string): Opened | undefined {
    if (sealed.length > MOST_CHARS) return this.#sealer.open(purpose, context, sealed)
    const known = this.#known.get(sealed)
    if (known?.purpose === purpose && known.context === context) return known.opened
    const opened = this.#sealer.open(purpose, context, sealed)
    if (opened !== undefined) this.#known.meet(sealed, () => ({ purpose, context, opened }))
    return opened
  }
}

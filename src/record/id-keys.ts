import type { KeyObject } from 'node:crypto'
import { sign } from 'cookie-signature'
import type { PresentedId } from '../carrier.js'
import { Familiar } from './familiar.js'
import { signedBy, signingKeys } from './keys.js'

const ID_CHARS = 43
/** So many signatures are remembered at most: about 2 MB. */
const PLACES = 8192

/**
 * Signs ids, and verifies them. One that verified before is remembered, with the key of its record: a client comes again and again with the same
 * cookie, and while its keys are these it is as good as the first time. What did not verify is forgotten at once.
 */
export class IdKeys {
  readonly #keys: readonly KeyObject[]
  readonly #keyOf: (id: string) => string
  readonly #verified = new Familiar<PresentedId>(PLACES)

  /** Throws `ConfigError` for no secret, an empty one, and more than 8. Made once for a cookie's name: it costs some µs. */
  constructor(secrets: readonly string[], cookieName: string, keyOf: (id: string) => string) {
    this.#keyOf = keyOf
    this.#keys = signingKeys(secrets, 'id', cookieName)
  }

  sign(id: string): string {
    return sign(id, this.#keys[0]!)
  }

  /** One that verified a while ago. */
  remembered(signed: string): PresentedId | undefined {
    return this.#verified.get(signed)
  }

  /** `signed` has the form of a signed id. */
  verify(signed: string): PresentedId | undefined {
    const key = signedBy(signed, this.#keys)
    if (key < 0) return undefined
    const id = signed.slice(0, ID_CHARS)
    const stale = key > 0
    this.#verified.meet(signed, (own) => ({ id: own.slice(0, ID_CHARS), stale, key: this.#keyOf(id) }))
    return { id, stale }
  }
}

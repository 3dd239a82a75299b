import type { KeyObject } from 'node:crypto'
import { sign } from 'cookie-signature'
import type { Sealer } from '../namespace-manager.js'
import { EncryptingSealer } from './encrypting-sealer.js'
import { signedBy, signingKeys } from './keys.js'
import { RememberingSealer } from './remembering-sealer.js'
import { boundTo } from './seal-binding.js'

export interface SealerSettings {
  /** Newest first: the first signs, all verify. */
  readonly secrets: readonly string[]
  /** Newest first; none: what is sealed is signed only, and its reader can read it. */
  readonly encryptKeys: readonly string[]
  /** What the keys are for, such as a namespace: a sealer of another name opens nothing of this one's. */
  readonly name: string
}

/**
 * A sealer that encrypts when there are encryption keys, and else signs. Neither opens what the other sealed.
 * Throws `ConfigError` for no key, an empty one, or more than 8.
 */
export const makeSealer = (settings: SealerSettings): Sealer => new RememberingSealer(forgetfulSealer(settings))

/** The same, which works anew for each message. */
export const forgetfulSealer = ({ secrets, encryptKeys, name }: SealerSettings): Sealer =>
  encryptKeys.length > 0 ? new EncryptingSealer(encryptKeys, name) : new SigningSealer(secrets, name)

/**
 * `base64url(text).signature`, with cookie-signature. The reader can read the text.
 *
 * The signature is over purpose and context too, which are not sent: they stand in front as JSON, of which no whole
 * text is the beginning of another, so that no two pairs run into one.
 */
class SigningSealer implements Sealer {
  readonly #keys: readonly KeyObject[]
  readonly #name: string

  constructor(secrets: readonly string[], name: string) {
    this.#keys = signingKeys(secrets, 'seal sign', name)
    this.#name = name
  }

  seal(purpose: string, context: string, text: string): string {
    const binding = boundTo(this.#name, purpose, context)
    return sign(`${binding}.${Buffer.from(text).toString('base64url')}`, this.#keys[0] as KeyObject).slice(binding.length + 1)
  }

  // Base64 has several spellings of the same bytes; the signature is over the letters, so that only ours passes.
  open(purpose: string, context: string, sealed: string): { text: string; stale: boolean } | undefined {
    const end = sealed.length - SIGNATURE_CHARS
    if (sealed[end] !== '.') return undefined
    const key = signedBy(`${boundTo(this.#name, purpose, context)}.${sealed}`, this.#keys)
    return key < 0 ? undefined : { text: Buffer.from(sealed.slice(0, end), 'base64url').toString(), stale: key > 0 }
  }
}

/** With its dot. */
const SIGNATURE_CHARS = 44

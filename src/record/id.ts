import { hash } from 'node:crypto'
import type { Carrier, CookieAttributes, IdSource, PresentedId } from '../carrier.js'
import { emit } from '../diagnostics.js'
import type { IdKeys } from './id-keys.js'
import { randomText } from '../random.js'
import { isWellFormed } from './well-formed.js'

const ID_BYTES = 32
const ID = /^[\w-]{43}$/
/** An id, a dot, and an HMAC-SHA-256 in base64 without its padding, as cookie-signature writes it. */
const SIGNED_ID = /^[\w-]{43}\.[A-Za-z0-9+/]{43}$/
/** A client sends one. The others cost an HMAC for each secret. */
const MOST_CANDIDATES = 8

/** 256 random bits as 43 characters of base64url; they mean nothing. Throws when the random source fails. */
export const newId = (): string => randomText(ID_BYTES)

/** Whether it has the form of an id. Says nothing of whether there is such a session. */
export const isId = (text: string): boolean => ID.test(text)

/** Under which keys the sessions of one name are stored: 64 lower-case hexadecimal digits each. */
export interface KeySpace {
  /** The key of a session: a hash, so that a leaked store opens no session. */
  readonly keyOf: (id: string) => string
  /** The form in which an owner is stored. Throws a `TypeError` for ill-formed Unicode, of which two might look the same. */
  readonly ownerKeyOf: (owner: string) => string
  /** Where an owner's generation is kept, among the records of the namespace. */
  readonly generationKeyOf: (owner: string) => string
}

/** Of a name, which has no blanks; without one, of the default sessions. No two of them have a key in common, so that they may share a store. */
export const keySpace = (name?: string): KeySpace => {
  const space = name === undefined ? 'phial' : `phial named ${name}`
  const ownerKeyOf = (owner: string): string => {
    if (!isWellFormed(owner)) throw new TypeError('an owner is expected to be well-formed Unicode')
    return hash('sha256', `${space} owner ${owner}`)
  }
  return {
    keyOf: (id) => hash('sha256', `${space} key ${id}`),
    ownerKeyOf,
    generationKeyOf: (owner) => hash('sha256', `${space} generation ${ownerKeyOf(owner)}`),
  }
}

const ofDefault = keySpace()
export const keyOf: KeySpace['keyOf'] = ofDefault.keyOf
export const ownerKeyOf: KeySpace['ownerKeyOf'] = ofDefault.ownerKeyOf
export const generationKeyOf: KeySpace['generationKeyOf'] = ofDefault.generationKeyOf

/** A short text that no other write has: 96 random bits, 16 characters of base64url. Throws like `newId`. */
export const nonce = (): string => randomText(12)

/** Ids in a signed cookie. What does not verify is told (`rejected-id`) and otherwise as if it had not come. */
export class SignedIds implements IdSource {
  readonly #carrier: Carrier
  readonly #keys: IdKeys

  constructor(carrier: Carrier, keys: IdKeys) {
    this.#carrier = carrier
    this.#keys = keys
  }

  readId(): PresentedId | undefined {
    const candidates = this.#carrier.read()
    if (candidates.length > MOST_CANDIDATES) return rejected('too-many')
    let found: PresentedId | undefined
    for (const candidate of candidates) {
      const presented = this.#verify(candidate)
      if (presented === undefined) continue
      // A neighbouring site may have planted the other one, and the order tells nothing (RFC 6265bis, 8.6).
      if (found !== undefined && found.id !== presented.id) return rejected('ambiguous')
      if (found === undefined || found.stale) found = presented
    }
    return found
  }

  writeId(id: string, attributes: CookieAttributes): void {
    this.#carrier.write(this.#keys.sign(id), attributes)
  }

  expireId(attributes: CookieAttributes): void {
    this.#carrier.expire(attributes)
  }

  #verify(candidate: string): PresentedId | undefined {
    const remembered = this.#keys.remembered(candidate)
    if (remembered !== undefined) return remembered
    if (!SIGNED_ID.test(candidate)) return rejected('malformed')
    return this.#keys.verify(candidate) ?? rejected('bad-signature')
  }
}

/** Ids as they are, where no cookie carries them and the application hands them out: 256 random bits, which nobody guesses. */
export class BareIds implements IdSource {
  readonly #carrier: Carrier

  constructor(carrier: Carrier) {
    this.#carrier = carrier
  }

  readId(): PresentedId | undefined {
    const candidates = new Set(this.#carrier.read())
    if (candidates.size > 1) return rejected('ambiguous')
    const [id] = candidates
    if (id === undefined) return undefined
    return isId(id) ? { id, stale: false } : rejected('malformed')
  }

  writeId(id: string, attributes: CookieAttributes): void {
    this.#carrier.write(id, attributes)
  }

  expireId(attributes: CookieAttributes): void {
    this.#carrier.expire(attributes)
  }
}

const rejected = (reason: 'malformed' | 'bad-signature' | 'ambiguous' | 'too-many'): undefined => {
  emit('rejected-id', { reason })
  return undefined
}

import { createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto'
import { sign } from 'cookie-signature'
import { ConfigError } from '../errors.js'

/** Each key is one more HMAC for every forged cookie. */
const MOST_KEYS = 8

/** HKDF-SHA-256. The purpose is one of the library's own words, without a NUL; the name says whose: a cookie's, a namespace's. */
export const deriveBytes = (secret: string | KeyObject, purpose: string, name: string, salt: string | Uint8Array = ''): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, `phial/1 ${purpose}\0${name}`, 32))

export const deriveKey = (secret: string | KeyObject, purpose: string, name: string, salt?: string | Uint8Array): KeyObject =>
  createSecretKey(deriveBytes(secret, purpose, name, salt))

/** A signing key of each secret, newest first. Throws `ConfigError` for none, for an empty one, and for more than 8. */
export const signingKeys = (secrets: readonly string[], purpose: string, name: string): readonly KeyObject[] => {
  checkSecrets(secrets, 'secret')
  return secrets.map(secret => deriveKey(secret, purpose, name))
}

/** Throws `ConfigError` for no secret, an empty one, and more than 8. How strong they are is judged where they are read. */
export const checkSecrets = (secrets: readonly string[], setting: string): void => {
  if (secrets.length === 0 || secrets.length > MOST_KEYS) {
    throw new ConfigError(`${setting}: expected 1 to ${MOST_KEYS} of them; got ${secrets.length}`, { setting })
  }
  if (secrets.includes('')) throw new ConfigError(`${setting}: expected a secret; got an empty one`, { setting })
}

/** An HMAC-SHA-256 in base64 without its padding. */
const SIGNATURE_CHARS = 43

/**
 * Which of the keys signed it (with cookie-signature), or -1.
 * All are tried, so that the time taken does not tell which; a later match never hides a newer key's.
 *
 * Not by `unsign`, which compares text and signature together: for that it copies a session of 1 KB four times.
 */
export const signedBy = (signed: string, keys: readonly KeyObject[]): number => {
  const dot = signed.length - SIGNATURE_CHARS - 1
  if (signed[dot] !== '.') return -1
  const text = signed.slice(0, dot)
  const signature = signatureOf(signed)
  let found = -1
  for (let index = keys.length - 1; index >= 0; index--) {
    const own = signatureOf(sign(text, keys[index] as KeyObject))
    // What is not of ASCII has more bytes.
    if (own.length === signature.length && timingSafeEqual(own, signature)) found = index
  }
  return found
}

const signatureOf = (signed: string): Buffer => Buffer.from(signed.slice(-SIGNATURE_CHARS))

import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import type { Sealer } from '../namespace-manager.js'
import { checkSecrets, deriveBytes, deriveKey } from './keys.js'
import { randomBuffer } from '../random.js'
import { BindingBytes } from './seal-binding.js'

const ALGORITHM = 'aes-256-gcm'
const FORMAT_VERSION = 1
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** GCM takes tags down to 4 bytes if it is not told. */
const TAG_LENGTH = { authTagLength: TAG_BYTES }

// Format version (1 byte), key id (4), salt (16), nonce (12), cipher text, tag (16); in base64url.
const KEY_ID_AT = 1
const SALT_AT = 5
/** What is before, version, key id and salt, names the key of an epoch: 21 bytes, exactly 28 characters. */
const NONCE_AT = SALT_AT + SALT_BYTES
const TEXT_AT = NONCE_AT + NONCE_BYTES

// Random nonces of 96 bits are good for 2^32 messages of a key (NIST SP 800-38D, 8.3); 2^20 leave a repeat to 1 chance in 2^57.
const EPOCH_MESSAGES = 2 ** 20
const EPOCH_MS = 3_600_000
const MOST_KNOWN_EPOCHS = 256

interface Master {
  readonly key: KeyObject
  /** Meaningless, and sent in the clear: it spares trying all keys. */
  readonly keyId: number
}

/** The key that this process seals with for a while: derived from the newest master and a salt that travels in the message. */
interface Epoch {
  readonly prefixBytes: Buffer
  readonly key: KeyObject
  readonly binding: BindingBytes
  readonly endsAt: number
  messagesLeft: number
}

interface KnownEpoch {
  readonly key: KeyObject
  /** With the prefix of the messages. */
  readonly binding: BindingBytes
  /** Of a master that is not the newest. */
  readonly stale: boolean
}

/** AES-256-GCM. Format version, key id, salt, name, purpose and context are authenticated with the text. */
export class EncryptingSealer implements Sealer {
  readonly #masters: readonly Master[]
  readonly #name: string
  /** Epochs under which a message was seen to be authentic, least recently used first: guessed salts push nothing out. */
  readonly #known = new Map<string, KnownEpoch>()
  #latest = ''
  #epoch: Epoch | undefined

  constructor(encryptKeys: readonly string[], name: string) {
    checkSecrets(encryptKeys, 'encrypt_key')
    this.#masters = encryptKeys.map(secret => masterOf(secret, name))
    this.#name = name
  }

  seal(purpose: string, context: string, text: string): string {
    const { key, prefixBytes, binding } = this.#currentEpoch()
    const nonce = randomBuffer(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, key, nonce, TAG_LENGTH)
    cipher.setAAD(binding.of(purpose, context))
    const sealed = cipher.update(text, 'utf8')
    cipher.final()
    return Buffer.concat([prefixBytes, nonce, sealed, cipher.getAuthTag()]).toString('base64url')
  }

  open(purpose: string, context: string, sealed: string): { text: string; stale: boolean } | undefined {
    const message = decoded(sealed)
    if (message === undefined) return undefined
    const prefix = message.toString('base64url', 0, NONCE_AT) // a slice would hold on to the whole of it for as long as the key is known
    for (const epoch of this.#epochsOf(prefix, message)) {
      const text = decrypted(message, epoch.key, epoch.binding.of(purpose, context))
      if (text === undefined) continue
      this.#remember(prefix, epoch)
      return { text, stale: epoch.stale }
    }
    return undefined
  }

  #currentEpoch(): Epoch {
    let epoch = this.#epoch
    if (epoch === undefined || epoch.messagesLeft === 0 || epoch.endsAt <= performance.now()) epoch = this.#epoch = this.#newEpoch()
    epoch.messagesLeft--
    return epoch
  }

  #newEpoch(): Epoch {
    const { key: master, keyId } = this.#masters[0] as Master
    const salt = randomBuffer(SALT_BYTES)
    const prefixBytes = Buffer.alloc(NONCE_AT)
    prefixBytes[0] = FORMAT_VERSION
    prefixBytes.writeUInt32BE(keyId, KEY_ID_AT)
    prefixBytes.set(salt, SALT_AT)
    const prefix = prefixBytes.toString('base64url')
    const key = epochKey(master, salt)
    const binding = new BindingBytes(prefix, this.#name)
    this.#remember(prefix, { key, binding, stale: false })
    return { prefixBytes, key, binding, endsAt: performance.now() + EPOCH_MS, messagesLeft: EPOCH_MESSAGES }
  }

  /** The known one, else that of each master with this key id, of which there is one but by chance. */
  #epochsOf(prefix: string, message: Buffer): readonly KnownEpoch[] {
    const known = this.#known.get(prefix)
    if (known !== undefined) return [known]
    const keyId = message.readUInt32BE(KEY_ID_AT)
    const salt = message.subarray(SALT_AT, NONCE_AT)
    const binding = new BindingBytes(prefix, this.#name)
    return this.#masters.flatMap((master, index) =>
      master.keyId === keyId ? [{ key: epochKey(master.key, salt), binding, stale: index > 0 }] : [])
  }

  #remember(prefix: string, epoch: KnownEpoch): void {
    if (prefix === this.#latest) return
    this.#latest = prefix
    this.#known.delete(prefix)
    this.#known.set(prefix, epoch)
    if (this.#known.size > MOST_KNOWN_EPOCHS) this.#known.delete(this.#known.keys().next().value as string)
  }
}

const masterOf = (secret: string, name: string): Master => ({
  key: deriveKey(secret, 'seal encrypt', name),
  keyId: deriveBytes(secret, 'seal key id', name).readUInt32BE(0),
})

const epochKey = (master: KeyObject, salt: Uint8Array): KeyObject => deriveKey(master, 'seal epoch', '', salt)

/** `undefined` for what is too short, of another format, or not spelled the one way in which we spell it. */
const decoded = (sealed: string): Buffer | undefined => {
  const message = Buffer.from(sealed, 'base64url')
  if (message.length < TEXT_AT + TAG_BYTES || message[0] !== FORMAT_VERSION) return undefined
  // Buffer overlooks blanks, padding, the other alphabet and loose bits at the end: many spellings of one message.
  return message.toString('base64url') === sealed ? message : undefined
}

const decrypted = (message: Buffer, key: KeyObject, authenticated: Buffer): string | undefined => {
  const tagAt = message.length - TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, key, message.subarray(NONCE_AT, TEXT_AT), TAG_LENGTH)
  decipher.setAAD(authenticated)
  decipher.setAuthTag(message.subarray(tagAt))
  const text = decipher.update(message.subarray(TEXT_AT, tagAt))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return text.toString()
}

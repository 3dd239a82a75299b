import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { ENCRYPT_KEY } from './job.js'
import type { Data } from './job.js'
import { serveLeast } from './least-server.js'

const CIPHER = 'aes-256-gcm'
const [IV_BYTES, TAG_BYTES] = [12, 16]
const key = createSecretKey(Buffer.from(ENCRYPT_KEY))

await serveLeast({
  open(cookie) {
    const bytes = Buffer.from(cookie, 'base64url')
    if (bytes.length < IV_BYTES + TAG_BYTES) return undefined
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES)).setAuthTag(bytes.subarray(-TAG_BYTES))
    const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8')
    try {
      return { id: '', data: JSON.parse(text + decipher.final('utf8')) as Data }
    } catch {
      return undefined
    }
  },
  keep(data) {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, key, iv)
    return Buffer.concat([iv, cipher.update(JSON.stringify(data)), cipher.final(), cipher.getAuthTag()]).toString('base64url')
  },
})

import { createCipheriv, createHash, createHmac } from 'node:crypto'
import { sign } from 'cookie-signature'

/** What has passed for a sealed session elsewhere, made of the right text and the right keys, and what is made of a real seal with small changes. */
export const forgedForms = (text: string, secret: string, encryptKey: string, sealed: string): readonly string[] => {
  const base64 = Buffer.from(text).toString('base64')
  const base64url = Buffer.from(text).toString('base64url')
  const plain = ['', '.', '~', text, encodeURIComponent(text), base64, base64url, `${base64url}.`, `.${base64url}`, `${base64url}.${base64url}`, `j:${text}`, 'null', '{}', '[]', 'undefined', 'deleted']
  const tokens = ['{"alg":"none"}', '{"alg":"HS256"}', '{"alg":"A256GCM","enc":"A256GCM"}'].flatMap(header => {
    const head = Buffer.from(header).toString('base64url')
    return [`${head}.${base64url}.`, `${head}.${base64url}.${createHmac('sha256', secret).update(`${head}.${base64url}`).digest('base64url')}`]
  })
  const signed = [secret, encryptKey].flatMap(key => [
    sign(text, key).replaceAll(/[^\x21-\x7e]/g, ''),
    sign(base64url, key),
    sign(base64, key),
    `s:${sign(base64url, key)}`,
    ...['md5', 'sha1', 'sha256', 'sha512'].flatMap(hash => {
      const mac = createHmac(hash, key).update(base64url).digest()
      return [`${base64url}.${mac.toString('base64url')}`, `${mac.toString('hex')}${base64url}`]
    }),
    `${base64url}.${createHash('sha256').update(key + base64url).digest('base64url')}`,
  ])
  const raw = createHash('sha256').update(encryptKey).digest()
  const encrypted = [
    ...['aes-256-cbc', 'aes-256-ctr'].map(algorithm => {
      const cipher = createCipheriv(algorithm, raw, Buffer.alloc(16, 1))
      return Buffer.concat([Buffer.alloc(16, 1), cipher.update(text), cipher.final()]).toString('base64url')
    }),
    ...[4, 12, 16].map(authTagLength => {
      const cipher = createCipheriv('aes-256-gcm', raw, Buffer.alloc(12, 1), { authTagLength })
      return Buffer.concat([Buffer.from([1]), Buffer.alloc(32, 1), cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    }),
    `Fe26.2**${base64url}*${base64url}*${base64url}**${base64url}*${base64url}`,
  ]
  const altered = [`${sealed}=`, `${sealed}==`, `${sealed}A`, ` ${sealed}`, `${sealed} `, `"${sealed}"`, `${sealed}\n`, `${sealed};`, `s:${sealed}`, `1~${sealed}`, sealed + sealed,
    sealed.toLowerCase(), sealed.toUpperCase(), [...sealed].toReversed().join(''), Buffer.from(sealed).toString('base64url'), sealed.slice(0, -1), sealed.slice(0, -5), sealed.slice(0, 44),
    `${sealed.slice(0, 28)}${'A'.repeat(sealed.length - 28)}`, encodeURIComponent(`${sealed}=`), sealed.normalize('NFD') + '\u0301']
  return [...plain, ...tokens, ...signed, ...encrypted, ...altered]
}

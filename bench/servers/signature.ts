import { createHmac, timingSafeEqual } from 'node:crypto'
import { SECRET } from './job.js'

/** A text with a signature behind it. */
export const sign = (text: string): string => `${text}.${macOf(text)}`

/** The text, or `undefined` when it was not signed with `sign`. */
export const unsign = (signed: string): string | undefined => {
  const end = signed.lastIndexOf('.')
  const text = signed.slice(0, Math.max(end, 0))
  const [mac, expected] = [Buffer.from(signed.slice(end + 1)), Buffer.from(macOf(text))]
  return mac.length === expected.length && timingSafeEqual(mac, expected) ? text : undefined
}

const macOf = (text: string): string => createHmac('sha256', SECRET).update(text).digest('base64url')

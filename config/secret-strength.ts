import { weakSecrets } from './weak-secrets.js'

const leastBytes = 32
const leastVariety = 8
/** What must be left of a secret once every well-known word is taken out of it. */
const leastRest = 20

/** How to make a good one: 256 bits, written in 43 letters. */
export const secretAdvice = 'make one with: node -p "crypto.randomBytes(32).toString(\'base64url\')"'

/** Why the secret can be guessed, or `undefined`. Tells nothing of the secret but its length. */
export const weaknessOf = (secret: string): string | undefined => {
  const bytes = Buffer.byteLength(secret)
  if (bytes < leastBytes) return `${bytes} bytes`
  if (variety(secret) < leastVariety) return `one of ${variety(secret)} different characters`
  if (isRepetition(secret)) return 'a repetition'
  if (isRun(secret)) return 'a run of neighbouring characters'
  if (isWordy(secret.toLowerCase())) return 'one made of words that are tried first'
  return undefined
}

const variety = (text: string): number => new Set(text).size

/** One piece, twice or more. A text that is a repetition stands in its double at another place than the ends. */
const isRepetition = (text: string): boolean => {
  for (let length = 1; length <= text.length / 2; length++) {
    if (text.slice(length) === text.slice(0, -length)) return true
  }
  return false
}

/** Two thirds of the steps go to the same or the next character, up or down. Of random ones, a fifth do. */
const isRun = (text: string): boolean => {
  let small = 0
  for (let at = 1; at < text.length; at++) if (Math.abs(text.charCodeAt(at) - text.charCodeAt(at - 1)) <= 1) small++
  return small > (text.length - 1) * (2 / 3)
}

/** `s_e_c_r_e_t` */
const spacedOut = (word: string): string => [...word].join('[^a-z0-9]{0,2}')

/** Longest first: of two words that begin alike, the longer one is taken out. */
const anyWeak = new RegExp(weakSecrets.toSorted((a, b) => b.length - a.length).map(spacedOut).join('|'), 'g')

const isWordy = (text: string): boolean => {
  const rest = text.replaceAll(anyWeak, '')
  return rest !== text && (rest.length < leastRest || variety(rest) < leastVariety || isRepetition(rest) || isRun(rest))
}

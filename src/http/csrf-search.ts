import { TOKEN_CHARS } from '../session/csrf.js'

/** The name of the field that carries a token. */
export const TOKEN_FIELD = 'csrf_token'

/** Given a form's body piece by piece, answers the token with the piece that completes it. */
export type TokenSearch = (piece: string) => string | undefined

/**
 * A search for the token in one of the two forms in which browsers send a form; `undefined` for another. Whoever has a token may put it where
 * they like.
 *
 * Anybody may send any body, in pieces of any size: so each piece is looked at once, with no more before it than may be the beginning of what
 * is looked for, and no pattern repeats without a bound.
 */
export const tokenSearch = (mediaType: string): TokenSearch | undefined => SEARCHES.get(mediaType)?.()

const PAIR = new RegExp(`&${TOKEN_FIELD}=([\\w-]{${TOKEN_CHARS}})`)
const PAIR_CHARS = `&${TOKEN_FIELD}=`.length + TOKEN_CHARS

const inUrlEncoded = (): TokenSearch => {
  let before = '&'
  return (piece) => {
    const text = before + piece
    before = text.slice(1 - PAIR_CHARS)
    return PAIR.exec(text)?.[1]
  }
}

/** The end of the line that names the field; other lines may stand between it and the empty one. */
const NAME = new RegExp(`[ ;]name="?${TOKEN_FIELD}"?(?=\\r\\n)`)
const NAME_CHARS = ` name="${TOKEN_FIELD}"\r\n`.length
const HEADERS_END = '\r\n\r\n'
const TOKEN = new RegExp(`^[\\w-]{${TOKEN_CHARS}}$`)

const inMultipart = (): TokenSearch => {
  let text = ''
  let isNamed = false
  const waitWith = (last: number): undefined => void (text = text.slice(-last))
  return (piece) => {
    text += piece
    for (;;) {
      if (!isNamed) {
        const name = NAME.exec(text)
        if (name === null) return waitWith(NAME_CHARS - 1)
        text = text.slice(name.index + name[0].length)
        isNamed = true
      }
      const end = text.indexOf(HEADERS_END)
      if (end === -1) return waitWith(HEADERS_END.length - 1)
      const value = text.slice(end + HEADERS_END.length)
      if (value.length < TOKEN_CHARS) return waitWith(text.length - end)
      const token = value.slice(0, TOKEN_CHARS)
      if (TOKEN.test(token)) return token
      text = value
      isNamed = false
    }
  }
}

const SEARCHES: ReadonlyMap<string, () => TokenSearch> = new Map([
  ['application/x-www-form-urlencoded', inUrlEncoded],
  ['multipart/form-data', inMultipart],
])

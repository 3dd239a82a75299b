import { csrfToken } from '../session/csrf.js'
import { writingTo } from '../session/session-of.js'
import { TOKEN_FIELD } from './csrf-search.js'

/** Attributes of a form: `true` is one without a value, `false` and `undefined` are none. */
export interface CsrfFormOptions {
  /** A path of this application. Default: the page itself. */
  readonly action?: string
  readonly method?: 'post'
  readonly [attribute: string]: string | number | boolean | undefined
}

/** A hidden field with a token. Firefox would put an older one back into a page that is loaded again: hence `autocomplete`. */
export const csrfField = (req: object): Promise<string> => csrfToken(req).then(fieldWith)

const fieldWith = (value: string): string => `<input${attributesOf({ type: 'hidden', name: TOKEN_FIELD, value, autocomplete: 'off' })}>`

/**
 * The opening tag of a form, and the field. Rejects with a `TypeError` for a form that would show its token to others: by GET it would be in the
 * address, and another host would get to know it.
 */
export const csrfForm = (req: object, options: CsrfFormOptions = {}): Promise<string> =>
  writingTo(req, async () => `${openingTag(options)}${await csrfField(req)}`)

const openingTag = (options: CsrfFormOptions): string => {
  const { method = 'post', ...others } = withLowerCaseNames(options)
  const { action } = others
  if (String(method).toLowerCase() !== 'post') throw new TypeError(`a form with a token is sent by post; got ${JSON.stringify(method)}`)
  if (action !== undefined && !isPath(String(action))) throw new TypeError(`a form with a token is sent to a path of this application; got ${JSON.stringify(action)}`)
  return `<form${attributesOf({ ...others, method })}>`
}

/** As browsers read them, which of two equal ones take the first. */
const withLowerCaseNames = (options: CsrfFormOptions): Record<string, string | number | true> => {
  const attributes: Record<string, string | number | true> = Object.create(null)
  for (const [written, value] of Object.entries(options)) {
    if (value === undefined || value === false) continue
    const name = written.toLowerCase()
    if (Object.hasOwn(attributes, name)) throw new TypeError(`the attribute ${name} is there twice`)
    attributes[name] = value
  }
  return attributes
}

/** Whatever the page's scheme: `http:path` is a path on a page that came by http, and another host's otherwise. */
const isPath = (action: string): boolean =>
  ['http://here.invalid', 'https://here.invalid'].every((here) => URL.canParse(action, here) && new URL(action, here).origin === here)

const attributesOf = (attributes: Record<string, string | number | true>): string =>
  Object.entries(attributes).map(([name, value]) => {
    if (!/^[a-z][\w.:-]*$/i.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of an attribute`)
    return value === true ? ` ${name}` : ` ${name}="${escaped(String(value))}"`
  }).join('')

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

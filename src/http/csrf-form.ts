import { csrfToken } from '../session/csrf.js'
import { TOKEN_FIELD } from './csrf-search.js'

/** Attributes of a form: `true` is one without a value, `false` and `undefined` are none. */
export interface CsrfFormOptions {
  /** A path of this application. Default: the page itself. */
  readonly action?: string
  readonly method?: 'post'
  readonly [attribute: string]: string | number | boolean | undefined
}

/** A hidden field with a token. Firefox would put an older one back into a page that is loaded again: hence `autocomplete`. */
export const csrfField = async (req: object): Promise<string> =>
  `<input${attributesOf({ type: 'hidden', name: TOKEN_FIELD, value: await csrfToken(req), autocomplete: 'off' })}>`

/**
 * The opening tag of a form, and the field. Rejects with a `TypeError` for a form that would show its token to others: by GET it would be in the
 * address, and another host would get to know it.
 */
export const csrfForm = async (req: object, options: CsrfFormOptions = {}): Promise<string> => {
  const { action, method = 'post' } = options
  if (method.toLowerCase() !== 'post') throw new TypeError(`a form with a token is sent by post; got ${JSON.stringify(method)}`)
  if (action !== undefined && !isPath(action)) throw new TypeError(`a form with a token is sent to a path of this application; got ${JSON.stringify(action)}`)
  return `<form${attributesOf({ ...options, method })}>${await csrfField(req)}`
}

/** Whatever the page's scheme: `http:path` is a path on a page that came by http, and another host's otherwise. */
const isPath = (action: string): boolean =>
  ['http://here.invalid', 'https://here.invalid'].every((here) => URL.canParse(action, here) && new URL(action, here).origin === here)

const attributesOf = (attributes: CsrfFormOptions): string =>
  Object.entries(attributes).filter(([, value]) => value !== undefined && value !== false).map(([name, value]) => {
    if (!/^[a-z][\w.:-]*$/i.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of an attribute`)
    return value === true ? ` ${name}` : ` ${name}="${escaped(String(value))}"`
  }).join('')

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

import { handled } from '../write-promise.js'
import type { Flash } from './flash.js'
import { sessionOf } from './session-of.js'
import type { Session } from './session.js'

/** Free text; these four are the usual ones. */
export type MessageLevel = 'success' | 'info' | 'alert' | 'error' | (string & {})

/** What a page tells its user. */
export interface Message {
  /** `null` for a flash without one. */
  readonly level: MessageLevel | null
  /** Text, or whatever was flashed. Escape it where you show it. */
  readonly body: any
  readonly title: string | null
  /**
   * How long the page's script is to show it: in milliseconds, unlike all other durations of phial, which are seconds. It is handed on as it was
   * given, for `setTimeout`. `null`: until the user leaves.
   */
  readonly life: number | null
}

export interface NewMessage {
  readonly level: MessageLevel
  readonly body: string
  readonly title?: string | null
  /** In milliseconds, not seconds: see `Message.life`. Default `null`: for as long as the page is there. */
  readonly life?: number | null
}

export interface MessageOptions {
  /** For the next page: kept in the session, so save that. Default `false`: for this request's page. */
  readonly flash?: boolean
}

/** The messages of one request's page. */
export class Messages {
  readonly #session: Session<any>
  readonly #list: Message[] = []
  #isRead = false

  /** Made by `messages`. */
  constructor(session: Session<any>) {
    this.#session = session
  }

  /** The session's flashes, which are thereby used up, as those of `Session.flashes` are; then what this request added. */
  get list(): readonly Message[] {
    if (!this.#isRead) this.#list.unshift(...this.#session.flashes().map(messageOf))
    this.#isRead = true
    return [...this.#list]
  }

  /** Adds a message. Throws like `Session.flash` for one that is for the next page. */
  add({ level, body, title = null, life = null }: NewMessage, { flash = false }: MessageOptions = {}): this {
    if (flash) this.#session.flash({ body, title, life }, { level })
    else this.#list.push({ level, body, title, life })
    return this
  }

  /** Adds the message that stands above a form with errors. */
  formError(body = 'Something is not right yet. Please correct what is marked below.', title = 'Error'): this {
    return this.add({ level: 'error', body, title })
  }
}

const known = new WeakMap<Session<any>, Messages>()

/** The messages of a request: each call answers the same object. Loads the session, and rejects like `SessionObject.load`. */
export const messages = (req: object): Promise<Messages> => handled(messagesOf(req))

const messagesOf = async (req: object): Promise<Messages> => {
  const session = await sessionOf(req).load()
  const found = known.get(session) ?? new Messages(session)
  known.set(session, found)
  return found
}

/** Any flash becomes a message: one that `add` kept, as it was. */
const messageOf = ({ value, level }: Flash): Message => {
  const { body, title, life, ...others } = Object(value) as Partial<Message>
  const isMessage = body !== undefined && title !== undefined && life !== undefined && Object.keys(others).length === 0
  return isMessage ? { level, body, title, life } : { level, body: value, title: null, life: null }
}

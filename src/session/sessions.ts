import type { RequestCookies } from '../carrier.js'
import { ConfigError } from '../errors.js'
import type { NamespaceManager, RequestNamespace } from '../namespace-manager.js'
import { showAs } from '../show.js'
import { writtenOptions } from './named-session-options.js'
import type { NamedSessionOptions } from './named-session-options.js'
import type { SessionManager } from './session-manager.js'
import { sessionOf } from './session-of.js'
import type { SessionFamily, SessionObject } from './session-object.js'

type Data = Record<string, any>

/** A session of a manager of the application's own, with its settings, its cookie and its life; who made the manager closes it. */
export type ManagedSessionOptions<T extends object = Data> =
  { readonly manager: SessionManager<T> } & { readonly [K in keyof NamedSessionOptions]?: never }

/** All sessions of one request, each with a name and a cookie of its own; the default one is one of them. */
export class Sessions {
  readonly #default: SessionObject<any>
  readonly #named = new Map<string, Named>()
  #cookies: RequestCookies | undefined

  /** Of a request's default session. Use `sessions(req)`. */
  constructor(object: SessionObject<any>) {
    this.#default = object
  }

  /**
   * The lazy session of a name; without one, or by the `request_key`, the default session. In one request the same name gives the same
   * object, and may be given options once. Throws `ConfigError` for options that make no session, `TypeError` for others than before.
   */
  get<T extends object = Data>(name?: string, options?: NamedSessionOptions | ManagedSessionOptions<T>): SessionObject<T> {
    if (name === undefined || name === this.#default.family.requestKey) return this.#ofDefault(options) as SessionObject<T>
    const { manager, ...rest } = { manager: undefined, ...options }
    const written = options === undefined ? undefined : writtenOptions(rest)
    const there = this.#named.get(name)
    if (there === undefined) return this.#open(name, manager, rest, written) as SessionObject<T>
    if (written !== undefined && (written !== there.written || manager !== there.manager)) throw new TypeError(`the session ${JSON.stringify(name)} was opened with other options in this request`)
    return there.object as SessionObject<T>
  }

  /**
   * Saves those that were changed, by calls that are still under way too; resolves when all are stored. Rejects with the first failure,
   * when all were tried. It need not be awaited: the response waits for it, and a failure that nobody took becomes the answer.
   */
  save(): Promise<void> {
    const asked = this.#all().filter(({ accessed }) => accessed)
    return asked[0]?.writing(() => allDone(asked.map((object) => object.saveChanges()))) ?? Promise.resolve()
  }

  /** Ends a session now, and expires its cookie. Options as for `get`. Need not be awaited either. Rejects like `Session.destroy`, and with what `get` throws. */
  delete(name?: string, options?: NamedSessionOptions | ManagedSessionOptions<any>): Promise<void> {
    return this.#default.writing(async () => this.get(name, options).destroy())
  }

  /** The namespace manager of a name in `session.backends`; without one, the default session's. Throws `ConfigError` for a name that there is not. */
  backend(name?: string): NamespaceManager | RequestNamespace {
    return this.#default.family.backendNamed(name)
  }

  /** The request's other cookies. */
  get cookies(): RequestCookies {
    return (this.#cookies ??= this.#default.openCookies())
  }

  #ofDefault(options: object = {}): SessionObject<any> {
    if (Object.keys(options).length > 0) throw new TypeError('the default session has its options from the settings')
    return this.#default
  }

  #open(name: string, manager: SessionManager<any> | undefined, options: NamedSessionOptions, written: string | undefined): SessionObject<any> {
    if (manager !== undefined && Object.keys(options).length > 0) throw new TypeError(`the session ${JSON.stringify(name)} has its options from its manager`)
    const family = manager ?? this.#default.family.named(name, options)
    this.#assertApart(name, family)
    const object = family.openBeside(this.#default)
    this.#named.set(name, { object, written, manager })
    return object
  }

  /** Two sessions under one cookie would write over each other. */
  #assertApart(name: string, { cookieNames }: SessionFamily): void {
    for (const { family } of this.#all()) {
      const taken = family.cookieNames.find((cookie) => cookieNames.includes(cookie))
      if (taken !== undefined) throw new ConfigError(`the session ${JSON.stringify(name)} would have the cookie ${taken} of another session of this request: give one of the two another name, cookieName or key`, { setting: 'key' })
    }
  }

  #all(): SessionObject<any>[] {
    return [this.#default, ...Array.from(this.#named.values(), ({ object }) => object)]
  }
}

/** Resolves when all have; rejects with the first failure, when all are settled. */
const allDone = async (promises: readonly Promise<void>[]): Promise<void> => {
  await Promise.allSettled(promises)
  await Promise.all(promises)
}

interface Named {
  readonly object: SessionObject<any>
  /** The options that it was opened with; see `writtenOptions`. */
  readonly written: string | undefined
  readonly manager: SessionManager<any> | undefined
}

showAs(Sessions, () => 'Sessions {}')

const ofRequest = new WeakMap<object, Sessions>()

/** The sessions of a request whose handler is wrapped by `withSession`. Throws `ConfigError` for another. */
export const sessions = (req: object): Sessions => {
  const there = ofRequest.get(req)
  if (there !== undefined) return there
  const made = new Sessions(sessionOf(req))
  ofRequest.set(req, made)
  return made
}

/** Gives a request, in a test for one, the sessions that `sessions(req)` answers from now on. */
export const setSessions = (req: object, its: Sessions): void => void ofRequest.set(req, its)

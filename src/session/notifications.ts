import type { NamedSessionOptions } from './named-session-options.js'
import type { SessionObject } from './session-object.js'
import { sessions } from './sessions.js'

/**
 * Values that vanish when they are read. Each call is stored when its promise resolves; of several requests one gets a value. The response
 * waits for a call that is not awaited, and its failure becomes the answer.
 */
export class Notifications {
  readonly #object: SessionObject

  /** Use `notifications(req)`. */
  constructor(object: SessionObject) {
    this.#object = object
  }

  /** Rejects like `session.update`. */
  set(key: string, value: unknown): Promise<void> {
    return this.#object.writing(async () => void (await this.#object.update(key, () => value)))
  }

  /** The value, which is gone from then on; the fallback where there is none. */
  get<V = any>(key: string): Promise<V | undefined>
  get<V = any>(key: string, fallback: V): Promise<V>
  get<V = any>(key: string, fallback?: V): Promise<V | undefined> {
    return this.#object.writing(async () => {
      const [found] = await this.#take([key])
      return found === undefined ? fallback : (found[1] as V)
    })
  }

  /** All of them, gone from then on. */
  takeAll(): Promise<Record<string, any>> {
    return this.#object.writing(async () => Object.fromEntries(await this.#take(await this.keys())))
  }

  has(key: string): Promise<boolean> {
    return this.#object.has(key)
  }

  keys(): Promise<string[]> {
    return this.#object.keys()
  }

  /** Resolves to whether any of them was there. */
  delete(...keys: string[]): Promise<boolean> {
    return this.#object.writing(async () => (await this.#take(keys)).length > 0)
  }

  /** Nothing is written for what is not there. */
  async #take(keys: readonly string[]): Promise<[key: string, value: unknown][]> {
    const session = await this.#object.load()
    const wanted = keys.filter((key) => session.has(key))
    if (wanted.length === 0) return []
    let taken: [string, unknown][] = []
    await session.update((draft) => {
      taken = wanted.filter((key) => Object.hasOwn(draft, key)).map((key) => [key, draft[key]]) // made anew when another wrote meanwhile
      for (const key of wanted) delete draft[key]
    })
    return taken
  }
}

/** The notifications of a request: a named session of its own, on its own backend if `options` name one. Throws like `sessions(req)`. */
export const notifications = (req: object, options?: NamedSessionOptions): Notifications =>
  new Notifications(sessions(req).get('notifications', options))

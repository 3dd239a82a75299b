import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AppPart, FilterPart, MapPart, ModuleUse, Part, Place, SessionPart } from '../composite.js'
import { ConfigError } from '../errors.js'
import { isSessionManager, type SessionManager } from '../session/session-manager.js'
import { urlMap } from './url-map.js'
import { wrapHandler, type SessionHandler } from './wrap.js'

type Handler = (req: any, res: any, ...rest: any[]) => unknown

/** What a factory is handed beside the options of its section. */
export interface AppContext {
  /** That of the session around the application; `undefined` where there is none. */
  readonly manager: SessionManager | undefined
  /** The directory of the INI file. */
  readonly here: string
}

/** Makes an application: `use = ./apps/home.js()`. The options are the other keys of its section, as text. */
export type AppFactory = (options: Readonly<Record<string, string>>, context: AppContext) => Handler | Promise<Handler>

/** Puts something before an application: `use = ./filters/log.js` in a `[filter:…]` or `[filter-app:…]`. */
export type FilterFactory = (next: Handler, options: Readonly<Record<string, string>>, context: AppContext) => Handler | Promise<Handler>

/** The application of an INI file: a handler, as `createServer` takes it. */
export interface LoadedApp<T extends object = Record<string, any>> extends SessionHandler<IncomingMessage, ServerResponse, T> {
  /** Closes every session manager of the application, as `manager.close()` does. May be called twice. */
  close(): Promise<void>
}

/**
 * Makes handlers of the parts that an INI file describes: loads their modules, opens a manager for each section with sessions, and puts them
 * together. Rejects with `ConfigError`, with file and line, and has then closed what it opened.
 */
export const compose = async <T extends object>(root: Part, file: string, openManager: OpenManager): Promise<LoadedApp<T>> => {
  const composer = new Composer(openManager)
  try {
    const handler = await composer.make(root, { around: [], made: new Map() })
    const [manager] = composer.managers
    if (manager === undefined) throw new ConfigError(noSessions, { file })
    const app: Handler = (req, res, ...rest) => handler(req, res, ...rest)
    return Object.assign(app, { manager, close: () => composer.close() })
  } catch (error) {
    await composer.close().catch(() => {})
    throw error
  }
}

const noSessions = 'nothing that was asked for has sessions: write session.* in its section, or a [filter-app:NAME] with use = session'

/** Opens the manager of a section's settings. */
type OpenManager = (section: string) => SessionManager<any>

/** What is around a part. */
interface Scope {
  /** The managers whose sessions it is under, from the outside. */
  readonly around: readonly SessionManager[]
  /** What has been made there: each section once. */
  readonly made: Map<Part, Handler>
}

class Composer {
  /** All that were opened, or that came with a module; the outermost first. */
  readonly managers = new Set<SessionManager<any>>()
  readonly #openManager: OpenManager
  readonly #opened = new Map<string, SessionManager>()

  constructor(openManager: OpenManager) {
    this.#openManager = openManager
  }

  async close(): Promise<void> {
    await Promise.all([...this.managers].map((manager) => manager.close()))
  }

  async make(part: Part, scope: Scope): Promise<Handler> {
    const handler = scope.made.get(part) ?? (await this.#make(part, scope))
    scope.made.set(part, handler)
    return handler
  }

  #make(part: Part, scope: Scope): Promise<Handler> {
    switch (part.kind) {
      case 'map': return this.#map(part, scope)
      case 'session': return this.#session(part, scope)
      case 'filter': return this.#filter(part, scope)
      case 'app': return this.#app(part, scope)
    }
  }

  /** One after the other: the first fault in the file's order is the one that is told. */
  async #map({ routes }: MapPart, scope: Scope): Promise<Handler> {
    const handlers: [string, Handler][] = []
    for (const [prefix, part] of routes) handlers.push([`${prefix}/`, await this.make(part, scope)])
    return urlMap(Object.fromEntries(handlers))
  }

  async #session({ section, place, next }: SessionPart, scope: Scope): Promise<Handler> {
    const manager = this.#opened.get(section) ?? this.#openManager(section)
    this.#opened.set(section, manager)
    this.#admit(manager, scope, place)
    return wrapHandler(await this.make(next, { around: [...scope.around, manager], made: new Map() }), manager)
  }

  async #filter({ module, next }: FilterPart, scope: Scope): Promise<Handler> {
    const filter = await load(module)
    return call(module, filter, [await this.make(next, scope), module.options, contextOf(module, scope)])
  }

  async #app({ module }: AppPart, scope: Scope): Promise<Handler> {
    const found = await load(module)
    const handler = module.isCalled ? await call(module, found, [module.options, contextOf(module, scope)]) : found
    const { manager } = handler as Partial<SessionHandler>
    if (isSessionManager(manager)) this.#admit(manager, scope, module.place)
    return module.isCalled ? handler : refusingFactories(module, handler)
  }

  #admit(manager: SessionManager, { around }: Scope, place: Place): void {
    this.managers.add(manager)
    if (!around.some((other) => other !== manager && other.requestKey === manager.requestKey)) return
    throw faultAt(place, `there are sessions on req.${manager.requestKey} around this already: take one of the two away, or give it another request_key`)
  }
}

const contextOf = ({ place }: ModuleUse, { around }: Scope): AppContext => ({ manager: around.at(-1), here: dirname(resolve(place.file)) })

/** The function that the module exports. */
const load = async ({ path, name, written, place }: ModuleUse): Promise<Handler> => {
  if (!existsSync(path)) throw faultAt(place, `there is no file ${path}`)
  const exported = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw faultAt(place, `${written} cannot be loaded: ${lineOf(cause)}`, cause)
  }) as Record<string, unknown>
  const found = exported[name]
  if (typeof found === 'function') return found as Handler
  throw faultAt(place, `${path} exports no function as ${name}; it exports: ${Object.keys(exported).join(', ') || 'nothing'}`)
}

const call = async ({ written, place }: ModuleUse, factory: (...args: any[]) => unknown, args: readonly unknown[]): Promise<Handler> => {
  let made: unknown
  try {
    made = await factory(...args)
  } catch (cause) {
    throw faultAt(place, `${written} failed: ${lineOf(cause)}`, cause)
  }
  if (typeof made === 'function') return made as Handler
  throw faultAt(place, `${written} made ${made === null ? 'null' : `a thing of type ${typeof made}`}, and no handler`)
}

/** A factory that is taken for a handler answers a handler, and its requests would wait for ever. */
const refusingFactories = ({ written, place }: ModuleUse, handler: Handler): Handler => {
  const check = (answer: unknown): unknown => {
    if (typeof answer !== 'function') return answer
    throw faultAt(place, `${written} is a factory: write use = ${written}()`)
  }
  return (req, res, ...rest) => {
    const answer = handler(req, res, ...rest)
    return answer instanceof Promise ? answer.then(check) : check(answer)
  }
}

const faultAt = (place: Place, message: string, cause?: unknown): ConfigError =>
  new ConfigError(`${place.setting}: ${message}`, { ...place, cause })

/** What went wrong, and the line where, in one line. */
const lineOf = (cause: unknown): string => {
  const { stack = '' } = (cause ?? {}) as Partial<Error>
  const at = /\bfile:\/\/\S+?:\d+/.exec(stack)?.[0]
  return `${String(cause).split('\n', 1)[0]}${at === undefined ? '' : ` (${at})`}`
}

/** Sessions in a store, kept by a process of their own, whose growth is looked at. */
export interface SceneSpec {
  readonly store: StoreName
  /** What `createManager` is given to reach the store. */
  readonly place: Place
  readonly count: number
  /** Of each session's data, as bytes of JSON. */
  readonly size: number
  /** In each request, the session's own included. */
  readonly cookies: number
  /** An owner for each session, who has no other. */
  readonly owned?: boolean
  /** Of the sessions, how many end before the others. */
  readonly expiring: number
  /** Operations at once; as many as suit the store when absent. */
  readonly inFlight?: number
}

export type StoreName = 'memory' | 'file' | 'redis' | 'memcache' | 'cookie'

export interface Place {
  readonly url?: string
  readonly dataDir?: string
}

/** `read by id` is without a request and its cookie. */
export type Call = 'read' | 'read by id' | 'read and save'

/** Of a `request` the clock is not told, but the CPU time of the process that serves it: its client is on the same machine. */
export type Operation = Call | 'request'

export const OPERATIONS: readonly Operation[] = ['read', 'read by id', 'read and save', 'request']

/** For one operation, in microseconds: of the clock, and of this process's CPU. */
export interface Cost {
  readonly us: number
  readonly cpuUs: number
  readonly operations: number
}

/** In bytes for each session, everything else of the process taken off. */
export interface MemoryPerSession {
  readonly heap: number
  readonly external: number
  readonly rss: number
  /** What is handed to the store for a session: its data behind a line that phial puts before them. */
  readonly record: number
}

/** The longest times in milliseconds for which the event loop stood still. */
export interface Pause {
  readonly longest: number
  /** The longest of what the process itself took of a pause: without waiting for a core that others had. */
  readonly own: number
  /** Besides without garbage collection. */
  readonly working: number
  /** The longest garbage collection. */
  readonly collecting: number
  /** Of a read that went on meanwhile. */
  readonly slowestRead: number
  readonly lastedMs: number
  readonly purged: number
}

/** What a scene can be asked for, and what it answers. */
export interface Asks {
  seed: { args: []; answer: MemoryPerSession }
  round: { args: [call: Call, ms: number]; answer: Cost }
  /** Serves requests that read their session; some cookies for them. */
  serve: { args: []; answer: { readonly port: number; readonly cookies: readonly string[] } }
  /** In microseconds, so far. */
  cpu: { args: []; answer: number }
  pause: { args: [what: 'reading' | 'purging', ms: number]; answer: Pause }
  close: { args: []; answer: null }
}

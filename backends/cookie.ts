import type { Carrier, IdSource } from '../src/carrier.js'
import { ConfigError, SessionClosedError } from '../src/errors.js'
import type { Backend, BackendContext, Manifest, NamespaceManager, RequestNamespace } from '../src/namespace-manager.js'
import { capacity } from './cookie/capacity.js'
import { CHUNK_SLOTS, MOST_CHUNKS, roomIn, roomsOf } from './cookie/chunks.js'
import { CookieWire, SEEN } from './cookie/cookie-wire.js'
import { RequestCookie } from './cookie/request-cookie.js'

export interface CookieOptions {
  /** How many cookies one session may be spread over, 1 to 8. */
  readonly chunks: number
}

const MANIFEST: Manifest = {
  scope: 'request',
  durable: true,
  atomic: false,
  revocable: false,
  // Of one cookie, encrypted, with a name of 64 characters. What is opened tells its own.
  maxValueBytes: 2882,
  enumerable: false,
  purgeable: false,
  lockable: false,
  ownerIndex: false,
  verified: true,
}

/** Browsers keep no cookie for longer (RFC 6265bis, 5.5). */
const MOST_KEPT_SECONDS = 400 * 24 * 60 * 60

/**
 * Keeps the whole session in a cookie: no server, and no command to one.
 *
 * - **Without an encryption key the session is signed only: its user can read it**, and so can whoever sees the cookie.
 * - **A logout asks the browser to forget the cookie; it cannot make a copy worthless.** Whoever copied it before may use the copy, as it was
 *   then, until it expires, or prolong it by touches until `lifetime` ends it. The server keeps no list of what it has
 *   ended. To end all sessions at once, change the encryption key, or without one the secrets. To end one user's, keep a number with the user that a logout raises, store it in the
 *   session, and compare them.
 * - Of two requests at once the one answered last wins, whole.
 * - Name and value of a cookie are 4,096 octets at most, which leaves about 2.8 KB for the session: more is a `TooLargeError` when it
 *   is saved, and the cookie stays as it was. `chunks` spreads a larger session over several cookies; every request of the browser carries them
 *   all, and Node takes 16 KiB of headers.
 */
export const cookieBackend: Backend<CookieOptions> = {
  type: 'cookie',
  supports: MANIFEST,
  options: {
    chunks: { type: 'count', default: 1, sentence: 'How many cookies, of 4 KB each, one session may be spread over: 1 to 8.' },
  },
  open: context => new CookieNamespace(context),
}

class CookieNamespace implements RequestNamespace {
  readonly supports: Manifest
  readonly slots: readonly string[] = [SEEN, ...CHUNK_SLOTS]
  readonly #context: BackendContext<CookieOptions>
  /** By the octets of their cookies: names differ. */
  readonly #manifests = new Map<number, Manifest>()
  #isClosed = false

  constructor(context: BackendContext<CookieOptions>) {
    const { chunks } = context.options
    if (chunks > MOST_CHUNKS) {
      throw new ConfigError(`session.cookie.chunks: expected 1 to ${MOST_CHUNKS}; got ${chunks}`, { setting: 'session.cookie.chunks' })
    }
    this.#context = context
    this.supports = this.#manifestFor(roomsOf(chunks))
  }

  forRequest(carrier: Carrier): NamespaceManager & IdSource {
    if (this.#isClosed) throw new SessionClosedError('the cookie namespace is closed')
    const { sealer, now, options, lifetime = MOST_KEPT_SECONDS } = this.#context
    const wire = new CookieWire(carrier, { sealer, now, chunks: options.chunks, lifetimeMs: lifetime * 1000 })
    return new RequestCookie(wire, this.#manifestFor(wire.rooms), now, () => this.#isClosed)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #manifestFor(rooms: readonly number[]): Manifest {
    const octets = roomIn(rooms)
    let manifest = this.#manifests.get(octets)
    if (manifest === undefined) {
      manifest = { ...MANIFEST, maxValueBytes: capacity(this.#context.sealer, octets) }
      this.#manifests.set(octets, manifest)
    }
    return manifest
  }
}

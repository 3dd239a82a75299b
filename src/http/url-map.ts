import type { ServerResponse } from 'node:http'
import { readUrlPrefix } from '../url-prefix.js'
import { plainAnswer, writeAnswer } from './failure-answer.js'
import type { GatedResponse } from './gated-response.js'
import type { SessionRequest } from './wrap.js'

/** What a request knows of its place, below a `urlMap`. */
export interface MappedRequest {
  /** What the maps took off the front of `url`: `/broker`, or `''`; a link of the application's begins with it. WSGI's `SCRIPT_NAME`. */
  readonly scriptName: string
  /** The `url` as it came. */
  readonly originalUrl: string
}

/** The slice of Node's HTTP/1 and HTTP/2 requests that is looked at and changed. */
export interface MappableRequest {
  url?: string | undefined
}

type Handler<R, S> = (req: R, res: S, ...rest: any[]) => unknown

/**
 * One handler of several, each for the paths below a prefix: `{ '/': home, '/broker': broker }`. The longest prefix wins, at the border of a
 * path's parts: `/broker` takes `/broker`, `/broker/x` and `/broker?x`, not `/brokers`; `/` takes the rest. What no prefix takes is a 404.
 *
 * The prefix goes from `req.url` to the end of `req.scriptName`, and so it stays, since nobody can tell when a handler is done with its request;
 * outside, `req.originalUrl` tells what was asked for. A function that the handler is handed behind the response, such as `next`, passes the
 * request on as it was before.
 *
 * Paths are compared as they came, nothing decoded or tidied: `/%62roker` and `//broker` are not `/broker`, and of `/broker/../x` the broker
 * gets `/../x`. Throws `TypeError` for what is not a prefix or a handler, and for a prefix that is there twice.
 */
export const urlMap = <R extends MappableRequest = SessionRequest, S extends GatedResponse = ServerResponse>(
  applications: Readonly<Record<string, Handler<R & MappedRequest, S>>>,
): ((req: R, res: S, ...rest: unknown[]) => unknown) => {
  const places = placesOf(applications)
  return (req, res, ...rest) => {
    const [origin, path] = split(req.url ?? '')
    const place = places.find(({ prefix }) => takes(prefix, path))
    if (place === undefined) return writeAnswer(res, plainAnswer(404))
    const { url, scriptName = '', originalUrl = url } = req as Partial<MappedRequest> & MappableRequest
    const before = { url, scriptName }
    const after = { url: origin + rooted(path.slice(place.prefix.length)), scriptName: scriptName + place.prefix, originalUrl }
    return place.handler(Object.assign(req, after) as R & MappedRequest, res, ...rest.map((one) => passingOn(one, req, before)))
  }
}

interface Place<H> {
  readonly prefix: string
  readonly handler: H
}

const placesOf = <H>(applications: Readonly<Record<string, H>>): Place<H>[] => {
  if (typeof applications !== 'object' || applications === null) throw new TypeError('urlMap takes an object of prefixes and handlers')
  const places = new Map<string, Place<H>>()
  for (const [written, handler] of Object.entries(applications)) {
    const prefix = readUrlPrefix(written)
    if (typeof handler !== 'function') throw new TypeError(`urlMap: ${JSON.stringify(written)} has no handler: a function of a request and a response`)
    if (places.has(prefix)) throw new TypeError(`urlMap: ${JSON.stringify(written)} is there twice`)
    places.set(prefix, { prefix, handler })
  }
  if (places.size === 0) throw new TypeError('urlMap: no prefix is there')
  return [...places.values()].sort((one, other) => other.prefix.length - one.prefix.length)
}

/** A proxy's request may name the host: `http://example.org/broker` (RFC 9112, section 3.2.2). That stays in front. */
const split = (url: string): readonly [origin: string, path: string] => {
  const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
  return [origin, url.slice(origin.length)]
}

/** All is below the empty prefix, also the `*` of `OPTIONS *`. */
const takes = (prefix: string, path: string): boolean =>
  prefix === '' || (path.startsWith(prefix) && ['', '/', '?', '#'].includes(path.charAt(prefix.length)))

/** An application has no path without a slash. */
const rooted = (path: string): string => (/^(?:[?#]|$)/.test(path) ? `/${path}` : path)

const passingOn = (one: unknown, req: object, before: object): unknown => {
  if (typeof one !== 'function') return one
  return (...args: unknown[]): unknown => {
    Object.assign(req, before)
    return one(...args)
  }
}

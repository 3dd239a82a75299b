import type { IncomingHttpHeaders } from 'node:http'

export interface CsrfSourceOptions {
  /** Pages of sibling hosts (`Sec-Fetch-Site: same-site`) may send requests too. Default `false`. */
  readonly sameSite?: boolean
  /** Further origins whose pages may send requests, such as `https://app.example.com`; with a token, as all. Default none. */
  readonly origins?: readonly string[]
}

/** The slice of Node's HTTP/1 and HTTP/2 requests that tells where they began. */
export interface SourceRequest {
  readonly headers: IncomingHttpHeaders & { readonly ':authority'?: string | undefined }
}

/**
 * Makes the question "did one of our own pages send this?", as browsers answer it: `Sec-Fetch-Site`, where the address is a secure one
 * or this machine's, else `Origin`, else `Referer`, by host and port. A client that says none of them is no browser, and carries nobody's
 * cookie unasked. Behind a proxy that changes `Host`, old browsers need `origins`. Throws a `TypeError` for what is no origin.
 */
export const ownSources = ({ sameSite = false, origins = [] }: CsrfSourceOptions): ((request: SourceRequest) => boolean) => {
  for (const origin of origins) if (originOf(origin) !== origin) throw new TypeError(`an origin is written as https://app.example.com; got ${JSON.stringify(origin)}`)
  const sites = new Set(sameSite ? ['same-origin', 'none', 'same-site'] : ['same-origin', 'none'])
  const listed = new Set(origins)
  return ({ headers }) => {
    const { origin, referer, 'sec-fetch-site': site } = headers
    if (origin !== undefined && listed.has(origin)) return true
    if (site !== undefined) return sites.has(String(site))
    const source = origin ?? referer
    return source === undefined || isOfHost(source, headers[':authority'] ?? headers.host)
  }
}

/** A default port may be written or not, and which one is the default is told by the source. */
const isOfHost = (source: string, host = ''): boolean => {
  const origin = originOf(source)
  return origin !== undefined && origin === originOf(`${new URL(source).protocol}//${host}`)
}

/** `undefined` for what has none, as the `null` that browsers send of a page whose origin is nobody's business. */
const originOf = (url: string): string | undefined => {
  const origin = URL.canParse(url) ? new URL(url).origin : 'null'
  return origin === 'null' ? undefined : origin
}

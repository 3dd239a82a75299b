import { BlockList, isIPv6 } from 'node:net'
import { ConfigError } from '../errors.js'
import type { CookieRequest } from './cookie-slots.js'

/** The slice of Node's HTTP/1 and HTTP/2 requests that tells how they came. */
export interface ConnectedRequest extends CookieRequest {
  readonly headers: CookieRequest['headers'] & { readonly 'x-forwarded-proto'?: string | string[] | undefined }
  /** HTTP/2's stands for the socket of its session. */
  readonly socket: { readonly encrypted?: boolean; readonly remoteAddress?: string | undefined }
}

/**
 * Makes the question "did this request come encrypted?": over TLS, or so says a proxy at one of these addresses.
 * Throws `ConfigError` for what is neither an address nor a network (`10.0.0.0/8`, `fd00::/8`).
 *
 * A proxy is believed for the last element of `X-Forwarded-Proto`: whatever stands before it may be the client's own.
 * It must therefore set the header or add to it, on every request. `Forwarded` (RFC 7239) is not read: proxies
 * that do not know it pass a client's on.
 */
export const secureRequests = (trustProxy: readonly string[]): ((request: ConnectedRequest) => boolean) => {
  const proxies = addressList(trustProxy)
  return ({ headers, socket }) =>
    socket.encrypted === true || (saysHttps(headers['x-forwarded-proto']) && includes(proxies, socket.remoteAddress))
}

const saysHttps = (header: string | string[] | undefined): boolean => {
  const elements = String(header)
  return elements.slice(elements.lastIndexOf(',') + 1).trim().toLowerCase() === 'https'
}

/** A peer on a Unix socket has no address, and is in no list. The list takes `::ffff:10.0.0.1` for `10.0.0.1`. */
const includes = (list: BlockList, address: string | undefined): boolean =>
  address !== undefined && list.check(address, familyOf(address))

const addressList = (entries: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const entry of entries) add(list, entry)
  return list
}

const add = (list: BlockList, entry: string): void => {
  // Digits only: to `Number`, the nothing in `10.0.0.0/` is a 0, and the network everybody.
  const [, address = '', bits] = /^([^/]+)(?:\/(\d+))?$/.exec(entry) ?? []
  try {
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  } catch (cause) {
    const message = `trust_proxy: expected an address, or a network such as 10.0.0.0/8; got ${JSON.stringify(entry)}`
    throw new ConfigError(message, { setting: 'trust_proxy', cause })
  }
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => isIPv6(address) ? 'ipv6' : 'ipv4'

import { BlockList, isIP } from 'node:net'
import { isOff, type Kind } from './kinds.js'
import { unfit, type Origin } from './origin.js'

/** Addresses and networks, never everybody: who is believed here decides what counts as an encrypted connection. */
export const trustedProxies: Kind<readonly string[]> = {
  label: 'addresses and networks, or false',
  read: text => (isOff(text) ? false : text),
  check(value, origin) {
    if (value === false) return []
    const list: unknown = typeof value === 'string' ? value.split(/[\s,]+/).filter(part => part !== '') : value
    if (!Array.isArray(list) || list.length === 0) throw unfit(origin, expected, value)
    return Object.freeze(list.map(network => checkNetwork(network, origin)))
  },
}

const expected = 'addresses and networks of your proxies, such as 127.0.0.1 10.0.0.0/8'

const checkNetwork = (network: unknown, origin: Origin): string => {
  const [, address = '', length] = (typeof network === 'string' && /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(network)) || []
  const family = isIP(address)
  const prefix = Number(length ?? 128)
  if (family === 0 || (length !== undefined && prefix > (family === 4 ? 32 : 128))) throw unfit(origin, expected, network)
  const isTooWide = family === 4 ? prefix < 8 : isWide(address, prefix)
  if (isTooWide) throw unfit(origin, 'a network of yours alone', network, ': that is too wide')
  return network as string
}

/**
 * Private networks are 10.0.0.0/8 and fc00::/7 at the widest; and each IPv4 address has a second form in ::ffff:0:0/96
 * (RFC 4291 section 2.5.5).
 */
const isWide = (address: string, prefix: number): boolean => {
  const network = new BlockList()
  network.addSubnet(address, prefix, 'ipv6')
  const isMapped = new URL(`http://[${address}]`).hostname.startsWith('[::ffff:')
  return prefix < 7 || (prefix < 104 && (isMapped || network.check('::ffff:0:0', 'ipv6')))
}

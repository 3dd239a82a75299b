import { connect } from 'node:net'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CookieAttributes } from '../../src/carrier.js'

/** How often a property is tried: `PHIAL_FUZZ` times, or as often as a run on every change can bear. */
export const fuzzRuns = (usually: number): { numRuns: number } => ({ numRuns: Number(process.env.PHIAL_FUZZ ?? usually) })

/** The attributes of a session's cookie as the settings' defaults make them. */
export const defaults: CookieAttributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax', partitioned: false }

export const now: number = Date.UTC(2026, 10, 20, 12, 0, 0)

/**
 * `set-cookie-string` of RFC 6265bis section 4.1.1, written down from there and not from our code, with `Partitioned` (CHIPS) and
 * `Priority` (draft-west-cookie-priority), and without the comma in a path.
 */
export const setCookieGrammar: RegExp = (() => {
  const token = `[!#$%&'*+.^_\`|~0-9A-Za-z-]+`
  const octets = '[\\x21\\x23-\\x2B\\x2D-\\x3A\\x3C-\\x5B\\x5D-\\x7E]*'
  const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
  const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
  const date = `${day}, \\d\\d ${month} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT`
  const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
  const attributes = [
    `Expires=${date}`, 'Max-Age=(?:0|[1-9]\\d{0,7})',
    `Domain=${label}(?:\\.${label})*`, 'Path=/[\\x21-\\x2B\\x2D-\\x3A\\x3C-\\x7E]*',
    'Secure', 'HttpOnly', 'SameSite=(?:Strict|Lax|None)', 'Partitioned', 'Priority=(?:Low|Medium|High)'
  ]
  return new RegExp(`^${token}=${octets}(?:; (?:${attributes.join('|')}))*$`)
})()

export const attributeNames = (line: string): string[] =>
  line.split('; ').slice(1).map(attribute => attribute.split('=')[0]!.toLowerCase())

export const listen = async (server: Server): Promise<number> => {
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  return (server.address() as AddressInfo).port
}

/** Sends the octets as they are, and gives those that came back until the server closed. */
export const exchange = (port: number, request: Buffer | string): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => { socket.write(request) })
    socket.on('data', chunk => { chunks.push(chunk) })
    socket.on('error', reject)
    socket.on('close', () => { resolve(Buffer.concat(chunks).toString('latin1')) })
  })

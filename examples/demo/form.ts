import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.js'

export type Form = ReadonlyMap<string, string>

const MOST_BYTES = 8_192

/** The fields of a form that was sent from one of our own pages. Throws `HttpError`: 403, 415, 413 or 400. */
export const readForm = async (req: IncomingMessage): Promise<Form> => {
  if (!isFromHere(req)) throw new HttpError(403, 'This form was sent by another site.')
  const [type] = (req.headers['content-type'] ?? '').split(';')
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') throw new HttpError(415, 'A form is expected here.')
  return parse(await readBody(req))
}

/**
 * Whether the request began on this site, as browsers say it: all of today's in `Sec-Fetch-Site`, where the address is a secure
 * one or this machine's, and with `Origin`. A client that says neither is no browser, and so carries nobody's cookie unasked.
 */
const isFromHere = ({ headers }: IncomingMessage): boolean => {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  return headers.origin === undefined || /^https?:\/\/(.+)$/.exec(headers.origin)?.[1] === headers.host
}

/** What comes beyond the limit is read and dropped: a client that is still sending would not see the answer otherwise. */
const readBody = (req: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MOST_BYTES) chunks.push(chunk)
      else reject(new HttpError(413, `A form may have ${MOST_BYTES} bytes.`))
    })
    req.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')))
    req.on('error', () => reject(new HttpError(400, 'The form broke off.')))
  })

const parse = (body: string): Form => {
  try {
    return new Map(body.split('&').filter((pair) => pair !== '').map(fieldOf))
  } catch {
    throw new HttpError(400, 'The form cannot be read.')
  }
}

const fieldOf = (pair: string): [name: string, value: string] => {
  const [name = '', ...value] = pair.split('=')
  return [decode(name), decode(value.join('='))]
}

/** Throws for what is not percent-encoded UTF-8; `URLSearchParams` would take it. */
const decode = (text: string): string => {
  if (!/^[\x21-\x7e]*$/.test(text)) throw new URIError('not ASCII')
  return decodeURIComponent(text.replaceAll('+', ' '))
}

import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.js'

export type Form = ReadonlyMap<string, string>

const MOST_BYTES = 8_192

/** The fields of a form, which the guard has looked into and put back. Throws `HttpError`: 415, 413 or 400. */
export const readForm = async (req: IncomingMessage): Promise<Form> => {
  const [type] = (req.headers['content-type'] ?? '').split(';')
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') throw new HttpError(415, 'A form is expected here.')
  return parse(await readBody(req))
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

import type { ServerResponse } from 'node:http'
import type { Html } from './html.js'

/** A whole answer. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

export const pageAnswer = (page: Html, status = 200, headers: Answer['headers'] = {}): Answer =>
  ({ status, headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }, body: page.text })

/** 303: whatever was sent, the browser goes there with GET, and loading that again sends nothing twice. */
export const redirect = (path: string): Answer =>
  ({ status: 303, headers: { Location: path, 'Cache-Control': 'no-store' }, body: '' })

export const send = (res: ServerResponse, { status, headers, body }: Answer): void => {
  res.writeHead(status, { ...STRICT, ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

/** Our own style sheet, icon and forms, and nothing else: no script, no frame, nothing from elsewhere. */
const OURS = "style-src 'self'; img-src 'self'; form-action 'self'"
const NOBODYS = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"

const STRICT = {
  'Content-Security-Policy': `${NOBODYS}; ${OURS}`,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin', // with no-referrer, forms would come without their Origin
  'X-Content-Type-Options': 'nosniff',
}

import { STATUS_CODES } from 'node:http'
import { SessionError } from '../errors.js'
import type { GatedResponse } from './gated-response.js'

/** A whole response: what the client sees of a failure. */
export interface FailureAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string
}

/**
 * The answer to a failure that reached nobody: generic, kept by no cache, without a cookie.
 *
 * 503 means *not confirmed*: the write may or may not have happened, and the same request may succeed a little later. 409 means
 * that the session is gone; no cookie is set, since the browser may already hold its successor.
 */
export const failureAnswer = (error: Error): FailureAnswer => plainAnswer(error instanceof SessionError ? error.status : 500)

/** The status, in words. */
export const plainAnswer = (status: number): FailureAnswer => {
  const body = `${STATUS_CODES[status]}\n`
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(body.length),
      'Cache-Control': 'no-store',
      ...(status === 503 && { 'Retry-After': '1' })
    },
    body
  }
}

/** Gives the answer; headers that were set before stay. */
export const writeAnswer = (res: GatedResponse, { status, headers, body }: FailureAnswer): void => {
  res.writeHead(status, headers)
  if (res.req.method === 'HEAD') res.end()
  else res.end(body)
}

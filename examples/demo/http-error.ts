import { STATUS_CODES } from 'node:http'

/** A request that is answered with an error page. */
export class HttpError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }

  get title(): string {
    return STATUS_CODES[this.status] ?? 'Error'
  }
}

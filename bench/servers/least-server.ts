import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { announce } from './announce.js'
import { newData, paths, UNTOUCHED } from './job.js'
import type { Data } from './job.js'

type Awaitable<T> = T | Promise<T>

/** The only things that differ between the handlers that do no more than the job needs. */
export interface LeastWork {
  /** The session's data and what finds it again; `undefined` where the cookie is not ours. */
  open(cookie: string): Awaitable<{ readonly id: string; readonly data: Data } | undefined>
  /** Keeps a session: the cookie that the response has to set, if it has to set one. */
  keep(data: Data, id?: string): Awaitable<string | undefined>
}

/** A server with handlers that know neither expiry nor conflicts nor failures: nobody would want it, and nothing that does the job can be faster. */
export const serveLeast = async ({ open, keep }: LeastWork): Promise<void> =>
  announce(createServer(async (req, res) => {
    if (req.url === paths.untouched) return res.end(UNTOUCHED)
    if (req.url === paths.create) {
      const data = newData()
      res.setHeader('Set-Cookie', `${NAME}${await keep(data)}; Path=/; HttpOnly`)
      return res.end(data.user)
    }
    const session = await open(cookieOf(req))
    if (session === undefined) return res.writeHead(401).end()
    if (req.url === paths.read) return res.end(session.data.user)
    session.data.count += 1
    const cookie = await keep(session.data, session.id)
    if (cookie !== undefined) res.setHeader('Set-Cookie', `${NAME}${cookie}; Path=/; HttpOnly`)
    return res.end(String(session.data.count))
  }).listen(0, '127.0.0.1'))

const NAME = 'sid='

const cookieOf = ({ headers: { cookie = '' } }: IncomingMessage): string => (cookie.startsWith(NAME) ? cookie.slice(NAME.length) : '')

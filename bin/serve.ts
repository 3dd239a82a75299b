import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readServer, type ServerAddress } from '../config/server.js'
import { plainAnswer } from '../src/http/failure-answer.js'
import { cut, replaceAnswer } from '../src/http/replacement.js'
import { loadApp, type LoadedApp } from '../src/index.js'
import { stopOnSignals } from './stop-on-signals.js'

export interface ServeOptions {
  readonly file: string
  /** The application's name in the file. */
  readonly section: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
}

/**
 * Serves the application of an INI file until SIGINT or SIGTERM, where it says, unless the options say another. Answers, once it listens, in
 * words. Rejects with what keeps it from that, and has then let go of all it opened.
 */
export const serve = async ({ file, section, host, port }: ServeOptions): Promise<string> => {
  const written = readServer(file)
  const app = await loadApp(file, { section })
  const server = createServer((req, res) => void answer(app, req, res))
  try {
    await listen(server, { host: host ?? written.host, port: port ?? written.port })
  } catch (error) {
    await app.close()
    throw error
  }
  stopOnSignals(server, async () => {
    await new Promise((resolve) => server.close(resolve))
    await app.close()
  })
  return `Serving ${file} on ${urlOf(server)} (stop it with Ctrl-C)\n`
}

const listen = async (server: Server, { host, port }: ServerAddress): Promise<void> => {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw isTaken ? new Error(`${host}, port ${port}, is in use; choose another: --port ${(port + 1) % 65_536}`, { cause: error }) : error
  }
}

const urlOf = (server: Server): string => {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** An error that leaves the application is printed, and is its request's alone. */
const answer = async (app: LoadedApp, req: IncomingMessage, res: ServerResponse): Promise<void> => {
  try {
    await app(req, res)
  } catch (error) {
    refuse(res)
    print(error)
  }
}

const refuse = (res: ServerResponse): void => {
  if (res.writableEnded) return
  if (res.headersSent) cut(res)
  else replaceAnswer(res, () => plainAnswer(500), plainAnswer(500))
}

/** An error may be anything, also what throws when it is looked at. */
const print = (error: unknown): void => {
  try {
    console.error(error)
  } catch {
    console.error('An error left the application that cannot be printed.')
  }
}

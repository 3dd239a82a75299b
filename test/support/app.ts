import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CookieJar } from 'tough-cookie'
import { withSession } from '../../src/index.js'
import type { SessionManager, SessionRequest, SettingsInput } from '../../src/index.js'
import { SECRET } from './harness.js'

/** What a server is stopped with: ava's context has it. */
export interface Teardown {
  teardown(fn: () => unknown): void
}

export interface App {
  readonly url: string
  readonly port: number
  readonly server: Server
  readonly manager: SessionManager
  /** A browser: keeps cookies as one does. */
  client(jar?: CookieJar): Client
}

export interface Client {
  readonly jar: CookieJar
  get(path?: string, init?: RequestInit): Promise<Response>
  text(path?: string, init?: RequestInit): Promise<string>
  /** The cookies that it would send. */
  cookies(): Promise<string>
}

type Handler = (req: SessionRequest, res: ServerResponse) => unknown

/** A real server on a free loopback port, with a session on each request. `secure` is off: the jar is as strict as a browser. */
export const serve = async (t: Teardown, handler: Handler, settings: SettingsInput | SessionManager = {}): Promise<App> => {
  const isManager = 'getById' in settings
  const app = isManager ? withSession(handler, settings) : withSession(handler, { secret: SECRET, secure: false, ...settings })
  const { url, port, server } = await listen(t, app)
  if (!isManager) t.teardown(() => app.manager.close())
  return { url, port, server, manager: app.manager, client: (jar) => clientOf(url, jar) }
}

export const listen = async (t: Teardown, handler: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<{ url: string; port: number; server: Server }> => {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  }))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, server }
}

export const clientOf = (url: string, jar: CookieJar = new CookieJar()): Client => {
  const get = async (path = '/', init: RequestInit = {}): Promise<Response> => {
    const target = new URL(path, url).href
    const cookie = await jar.getCookieString(target)
    const response = await fetch(target, { redirect: 'manual', ...init, headers: { ...(cookie && { cookie }), ...(init.headers as Record<string, string>) } })
    for (const line of response.headers.getSetCookie()) await jar.setCookie(line, target)
    return response
  }
  return {
    jar, get,
    text: async (path, init) => (await get(path, init)).text(),
    cookies: () => jar.getCookieString(url),
  }
}

// Compiled with the tests and never run: what stands under @ts-expect-error must not compile.
import type { ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { csrf, currentSession, messages, notifications, sessions, withCurrentSession, withSession } from '../../src/index.js'
import type { SessionManager, SessionRequest } from '../../src/index.js'

interface Shop { visits: number }

const guarded = [
  withSession<Shop>(csrf.guard(async (req, res) => {
    const visits: number | undefined = await req.session.get('visits')
    res.end(String(visits))
    // @ts-expect-error a key that the data does not have
    await req.session.get('visit')
  }), {}),
  withSession(csrf.guard(async (req: SessionRequest<Shop>, res: ServerResponse) => res.end(await csrf.form(req, { action: '/cart', class: 'wide' }))), {}),
  withSession<Shop, 'session'>(csrf.guard((_req: SessionRequest<Shop, 'session', Http2ServerRequest>, res: Http2ServerResponse) => res.stream.close()), {}),
  withSession<Shop>(withCurrentSession(async (req, res) => {
    await currentSession<Shop>().set('visits', await req.session.get('visits', 0))
    // @ts-expect-error a value of another type
    await currentSession<Shop>().set('visits', '1')
    res.end()
  }), {}),
  withSession(csrf.guard(withCurrentSession(async (req, res) => res.end(await req.session.get('theme', 'light')))), {}),
  withSession(withCurrentSession(async (req, res) => {
    await req.session.get('theme')
    // @ts-expect-error what is inside takes a request with a session
    req.sessions
    res.end()
  }), {}),
]

void guarded

export const told = async (req: SessionRequest<Shop>): Promise<string | null> => {
  const page = await messages(req)
  page.add({ level: 'success', body: 'Saved.', life: 5000 }).add({ level: 'of my own', body: 'x' }, { flash: true }).formError()
  // @ts-expect-error a message has a level
  page.add({ body: 'x' })
  // @ts-expect-error the list is for reading
  page.list.push({ level: 'info', body: 'x', title: null, life: null })
  return page.list[0]!.level
}

// @ts-expect-error a token is not for an address
export const inAddress = (req: SessionRequest<Shop>): Promise<string> => csrf.form(req, { method: 'get' })

export const noted = async (req: SessionRequest<Shop>): Promise<string> => {
  const its = notifications(req)
  // @ts-expect-error nothing may be there
  const bare: string = await its.get<string>('greeting')
  return bare + await its.get('greeting', '') + await its.get<string>('farewell', 'Bye!')
}

export const named = async (req: SessionRequest<Shop>, manager: SessionManager<{ items: string[] }>): Promise<void> => {
  const items: string[] = await sessions(req).get('own', { manager }).get('items', [])
  const visits: number | undefined = await sessions(req).get<Shop>('cart', { backend: 'quick', timeout: 600 }).get('visits')
  // @ts-expect-error the session of a manager has the manager's data
  await sessions(req).get('own', { manager }).get('visits')
  // @ts-expect-error a manager brings all options with it
  sessions(req).get('own', { manager, timeout: 600 })
  void [items, visits]
}

// Compiled with the tests and never run: what stands under @ts-expect-error must not compile.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createServer } from 'node:http'
import { withSession } from '../../src/index.js'
import type { Backend, NamespaceManager, Session, SessionManager, SessionRequest, SettingsInput } from '../../src/index.js'

interface Shop {
  visits: number
  cart: { items: string[] }
  name?: string
}

declare const shop: Session<Shop>
declare const loose: Session

const typed = withSession<{ visits: number }>(async (req, res) => {
  const session = await req.session.load()
  session.set('visits', session.get('visits', 0) + 1)
  const count: number = await session.update('visits', (n = 0) => n + 1)
  const direct: number | undefined = await req.session.get('visits')
  // @ts-expect-error a key that the data does not have
  session.get('visit')
  // @ts-expect-error a value of another type
  session.set('visits', '1')
  // @ts-expect-error an update that answers another type
  await session.update('visits', () => 'many')
  // @ts-expect-error a key that the data does not have, on the lazy session
  await req.session.set('visit', 1)
  // @ts-expect-error facts are the real session's alone
  req.session.id
  // @ts-expect-error data is the real session's alone
  req.session.data
  res.end(`${count} ${direct}`)
}, { secret: '' })

createServer(typed)
export const manager: SessionManager<{ visits: number }> = typed.manager

const annotated = withSession(async (req: SessionRequest<Shop>, res: ServerResponse) => {
  const session = await req.session.load()
  const items: string[] = session.get('cart', { items: [] }).items
  // @ts-expect-error the annotation of the handler wins
  session.get('basket')
  res.end(items.join())
}, {})

const keyed = withSession<Shop, 'cart'>(async (req, res) => {
  await req.cart.get('visits')
  // @ts-expect-error the session is under another key
  await req.session.get('visits')
  res.end()
}, { requestKey: 'cart' })

const http2 = withSession(async (req: SessionRequest<Shop, 'session', Http2ServerRequest>, res: Http2ServerResponse) => {
  res.stream.close()
  await req.session.get('visits')
}, {})

void [annotated, keyed, http2]

export const plain = (req: SessionRequest & IncomingMessage): Promise<unknown> => req.session.get('anything')

export const facts = (): void => {
  const fallback: number | 'none' = shop.get('visits', 'none' as const)
  const maybe: string | undefined = shop.get('name')
  const any: number = loose.get('whatever')
  void shop.update((draft) => {
    draft.visits++
    // @ts-expect-error a draft has the data's type
    draft.visit = 1
  })
  shop.assign({ visits: 1 })
  // @ts-expect-error assign takes the data's keys
  shop.assign({ visit: 1 })
  // @ts-expect-error facts are read-only
  shop.id = 'x'
  void [fallback, maybe, any]
}

export const settings = (backend: Backend, store: NamespaceManager, client: object): SettingsInput[] => [
  { type: 'redis', url: 'redis://127.0.0.1', redis: { password: 'x', client } },
  { type: 'datastore', cache: 'front', cacheTtl: 30, backends: { front: { type: 'memcache', url: '127.0.0.1:11211', memcache: { timeout: 1 } } } },
  { type: backend, backends: { a: { type: store }, b: { type: backend, namespace: 'x', dataDir: '/d', lockDir: '/l' }, none: undefined } },
  { type: 'migrating', migrating: { from: 'old', to: { type: 'redis' } }, backends: { old: { type: 'file', dataDir: '/d' } } },
  // @ts-expect-error a cache is named
  { cache: { type: 'memcache' } },
  // @ts-expect-error that is no setting of a backend
  { backends: { front: { type: 'memcache', timeout: 5 } } },
]

import test from 'ava'
import type { ServerResponse } from 'node:http'
import type { SessionRequest } from '../../src/index.js'
import { createManager, sessions } from '../../src/index.js'
import { serve } from '../support/app.js'
import { SECRET } from '../support/harness.js'

const count = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  const session = await req.session.load()
  if (req.url!.startsWith('/renew')) await session.regenerateId()
  if (req.url!.startsWith('/out')) await session.destroy()
  else await session.set('n', session.get('n', 0) + 1).save()
  res.end(JSON.stringify({ n: session.get('n'), ...(session.isNew && { id: session.id }) }))
}

const WITH_HEADER = { useCookies: false, idHeader: 'X-Session-Id' }

test('with id_header the response gives the id out when it is new, and the request brings it back: no cookie takes part', async (t) => {
  const { url } = await serve(t, count, WITH_HEADER)
  const ask = (path: string, id?: string | null): Promise<Response> => fetch(url + path, { headers: { ...(id && { 'x-session-id': id }), cookie: 'phial=x' } })
  const first = await ask('/')
  const id = first.headers.get('x-session-id')
  t.regex(id!, /^[\w-]{43}\.[A-Za-z0-9+/]{43}$/)
  t.is(first.headers.get('cache-control'), 'no-store')
  t.is(first.headers.get('vary'), 'X-Session-Id')
  const second = await ask('/', id)
  t.deepEqual([JSON.parse(await second.text()).n, second.headers.get('x-session-id')], [2, null])
  const renewed = await ask('/renew', id)
  const other = renewed.headers.get('x-session-id')
  t.not(other, id)
  t.is(JSON.parse(await (await ask('/', id)).text()).n, 1)
  t.is(JSON.parse(await (await ask('/', other)).text()).n, 4)
  t.is((await ask('/out', other)).headers.get('x-session-id'), '')
  t.is(JSON.parse(await (await ask('/', other)).text()).n, 1)
  for (const response of [first, second, renewed]) t.deepEqual(response.headers.getSetCookie(), [])
})

test('a session that its client would keep in a cookie is refused, under a name too', async (t) => {
  for (const [settings, backend] of [[WITH_HEADER, 'cookie'], [{ useCookies: false, id: () => undefined, backends: { view: { type: 'cookie' } } }, 'view']] as const) {
    const { client, manager } = await serve(t, (req, res) => {
      t.throws(() => sessions(req).get('badge', { backend }), { code: 'PHIAL_CONFIG', message: /use_cookies/ })
      res.end()
    }, settings)
    t.throws(() => manager.named('badge', { backend }), { code: 'PHIAL_CONFIG', message: /use_cookies/ })
    t.is((await client().get('/')).status, 200)
    t.is(manager.named('cart').backend, 'memory')
  }
})

test('a forged id in the header is as if none had come, and reaches no store', async (t) => {
  const { url } = await serve(t, count, WITH_HEADER)
  for (const id of ['x', 'A'.repeat(43), `${'A'.repeat(43)}.${'A'.repeat(43)}`, `${'A'.repeat(43)}, ${'B'.repeat(43)}`]) {
    const response = await fetch(url, { headers: { 'x-session-id': id } })
    t.is(JSON.parse(await response.text()).n, 1)
    t.not(response.headers.get('x-session-id'), id)
  }
})

test("Pylons' manner: the application finds the id itself, and hands it out while isNew says so", async (t) => {
  const { url } = await serve(t, count, { useCookies: false, id: (req) => new URL(req.url, 'http://a').searchParams.get('sid') ?? undefined })
  const first = await (await fetch(`${url}/`)).json() as { id: string; n: number }
  t.regex(first.id, /^[\w-]{43}$/)
  t.deepEqual(await (await fetch(`${url}/?sid=${first.id}`)).json(), { n: 2 })
  t.is((await (await fetch(`${url}/?sid=nonsense`)).json() as { n: number }).n, 1)
  const unknown = 'A'.repeat(43)
  t.not((await (await fetch(`${url}/?sid=${unknown}`)).json() as { id: string }).id, unknown)
})

test('named sessions have a header of their own', async (t) => {
  const { url } = await serve(t, async (req, res) => {
    const session = await sessions(req).get('cart').load()
    await session.set('n', session.get('n', 0) + 1).save()
    res.end(String(session.get('n')))
  }, WITH_HEADER)
  const id = (await fetch(url)).headers.get('x-session-id-cart')!
  t.is(await (await fetch(url, { headers: { 'x-session-id-cart': id } })).text(), '2')
  t.is(await (await fetch(url, { headers: { 'x-session-id': id } })).text(), '1')
})

test('a request without a response reads the id from the same place', async (t) => {
  const { url, manager } = await serve(t, count, WITH_HEADER)
  const id = (await fetch(url)).headers.get('x-session-id')!
  t.is(await manager.open({ headers: { 'x-session-id': id } }).get('n'), 1)
})

test('settings that leave the id no way, or two, are refused', (t) => {
  const refused = (settings: object, message: RegExp): void => {
    t.throws(() => createManager({ secret: SECRET, ...settings }), { code: 'PHIAL_CONFIG', message })
  }
  refused({ useCookies: false }, /the id is to come in idHeader, or from a function/)
  refused({ idHeader: 'X-Id' }, /only with useCookies false/)
  refused({ ...WITH_HEADER, id: () => undefined }, /one of them/)
  refused({ ...WITH_HEADER, type: 'cookie' }, /type is cookie/)
  refused({ useCookies: false, idHeader: 'a b' }, /the name of a header/)
})

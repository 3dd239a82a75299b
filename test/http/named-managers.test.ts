import test from 'ava'
import { sessions } from '../../src/index.js'
import type { SessionManager } from '../../src/index.js'
import { serve } from '../support/app.js'
import { serveMode, storedModes, testIn } from '../support/every-backend.js'
import { memoryStore } from '../support/harness.js'

/** Of one owner, in the manager's store: what is answered are ids. */
const logIn = async (manager: SessionManager, owner: string): Promise<string> => {
  const session = await manager.create()
  session.owner = owner
  await session.set('kind', manager.cookieName).save()
  return session.id
}

for (const mode of storedModes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: the manager of a name reaches the sessions of that name alone, also for an owner who has others in the same store`, async (t) => {
    const { manager } = await serveMode(t, mode, (_req, res) => void res.end())
    const all = [manager, manager.named('cart'), manager.named('view', { timeout: 600 })]
    const ids = await Promise.all(all.map((one) => logIn(one, 'ann')))
    for (const [at, one] of all.entries()) {
      for (const [other, id] of ids.entries()) t.is((await one.getById(id))?.get('kind'), at === other ? one.cookieName : undefined)
      t.is(await one.revoke({ id: ids[(at + 1) % 3]! }), 0)
      if (one.supports.ownerIndex) t.deepEqual((await one.list({ owner: 'ann' })).map(({ ref }) => ref), [(await one.getById(ids[at]!))!.ref])
    }
    await all[1]!.revoke({ owner: 'ann' })
    const left = await Promise.all(all.map(async (one, at) => (await one.getById(ids[at]!)) !== undefined))
    t.deepEqual(left, [true, false, true])
    await manager.revoke({ owner: 'ann' })
    t.deepEqual([await manager.getById(ids[0]!), (await all[2]!.getById(ids[2]!))?.owner], [undefined, 'ann'])
  })
}

test('closing the manager of a name closes that one alone, and leaves the store to the others', async (t) => {
  const { manager } = await serve(t, (_req, res) => void res.end())
  const [cart, view] = [manager.named('cart'), manager.named('view')]
  const ids = await Promise.all([manager, view].map((one) => logIn(one, 'ann')))
  await cart.close()
  await t.throwsAsync(cart.create(), { code: 'PHIAL_CLOSED' })
  t.throws(() => cart.named('view'), { code: 'PHIAL_CLOSED' })
  t.is(manager.named('cart'), cart)
  t.is((await manager.getById(ids[0]!))?.owner, 'ann')
  t.is((await view.getById(ids[1]!))?.owner, 'ann')
  await t.notThrowsAsync(logIn(manager.named('late'), 'ann'))
})

test('closing a manager closes those of all names, also of names that were asked of one of them', async (t) => {
  const { manager } = await serve(t, (_req, res) => void res.end())
  const cart = manager.named('cart')
  const inner = cart.named('view')
  t.is(inner, manager.named('view'))
  await manager.close()
  for (const one of [manager, cart, inner]) await t.throwsAsync(one.check(), { code: 'PHIAL_CLOSED' })
})

test('a backend that was only asked for by name is closed with the manager', async (t) => {
  let closed = 0
  class Quick { constructor() { return Object.assign(memoryStore(Date.now), { close: async () => void closed++ }) } }
  const { manager } = await serve(t, (_req, res) => void res.end(), { backends: { quick: { type: Quick as never } } })
  t.is(manager.backendNamed('quick'), manager.named('cart').backendNamed('quick'))
  await manager.close()
  t.is(closed, 1)
})

test('a function that finds one id for all names gives them one session no more', async (t) => {
  const { url, manager } = await serve(t, async (req, res) => {
    const cart = sessions(req).get('cart')
    if (req.url!.startsWith('/set')) await cart.set('items', 1)
    if (req.url!.startsWith('/set')) await cart.save()
    res.end(JSON.stringify([await req.session.get('user'), await cart.get('items'), await cart.get('user')]))
  }, { useCookies: false, id: (req: any) => new URL(req.url, 'http://host').searchParams.get('sid') ?? undefined })
  const session = await manager.create()
  await session.set('user', 'ann').save()
  await (await fetch(`${url}/set?sid=${session.id}`)).text()
  t.is(await (await fetch(`${url}/?sid=${session.id}`)).text(), '["ann",null,null]')
})

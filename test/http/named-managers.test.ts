import test from 'ava'
import { sessions } from '../../src/index.js'
import type { SessionManager } from '../../src/index.js'
import { serve } from '../support/app.js'
import { serveMode, storedModes, testIn } from '../support/every-backend.js'

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

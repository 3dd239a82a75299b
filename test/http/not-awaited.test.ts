import test from 'ava'
import type { SessionRequest } from '../../src/index.js'
import { csrf, messages, notifications, sessions } from '../../src/index.js'
import { StoreUnavailableError } from '../../src/errors.js'
import type { App } from '../support/app.js'
import { serve } from '../support/app.js'
import { FaultyStore } from '../support/faulty-store.js'
import { memoryStore } from '../support/harness.js'

type Call = (req: SessionRequest) => Promise<unknown>

const down = (): Error => new StoreUnavailableError('down', { backend: 'own', operation: 'get' })

/** The answer of a page that makes the call and does not wait for it, while the store cannot be read. */
const statusOf = async (app: App, faulty: FaultyStore): Promise<number> => {
  const browser = app.client()
  await browser.get('/begin')
  faulty.next('get', down(), down())
  return (await browser.get('/')).status
}

const page = (call: Call) => async (req: SessionRequest, res: { end(text: string): unknown }): Promise<void> => {
  if (req.url === '/begin') await Promise.all([csrf.token(req), notifications(req).set('a', 1), sessions(req).get('cart').update('a', () => 1)])
  else void call(req)
  res.end('done')
}

const writing: Readonly<Record<string, Call>> = {
  'Sessions.save': (req) => (req.session.load().catch(() => {}), sessions(req).save()),
  'Sessions.delete': (req) => sessions(req).delete('cart'),
  'Notifications.set': (req) => notifications(req).set('a', 2),
  'Notifications.get': (req) => notifications(req).get('a'),
  'Notifications.takeAll': (req) => notifications(req).takeAll(),
  'Notifications.delete': (req) => notifications(req).delete('a'),
  'csrf.token': (req) => csrf.token(req),
}

for (const [name, call] of Object.entries(writing)) {
  test(`${name} that fails and is not awaited becomes the answer`, async (t) => {
    const faulty = new FaultyStore(memoryStore(Date.now))
    t.is(await statusOf(await serve(t, page(call), { type: faulty.manager }), faulty), 503)
  })

  test(`${name} that fails is the handler's to answer when it is awaited`, async (t) => {
    const faulty = new FaultyStore(memoryStore(Date.now))
    const taking: Call = (req) => t.throwsAsync(call(req), { code: 'PHIAL_STORE_UNAVAILABLE' })
    t.is(await statusOf(await serve(t, page(taking), { type: faulty.manager }), faulty), 200)
  })
}

const reading: Readonly<Record<string, Call>> = {
  'messages': (req) => messages(req),
  'Notifications.has': (req) => notifications(req).has('a'),
  'Notifications.keys': (req) => notifications(req).keys(),
}

for (const [name, call] of Object.entries(reading)) {
  test(`${name} that fails and is not awaited loses nothing, and does not end the process`, async (t) => {
    const faulty = new FaultyStore(memoryStore(Date.now))
    t.is(await statusOf(await serve(t, page(call), { type: faulty.manager }), faulty), 200)
  })
}

test('a write of a tool that fails late, and is not awaited, becomes the answer', async (t) => {
  const faulty = new FaultyStore(memoryStore(Date.now))
  const { client } = await serve(t, page((req) => notifications(req).get('a')), { type: faulty.manager })
  const browser = client()
  await browser.get('/begin')
  faulty.next('replace', down())
  t.is((await browser.get('/')).status, 503)
  t.is((await browser.get('/')).status, 200)
})

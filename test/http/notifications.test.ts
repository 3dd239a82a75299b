import test from 'ava'
import type { ServerResponse } from 'node:http'
import type { SessionRequest } from '../../src/index.js'
import { notifications, sessions } from '../../src/index.js'
import { serve } from '../support/app.js'
import { modes, serveMode, testIn } from '../support/every-backend.js'

const pages = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  const [, verb, ...keys] = req.url!.split('/')
  const its = notifications(req)
  const answer: Record<string, () => Promise<unknown>> = {
    set: () => its.set(keys[0]!, { text: keys[1] }),
    get: () => its.get(keys[0]!, 'none'),
    has: () => its.has(keys[0]!),
    keys: () => its.keys(),
    delete: () => its.delete(...keys),
    all: () => its.takeAll(),
  }
  res.end(JSON.stringify(await answer[verb!]!()))
}

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: a notification vanishes when it is read, without save(), and is in no session of the user's`, async (t) => {
    const { client } = await serveMode(t, mode, async (req, res) => {
      if (req.url === '/session') return void res.end(JSON.stringify(await req.session.load()))
      await pages(req, res)
    })
    const browser = client()
    t.is(await browser.text('/get/hello'), '"none"')
    t.is(await browser.cookies(), '')
    await browser.get('/set/hello/world')
    await browser.get('/set/other/one')
    t.is(await browser.text('/keys'), '["hello","other"]')
    t.is(await browser.text('/has/hello'), 'true')
    t.is(await browser.text('/session'), '{}')
    t.is(await browser.text('/get/hello'), '{"text":"world"}')
    t.is(await browser.text('/get/hello'), '"none"')
    t.is(await browser.text('/has/hello'), 'false')
    t.is(await browser.text('/all'), '{"other":{"text":"one"}}')
    t.is(await browser.text('/all'), '{}')
  })
}

test('of many requests that read a notification at once, one gets it', async (t) => {
  const { client } = await serve(t, pages)
  const browser = client()
  await browser.get('/set/hello/world')
  const texts = await Promise.all(Array.from({ length: 20 }, () => browser.text('/get/hello')))
  t.is(texts.filter((text) => text === '{"text":"world"}').length, 1)
  t.is(texts.filter((text) => text === '"none"').length, 19)
})

test('deleting tells whether any was there', async (t) => {
  const { client } = await serve(t, pages)
  const browser = client()
  await browser.get('/set/a/1')
  t.is(await browser.text('/delete/b'), 'false')
  t.is(await browser.text('/delete/a/b'), 'true')
  t.is(await browser.text('/keys'), '[]')
})

test('notifications are on a backend of their own if wanted', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    await notifications(req, { backend: 'quick' }).set('a', 1)
    res.end(sessions(req).backend('quick').supports.scope)
  }, { backends: { quick: { type: 'memory' } } })
  const browser = client()
  t.is(await browser.text('/'), 'process')
  t.regex(await browser.cookies(), /^phial\.notifications=/)
})

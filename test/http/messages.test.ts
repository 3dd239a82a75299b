import test from 'ava'
import { messages } from '../../src/index.js'
import { serve } from '../support/app.js'
import { modes, serveMode, testIn } from '../support/every-backend.js'

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: tipfy MessagesMixin.messages, set_message(level, body, title, life, flash), set_form_error`, async (t) => {
    const { client } = await serveMode(t, mode, async (req, res) => {
      const page = await messages(req)
      if (req.url === '/redirect') {
        page.add({ level: 'success', body: 'Sent.', title: 'Done', life: 5000 }, { flash: true }).add({ level: 'mine', body: 'Of this page.' })
        await req.session.save()
        return void res.end()
      }
      if (req.url === '/error') page.formError().formError('Which colour?', 'Colour')
      page.add({ level: 'info', body: 'Last.' })
      t.is(await messages(req), page)
      res.end(JSON.stringify([page.list, (await messages(req)).list.length]))
    })
    const browser = client()
    const list = async (path: string): Promise<unknown> => JSON.parse(await browser.text(path))
    const sent = { level: 'success', body: 'Sent.', title: 'Done', life: 5000 }
    const last = { level: 'info', body: 'Last.', title: null, life: null }
    t.deepEqual(await list('/'), [[last], 1])
    t.is(await browser.cookies(), '')
    await browser.get('/redirect')
    t.deepEqual(await list('/error'), [[
      sent,
      { level: 'error', body: 'Something is not right yet. Please correct what is marked below.', title: 'Error', life: null },
      { level: 'error', body: 'Which colour?', title: 'Colour', life: null },
      last,
    ], 4])
    t.deepEqual(await list('/'), [[last], 1])
  })
}

test('flashes join the list by themselves, whatever they are, and once; those of other keys do not', async (t) => {
  const values = ['text', 7, null, true, ['a'], { body: 'b' }, { body: 'b', title: 't', life: null, more: 1 }, { body: 'b', title: null, life: 3 }]
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') {
      for (const value of values) session.flash(value, { level: 'info' })
      await session.flash('bare').flash('elsewhere', { key: 'other' }).save()
      return void res.end()
    }
    const page = await messages(req)
    session.flash('now', { now: true, level: 'alert' })
    const [first] = [page.list, session.flash('later', { now: true })]
    t.deepEqual(page.list, first)
    res.end(JSON.stringify(first))
  })
  const browser = client()
  await browser.get('/set')
  const asIs = (body: unknown, level: string | null = 'info'): object => ({ level, body, title: null, life: null })
  t.deepEqual(JSON.parse(await browser.text()), [...values.slice(0, -1).map((body) => asIs(body)), { ...asIs('b'), life: 3 }, asIs('bare', null), asIs('now', 'alert')])
  t.deepEqual(JSON.parse(await browser.text()), [asIs('now', 'alert')])
})

test('messages that only an earlier request left are used up when the list is looked at, and not before', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const page = await messages(req)
    if (req.url === '/set') await req.session.flash('x').then((session) => session.save())
    if (req.url === '/fail') res.statusCode = 500
    res.end(String(req.url === '/add' ? page.add({ level: 'info', body: 'y' }) && '' : req.url === '/set' ? '' : page.list.length))
  })
  const browser = client()
  await browser.get('/set')
  t.deepEqual([await browser.text('/add'), await browser.text('/fail'), await browser.text(), await browser.text()], ['', '1', '1', '0'])
})

test('the list is a copy: what is pushed to it is in nobody else\'s', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const page = await messages(req)
    ;(page.list as unknown[]).push('x')
    res.end(String(page.list.length))
  })
  t.is(await client().text(), '0')
})

test('messages of a request whose handler is not wrapped', async (t) => {
  await t.throwsAsync(messages({}), { code: 'PHIAL_CONFIG', message: /withSession/ })
})

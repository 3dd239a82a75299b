import test from 'ava'
import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { sessions } from '../../src/index.js'
import type { SessionRequest } from '../../src/index.js'
import { StoreUnavailableError } from '../../src/errors.js'
import { serve } from '../support/app.js'
import type { Client } from '../support/app.js'
import { modes, serveMode, storedModes, testIn } from '../support/every-backend.js'
import { FaultyStore } from '../support/faulty-store.js'
import { memoryStore } from '../support/harness.js'
import type { FaultyMethod } from '../../testing/faulty-store.js'

/** `/set?level=…&key=…&value=…` and then a page that reads, in one of the ways that there are. */
const pages = async (req: SessionRequest, res: ServerResponse): Promise<void> => {
  const { pathname, searchParams } = new URL(req.url!, 'http://host')
  const { value, key, ...options } = Object.fromEntries(searchParams) as { value: string; key: string; level?: string }
  const session = await req.session.load()
  if (pathname === '/set') await session.flash(value, { ...options, key }).save()
  const shown = pathname === '/get' ? session.flashes(key) : pathname === '/peek' ? session.peekFlashes(key) : []
  res.end(JSON.stringify(shown))
}

const flashesOf = async (browser: Client, path = '/get', key = 'flash'): Promise<unknown> => JSON.parse(await browser.text(`${path}?key=${key}`))

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: webapp2 get_flashes(key='_flash'), add_flash(value, level=None, key='_flash'); tipfy FlashMixin.get_flash, set_flash`, async (t) => {
    const { client } = await serveMode(t, mode, pages)
    const browser = client()
    await browser.get('/set?key=flash&value=one')
    await browser.get('/set?key=flash&value=two&level=error')
    await browser.get('/set?key=other&value=three')
    t.deepEqual(await flashesOf(client()), [])
    t.deepEqual(await flashesOf(browser), [{ value: 'one', level: null }, { value: 'two', level: 'error' }])
    t.deepEqual(await flashesOf(browser), [])
    t.deepEqual(await flashesOf(browser, '/get', 'other'), [{ value: 'three', level: null }])
  })

  testIt(`${mode.name}: webhelpers Flash: categories warning, notice, error, success; pop_messages()`, async (t) => {
    const { client } = await serveMode(t, mode, pages)
    const browser = client()
    for (const level of ['warning', 'notice', 'error', 'success']) await browser.get(`/set?key=flash&value=a%20${level}&level=${level}`)
    const shown = ['warning', 'notice', 'error', 'success'].map((level) => ({ value: `a ${level}`, level }))
    t.deepEqual(await flashesOf(browser, '/peek'), shown)
    t.deepEqual(await flashesOf(browser), shown)
    t.deepEqual(await flashesOf(browser), [])
  })

  testIt(`${mode.name}: a flash is peeked at as often as one likes, and one that was read is kept when that is asked`, async (t) => {
    const { client } = await serveMode(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/set') await session.flash('x').save()
      const shown = req.url === '/get' || req.url === '/keep' ? session.flashes() : session.peekFlashes()
      if (req.url === '/keep') session.keepFlashes()
      res.end(String(shown.length))
    })
    const browser = client()
    await browser.get('/set')
    const paths = ['/peek', '/peek', '/keep', '/keep', '/peek', '/get', '/peek', '/get']
    const shown = []
    for (const path of paths) shown.push(await browser.text(path))
    t.deepEqual(shown, ['1', '1', '1', '1', '1', '1', '0', '0'])
  })

  testIt(`${mode.name}: a flash for now is shown by this request, read once, and never stored`, async (t) => {
    const { client } = await serveMode(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/set') await session.flash('stored').save()
      if (req.url === '/now') {
        session.flash(new Map([['any', 'value']]), { now: true, level: 'info' }).flash('elsewhere', { now: true, key: 'other' })
        t.false(session.dirty)
        t.is(session.peekFlashes().length, 2)
        const [stored, now] = session.flashes()
        t.deepEqual([stored, now], [{ value: 'stored', level: null }, { value: new Map([['any', 'value']]), level: 'info' }])
        t.deepEqual(session.flashes(), [])
        t.is(session.flashes('other').length, 1)
        session.flash('unread', { now: true }).keepFlashes()
      }
      if (req.url === '/fresh') {
        session.flash('first visit', { now: true })
        t.is(session.clear().flashes().length, 0)
        session.flash('first visit', { now: true }).revert()
        res.flushHeaders()
        t.is((await req.session.flash('late', { now: true })).flashes().length, 2)
      }
      res.end(String(session.peekFlashes().length))
    })
    const browser = client()
    await browser.get('/set')
    t.is(await browser.text('/now'), '2')
    t.is(await browser.text('/'), '1')
    const fresh = await client().get('/fresh')
    t.deepEqual([await fresh.text(), fresh.headers.getSetCookie()], ['0', []])
  })
}

type Act = (req: SessionRequest, res: ServerResponse, failing: (method: FaultyMethod) => void) => unknown

const down = new StoreUnavailableError('down', { backend: 'memory', operation: 'any' })

/** How a response may fail after the page has read its flashes. */
const FAILURES: Readonly<Record<string, Act>> = {
  'by writeHead(500)': (_req, res) => res.writeHead(500).end(),
  'by statusCode': (_req, res) => Object.assign(res, { statusCode: 503 }).end(),
  'by an error of phial\'s that leaves the handler': (req) => req.session.set('x', new Map()).then((session) => session.save()),
  'by a save() of what cannot be stored, which nobody awaits': async (req, res) => {
    void (await req.session.set('x', new Map())).save()
    res.end('ok')
  },
  'by a save() through the lazy session, which nobody awaits': (req, res) => {
    void req.session.set('x', new Map())
    void req.session.save()
    res.end('ok')
  },
  'by a store that is down for a save() that nobody awaits': async (req, res, failing) => {
    const session = await req.session.set('x', 1)
    failing('replace')
    void session.save()
    res.end('ok')
  },
  'by an update() that throws, which nobody awaits': (req, res) => {
    void req.session.update(() => { throw new TypeError('mine') })
    res.end('ok')
  },
  'by a save() after the end': async (req, res) => {
    const session = await req.session.set('x', new Map())
    res.end('ok')
    await session.save()
  },
  'by a save() before the body': async (req, res) => {
    void (await req.session.set('x', new Map())).save()
    res.write('o')
    res.end('k')
  },
  'by a client that goes away': (_req, res) => res.destroy(),
  'by a client that goes away in the middle': async (_req, res) => {
    res.write('begun')
    await turn()
    res.destroy()
  },
  'by an error of phial\'s after the head': async (_req, res) => {
    res.writeHead(200)
    await turn()
    throw down
  },
  'by another session, which cannot be saved at the end': async (req, res, failing) => {
    await sessions(req).get('cart', { auto: true }).set('apples', 1)
    failing('create')
    res.end('ok')
  },
}

for (const auto of [false, true]) {
  for (const [how, fail] of Object.entries(FAILURES)) {
    test(`a flash read on a page whose response fails is still there on the next: ${how}${auto ? ', with auto' : ''}`, async (t) => {
      const store = new FaultyStore(memoryStore(Date.now))
      const failing = (method: FaultyMethod): void => store.next(method, down)
      const { client } = await serve(t, async (req, res) => {
        const session = await req.session.load()
        if (req.url === '/set') await session.flash('important').save()
        const shown = req.url === '/set' ? [] : session.flashes()
        if (req.url === '/fail') return void (await fail(req, res, failing))
        res.end(String(shown.length))
      }, { type: store.manager, auto })
      const browser = client()
      await browser.get('/set')
      t.true(await browser.get('/fail').then(async (response) => await response.text() !== null && response.status >= 500).catch(() => true))
      t.is(await browser.text('/'), '1')
      t.is(await browser.text('/'), '0')
    })
  }
}

for (const mode of modes) {
  testIn(mode)(`${mode.name}: what was read before the head left is used up at the end, if nothing fails; where the client keeps it, with the head`, async (t) => {
    const { client } = await serveMode(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/set') await session.flash('x').save()
      const shown = req.url === '/set' ? [] : session.flashes()
      res.write(String(shown.length))
      await turn()
      res.end()
    })
    const browser = client()
    await browser.get('/set')
    t.deepEqual([await browser.text('/'), await browser.text('/')], ['1', '0'])
  })
}

test('with auto, a flash that was read and a change are stored by the end of one response', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') session.flash('x')
    else session.set('n', session.get('n', 0) + session.flashes().length)
    res.end(`${session.get('n')}`)
  }, { auto: true })
  const browser = client()
  await browser.get('/set')
  t.deepEqual([await browser.text('/'), await browser.text('/')], ['1', '1'])
})

for (const mode of storedModes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: a failure that the handler took is no failed response: its flashes are used up`, async (t) => {
    const { client } = await serveMode(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/set') await session.flash('x').save()
      const shown = req.url === '/set' ? [] : session.flashes()
      if (req.url === '/take') await session.set('bad', new Map()).save().catch(() => session.delete('bad'))
      res.end(String(shown.length))
    })
    const browser = client()
    await browser.get('/set')
    t.deepEqual([await browser.text('/take'), await browser.text('/')], ['1', '0'])
  })
}

test('a flash that is read by the request that made it, and not saved, is gone, and the request ends', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const session = await req.session.load()
    const shown = req.url === '/' ? session.peekFlashes() : session.flash('x').flashes()
    session.revert()
    if (req.url === '/twice') session.flash('y').flashes()
    res.end(String(shown.length))
  })
  const browser = client()
  t.deepEqual([await browser.text('/once'), await browser.text('/twice'), await browser.text('/')], ['1', '1', '0'])
})

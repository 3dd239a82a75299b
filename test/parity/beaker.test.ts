import test from 'ava'
import type { ExecutionContext } from 'ava'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { CodecError, loadIni, SessionGoneError, TooLargeError, withSession } from '../../src/index.js'
import type { SessionRequest, SettingsInput } from '../../src/index.js'
import { memoryManager, testClock } from '../../testing/index.js'
import { clientOf, listen, serve } from '../support/app.js'
import { site } from '../support/composite-site.js'
import { serveMode, temporaryDirectory } from '../support/every-backend.js'
import type { Mode } from '../support/every-backend.js'
import { FaultyStore } from '../support/faulty-store.js'
import { SECRET } from '../support/harness.js'
import { backends, kinds, storedBackends, testEach } from '../support/parity.js'

const OTHER_SECRET = 'h2Lr-9dKq_5mZx8Tn1VwB4cYs7Pf3GjE'

const linesOf = (response: Response): string[] => response.headers.getSetCookie()
const count = async (req: SessionRequest): Promise<string> => String(await req.session.update('n', (n = 0) => n + 1))

testEach('Beaker SessionMiddleware(app, config): beaker.session.X and session.X, keyword arguments override', kinds, async (t, mode) => {
  const type = mode.name.split(',')[0]!
  for (const prefix of ['session', 'beaker.session']) {
    const file = site(t, {
      'site.ini': ['[app:main]', 'use = egg:shop', `${prefix}.type = ${type}`, ...(type === 'file' ? [`${prefix}.data_dir = %(here)s/data`] : []),
        `${prefix}.secret = ${SECRET}`, `${prefix}.secure = auto`, `${prefix}.key = from_file`, `${prefix}.httponly = false`, ''].join('\n'),
    })
    const app = withSession(async (req, res) => void res.end(await count(req)), loadIni(file), { cookieName: 'overridden', operationTimeout: 10, requestBudget: 20 })
    t.teardown(() => app.manager.close())
    const browser = clientOf((await listen(t, app)).url)
    const [line] = linesOf(await browser.get('/'))
    t.regex(line!, /^overridden=[^;]+; Path=\/; SameSite=Lax$/)
    t.is(await browser.text('/'), '2')
    t.is(app.manager.backend, type)
  }
})

testEach('Beaker environ_key: several middlewares side by side', kinds, async (t, mode) => {
  const common = { secret: SECRET, secure: false, operationTimeout: 10, requestBudget: 20 } as const
  const [settings, others] = [await mode.settings(t), await mode.settings(t)]
  const inner = withSession<any, 'shop'>(async (req, res) => {
    const both = req as typeof req & SessionRequest
    if (req.url === '/set') {
      await both.session.set('who', 'outer')
      await both.session.save()
      await req.shop.set('who', 'inner')
      await req.shop.save()
    }
    res.end(`${await both.session.get('who')} ${await req.shop.get('who')}`)
  }, { ...common, ...others, requestKey: 'shop', cookieName: 'shop' })
  const outer = withSession((req, res) => inner(req, res), { ...common, ...settings })
  t.teardown(() => Promise.all([inner.manager.close(), outer.manager.close()]))
  const browser = clientOf((await listen(t, outer)).url)
  await browser.get('/set')
  t.is(await browser.text('/'), 'outer inner')
})

testEach("Beaker environ['beaker.get_session'](): a session with no cookie, by id", storedBackends, async (t, mode) => {
  const app = await serveMode(t, mode, async (req, res) => {
    const id = req.url!.slice(1)
    const session = id === '' ? await app.manager.create() : await app.manager.getById(id)
    await session?.set('n', session.get('n', 0) + 1).save()
    res.end(JSON.stringify(session === undefined ? null : { id: session.id, n: session.get('n') }))
  })
  const made = JSON.parse(await app.client().text('/')) as { id: string }
  t.deepEqual(JSON.parse(await app.client().text(`/${made.id}`)), { id: made.id, n: 2 })
  const response = await app.client().get('/unknown')
  t.is(await response.text(), 'null')
  t.deepEqual(linesOf(response), [])
})

testEach('Beaker lazy SessionObject: accessed(), dirty(), persist(), get_by_id()', kinds, async (t, mode) => {
  const { client, manager } = await serveMode(t, mode, async (req, res) => {
    const seen: unknown[] = [req.session.accessed, req.session.dirty]
    if (req.url !== '/') {
      await req.session.set('a', 1)
      seen.push(req.session.accessed, req.session.dirty)
      await req.session.persist()
      seen.push(req.session.dirty, (await req.session.load()).id)
    }
    res.end(JSON.stringify(seen))
  }, { auto: true })
  const browser = client()
  t.is(await browser.text('/'), '[false,false]')
  t.is(await browser.cookies(), '')
  const [accessed, dirty, ...rest] = JSON.parse(await browser.text('/set'))
  t.deepEqual([accessed, dirty, rest.slice(0, 3)], [false, false, [true, true, false]])
  if (!mode.isStored) return
  t.is((await manager.getById(rest[3]))!.get('a'), 1)
  t.is(await manager.getById('A'.repeat(43)), undefined)
})

testEach('Beaker dict interface, has_key, iteration, repr', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') await session.assign({ b: [1, { c: 2 }], name: 'hidden value' }).set('none', null).save()
    t.deepEqual([session.has('b'), session.has('nothing'), session.get('none'), session.get('nothing', 'x')], [true, false, null, 'x'])
    t.deepEqual([...session].toSorted(), [['b', [1, { c: 2 }]], ['name', 'hidden value'], ['none', null]] as never)
    t.deepEqual([session.keys().toSorted(), session.size], [['b', 'name', 'none'], 3])
    t.is(session.setDefault('name', 'other'), 'hidden value')
    t.is(session.pop('b')?.length, 2)
    t.false(session.delete('b', 'nothing'))
    for (const shown of [inspect(session), inspect(req.session), String(session), inspect(session, { depth: 9, showHidden: true })]) {
      t.false(shown.includes(session.id), shown)
      t.notRegex(shown, /hidden value/)
    }
    t.regex(inspect(session), /^Session \{ .*name.* \}$/)
    session.revert()
    res.end(String(session.size))
  })
  const browser = client()
  t.is(await browser.text('/set'), '3')
  t.is(await browser.text('/'), '3')
})

testEach('Beaker save(), auto', backends, async (t, mode) => {
  const settings = await mode.settings(t)
  const handler = async (req: SessionRequest, res: { end(text: string): unknown }): Promise<void> => {
    const session = await req.session.load()
    session.set('n', session.get('n', 0) + 1)
    if (req.url === '/save') await session.save()
    res.end(String(session.get('n')))
  }
  const [plain, auto] = [await serveMode(t, { ...mode, settings: () => settings }, handler), await serveMode(t, { ...mode, settings: () => settings }, handler, { auto: true })]
  const [one, two] = [plain.client(), auto.client()]
  t.deepEqual([await one.text('/'), await one.text('/save'), await one.text('/'), await one.text('/')], ['1', '1', '2', '2'])
  t.deepEqual([await two.text('/'), await two.text('/'), await two.text('/')], ['1', '2', '3'])
})

/** A session that lives for ten minutes, in a test that has the clock. */
const timed = async (t: ExecutionContext, mode: Mode, settings: SettingsInput = {}) => {
  const clock = testClock()
  const app = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/save') await session.set('a', 1).save()
    if (req.url === '/slow') {
      clock.advance(2)
      await session.set('slow', true).save()
    }
    res.end(JSON.stringify(session))
  }, { timeout: 600, touchInterval: 60, now: clock.now, ...settings })
  const browser = app.client()
  await browser.get('/save')
  return { clock, browser }
}

testEach('Beaker save_accessed_time (default true; timeout needs it): touching moves the expiry only', kinds, async (t, mode) => {
  const { clock, browser } = await timed(t, mode)
  for (let n = 0; n < 5; n++) {
    clock.advance(500)
    t.is(await browser.text('/'), '{"a":1}')
  }
  clock.advance(600)
  t.is(await browser.text('/'), '{}')
  const without = await timed(t, mode, { saveAccessedTime: false, timeout: false, touchInterval: undefined, lifetime: 1000 })
  without.clock.advance(999)
  t.is(await without.browser.text('/'), '{"a":1}')
  without.clock.advance(1)
  t.is(await without.browser.text('/'), '{}')
  await t.throwsAsync(serveMode(t, mode, () => {}, { saveAccessedTime: false, timeout: 600 }), { code: 'PHIAL_CONFIG' })
})

test.serial('Beaker save_accessed_time: a touch writes no data', async (t) => {
  const clock = testClock()
  const store = new FaultyStore(memoryManager(clock.now))
  const { browser } = await timed(t, { name: 'memory', isStored: true, settings: () => ({ type: store.manager }) }, { now: clock.now })
  clock.advance(500)
  t.is(await browser.text('/'), '{"a":1}')
  clock.advance(500)
  t.is(await browser.text('/'), '{"a":1}')
  t.deepEqual(store.calls, ['create', 'get', 'get'])
})

testEach('Beaker backend expiry a little longer than timeout: a session does not vanish mid-request', kinds, async (t, mode) => {
  const { clock, browser } = await timed(t, mode)
  clock.advance(599)
  t.is(await browser.text('/slow'), '{"a":1,"slow":true}')
  t.is(await browser.text('/'), '{"a":1,"slow":true}')
})

testEach('Beaker revert(), clear(), delete(), invalidate(), regenerate_id()', backends, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    switch (req.url) {
      case '/set': await session.set('a', 1).save(); break
      case '/revert':
        session.set('b', 2).delete('a')
        session.revert()
        await session.save()
        break
      case '/clear': await session.clear().save(); break
      case '/regenerate': await session.set('b', 2).regenerateId(); break
      case '/invalidate':
        await session.invalidate()
        t.true(session.isNew)
        await session.set('fresh', true).save()
        break
      case '/destroy':
        await session.destroy()
        await t.throwsAsync(session.save(), { instanceOf: SessionGoneError })
    }
    res.end(JSON.stringify(session))
  })
  const browser = client()
  const tells = async (path: string, data: string): Promise<void> => {
    await browser.get(path)
    t.is(await browser.text('/'), data, path)
  }
  await tells('/set', '{"a":1}')
  await tells('/revert', '{"a":1}')
  await tells('/clear', '{}')
  await tells('/set', '{"a":1}')
  const old = client(browser.jar.cloneSync())
  await tells('/regenerate', '{"a":1,"b":2}')
  if (mode.isStored) t.is(await old.text('/'), '{}')
  await tells('/invalidate', '{"fresh":true}')
  await tells('/destroy', '{}')
  t.is(await browser.cookies(), '')
})

testEach('Beaker lock(), unlock()', storedBackends, async (t, mode) => {
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/set') await session.set('n', 0).save()
    if (req.url === '/add') {
      const lock = await session.lock({ wait: 20 })
      await session.reload()
      await session.set('n', session.get('n') + 1).save()
      await lock.release()
    }
    res.end(String(session.get('n')))
  })
  const browser = client()
  await browser.get('/set')
  await Promise.all(Array.from({ length: 5 }, () => browser.get('/add')))
  t.is(await browser.text('/'), '5')
})

testEach('Beaker id, is_new, created, last_accessed, was_invalidated', kinds, async (t, mode) => {
  const clock = testClock()
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    const { isNew } = session
    if (req.url === '/invalidate') await session.invalidate()
    await session.set('a', 1).save()
    res.end(JSON.stringify({ id: session.id, isNew, wasInvalidated: !isNew && session.isNew, createdAt: session.createdAt, lastAccessedAt: session.lastAccessedAt }))
  }, { now: clock.now })
  const browser = client()
  const began = clock.now()
  const first = JSON.parse(await browser.text('/'))
  t.like(first, { isNew: true, wasInvalidated: false, createdAt: began })
  clock.advance(100)
  const second = JSON.parse(await browser.text('/'))
  t.deepEqual(second, { id: first.id, isNew: false, wasInvalidated: false, createdAt: began, lastAccessedAt: began })
  clock.advance(100)
  t.is(JSON.parse(await browser.text('/')).lastAccessedAt, began + 100_000)
  const ended = JSON.parse(await browser.text('/invalidate'))
  t.true(ended.wasInvalidated)
  t.not(ended.id, first.id)
})

testEach('Beaker domain and path setters: kept with the session, cookie sent again, survive later requests', kinds, async (t, mode) => {
  const { url } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    if (req.url === '/move') {
      session.cookie.domain = 'example.com'
      session.cookie.path = '/shop'
    }
    if (req.url === '/destroy') await session.destroy()
    else await session.set('n', session.get('n', 0) + 1).save()
    res.end(`${session.get('n')} ${session.cookie.domain} ${session.cookie.path}`)
  })
  const moved = linesOf(await fetch(`${url}/move`)).find((line) => line.startsWith('phial='))!
  t.regex(moved, /; Domain=example\.com; Path=\/shop;/)
  const headers = { cookie: moved.slice(0, moved.indexOf(';')) }
  t.is(await (await fetch(url, { headers })).text(), '2 example.com /shop')
  const [expired] = linesOf(await fetch(`${url}/destroy`, { headers }))
  t.regex(expired!, /^phial=; Max-Age=0; Domain=example\.com; Path=\/shop;/)
})

/** On a whole second, as `Expires` is. */
const wholeSecond = (): number => Math.floor(Date.now() / 1000) * 1000

testEach('Beaker httponly, secure, samesite, cookie_expires assignable on the session before save', kinds, async (t, mode) => {
  const clock = testClock(wholeSecond())
  const { url } = await serveMode(t, mode, async (req, res) => {
    const { cookie } = await req.session.load()
    cookie.httpOnly = false
    cookie.secure = true
    cookie.sameSite = 'none'
    cookie.expires = new Date(clock.now() + 100_000)
    await req.session.save()
    res.end()
  }, { now: clock.now, lifetime: 100 })
  const [line] = linesOf(await fetch(url))
  t.regex(line!, new RegExp(`^phial=[^;]+; Max-Age=100; Path=/; Expires=${new Date(clock.now() + 100_000).toUTCString()}; Secure; SameSite=None$`))
})

testEach('Beaker cookie_expires: true, false, seconds, timedelta, datetime', kinds, async (t, mode) => {
  const clock = testClock(wholeSecond())
  const at = (seconds: number): Date => new Date(clock.now() + seconds * 1000)
  const lives: [SettingsInput['cookieExpires'], Date | undefined][] = [[true, undefined], [3600, at(3600)], [at(5000), at(5000)], [false, at(400 * 86_400)]]
  for (const [cookieExpires, end] of lives) {
    const { url } = await serveMode(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (session.isNew) await session.save()
      res.end(String(session.isNew))
    }, { cookieExpires: cookieExpires!, now: clock.now, lifetime: 9000 })
    const [line] = linesOf(await fetch(url))
    const kept = mode.isStored || typeof cookieExpires === 'boolean' ? end : at(9000) // what the client keeps tells its end itself
    t.is(/; Expires=([^;]+)/.exec(line!)?.[1], kept?.toUTCString())
    if (mode.isStored || typeof cookieExpires !== 'number') continue
    const headers = { cookie: line!.slice(0, line!.indexOf(';')) }
    t.is(await (await fetch(url, { headers })).text(), 'false')
    clock.advance(cookieExpires)
    t.is(await (await fetch(url, { headers })).text(), 'true')
    clock.advance(-cookieExpires)
  }
})

testEach('Beaker secret signs the id: several rotate, and a forged one opens nothing', kinds, async (t, mode) => {
  const settings = await mode.settings(t)
  const server = async (secret: string[]): Promise<string> =>
    (await serveMode(t, { ...mode, settings: () => ({ ...settings, ...shared }) }, async (req, res) => void res.end(await count(req)), { secret })).url
  const shared = mode.name === 'memory' ? { type: memoryManager() } : {}
  const [before, during, after] = [await server([OTHER_SECRET]), await server([SECRET, OTHER_SECRET]), await server([SECRET])]
  const old = clientOf(before)
  t.is(await old.text('/'), '1')
  const forged = (await old.cookies()).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
  t.is(await (await fetch(before, { headers: { cookie: forged.replace(/=.{4}/, '=AAAA') } })).text(), '1')
  t.is(await clientOf(after, old.jar.cloneSync()).text('/'), '1')
  const rotated = clientOf(during, old.jar.cloneSync())
  t.is(await rotated.text('/'), '2')
  t.is(await clientOf(after, rotated.jar).text('/'), '3')
})

test.serial('Beaker validate_key and encrypt_key for the cookie type', async (t) => {
  const handler = async (req: SessionRequest, res: { end(text: string): unknown }): Promise<void> => {
    await req.session.set('word', 'abracadabra')
    await req.session.save()
    res.end('')
  }
  const shown = async (settings: SettingsInput): Promise<string> => {
    const { url, manager } = await serve(t, handler, { type: 'cookie', secret: undefined, validateKey: SECRET, ...settings })
    const [line] = linesOf(await fetch(url))
    const cookie = line!.slice(0, line!.indexOf(';'))
    t.is((await manager.open({ headers: { cookie } }).load()).get('word'), 'abracadabra')
    return Buffer.from(cookie, 'base64url').toString('latin1') + Buffer.from(cookie.slice(cookie.indexOf('=') + 1), 'base64url').toString('latin1')
  }
  t.regex(await shown({}), /abracadabra/)
  t.notRegex(await shown({ encryptKey: OTHER_SECRET }), /abracadabra/)
})

testEach('Beaker data_serializer json / object', kinds, async (t, mode) => {
  const values = { at: new Date(0), tags: new Set(['a']), n: 1n }
  const handler = async (req: SessionRequest, res: { end(text: string): unknown }): Promise<void> => {
    if (req.url === '/set') await req.session.assign(values).then((session) => session.save())
    res.end(inspect((await req.session.load()).toJSON(), { sorted: true }))
  }
  const devalue = await serveMode(t, mode, handler, { dataSerializer: 'devalue' })
  const browser = devalue.client()
  await browser.get('/set')
  t.is(await browser.text('/'), inspect(values, { sorted: true }))
  const own = await serveMode(t, mode, handler, { dataSerializer: { stringify: () => '"mine"', parse: (text) => ({ [String(JSON.parse(text))]: 1 }) } })
  const other = own.client()
  await other.get('/set')
  t.is(await other.text('/'), '{ mine: 1 }')
  t.is((await (await serveMode(t, mode, handler)).client().get('/set')).status, 500)
})

for (const invalidateCorrupt of [true, false]) {
  test.serial(`Beaker invalidate_corrupt: ${invalidateCorrupt}`, async (t) => {
    const dataDir = temporaryDirectory(t)
    const { client } = await serve(t, async (req, res) => void res.end(await count(req)), { type: 'file', dataDir, invalidateCorrupt, operationTimeout: 10, requestBudget: 20 })
    const browser = client()
    await browser.get('/')
    t.is(await browser.text('/'), '2')
    for (const file of filesBelow(dataDir)) writeFileSync(file, readFileSync(file, 'latin1').replace('[2]', '{2}'), 'latin1')
    const response = await browser.get('/')
    t.deepEqual([response.status, await response.text()], invalidateCorrupt ? [200, '1'] : [500, 'Internal Server Error\n'])
  })
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))

for (const mode of kinds.filter(({ isStored }) => !isStored)) {
  test.serial(`Beaker cookie type: whole dict in the cookie, size checked: ${mode.name}`, async (t) => {
    const handler = async (req: SessionRequest, res: { end(text: string): unknown }): Promise<void> => {
      const session = await req.session.load()
      const size = Number(req.url!.slice(1))
      const error = size === 0 ? undefined : await session.set('text', 'x'.repeat(size)).save().then(() => undefined, (reason) => reason)
      res.end(error instanceof TooLargeError ? 'too large' : String(session.get('text')?.length))
    }
    const [one, many] = [await serveMode(t, mode, handler), await serveMode(t, mode, handler, { cookie: { chunks: 3 } })]
    const browser = one.client()
    t.is(await browser.text('/1000'), '1000')
    const refused = await browser.get('/5000')
    t.deepEqual([await refused.text(), linesOf(refused)], ['too large', []])
    t.is(await browser.text('/0'), '1000')
    const chunked = many.client()
    t.is(linesOf(await chunked.get('/5000')).length, 2)
    t.is(await chunked.text('/0'), '5000')
  })
}

testEach('Beaker types memory, file, memcached, redis, google, cookie', backends, async (t, mode) => {
  const { client, manager } = await serveMode(t, mode, async (req, res) => void res.end(await count(req)))
  const [ada, bob] = [client(), client()]
  t.deepEqual([await ada.text('/'), await ada.text('/'), await bob.text('/')], ['1', '2', '1'])
  t.true(mode.name.startsWith(manager.backend))
})

test.serial('Beaker plug-in managers, namespace_class: a custom manager by class, instance or module name', async (t) => {
  const inner = memoryManager()
  t.teardown(() => inner.close())
  class Plugged extends FaultyStore {}
  const Class = class {
    constructor() {
      return new Plugged(inner).manager
    }
  }
  const file = site(t, { 'own.mjs': `export const backend = globalThis[Symbol.for('phial.parity')]\n` })
  ;(globalThis as Record<symbol, unknown>)[Symbol.for('phial.parity')] = { type: 'own', supports: inner.supports, open: () => inner }
  for (const type of [Class as never, inner, file]) {
    const { client } = await serve(t, async (req, res) => void res.end(await count(req)), { type })
    const browser = client()
    t.deepEqual([await browser.text('/'), await browser.text('/')], ['1', '2'])
  }
})

test.serial('Beaker INI coercion of booleans, numbers and lists, with precise messages; %(here)s; cache_dir with sessions/ below', async (t) => {
  const write = (...lines: string[]): string => site(t, { 'site.ini': ['[app:main]', 'cache_dir = %(here)s/data', `session.secret = ${SECRET}`, ...lines, ''].join('\n') })
  const file = write('session.auto = yes', 'session.secure = off', 'session.timeout = 600', 'session.trust_proxy = 10.0.0.1, 10.1.0.0/16', 'session.operation_timeout = 10', 'session.request_budget = 20')
  const app = withSession(async (req, res) => {
    const session = await req.session.load()
    session.set('n', session.get('n', 0) + 1)
    res.end(String(session.get('n')))
  }, loadIni(file))
  t.teardown(() => app.manager.close())
  const browser = clientOf((await listen(t, app)).url)
  t.deepEqual([await browser.text('/'), await browser.text('/')], ['1', '2'])
  t.true(existsSync(join(dirname(file), 'data/sessions')))
  const wrong = write('session.timeout = 5m')
  t.throws(() => withSession(() => {}, loadIni(wrong)), { code: 'PHIAL_CONFIG', message: `${wrong}:4: session.timeout: expected whole seconds, 1 or more; got "5m"` })
})

testEach('Beaker mapped objects: what is stored must be serialisable; typed error with the path', kinds, async (t, mode) => {
  class Account {
    readonly name = 'ada'
  }
  const { client } = await serveMode(t, mode, async (req, res) => {
    const session = await req.session.load()
    const error = await session.set('users', [{ account: new Account() }]).save().then(() => undefined, (reason) => reason)
    res.end(error instanceof CodecError ? error.path : 'stored')
  })
  t.is(await client().text('/'), 'users[0].account')
})

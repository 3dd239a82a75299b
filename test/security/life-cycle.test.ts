import test from 'ava'
import type { ExecutionContext } from 'ava'
import { once } from 'node:events'
import { CookieJar } from 'tough-cookie'
import { createManager, SessionGoneError, StoreUnavailableError } from '../../src/index.js'
import { isId, keyOf } from '../../src/record/id.js'
import { isMoved, parseRecord } from '../../src/record/record.js'
import { FaultyStore } from '../support/faulty-store.js'
import { Browser, Clock, harness, SECRET } from '../support/harness.js'
import type { Exchange, Harness } from '../support/harness.js'
import {
  acts, ask, COOKIES, cookieFor, countOf, keysOf, MODES, openStore, random, record, serveIn, STORED, Visitor, withMethods,
} from './support.js'
import type { Handler, Mode, Store } from './support.js'
import { Turnstile } from './turnstile.js'
import type { Passed } from './turnstile.js'

const ROUNDS = countOf('PHIAL_ROUNDS', 5)
const REQUESTS = countOf('PHIAL_REQUESTS', 200)
const INTERLEAVINGS = countOf('PHIAL_INTERLEAVINGS', 200)

/** The keys under which a session can be opened: not those whose id was renewed. */
const liveKeys = async (store: Store): Promise<string[]> => {
  const live: string[] = []
  for (const key of await keysOf(store)) {
    const found = await store.get(key)
    if (found !== undefined && !isMoved(parseRecord(key, found.value, true))) live.push(key)
  }
  return live
}

for (const mode of STORED) {
  test(`S020: a renewed id keeps the data, the old one is dead at once, and after a minute nothing of it is stored: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const store = openStore(t, mode, clock.now)
    const { port } = await serveIn(t, mode, acts, { type: store, now: clock.now })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const old = visitor.copy()
    await visitor.ask('/renew')
    t.is(await visitor.body(), '{"user":"ann"}')
    t.deepEqual(await liveKeys(store), [keyOf(await visitor.id())])
    clock.advance(121_000)
    await store.purgeExpired()
    t.is((await keysOf(store)).length, 1)
    t.is(await old.body(), '{}')
    t.is(await visitor.body(), '{"user":"ann"}')
  })

  test(`S021: whichever store call a renewal dies at, no second id is known, and none was acknowledged that does not live: ${mode.name}`, async (t) => {
    const store = openStore(t, mode)
    const outcomes = new Set<string>()
    for (const [calls, isAnswerLost] of [0, 1, 2, 3].flatMap((calls) => [[calls, false], [calls, true]] as const)) {
      let left = Infinity
      const dying = (method: (...args: any[]) => Promise<any>) => async (...args: any[]): Promise<any> => {
        if (left > 0 || (left === 0 && isAnswerLost)) {
          const answer = await method.apply(store, args)
          if (left-- > 0) return answer
        }
        throw new StoreUnavailableError('the process died', { backend: mode.name, operation: 'any' })
      }
      const { port } = await serveIn(t, mode, acts, {
        type: withMethods(store, {
          get: dying(store.get), create: dying(store.create), replace: dying(store.replace), touch: dying(store.touch),
          delete: dying(store.delete),
        }),
      })
      const visitor = new Visitor(port)
      await visitor.ask('/set?user=ann')
      const oldKey = keyOf(await visitor.id())
      const before = await liveKeys(store)
      left = calls
      const { status, setCookies } = await visitor.ask('/renew')
      const live = await liveKeys(store)
      outcomes.add(`${status}, the old id ${live.includes(oldKey) ? 'lives' : 'is dead'}`)
      if (status === 200) t.true(live.includes(keyOf(await visitor.id())) && !live.includes(oldKey))
      else t.deepEqual([status, setCookies], [503, []])
      t.true(live.length - before.length <= 1) // one more, whose id nobody was told
    }
    t.deepEqual([...outcomes].sort(), ['200, the old id is dead', '503, the old id is dead', '503, the old id lives'])
  })

  test(`S023: of parallel renewals one wins, the others learn of it, and one id lives: ${mode.name}`, async (t) => {
    const store = openStore(t, mode)
    let loaded: (() => void)[] = []
    const { port } = await serveIn(t, mode, async (req, res) => {
      if (req.url === '/renew') {
        await req.session.load()
        await new Promise<void>((resolve) => {
          loaded.push(resolve)
          if (loaded.length === 3) for (const go of loaded) go()
        })
      }
      await acts(req, res)
    }, { type: store })
    for (let round = 0; round < ROUNDS; round++) {
      loaded = []
      const visitor = new Visitor(port)
      await visitor.ask(`/set?user=user${round}`)
      const before = (await liveKeys(store)).length
      const others = [visitor.copy(), visitor.copy(), visitor.copy()]
      const replies = await Promise.all(others.map((other) => other.ask('/renew')))
      t.deepEqual(replies.map(({ status }) => status).sort(), [200, 409, 409])
      t.is((await liveKeys(store)).length, before)
      const winner = others[replies.findIndex(({ status }) => status === 200)]!
      t.is(await winner.body(), `{"user":"user${round}"}`)
      for (const reply of replies) if (reply.status === 409) t.deepEqual(reply.setCookies, [])
    }
  })

  test(`S024: a grace for the old id is off by default; with one it reads, and neither writes, renews nor learns the new id: ${mode.name}`, async (t) => {
    for (const regenerateGrace of [61, -1, 1.5]) {
      t.throws(() => createManager({ secret: SECRET, regenerateGrace }), { code: 'PHIAL_CONFIG' })
    }
    const clock = new Clock()
    const { port } = await serveIn(t, mode, acts, { now: clock.now, regenerateGrace: 60, cookieExpires: 600 })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const old = visitor.copy()
    await visitor.ask('/renew')
    clock.advance(59_999)
    const read = await old.ask()
    t.deepEqual([read.status, read.body, read.setCookies], [200, '{"user":"ann"}', []])
    for (const act of ['/set?user=eve', '/add', '/renew', '/save', '/invalidate']) {
      const { status, setCookies } = await old.ask(act)
      t.deepEqual([act, status, setCookies], [act, 409, []])
    }
    t.is(await visitor.body(), '{"user":"ann"}')
    clock.advance(1)
    t.is(await old.body(), '{}')
  })
}

for (const mode of COOKIES) {
  test(`S020: a renewed id keeps the data; a copy of the old cookie goes on, as the documentation says: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const old = visitor.copy()
    await visitor.ask('/renew')
    t.not(await visitor.cookies(), await old.cookies())
    t.is(await visitor.body(), '{"user":"ann"}')
    t.is(await old.body(), '{"user":"ann"}')
  })
}

const attributesOf = (line: string): string[] =>
  line.split('; ').slice(1).filter((attribute) => !/^(Max-Age|Expires)=/.test(attribute)).sort()

for (const mode of MODES) {
  test(`S025, S074: destroy() expires the cookie with every attribute it was set with, and a jar forgets it: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts, {
      secure: true, cookieDomain: 'example.com', cookiePath: '/app', sameSite: 'none', partitioned: true, cookieExpires: 3600,
      cookieName: 'phial',
    })
    const url = 'https://www.example.com/app/page'
    const jar = new CookieJar()
    const visit = async (path: string): Promise<string> => {
      const { setCookies } = await ask(port, path, { cookie: await jar.getCookieString(url) })
      for (const line of setCookies) await jar.setCookie(line, url)
      t.is(setCookies.length, 1)
      return setCookies[0]!
    }
    const set = await visit('/set?user=ann')
    t.not(await jar.getCookieString(url), '')
    const expired = await visit('/logout')
    t.deepEqual(attributesOf(expired), attributesOf(set))
    t.deepEqual(attributesOf(set), ['Domain=example.com', 'HttpOnly', 'Partitioned', 'Path=/app', 'SameSite=None', 'Secure'])
    t.is(await jar.getCookieString(url), '')
    if (mode.isStored) t.is((await ask(port, '/', { cookie: set.split(';')[0]! })).body, '{}')
  })
}

/** Handlers whose requests wait, once they have loaded the session, until they are told to go on. */
const lateActs = (): { readonly handler: Handler; readonly waiting: Promise<unknown>; readonly go: () => void } => {
  const door = new EventTarget()
  const waiting = once(door, 'waiting')
  const opened = once(door, 'open')
  const handler: Handler = async (req, res): Promise<unknown> => {
    if (!req.url!.startsWith('/late')) return acts(req, res)
    const session = await req.session.load()
    door.dispatchEvent(new Event('waiting'))
    await opened
    const act = req.url!.slice('/late-'.length)
    if (act === 'save') await session.set('late', 1).save()
    if (act === 'update') await session.update('late', () => 1)
    if (act === 'touch') await session.save()
    if (act === 'renew') await session.regenerateId()
    if (act === 'left-alone') void session.set('late', 1).save()
    return res.end(JSON.stringify(session))
  }
  return { handler, waiting, go: () => void door.dispatchEvent(new Event('open')) }
}

const endWhileLate = async (t: ExecutionContext, mode: Mode, end: string, act: string): Promise<void> => {
  const clock = new Clock()
  const { handler, waiting, go } = lateActs()
  const codes: unknown[] = []
  const app = await serveIn(t, mode, handler, {
    now: clock.now, cookieExpires: 3600, timeout: 3600,
    onError: (error) => void codes.push(error instanceof SessionGoneError && error.code),
  })
  const visitor = new Visitor(app.port)
  await visitor.ask('/set?user=ann')
  const late = visitor.copy()
  const answer = late.ask(`/late-${act}`)
  await waiting
  clock.advance(120_000) // so that a touch is due
  if (end === 'revoke') t.is(await app.manager.revoke({ id: await visitor.id() }), 1)
  else await visitor.ask(`/${end}`)
  go()
  const { status, setCookies } = await answer
  t.deepEqual([status, setCookies], [409, []])
  t.deepEqual(codes, ['PHIAL_GONE'])
  t.is(await late.body(), '{}')
  t.is(await app.manager.getById(await late.id()), undefined)
  t.is(await visitor.body(), end === 'renew' ? '{"user":"ann"}' : '{}')
}

for (const mode of STORED) {
  for (const end of ['logout', 'invalidate', 'renew', 'revoke']) {
    for (const act of ['save', 'update', 'touch', 'renew', 'left-alone']) {
      if (end === 'renew' && act === 'touch') continue
      test(
        `S022, S026, S027, S028: a late ${act} after ${end} gets a 409, sets no cookie and brings nothing back: ${mode.name}`,
        (t) => endWhileLate(t, mode, end, act)
      )
    }
  }

  test(
    `S027: a late touch after the id was renewed gets a 409 and sets no cookie: ${mode.name}`,
    (t) => endWhileLate(t, mode, 'renew', 'touch')
  )
}

const ENDS = ['destroy', 'invalidate', 'regenerateId', 'revoke'] as const
const LATES = ['save', 'update', 'touch', 'read', 'regenerateId'] as const

interface Outcome {
  readonly exchange: Exchange
  /** It had loaded the session, and not an empty one in its place. */
  readonly wasThere: boolean
  readonly isGone: boolean
}

/** One request, all of it, as it goes on while its calls wait at the turnstile. */
const request = async (on: Harness, browser: Browser, act: End | Late): Promise<Outcome> => {
  let exchange!: Exchange
  let wasThere = false
  try {
    await on.visit(async (object, own) => {
      exchange = own
      const session = await object.load()
      wasThere = session.has('user')
      if (act === 'save') await session.set('late', 1).save()
      if (act === 'update') await session.update('late', () => 1)
      if (act === 'touch') {
        on.clock.advance(61_000)
        await session.save()
      }
      if (act === 'destroy' || act === 'invalidate' || act === 'regenerateId') await session[act]()
      if (act === 'revoke') await on.manager.revoke({ id: browser.cookies.get('')!.slice(0, 43) })
    }, browser.copy())
    return { exchange, wasThere, isGone: false }
  } catch (error) {
    if (!(error instanceof SessionGoneError)) throw error
    return { exchange, wasThere, isGone: true }
  }
}

type End = (typeof ENDS)[number]
type Late = (typeof LATES)[number]

const interleave = async (
  t: ExecutionContext, inner: Store, clock: Clock, seed: number, end: End, lates: readonly Late[]
): Promise<void> => {
  const chance = random(seed)
  const pick = <V>(choices: readonly V[]): V => choices[Math.floor(chance() * choices.length)]!
  const manager = { operationTimeout: 30, requestBudget: 60 }
  const rules = { clock, manager, time: { timeout: 3600, touchInterval: 60 }, policy: { cookieLife: 3600 } }
  const browser = new Browser()
  await harness({ ...rules, store: inner }).visit(
    (session) => session.set('user', 'ann').then((loaded) => loaded.save()), browser
  )
  const id = browser.cookies.get('')!.slice(0, 43)
  const key = keyOf(id)
  clock.advance(100_000)

  const turnstile = new Turnstile(inner)
  const isOneProcess = chance() < 0.3
  const shared = harness({ ...rules, store: turnstile.for('all') })
  const acts = [end, pick(lates), pick(lates)] as const
  const requests = acts.map((act, actor) => request(
    isOneProcess ? shared : harness({ ...rules, store: turnstile.for(String(actor)) }), browser, act
  ))
  await turnstile.until(Promise.all(requests), (choices) => Math.floor(chance() * choices))

  const what = `seed ${seed}: ${acts.join(', ')}`
  const fresh = harness({ ...rules, store: inner })
  t.is(await fresh.manager.getById(id), undefined, what)
  const done = await Promise.all(requests)
  const ended = turnstile.passed.findLastIndex((call) => call.key === key && isEnd(call))
  for (const [actor, { exchange, isGone }] of done.entries()) {
    const sent = exchange.sent.get('')?.value
    if (isGone) t.is(sent, undefined, what)
    const last = turnstile.passed.findLastIndex((call) => call.actor === String(actor) && call.key === key)
    if (!isOneProcess && actor > 0 && sent?.startsWith(id)) t.true(last < ended, `${what}: the dead id was sent again`)
  }
  const newIds = done.flatMap(({ exchange }) => exchange.sent.get('')?.value?.slice(0, 43) ?? []).filter((sent) => sent !== id)
  for (const newId of newIds) t.true(isId(newId))
  const live = await Promise.all(newIds.map((newId) => fresh.manager.getById(newId)))
  const [ender] = done
  const isOver = end === 'revoke' || (end !== 'regenerateId' && ender!.wasThere && !ender!.isGone)
  t.true(live.filter((session) => session?.get('user') === 'ann').length <= (isOver ? 0 : 1), what)
  for (const leftOver of await keysOf(inner)) await inner.delete(leftOver)
}

/** Nothing is written to an id after it ended: its record was deleted, or replaced by the sign that it was renewed. */
const isEnd = ({ method, answer }: Passed): boolean =>
  (method === 'delete' || method === 'replace') && answer !== undefined && answer !== false

const interleavings = async (t: ExecutionContext, mode: Mode, kinds: readonly (readonly [End, readonly Late[]])[]): Promise<void> => {
  const clock = new Clock()
  const inner = openStore(t, mode, clock.now)
  const first = countOf('PHIAL_SEED', Math.floor(Math.random() * 2 ** 31))
  const count = mode.name === 'file' ? Math.ceil(INTERLEAVINGS / 10) : INTERLEAVINGS
  for (let round = 0; round < count; round++) {
    const [end, lates] = kinds[round % kinds.length]!
    await interleave(t, inner, clock, first + round, end, lates)
  }
}

for (const mode of STORED) {
  test(`S022, S026, S027: in random interleavings of ending a session with late requests the old id never lives again: ${mode.name}`, (t) =>
    interleavings(t, mode, ENDS.flatMap((end) => [
      [end, LATES.filter((late) => late !== 'touch')],
      ...(end === 'regenerateId' ? [] : [[end, LATES.filter((late) => late !== 'regenerateId')] as const]),
    ])))

  test(`S027: in random interleavings of renewing an id with late touches the old id is not sent again: ${mode.name}`, (t) =>
    interleavings(t, mode, [['regenerateId', ['touch']]]))
}

for (const mode of STORED) {
  test.serial(`S029: a logout that the store did not confirm is no success; the cookie is expired, and it is told: ${mode.name}`, async (t) => {
    const told = record(t)
    const store = new FaultyStore(openStore(t, mode))
    const { port } = await serveIn(t, mode, acts, { type: store.manager, operationTimeout: 0.5, requestBudget: 1.2 })
    const refused = new StoreUnavailableError('down', { backend: mode.name, operation: 'delete' })
    for (const faults of [[refused], ['hung', 'hung']] as const) {
      for (const act of ['/logout', '/invalidate']) {
        const visitor = new Visitor(port)
        await visitor.ask('/set?user=ann')
        told.splice(0)
        store.next('delete', ...faults)
        const { status, setCookies, headers } = await visitor.ask(act)
        t.is(status, 503)
        t.is(headers['retry-after'], '1')
        t.regex(setCookies.join(), /^phial=; Max-Age=0;/)
        t.is(await visitor.cookies(), '')
        t.true(told.some(({ event, fields }) => event === 'store-error' && fields.operation === 'delete'))
        t.false(told.some(({ event }) => event === 'destroyed'))
      }
    }
  })
}

for (const mode of MODES) {
  test(`S030: destroy() may be called twice; what is written after it in the same request is refused: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, async (req, res): Promise<unknown> => {
      if (req.url !== '/twice') return acts(req, res)
      const session = await req.session.load()
      await session.destroy()
      await session.destroy()
      const codes = []
      const writes = [
        () => session.set('user', 'eve').save(), () => session.save(), () => session.update('a', () => 1), () => session.regenerateId(),
      ]
      for (const write of writes) {
        codes.push(await write().then(() => 'written', (error) => error.code))
      }
      return res.end(codes.join())
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const { body, setCookies } = await visitor.ask('/twice')
    t.is(body, 'PHIAL_GONE,PHIAL_GONE,PHIAL_GONE,PHIAL_GONE')
    t.regex(setCookies.join(), /^phial=; Max-Age=0;/)
    t.is(await visitor.cookies(), '')
    t.is(await visitor.body(), '{}')
    t.is((await visitor.ask('/logout')).status, 200)
  })
}

for (const mode of COOKIES) {
  test(`S031: a copied cookie outlives a logout, but neither the absolute end nor a number that the application raises: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const epochs = new Map([['ann', 0]])
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/in') await session.assign({ user: 'ann', epoch: epochs.get('ann') }).save()
      if (req.url === '/out') {
        epochs.set('ann', epochs.get('ann')! + 1)
        await session.destroy()
      }
      const user = session.get('user')
      const isCurrent = req.url === '/unguarded' || session.get('epoch') === epochs.get(user)
      res.end(user !== undefined && isCurrent ? user : 'nobody')
    }, { now: clock.now, timeout: 3600, lifetime: 7200 })
    const visitor = new Visitor(port)
    await visitor.ask('/in')
    const thief = visitor.copy()
    await visitor.ask('/out')
    t.is(await visitor.body('/unguarded'), 'nobody')
    t.is(await thief.body('/unguarded'), 'ann')
    t.is(await thief.body('/'), 'nobody')
    for (let minutes = 0; minutes < 119; minutes += 7) {
      clock.advance(7 * 60_000)
      await thief.ask('/unguarded')
    }
    clock.advance(7_200_000 - 119 * 60_000 - 1)
    t.is(await thief.body('/unguarded'), 'ann')
    clock.advance(1)
    t.is(await thief.body('/unguarded'), 'nobody')
  })
}

for (const mode of STORED) {
  test(`S032, S033: all sessions of a user are listed without ids and ended, all but one too, and nobody else's: ${mode.name}`, async (t) => {
    const { manager } = await serveIn(t, mode, acts)
    const ids = new Map<string, string[]>()
    for (const owner of ['ann', 'ben', 'cleo']) {
      const sessions = await Promise.all(Array.from({ length: 50 }, () => manager.create()))
      for (const session of sessions) session.owner = owner
      await Promise.all(sessions.map((session) => session.save()))
      ids.set(owner, sessions.map(({ id }) => id))
    }
    const alive = async (owner: string): Promise<number> =>
      (await Promise.all(ids.get(owner)!.map((id) => manager.getById(id)))).filter((session) => session !== undefined).length
    const listed = await manager.list({ owner: 'ann' })
    t.is(listed.length, 50)
    for (const summary of listed) {
      t.deepEqual(Object.keys(summary).sort(), ['authenticatedAt', 'createdAt', 'expiresAt', 'lastAccessedAt', 'ref'])
      t.true(ids.get('ann')!.some((id) => keyOf(id) === summary.ref))
    }
    for (const id of ids.get('ann')!) t.false(JSON.stringify(listed).includes(id))
    t.is(await manager.revoke({ owner: 'ann' }), 50)
    t.deepEqual(await Promise.all(['ann', 'ben', 'cleo'].map(alive)), [0, 50, 50])
    t.is(await manager.revoke({ owner: 'ben', except: ids.get('ben')![7]! }), 49)
    t.deepEqual(await Promise.all(['ann', 'ben', 'cleo'].map(alive)), [0, 1, 50])
    t.is((await manager.getById(ids.get('ben')![7]!))?.owner, 'ben')
    t.deepEqual((await manager.list({ owner: 'ben' })).map(({ ref }) => ref), [keyOf(ids.get('ben')![7]!)])
  })

  test(`S034: with list and revoke an application keeps a user to three sessions: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const { port, manager } = await serveIn(t, mode, async (req, res) => {
      await acts(req, res)
      if (!req.url!.startsWith('/login')) return
      const sessions = await manager.list({ owner: 'ann' })
      const surplus = sessions.sort((a, b) => b.createdAt - a.createdAt).slice(3)
      for (const { ref } of surplus) await manager.revoke({ owner: 'ann', ref })
    }, { now: clock.now })
    const visitors = []
    for (let n = 0; n < 5; n++) {
      const visitor = new Visitor(port)
      await visitor.ask('/login?user=ann')
      visitors.push(visitor)
      clock.advance(1000)
    }
    while ((await manager.list({ owner: 'ann' })).length > 3) await new Promise(setImmediate)
    t.deepEqual(await Promise.all(visitors.map((visitor) => visitor.body())), ['{}', '{}', ...Array(3).fill('{"user":"ann"}')])
  })
}

for (const mode of COOKIES) {
  test(`S032, S033, S034: where the client keeps the session, listing and ending those of a user is refused aloud: ${mode.name}`, async (t) => {
    const { manager } = await serveIn(t, mode, acts)
    await t.throwsAsync(manager.list({ owner: 'ann' }), { instanceOf: TypeError, message: /cookie backend/ })
    await t.throwsAsync(manager.revoke({ owner: 'ann' }), { instanceOf: TypeError, message: /cookie backend/ })
  })
}

for (const mode of MODES) {
  test(`S035: a visitor whose session was not saved leaves no record and gets no cookie: ${mode.name}`, async (t) => {
    const store = mode.isStored ? openStore(t, mode) : undefined
    const { port } = await serveIn(t, mode, acts, store && { type: store })
    for (let n = 0; n < REQUESTS; n++) {
      const { status, setCookies } = await ask(port, n % 2 === 0 ? '/' : '/change?a=1')
      t.deepEqual([status, setCookies], [200, []])
    }
    if (store) t.deepEqual(await keysOf(store), [])
  })
}

const CROWD = 20

for (const mode of MODES) {
  test(`S036: under load and with a failing store no user sees another's data: ${mode.name}`, async (t) => {
    const chance = random(countOf('PHIAL_SEED', Math.floor(Math.random() * 2 ** 31)))
    const inner = mode.isStored ? openStore(t, mode) : undefined
    const failing = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      const fate = chance()
      if (fate < 0.03) throw new StoreUnavailableError('down', { backend: mode.name, operation: 'any' })
      if (fate < 0.06) await new Promise(setImmediate)
      const answer = await method.apply(inner, args)
      if (fate > 0.97) throw new StoreUnavailableError('the answer was lost', { backend: mode.name, operation: 'any' })
      return answer
    }
    const { port } = await serveIn(t, mode, acts, inner && {
      type: withMethods(inner, {
        get: failing(inner.get), create: failing(inner.create), replace: failing(inner.replace), touch: failing(inner.touch),
        delete: failing(inner.delete as (...args: any[]) => Promise<any>),
      }),
    })
    let answered = 0
    let failed = 0
    const user = async (name: string): Promise<void> => {
      const visitor = new Visitor(port)
      for (let n = 0; n < (REQUESTS * 5) / CROWD; n++) {
        const paths = ['/', `/set?user=${name}`, `/set?k${n % 4}=${name}`, '/renew', '/logout', `/set?user=${name}`, '/']
        const path = paths[Math.floor(chance() * paths.length)]!
        const twins = await Promise.all([visitor.ask(path), visitor.ask('/')])
        for (const { status, body } of twins) {
          if (status === 200) answered++
          else failed++
          if (status !== 200) t.true([503, 409].includes(status))
          else for (const value of Object.values(JSON.parse(body))) t.is(value, name)
        }
      }
    }
    await Promise.all(Array.from({ length: CROWD }, (_, n) => user(`user-${n}-canary`)))
    t.true(answered > REQUESTS)
    if (mode.isStored) t.true(failed > 0)
  })

  test(`S037: what is changed once the answer is complete throws, and is not kept: ${mode.name}`, async (t) => {
    let after!: Promise<unknown[]>
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/save') await session.set('a', 1).save()
      const changes = [
        () => session.set('b', 2), () => session.assign({ b: 2 }), () => session.delete('a'), () => session.clear(), () => session.flash('b'),
      ]
      after = once(res, 'close').then(() => changes.map((change) => {
        try {
          return change()
        } catch (error) {
          return (error as { code: string }).code
        }
      }))
      res.end(JSON.stringify(session))
    })
    const visitor = new Visitor(port)
    for (const path of ['/new', '/save', '/']) {
      await visitor.ask(path)
      t.deepEqual(await after, Array(5).fill('PHIAL_CLOSED'), path)
    }
    t.is(await visitor.body(), '{"a":1}')
  })

  test(`S038: one call at login gives a new id and says when the user proved who they are: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const { port } = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/cart') await session.set('cart', 3).save()
      if (req.url === '/login') await session.set('user', 'ann').regenerateId({ authenticated: true })
      res.end(JSON.stringify([session.id, session.authenticatedAt ?? null, session.toJSON()]))
    }, { now: clock.now })
    const visitor = new Visitor(port)
    const [id, never] = JSON.parse(await visitor.body('/cart'))
    t.is(never, null)
    clock.advance(1000)
    const at = clock.now()
    const [newId] = JSON.parse(await visitor.body('/login'))
    clock.advance(1000)
    t.deepEqual(JSON.parse(await visitor.body('/')), [newId, at, { cart: 3, user: 'ann' }])
    t.not(newId, id)
    if (mode.isStored) t.is(JSON.parse((await ask(port, '/', { cookie: cookieFor(id) })).body)[1], null)
  })
}

import test from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { harness } from '../support/harness.js'

test('the cookie is sent when the session is created and not again with each save', async (t) => {
  const { visit } = harness()
  await visit(async (object, { sent }) => {
    await object.set('a', 1)
    t.is(sent.size, 0)
    await object.save()
    t.is(sent.size, 1)
  })
  await visit(async (object, { sent }) => {
    await object.set('a', 2)
    await object.save()
    t.is(sent.size, 0)
  })
})

test('force sends the cookie on every request that uses the session', async (t) => {
  const { visit } = harness({ policy: { forceCookie: true } })
  await visit(async (object) => object.save())
  const { sent } = await visit(async (object, exchange) => {
    await object.get('a')
    return exchange
  })
  t.is(sent.size, 1)
})

test('a cookie with a life in seconds is sent again on save, and on reading once the touch is due', async (t) => {
  const { visit, clock } = harness({ policy: { cookieLife: 3600 } })
  await visit(async (object) => object.save())
  await visit(async (object, { sent }) => {
    await object.get('a')
    t.is(sent.size, 0)
    await object.set('a', 1)
    await object.save()
    t.is(sent.get('')?.attributes.expiresAt, clock.now() + 3_600_000)
  })
  const read = () => visit(async (object, exchange) => {
    await object.get('a')
    return exchange
  })
  clock.advance(61_000)
  t.is((await read()).sent.get('')?.attributes.expiresAt, clock.now() + 3_600_000)
  t.is((await read()).sent.size, 0)
})

for (const [how, policy] of [['a life in seconds', { cookieLife: 3600 }], ['force', { forceCookie: true }]] as const) {
  test(`with ${how}, a late reader or writer whose session is gone does not send the old cookie over the new one`, async (t) => {
    const { visit, clock, browser, open } = harness({ policy })
    await visit(async (object) => object.save())
    clock.advance(61_000)
    const [reader, writer] = [browser.begin(), browser.begin()]
    const object = open(reader)
    await object.load()
    const late = await open(writer).load()
    await visit(async (other) => other.regenerateId())
    await object.beforeHead(200)
    await object.beforeRelease()
    await object.afterSaves()
    await t.throwsAsync(late.set('a', 1).save(), { code: 'PHIAL_GONE' })
    t.is(reader.sent.size + writer.sent.size, 0)
  })
}

test('an attribute assigned on a session that is gone sends no cookie', async (t) => {
  const { visit, browser, open } = harness()
  await visit(async (object) => object.save())
  const exchange = browser.begin()
  const session = await open(exchange).load()
  await visit(async (object) => object.destroy())
  session.cookie.maxAge = 60
  await t.throwsAsync(session.save(), { code: 'PHIAL_GONE' })
  t.is(exchange.sent.size, 0)
})

test('domain and path stay with the session, other attributes hold for the request', async (t) => {
  const { visit } = harness()
  await visit(async (object, { sent }) => {
    const session = await object.load()
    session.cookie.domain = 'example.com'
    session.cookie.path = '/shop'
    session.cookie.sameSite = 'strict'
    session.cookie.httpOnly = false
    session.cookie.partitioned = true
    session.cookie.maxAge = 60
    await session.save()
    const { attributes } = sent.get('')!
    t.like(attributes, { domain: 'example.com', path: '/shop', sameSite: 'strict', httpOnly: false, partitioned: true })
    t.is(session.cookie.maxAge, 60)
  })
  await visit(async (object, { sent }) => {
    const session = await object.load()
    t.is(session.cookie.domain, 'example.com')
    t.is(session.cookie.path, '/shop')
    t.is(session.cookie.sameSite, 'lax')
    t.is(session.cookie.expires, undefined)
    session.cookie.secure = true
    await session.save()
    t.like(sent.get('')!.attributes, { domain: 'example.com', path: '/shop', sameSite: 'lax' })
  })
})

test('an expiry is a valid date or undefined, a life is whole seconds within 400 days', async (t) => {
  const { visit, clock } = harness()
  await visit(async (object) => {
    const { cookie } = await object.load()
    const date = new Date(clock.now() + 5000)
    cookie.expires = date
    t.deepEqual(cookie.expires, date)
    t.is(cookie.maxAge, 5)
    cookie.expires = undefined
    t.is(cookie.maxAge, undefined)
    t.throws(() => { cookie.expires = new Date(NaN) }, { instanceOf: TypeError })
    for (const bad of [0, -1, 1.5, NaN, 34_560_001, '60']) t.throws(() => { cookie.maxAge = bad as number }, { instanceOf: TypeError }, String(bad))
  })
})

test('attributes that the cookie\'s name does not allow are refused when they are assigned', async (t) => {
  const { visit } = harness({ policy: { checkCookie: ({ domain }) => { if (domain) throw new RangeError('no domain') } } })
  await visit(async (object) => {
    const session = await object.load()
    t.throws(() => { session.cookie.domain = 'example.com' }, { instanceOf: RangeError })
    t.false(session.dirty)
  })
})

test('after the headers left a change that needs a cookie throws in the mutator, a change in depth in save(), reading does not', async (t) => {
  const { open, browser } = harness()
  const exchange = browser.begin()
  const session = await open(exchange).load()
  const { data } = session
  exchange.headersSent = true
  t.is(session.get('a'), undefined)
  for (const change of [
    () => session.set('a', 1), () => session.delete('a'), () => session.clear(), () => session.assign({ a: 1 }), () => session.flash('a'),
    () => { session.owner = 'ann' },
  ]) t.throws(change, { code: 'PHIAL_HEADERS_SENT' })
  data.a = 1
  await t.throwsAsync(session.save(), { code: 'PHIAL_HEADERS_SENT' })
  await t.throwsAsync(session.update('a', () => 1), { code: 'PHIAL_HEADERS_SENT' })
  await t.throwsAsync(session.regenerateId(), { code: 'PHIAL_HEADERS_SENT' })
})

test('after the headers left a stored session can still be changed and saved, but not get a new id', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => object.save())
  const exchange = browser.begin()
  const session = await open(exchange).load()
  exchange.headersSent = true
  await session.set('late', 1).save()
  await t.throwsAsync(session.regenerateId(), { code: 'PHIAL_HEADERS_SENT' })
  t.is(await visit((object) => object.get('late')), 1)
})

test('once the request is over a change throws instead of being lost', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => object.save())
  const exchange = browser.begin()
  const session = await open(exchange).load()
  exchange.finished = true
  t.throws(() => session.set('a', 1), { code: 'PHIAL_CLOSED' })
})

test('destroying after the headers left kills the record and says that the cookie could not be expired', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => object.save())
  const skipped: unknown[] = []
  const note = (message: unknown): void => void skipped.push(message)
  subscribe('phial:cookie-skipped', note)
  const exchange = browser.begin()
  const session = await open(exchange).load()
  exchange.headersSent = true
  await session.destroy()
  unsubscribe('phial:cookie-skipped', note)
  t.true(skipped.some((message) => (message as { reason: string }).reason === 'headers-sent'))
  t.true(await visit(async (object) => (await object.load()).isNew))
})

test('an attribute assigned in this request is sent with a save that only touches, and with an update', async (t) => {
  const { visit, clock } = harness()
  await visit(async (object) => object.save())
  await visit(async (object, { sent }) => {
    const session = await object.load()
    clock.advance(120_000)
    session.cookie.sameSite = 'strict'
    await session.save()
    t.is(sent.get('')?.attributes.sameSite, 'strict')
  })
  await visit(async (object, { sent }) => {
    const session = await object.load()
    session.cookie.sameSite = 'none'
    await session.update('n', () => 1)
    t.is(sent.get('')?.attributes.sameSite, 'none')
  })
})

import test from 'ava'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { cookieBackend, type CookieOptions } from '../../backends/cookie.js'
import type { CookieAttributes, IdSource } from '../../src/carrier.js'
import type { BackendContext, NamespaceManager, RequestNamespace } from '../../src/namespace-manager.js'
import { newId } from '../../src/record/id.js'
import { makeSealer } from '../../src/record/seal.js'
import { forgedForms } from '../support/forged-forms.js'
import { fuzzCount } from '../support/fuzz-count.js'
import { Jar, plainAttributes, type JarCarrier } from '../support/jar-carrier.js'
import { rejectionsOf } from '../support/rejections.js'

const secret = 'a secret for this test, of more than 32 bytes'
const key = 'an encryption key for this test, over 32 bytes'
const another = 'another key or secret for this test, over 32 bytes'
const hour = 3_600_000

interface Site {
  /** The server's clock; the jar has its own. */
  now: number
  readonly jar: Jar
  readonly backend: RequestNamespace
  request(name?: string): { carrier: JarCarrier; manager: NamespaceManager & IdSource }
}

const site = (options: Partial<BackendContext<CookieOptions>> & { chunks?: number; secrets?: readonly string[]; encryptKeys?: readonly string[]; jar?: Jar } = {}): Site => {
  const { chunks = 1, secrets = [secret], encryptKeys = [key], jar = new Jar(), ...context } = options
  const made: Site = {
    now: Date.now(),
    jar,
    backend: cookieBackend.open({ namespace: 'app', now: () => made.now, options: { chunks }, maxBytes: 262_144,
      sealer: makeSealer({ secrets, encryptKeys, name: 'app' }), ...context }) as RequestNamespace,
    request(name) {
      const carrier = jar.request(name)
      return { carrier, manager: made.backend.forRequest(carrier) }
    },
  }
  return made
}

/** A session of the jar's, saved in a request of its own. */
const save = async (at: Site, value: string, { id = newId(), attributes = plainAttributes, expiresAt = at.now + hour, name = 'phial' } = {}): Promise<{ id: string; version: string }> => {
  const { carrier, manager } = at.request(name)
  const version = await manager.create(id, value, expiresAt) ?? await manager.replace(id, value, (await manager.get(id))?.version ?? '', expiresAt) ?? ''
  manager.writeId(id, attributes)
  carrier.respond()
  return { id, version }
}

const presented = (at: Site, name?: string) => rejectionsOf(() => at.request(name).manager.readId())
const valueOf = async (at: Site, id: string): Promise<string | undefined> => (await at.request().manager.get(id))?.value

const modes = [['signed', { encryptKeys: [] }], ['encrypted', {}]] as const

for (const [mode, keys] of modes) {
  test(`${mode}: a record comes back in the next request, whole`, async t => {
    const at = site(keys)
    const value = '{"user":"Ada 😀\\u0000","emoji":"👩‍👩‍👧‍👦","line":"a\nb"}'
    const { id, version } = await save(at, value)
    t.deepEqual(at.jar.names, ['phial'])
    t.deepEqual(presented(at), { result: { id, stale: false }, reasons: [] })
    t.deepEqual(await at.request().manager.get(id), { value, version, expiresAt: at.now + hour, touched: false })
  })

  test(`${mode}: C15: any value comes back the same`, async t => {
    const at = site(keys)
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async value => {
      at.jar.cookies = []
      const { id } = await save(at, value)
      t.is(await valueOf(at, id), value)
    }), { numRuns: fuzzCount(500) })
  })

  test(`${mode}: S101: forged forms are no session, told as an event, and nothing throws`, async t => {
    const at = site(keys)
    const { id } = await save(at, 'value')
    const sealed = at.jar.values('phial')[0] ?? ''
    const forged = forgedForms('value', secret, key, sealed)
    t.true(forged.length >= 60)
    for (const form of forged) {
      at.jar.cookies = []
      at.jar.keep('phial', form)
      const { result, reasons } = presented(at)
      t.is(result, undefined, form)
      t.is(reasons.length, 1, form)
      t.is(await valueOf(at, id), undefined)
    }
  })

  test(`${mode}: S102: no flipped bit and no cut is accepted`, async t => {
    const at = site(keys)
    await save(at, 'x'.repeat(100))
    const sealed = at.jar.values('phial')[0] ?? ''
    for (let place = 0; place < sealed.length; place++) {
      const flips = Array.from({ length: 8 }, (_, bit) => sealed.slice(0, place) + String.fromCharCode(sealed.charCodeAt(place) ^ (1 << bit)) + sealed.slice(place + 1))
      for (const forged of [...flips, sealed.slice(0, place)]) {
        at.jar.cookies = []
        at.jar.keep('phial', forged)
        if (presented(at).result !== undefined) t.fail(forged)
      }
    }
    at.jar.cookies = []
    at.jar.keep('phial', sealed)
    t.not(presented(at).result, undefined)
  })

  test(`${mode}: S103: a cookie of another name, namespace or application is refused`, async t => {
    const at = site(keys)
    await save(at, 'value', { name: 'other' })
    at.jar.keep('phial', at.jar.values('other')[0] ?? '')
    t.deepEqual(presented(at), { result: undefined, reasons: ['bad-signature'] })
    t.not(presented(at, 'other').result, undefined)
    t.is(presented(site({ ...keys, jar: at.jar, secrets: [another], encryptKeys: mode === 'signed' ? [] : [another] }), 'other').result, undefined)
    t.is(presented(site({ ...keys, jar: at.jar, sealer: makeSealer({ secrets: [secret], encryptKeys: mode === 'signed' ? [] : [key], name: 'neighbour' }) }), 'other').result, undefined)
  })

  test(`${mode}: S109: a record under an older key is stale, and is written under the newest`, async t => {
    const older = site({ secrets: [another], encryptKeys: mode === 'signed' ? [] : [another] })
    const { id } = await save(older, 'value')
    const both = mode === 'signed' ? { secrets: [secret, another], encryptKeys: [] } : { encryptKeys: [key, another] }
    const at = site({ ...both, jar: older.jar })
    t.deepEqual(presented(at).result, { id, stale: true })
    await save(at, 'newer', { id })
    const renewed = site({ ...keys, jar: older.jar })
    t.deepEqual(presented(renewed).result, { id, stale: false })
    t.is(await valueOf(renewed, id), 'newer')
    t.deepEqual(presented(older), { result: undefined, reasons: ['bad-signature'] })
  })

  test(`${mode}: S066, C01: name and value have up to 4,096 octets, and a byte more is a TooLargeError that keeps the old cookie`, async t => {
    for (const [name, letter] of [['phial', 'x'], ['__Host-phial', 'x'], ['a'.repeat(200), 'x'], ['phial', '😀'], ['phial', 'é']] as const) {
      const at = site(keys)
      const { manager } = at.request(name)
      const most = manager.supports.maxValueBytes
      const bytes = Buffer.byteLength(letter)
      const fitting = letter.repeat(Math.floor(most / bytes)) + 'x'.repeat(most % bytes)
      t.is(Buffer.byteLength(fitting), most)
      const { id, version } = await save(at, fitting, { name })
      const octets = name.length + (at.jar.values(name)[0]?.length ?? 0)
      t.true(octets <= 4096 && octets > 4092, `${octets}`)
      const request = at.request(name)
      for (const attempt of [request.manager.replace(id, `${fitting}x`, version, at.now + hour), request.manager.create(newId(), `${fitting}x`, at.now + hour)]) {
        const error = await t.throwsAsync(attempt, { code: 'PHIAL_TOO_LARGE' })
        t.like(error, { size: most + 1, limit: most })
      }
      t.is((await request.manager.get(id))?.value, fitting)
      t.deepEqual(request.carrier.sentNames, [])
    }
  })

  test(`${mode}: with chunks a record goes over several cookies, each within 4,096 octets`, async t => {
    for (const chunks of [2, 3, 8]) {
      const at = site({ ...keys, chunks })
      const most = at.request().manager.supports.maxValueBytes
      for (const bytes of [0, 2800, 3500, 5000, most - 1, most]) {
        const value = 'v'.repeat(bytes)
        const { id } = await save(at, value)
        t.is(await valueOf(at, id), value)
        for (const name of at.jar.names) t.true(name.length + (at.jar.values(name)[0]?.length ?? 0) <= 4096)
      }
      t.is(at.jar.names.length, chunks)
      await t.throwsAsync(save(at, 'v'.repeat(most + 1)), { code: 'PHIAL_TOO_LARGE' })
    }
  })
}

test('S077: encrypted: the cookie shows neither the data nor the id', async t => {
  const at = site()
  const { id } = await save(at, 'canary-of-a-user'.repeat(5))
  const sealed = at.jar.values('phial')[0] ?? ''
  const bytes = Buffer.from(sealed, 'base64url').toString('latin1')
  for (const hidden of ['canary', id.slice(0, 10)]) t.false((sealed + bytes).includes(hidden))
})

test('signed: the cookie can be read by its user', async t => {
  const at = site({ encryptKeys: [] })
  await save(at, 'canary-of-a-user')
  t.true(Buffer.from((at.jar.values('phial')[0] ?? '').split('.')[0] ?? '', 'base64url').toString().endsWith('\ncanary-of-a-user'))
})

test('S114: the documentation says who can read a signed cookie, and what logging out cannot do', t => {
  const documentation = readFileSync(new URL('../../backends/cookie.d.ts', import.meta.url), 'utf8')
  t.regex(documentation, /signed only: its user can read it/)
  t.regex(documentation, /A logout asks the browser to forget the cookie; it cannot make a copy worthless/)
})

test('the manifest promises what a cookie can do, and no more', t => {
  const { maxValueBytes, ...abilities } = cookieBackend.supports
  t.deepEqual(abilities, { scope: 'request', durable: true, atomic: false, revocable: false, enumerable: false, purgeable: false, lockable: false, ownerIndex: false, verified: true })
  t.is(maxValueBytes, 2882)
})

test('a request that asks for nothing reads and sends nothing', async t => {
  const at = site()
  await save(at, 'value')
  const { carrier } = at.request()
  t.is(carrier.reads, 0)
  t.deepEqual(carrier.sentNames, [])
})

test('no cookie is no session, and no event', async t => {
  const at = site()
  t.deepEqual(presented(at), { result: undefined, reasons: [] })
  t.is(await valueOf(at, newId()), undefined)
})

test('S006: an id is found only if its cookie came', async t => {
  const at = site()
  await save(at, 'value')
  const unknown = newId()
  const { manager } = at.request()
  t.is(await manager.get(unknown), undefined)
  t.is(await manager.replace(unknown, 'value', 'version', at.now + hour), undefined)
  t.is(await manager.touch(unknown, at.now + hour), false)
  t.is(await manager.delete(unknown), undefined)
  t.is(await manager.delete(unknown, 'version'), false)
})

test('create answers nothing, and changes nothing, when a live record is there', async t => {
  const at = site()
  const { id } = await save(at, 'value')
  const { manager } = at.request()
  t.is(await manager.create(id, 'another', at.now + hour), undefined)
  t.is((await manager.get(id))?.value, 'value')
  at.now += hour
  t.is(typeof await manager.create(id, 'another', at.now + hour), 'string')
  t.is((await manager.get(id))?.value, 'another')
})

test('replace takes the version that is there, once', async t => {
  const at = site()
  const { id, version } = await save(at, 'one')
  const { carrier, manager } = at.request()
  t.is(await manager.replace(id, 'two', 'another', at.now + hour), undefined)
  const second = await manager.replace(id, 'two', version, at.now + hour) ?? ''
  t.not(second, version)
  t.is(await manager.replace(id, 'three', version, at.now + hour), undefined)
  t.is((await manager.get(id))?.value, 'two')
  manager.writeId(id, plainAttributes)
  carrier.respond()
  t.deepEqual(await at.request().manager.get(id), { value: 'two', version: second, expiresAt: at.now + hour, touched: false })
})

test('a write is sent with writeId, once, as it then is', async t => {
  const at = site()
  const { carrier, manager } = at.request()
  const id = newId()
  const version = await manager.create(id, 'one', at.now + hour) ?? ''
  t.deepEqual(carrier.sentNames, [])
  manager.writeId(id, plainAttributes)
  await manager.replace(id, 'two', version, at.now + hour)
  await manager.touch(id, at.now + 2 * hour)
  manager.writeId(id, { ...plainAttributes, path: '/shop' })
  t.deepEqual(carrier.sentNames, ['phial'])
  t.is(carrier.sent()?.attributes.path, '/shop')
  carrier.respond()
  t.like(await at.request().manager.get(id), { value: 'two', expiresAt: at.now + 2 * hour })
})

test('an id that this request has no record of is not sent, and that is told', t => {
  const { carrier, manager } = site().request()
  const told: unknown[] = []
  const listener = (message: unknown): void => { told.push(message) }
  subscribe('phial:cookie-skipped', listener)
  manager.writeId(newId(), plainAttributes)
  unsubscribe('phial:cookie-skipped', listener)
  t.deepEqual(told, [{ reason: 'gone' }])
  t.deepEqual(carrier.sentNames, [])
})

test('S112: a record is dead from its expiry on, exactly, whatever the client\'s clock', async t => {
  for (const skew of [-10, 0, 10]) {
    const at = site()
    at.jar.now = () => at.now + skew * 365 * 24 * hour
    const { id } = await save(at, 'value')
    at.now += hour - 1
    t.is(await valueOf(at, id), 'value')
    at.now++
    t.is(await valueOf(at, id), undefined)
    const { manager } = at.request()
    t.is(await manager.touch(id, at.now + hour), false)
    t.is(await manager.replace(id, 'value', 'version', at.now + hour), undefined)
    t.deepEqual(manager.readId(), { id, stale: false })
  }
})

test('C12: a clock that is 30 seconds off elsewhere does no harm', async t => {
  const at = site()
  const { id } = await save(at, 'value')
  at.now -= 30_000
  t.is(await valueOf(at, id), 'value')
})

test('a touch goes in a small cookie of its own, and the record is not sent again', async t => {
  const at = site()
  const { id, version } = await save(at, 'x'.repeat(2000))
  const record = at.jar.values('phial')
  at.now += hour / 2
  const { carrier, manager } = at.request()
  const expiresAt = at.now + hour
  t.deepEqual(await manager.get(id, { expiresAt, ifBefore: expiresAt }), { value: 'x'.repeat(2000), version, expiresAt: at.now + hour / 2, touched: true })
  t.is((await manager.get(id, { expiresAt: expiresAt + 1, ifBefore: expiresAt }))?.touched, false)
  manager.writeId(id, plainAttributes)
  t.deepEqual(carrier.sentNames, ['phial-seen'])
  t.true((carrier.sent('seen')?.value.length ?? 0) < 150)
  carrier.respond()
  t.deepEqual(at.jar.values('phial'), record)
  at.now += hour - 1
  t.deepEqual(await at.request().manager.get(id), { value: 'x'.repeat(2000), version, expiresAt, touched: false })
  at.now++
  t.is(await valueOf(at, id), undefined)
})

test('a touch moves the expiry to an earlier time, too', async t => {
  const at = site()
  const { id } = await save(at, 'value')
  const { carrier, manager } = at.request()
  t.true(await manager.touch(id, at.now + 1000))
  manager.writeId(id, plainAttributes)
  carrier.respond()
  at.now += 1000
  t.is(await valueOf(at, id), undefined)
})

test('S173: a request that only read and touched does not undo what another wrote meanwhile', async t => {
  const at = site()
  const { id } = await save(at, 'one')
  const reader = at.request()
  await reader.manager.get(id, { expiresAt: at.now + 2 * hour, ifBefore: Infinity })
  await save(at, 'two', { id })
  reader.manager.writeId(id, { ...plainAttributes, expiresAt: at.now + hour })
  reader.carrier.respond()
  t.deepEqual(await valueOf(at, id), 'two')
})

test('a touch counts for the version it was made for, and brings no older copy to life', async t => {
  const at = site()
  const { id } = await save(at, 'one', { expiresAt: at.now + 1000 })
  const copy = at.jar.values('phial')[0] ?? ''
  await save(at, 'two', { id })
  const { carrier, manager } = at.request()
  await manager.touch(id, at.now + 2 * hour)
  manager.writeId(id, plainAttributes)
  carrier.respond()
  at.jar.keep('phial', copy)
  at.now += 1000
  const { result, reasons } = presented(at)
  t.deepEqual(result, { id, stale: false })
  t.deepEqual(reasons, [])
  t.is(await valueOf(at, id), undefined)
})

test('a touch of another session, or a forged one, counts for nothing', async t => {
  const at = site()
  await save(at, 'other')
  const other = at.request()
  await other.manager.touch(other.manager.readId()?.id ?? '', at.now + 2 * hour)
  other.manager.writeId(other.manager.readId()?.id ?? '', plainAttributes)
  other.carrier.respond()
  at.jar.drop('phial')
  const { id } = await save(at, 'mine')
  for (const seen of [other.carrier.sent('seen')?.value ?? '', 'x', at.jar.values('phial')[0] ?? '']) {
    at.jar.keep('phial-seen', seen)
    t.is((await at.request().manager.get(id))?.expiresAt, at.now + hour)
  }
})

test('of several touches the one that lasts longest counts', async t => {
  const at = site()
  const { id } = await save(at, 'value')
  for (const [path, expiresAt] of [['/', 3 * hour], ['/a', 5 * hour], ['/b', 4 * hour]] as const) {
    const { carrier, manager } = at.request()
    await manager.touch(id, at.now + expiresAt)
    manager.writeId(id, { ...plainAttributes, path })
    carrier.respond()
  }
  t.is(at.jar.values('phial-seen').length, 3)
  t.is((await at.request().manager.get(id))?.expiresAt, at.now + 5 * hour)
})

test('saving expires the touch that it makes useless', async t => {
  const at = site()
  const { id } = await save(at, 'one')
  const { carrier, manager } = at.request()
  await manager.touch(id, at.now + 2 * hour)
  manager.writeId(id, plainAttributes)
  carrier.respond()
  t.deepEqual(at.jar.names, ['phial', 'phial-seen'])
  await save(at, 'two', { id })
  t.deepEqual(at.jar.names, ['phial'])
})

test('saving takes back the touch that the same request has sent', async t => {
  const at = site()
  const { id, version } = await save(at, 'one')
  const { carrier, manager } = at.request()
  await manager.touch(id, at.now + 2 * hour)
  manager.writeId(id, plainAttributes)
  await manager.replace(id, 'two', version, at.now + hour)
  manager.writeId(id, plainAttributes)
  carrier.respond()
  t.deepEqual(at.jar.names, ['phial'])
})

test('a cookie for the browser\'s session says nothing of time', async t => {
  const at = site()
  await save(at, 'value')
  t.is(at.jar.cookies[0]?.expiresAt, undefined)
})

test('a cookie to be forgotten at a time is dead then, though the browser keeps it for the session\'s lifetime', async t => {
  for (const [lifetime, keptSeconds] of [[14 * 24 * 3600, 14 * 24 * 3600], [undefined, 400 * 24 * 3600], [60, 3600]] as const) {
    const at = site({ lifetime })
    at.jar.now = () => at.now
    const forgetAt = at.now + hour
    const { id } = await save(at, 'value', { attributes: { ...plainAttributes, expiresAt: forgetAt }, expiresAt: at.now + 3 * hour })
    t.is(at.jar.cookies[0]?.expiresAt, at.now + keptSeconds * 1000)
    at.now = forgetAt - 1
    t.is(await valueOf(at, id), 'value')
    at.now++
    t.deepEqual(presented(at), { result: undefined, reasons: [] })
  }
})

test('a touch moves the time at which the client is to forget it', async t => {
  const at = site({ lifetime: 10 * 3600 })
  at.jar.now = () => at.now
  const { id } = await save(at, 'value', { attributes: { ...plainAttributes, expiresAt: at.now + hour }, expiresAt: at.now + 3 * hour })
  at.now += hour - 1
  const { carrier, manager } = at.request()
  manager.writeId(id, { ...plainAttributes, expiresAt: at.now + hour })
  t.deepEqual(carrier.sentNames, ['phial-seen'])
  t.is(carrier.sent('seen')?.attributes.expiresAt, at.now + hour)
  carrier.respond()
  at.now += hour - 1
  t.is(await valueOf(at, id), 'value')
  at.now++
  t.is(await valueOf(at, id), undefined)
})

test('expireId makes the client forget the record, its chunks and its touch, with the attributes they were sent with', async t => {
  const at = site({ chunks: 4 })
  const attributes: CookieAttributes = { ...plainAttributes, domain: 'example.org', path: '/shop' }
  const { id } = await save(at, 'x'.repeat(10_000), { attributes })
  const toucher = at.request()
  await toucher.manager.touch(id, at.now + 2 * hour)
  toucher.manager.writeId(id, attributes)
  toucher.carrier.respond()
  t.deepEqual(at.jar.names, ['phial', 'phial-1', 'phial-2', 'phial-3', 'phial-seen'])
  const { carrier, manager } = at.request()
  await manager.delete(id)
  manager.expireId(attributes)
  t.deepEqual(carrier.sent('2')?.attributes, { ...attributes, expiresAt: 0 })
  carrier.respond()
  t.deepEqual(at.jar.names, [])
})

test('expireId takes back what the same request has written', async t => {
  const at = site({ chunks: 4 })
  const { carrier, manager } = at.request()
  const id = newId()
  await manager.create(id, 'x'.repeat(10_000), at.now + hour)
  manager.writeId(id, plainAttributes)
  manager.expireId(plainAttributes)
  carrier.respond()
  t.deepEqual(at.jar.names, [])
})

test('S180: of two requests at once the one answered last wins, whole', async t => {
  const at = site()
  const { id, version } = await save(at, 'base')
  const [one, two] = [at.request(), at.request()]
  for (const [{ manager }, value] of [[one, 'one'], [two, 'two']] as const) {
    t.is(typeof await manager.replace(id, value, version, at.now + hour), 'string')
    manager.writeId(id, plainAttributes)
  }
  two.carrier.respond()
  one.carrier.respond()
  t.is(await valueOf(at, id), 'one')
})

test('S031: a copy of the cookie is good until it expires, and no longer', async t => {
  const at = site()
  const { id, version } = await save(at, 'value')
  const copy = at.jar.values('phial')[0] ?? ''
  const { carrier, manager } = at.request()
  t.true(await manager.delete(id, version))
  t.false(await manager.delete(id, version))
  t.is(await manager.get(id), undefined)
  manager.expireId(plainAttributes)
  carrier.respond()
  t.deepEqual(at.jar.names, [])
  at.jar.keep('phial', copy)
  t.is(await valueOf(at, id), 'value')
  at.now += hour
  t.is(await valueOf(at, id), undefined)
})

test('delete with another version removes nothing, without one it removes whatever is there', async t => {
  const at = site()
  const { id } = await save(at, 'value')
  const { manager } = at.request()
  t.false(await manager.delete(id, 'another'))
  t.is((await manager.get(id))?.value, 'value')
  t.is(await manager.delete(id), undefined)
  t.is(await manager.get(id), undefined)
})

test('renewing an id sends the new record only', async t => {
  const at = site()
  const { id, version } = await save(at, 'value')
  const { carrier, manager } = at.request()
  const renewed = newId()
  await manager.create(renewed, 'value', at.now + hour)
  await manager.replace(id, 'moved', version, at.now + hour)
  manager.writeId(renewed, plainAttributes)
  carrier.respond()
  t.deepEqual(presented(at).result, { id: renewed, stale: false })
  t.is(await valueOf(at, id), undefined)
  t.is(await valueOf(at, renewed), 'value')
})

test('S081: two sessions at once are none, whatever their order, and none of them is read', async t => {
  const at = site()
  const one = await save(at, 'one', { attributes: { ...plainAttributes, path: '/a' } })
  at.jar.cookies = [...at.jar.cookies, ...await (async () => { const other = site(); await save(other, 'two'); return other.jar.cookies })()]
  for (const cookies of [at.jar.cookies, at.jar.cookies.toReversed()]) {
    at.jar.cookies = cookies
    t.deepEqual(presented(at), { result: undefined, reasons: ['ambiguous'] })
    t.is(await valueOf(at, one.id), undefined)
  }
})

test('S081: a forged cookie beside the valid one changes nothing', async t => {
  const at = site()
  const { id } = await save(at, 'value')
  at.jar.keep('phial', 'forged', { path: '/a' })
  at.jar.keep('phial', '9~x', { path: '/b' })
  for (const cookies of [at.jar.cookies, at.jar.cookies.toReversed()]) {
    at.jar.cookies = cookies
    t.deepEqual(presented(at), { result: { id, stale: false }, reasons: ['bad-signature', 'bad-signature'] })
  }
})

test('S081: more than 8 cookies of the name are not opened', async t => {
  const at = site()
  await save(at, 'value')
  for (let other = 0; other < 7; other++) at.jar.keep('phial', 'forged', { path: `/${other}` })
  t.not(presented(at).result, undefined)
  at.jar.keep('phial', 'forged', { path: '/8' })
  t.deepEqual(presented(at), { result: undefined, reasons: ['too-many'] })
})

test('of one session\'s copies, for two paths, the newest counts', async t => {
  const at = site()
  const { id } = await save(at, 'old')
  at.now++
  await save(at, 'new', { id, attributes: { ...plainAttributes, path: '/shop' } })
  for (const cookies of [at.jar.cookies, at.jar.cookies.toReversed()]) {
    at.jar.cookies = cookies
    t.is(cookies.length, 2)
    t.deepEqual(presented(at), { result: { id, stale: false }, reasons: [] })
    t.is(await valueOf(at, id), 'new')
  }
})

test('a dead session does not stand in the way of a live one', async t => {
  const at = site()
  await save(at, 'dead', { expiresAt: at.now + 1000, attributes: { ...plainAttributes, path: '/shop' } })
  at.now += 1000
  const { id } = await save(at, 'live')
  t.is(at.jar.values('phial').length, 2)
  t.deepEqual(presented(at), { result: { id, stale: false }, reasons: [] })
  t.is(await valueOf(at, id), 'live')
})

test('S091: a missing, doubled or foreign chunk is no session, and nothing throws', async t => {
  const at = site({ chunks: 3 })
  const older = await save(at, 'a'.repeat(8000))
  const olderChunk = at.jar.values('phial-1')[0] ?? ''
  await save(at, 'b'.repeat(8000))
  const { cookies } = at.jar
  t.deepEqual(at.jar.names, ['phial', 'phial-1', 'phial-2'])
  for (const [change, reason] of [
    [() => at.jar.drop('phial-1'), 'malformed'],
    [() => at.jar.drop('phial-2'), 'malformed'],
    [() => at.jar.keep('phial-1', olderChunk), 'bad-signature'],
    [() => at.jar.keep('phial-1', ''), 'bad-signature'],
    [() => at.jar.keep('phial-1', olderChunk, { path: '/a' }), 'malformed'],
    [() => at.jar.keep('phial', at.jar.values('phial')[0]?.replace('3~', '2~') ?? ''), 'bad-signature'],
    [() => at.jar.keep('phial', at.jar.values('phial')[0]?.replace('3~', '8~') ?? ''), 'malformed'],
    [() => at.jar.keep('phial', at.jar.values('phial')[0]?.replace('3~', '') ?? ''), 'bad-signature'],
  ] as const) {
    at.jar.cookies = cookies
    change()
    t.deepEqual(presented(at), { result: undefined, reasons: [reason] })
    t.is(await valueOf(at, older.id), undefined)
  }
  at.jar.cookies = cookies
  at.jar.drop('phial')
  t.deepEqual(presented(at), { result: undefined, reasons: [] })
})

test('a smaller record expires the chunks that it does not need', async t => {
  const at = site({ chunks: 4 })
  const { id } = await save(at, 'x'.repeat(10_000))
  t.deepEqual(at.jar.names, ['phial', 'phial-1', 'phial-2', 'phial-3'])
  await save(at, 'x'.repeat(5000), { id })
  t.deepEqual(at.jar.names, ['phial', 'phial-1'])
  await save(at, 'x', { id })
  t.deepEqual(at.jar.names, ['phial'])
})

test('a record in chunks is still read, and its chunks expired, when chunks are turned off', async t => {
  const many = site({ chunks: 3 })
  const { id } = await save(many, 'x'.repeat(8000))
  const at = site({ jar: many.jar })
  t.is(await valueOf(at, id), 'x'.repeat(8000))
  await t.throwsAsync(save(at, 'x'.repeat(8000), { id }), { code: 'PHIAL_TOO_LARGE' })
  await save(at, 'small', { id })
  t.deepEqual(at.jar.names, ['phial'])
})

test.serial('S078: cookies of more than 8 KiB are warned of, once', async t => {
  const codes: unknown[] = []
  const listener = (warning: Error & { code?: string }): void => { codes.push(warning.code) }
  process.on('warning', listener)
  const at = site({ chunks: 8 })
  await save(at, 'x'.repeat(5000))
  await new Promise(setImmediate)
  t.deepEqual(codes, [])
  await save(at, 'x'.repeat(7000))
  await save(at, 'x'.repeat(7000))
  await new Promise(setImmediate)
  process.off('warning', listener)
  t.deepEqual(codes, ['PHIAL_COOKIE_SIZE'])
})

test('chunks: 1 unless told, 8 at most', t => {
  t.is(cookieBackend.options?.['chunks']?.default, 1)
  t.throws(() => site({ chunks: 9 }), { code: 'PHIAL_CONFIG' })
  t.notThrows(() => site({ chunks: 8 }))
})

test('the manifest tells what fits whatever the name, up to 64 characters', async t => {
  for (const keys of [{}, { encryptKeys: [] }]) {
    const at = site(keys)
    t.true(at.backend.supports.maxValueBytes >= cookieBackend.supports.maxValueBytes)
    t.is(at.request('x'.repeat(64)).manager.supports.maxValueBytes, at.backend.supports.maxValueBytes)
    t.true(at.request('x').manager.supports.maxValueBytes > at.backend.supports.maxValueBytes)
  }
  t.is(site().backend.supports.maxValueBytes, cookieBackend.supports.maxValueBytes)
})

test('a name that leaves no room is a TooLargeError, not a cookie that no browser keeps', async t => {
  for (const length of [4000, 4096, 5000]) {
    const at = site()
    await t.throwsAsync(save(at, '', { name: 'x'.repeat(length) }), { code: 'PHIAL_TOO_LARGE' })
  }
})

test('S014: what holds a session or its keys shows neither', async t => {
  const at = site()
  const { id } = await save(at, 'canary-of-a-user')
  const { manager } = at.request()
  await manager.get(id)
  const shown = inspect([manager, at.backend], { depth: 9, showHidden: true }) + JSON.stringify([manager, at.backend])
  for (const hidden of ['canary', id, key, secret]) t.false(shown.includes(hidden))
})

test('a longer key leaves less for the value', async t => {
  const at = site()
  const { manager } = at.request()
  const most = manager.supports.maxValueBytes
  t.is(typeof await manager.create('k'.repeat(64), 'x'.repeat(most - 21), at.now + hour), 'string')
  await t.throwsAsync(manager.create('l'.repeat(64), 'x'.repeat(most - 20), at.now + hour), { code: 'PHIAL_TOO_LARGE' })
})

test('a carrier that does not tell its name has 64 characters reserved', async t => {
  const at = site()
  const carrier = at.jar.request()
  Object.defineProperty(carrier, 'name', { value: undefined })
  t.is(at.backend.forRequest(carrier).supports.maxValueBytes, at.backend.supports.maxValueBytes)
})

test('after close calls reject with SessionClosedError, of the request and of the namespace', async t => {
  const at = site()
  const { id, version } = await save(at, 'value')
  const [one, two] = [at.request().manager, at.request().manager]
  await one.close()
  await one.close()
  t.is((await two.get(id))?.value, 'value')
  await at.backend.close()
  await at.backend.close()
  for (const manager of [one, two]) {
    for (const call of [
      () => manager.get(id), () => manager.create(newId(), '', at.now + hour), () => manager.replace(id, '', version, at.now + hour),
      () => manager.touch(id, at.now + hour), () => manager.delete(id), () => manager.delete(id, version),
    ]) await t.throwsAsync(call, { code: 'PHIAL_CLOSED' })
  }
  t.throws(() => at.request(), { code: 'PHIAL_CLOSED' })
})

test('C04: whatever a client sends, nothing throws and nothing is a session', async t => {
  const at = site({ chunks: 3 })
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.base64String(), fc.constantFrom('2~', '3~x', '~', '1~', '8~8~'))
  await fc.assert(fc.asyncProperty(fc.array(value, { maxLength: 4 }), fc.array(value, { maxLength: 4 }), async (values, slots) => {
    const { carrier, manager } = at.request()
    carrier.read = slot => slot === undefined ? values : slots
    t.is(rejectionsOf(() => manager.readId()).result, undefined)
    manager.expireId(plainAttributes)
  }), { numRuns: fuzzCount(1000) })
})

test('an expiry in the far future, in the past or in fractions is kept as well as it can be', async t => {
  for (const [expiresAt, kept] of [[Infinity, 36 ** 9 - 1], [Number.MAX_SAFE_INTEGER, 36 ** 9 - 1], [4_102_444_800_000.9, 4_102_444_800_000]] as const) {
    const at = site()
    const { id } = await save(at, 'value', { expiresAt })
    t.is((await at.request().manager.get(id))?.expiresAt, kept)
  }
  const at = site()
  const { id } = await save(at, 'value', { expiresAt: -1 })
  t.is(await valueOf(at, id), undefined)
})

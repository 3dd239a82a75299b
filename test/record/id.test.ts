import test from 'ava'
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { sign } from 'cookie-signature'
import { IdKeys } from '../../src/record/id-keys.js'
import { isId, keyOf, keySpace, newId, nonce, ownerKeyOf, SignedIds } from '../../src/record/id.js'
import { fuzzCount } from '../support/fuzz-count.js'
import { Jar, plainAttributes } from '../support/jar-carrier.js'
import { rejectionsOf } from '../support/rejections.js'

const newest = 'newest secret, of which there are more than 32 bytes'
const older = 'older secret, of which there are more than 32 bytes'
const oldest = 'oldest secret, of which there are more than 32 bytes'

/** Of a session named cart, of its owner and their generation: frozen, since records are stored under them. */
const CART_KEYS = [
  '8b6d75a567bd33366125bafd7960e26849256ff0b1abbb1191f1109cbc55e651',
  '1bea3da5be8a5d249a016b67299e48a5099a9ce01ab52602e7fda06b8c66baae',
  'd62b0645bc8d92f6ef1b6c9a745a1392b1d4d378715e26935b342cbafa209252',
]

const cookieOf = (id: string, secret: string, cookieName = 'phial'): string => {
  const jar = new Jar()
  const request = jar.request()
  new SignedIds(request, new IdKeys([secret], cookieName, keyOf)).writeId(id, plainAttributes)
  return request.sent()?.value ?? ''
}

const read = (cookies: readonly string[], secrets = [newest, older], cookieName = 'phial') => {
  const carrier = new Jar().request()
  carrier.read = () => cookies
  return rejectionsOf(() => new SignedIds(carrier, new IdKeys(secrets, cookieName, keyOf)).readId())
}

test('S001: an id is 32 bytes in base64url, and no two are the same', t => {
  const ids = new Set<string>()
  const count = fuzzCount(100_000)
  for (let made = 0; made < count; made++) ids.add(newId())
  t.is(ids.size, count)
  const id = newId()
  t.regex(id, /^[A-Za-z0-9_-]{43}$/)
  t.is(Buffer.from(id, 'base64url').length, 32)
})

test('S001: at each place of an id all letters are as likely', t => {
  const rounds = 20_000
  const counts = Array.from({ length: 43 }, () => new Map<string, number>())
  for (let made = 0; made < rounds; made++) {
    for (const [place, letter] of [...newId()].entries()) {
      const seen = counts[place] as Map<string, number>
      seen.set(letter, (seen.get(letter) ?? 0) + 1)
    }
  }
  for (const [place, seen] of counts.entries()) {
    const letters = place === 42 ? 16 : 64
    const expected = rounds / letters
    const chiSquare = [...seen.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    t.is(seen.size, letters)
    // Mean 63, deviation 11 (15 and 5.5 at the end): ten deviations above it is not chance.
    t.true(chiSquare < (letters - 1) + 10 * Math.sqrt(2 * (letters - 1)), `place ${place}: ${chiSquare}`)
  }
})

test('S002: an id is no UUID', t => {
  t.notRegex(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-/)
})

test('S004: ids of two processes have no beginning in common', t => {
  const script = `import(${JSON.stringify(new URL('../../src/record/id.js', import.meta.url).href)})
    .then(({ newId }) => console.log(Array.from({ length: 2000 }, newId).join(' ')))`
  const ids = [1, 2].flatMap(() => execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim().split(' '))
  t.is(ids.length, 4000)
  t.is(new Set(ids.map(id => id.slice(0, 10))).size, 4000)
  t.is(new Set(ids.map(id => id.slice(-10))).size, 4000)
})

test('S005: only 43 letters of base64url have the form of an id', t => {
  for (const length of [0, 1, 7, 42, 44, 250, 251, 4096, 16_000]) t.false(isId('a'.repeat(length)), String(length))
  for (const letter of ['.', '/', '+', '=', ' ', '\n', '\0', 'é', '%', ':', '\ud800']) {
    t.false(isId('a'.repeat(42) + letter), JSON.stringify(letter))
    t.false(isId(letter + 'a'.repeat(42)), JSON.stringify(letter))
  }
  t.false(isId(`${'a'.repeat(43)}\n`))
  t.true(isId(newId()))
  t.true(isId('-_'.padEnd(43, 'zZ09')))
})

test('S011: the stored key is a hash of the id, another for each id, in 64 hexadecimal digits', t => {
  const id = newId()
  t.regex(keyOf(id), /^[0-9a-f]{64}$/)
  t.is(keyOf(id), keyOf(id))
  t.not(keyOf(id), keyOf(newId()))
  t.false(isId(keyOf(id)))
})

test('an owner is stored as a hash that no id has, and ill-formed Unicode is refused', t => {
  t.regex(ownerKeyOf('ada'), /^[0-9a-f]{64}$/)
  t.not(ownerKeyOf('ada'), ownerKeyOf('Ada'))
  const id = newId()
  t.not(ownerKeyOf(id), keyOf(id))
  t.notThrows(() => ownerKeyOf('😀'))
  t.throws(() => ownerKeyOf('\ud800'), { instanceOf: TypeError })
})

test('each name of sessions has keys of its own, for good, and none is one of the default sessions\'', t => {
  const id = 'A'.repeat(43)
  const { keyOf: cartKeyOf, ownerKeyOf: cartOwnerKeyOf, generationKeyOf: cartGenerationKeyOf } = keySpace('cart')
  t.deepEqual([cartKeyOf(id), cartOwnerKeyOf('ada'), cartGenerationKeyOf('ada')], CART_KEYS)
  const owners = ['ada', 'cart owner ada', 'named cart owner ada', id]
  const keys = [undefined, 'cart', 'owner', 'named', 'key'].map(keySpace).flatMap((space) =>
    [space.keyOf(id), ...owners.flatMap((owner) => [space.ownerKeyOf(owner), space.generationKeyOf(owner)])])
  t.is(new Set(keys).size, keys.length)
})

test('a nonce has 96 bits, and no two are the same', t => {
  t.is(new Set(Array.from({ length: 10_000 }, nonce)).size, 10_000)
  t.regex(nonce(), /^[\w-]{16}$/)
})

test('an id comes back from the cookie it was written to', t => {
  const id = newId()
  const jar = new Jar()
  const request = jar.request()
  new SignedIds(request, new IdKeys([newest], 'phial', keyOf)).writeId(id, { ...plainAttributes, path: '/shop' })
  request.respond()
  t.deepEqual(jar.cookies.map(({ name, path }) => ({ name, path })), [{ name: 'phial', path: '/shop' }])
  t.deepEqual(read(jar.values('phial')), { result: { id, stale: false }, reasons: [] })
})

test('expiring an id expires its cookie', t => {
  const jar = new Jar()
  jar.keep('phial', cookieOf(newId(), newest))
  const request = jar.request()
  new SignedIds(request, new IdKeys([newest], 'phial', keyOf)).expireId(plainAttributes)
  request.respond()
  t.deepEqual(jar.names, [])
})

test('no cookie is no id, and no event', t => {
  t.deepEqual(read([]), { result: undefined, reasons: [] })
})

test('S109: the newest secret signs, all verify, a removed one fails, and an id under an older one is stale', t => {
  const id = newId()
  const cookie = cookieOf(id, older)
  t.deepEqual(read([cookie], [older]).result, { id, stale: false })
  t.deepEqual(read([cookie], [newest, older]).result, { id, stale: true })
  t.deepEqual(read([cookie], [newest, oldest, older]).result, { id, stale: true })
  t.deepEqual(read([cookie], [older, newest]).result, { id, stale: false })
  t.deepEqual(read([cookie], [newest, oldest]), { result: undefined, reasons: ['bad-signature'] })
})

test('S109: there are 1 to 8 secrets, and none is empty', t => {
  t.throws(() => new IdKeys([], 'phial', keyOf), { code: 'PHIAL_CONFIG' })
  t.throws(() => new IdKeys(Array.from({ length: 9 }, (_, index) => `secret ${index}`), 'phial', keyOf), { code: 'PHIAL_CONFIG' })
  t.throws(() => new IdKeys([newest, ''], 'phial', keyOf), { code: 'PHIAL_CONFIG' })
  t.notThrows(() => new IdKeys(Array.from({ length: 8 }, (_, index) => `secret ${index}`), 'phial', keyOf))
})

test('S103: an id signed for another cookie, or with the secret itself, is not ours', t => {
  const id = newId()
  for (const cookie of [cookieOf(id, newest, 'other'), sign(id, newest)]) {
    t.deepEqual(read([cookie]), { result: undefined, reasons: ['bad-signature'] })
  }
})

test('S005: what has not the form of a signed id is malformed', t => {
  const cookie = cookieOf(newId(), newest)
  for (const malformed of ['', 'x', cookie.slice(1), `${cookie}A`, `${cookie}=`, ` ${cookie}`, cookie.replace('.', '_'), `s:${cookie}`,
    encodeURIComponent(`${cookie}/`), 'x'.repeat(4096), '😀'.repeat(43), 'é'.repeat(87), '\0'.repeat(87)]) {
    t.deepEqual(read([malformed]), { result: undefined, reasons: ['malformed'] }, malformed)
  }
})

test('S102: every bit of a signed id counts, and so does every letter', t => {
  const cookie = cookieOf(newId(), newest)
  t.deepEqual(read([cookie]).reasons, [])
  for (let place = 0; place < cookie.length; place++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = cookie.slice(0, place) + String.fromCharCode(cookie.charCodeAt(place) ^ (1 << bit)) + cookie.slice(place + 1)
      t.is(read([flipped]).result, undefined)
    }
    t.is(read([cookie.slice(0, place)]).result, undefined)
  }
})

test('S081: of one valid cookie among forged ones the order decides nothing', t => {
  const id = newId()
  const valid = cookieOf(id, newest)
  const forged = cookieOf(newId(), 'a secret that is not ours')
  for (const cookies of [[valid, forged, ''], [forged, valid, ''], ['', forged, valid], [forged, '', valid], [valid, valid]]) {
    t.deepEqual(read(cookies).result, { id, stale: false })
  }
  t.deepEqual(read([valid, forged, '']).reasons, ['bad-signature', 'malformed'])
})

test('S081: two distinct valid cookies give no session', t => {
  const one = cookieOf(newId(), newest)
  const two = cookieOf(newId(), older)
  for (const cookies of [[one, two], [two, one], [one, '', two]]) {
    const { result, reasons } = read(cookies)
    t.is(result, undefined)
    t.is(reasons.at(-1), 'ambiguous')
  }
})

test('S081: one id that came twice, under an older and the newest secret, is one id and not stale', t => {
  const id = newId()
  const cookies = [cookieOf(id, older), cookieOf(id, newest)]
  t.deepEqual(read(cookies), { result: { id, stale: false }, reasons: [] })
  t.deepEqual(read(cookies.toReversed()), { result: { id, stale: false }, reasons: [] })
})

test('more than 8 cookies of the name are not looked at', t => {
  const cookie = cookieOf(newId(), newest)
  t.not(read(Array.from({ length: 8 }, () => cookie)).result, undefined)
  t.deepEqual(read(Array.from({ length: 9 }, () => cookie)), { result: undefined, reasons: ['too-many'] })
})

test('C04: no text that a client may send throws or passes', t => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 100 }), { maxLength: 3 }), cookies => {
    t.is(read(cookies).result, undefined)
  }), { numRuns: fuzzCount(2000) })
  t.pass()
})
